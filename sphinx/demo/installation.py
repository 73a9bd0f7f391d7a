"""The demo's firm, people and feed: made once, found again by every later run."""

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import transaction

from ftp_ingest.models import Feed
from sphinx.core import clock
from sphinx.core.credentials import set_credentials
from sphinx.core.models import Company, Shop
from sphinx.demo.sftp import SftpServer, answers, public_key, serve_folder
from sphinx.demo.shop import write_catalogue, write_shop_files

# log-in → role
PEOPLE = {
    "gerant": "Gérant",
    "ventes": "Ventes",
    "entrepot": "Entrepôt",
    "achats": "Achats",
    "comptable": "Comptable",
    "cabinet": "Cabinet comptable",
    "exploitant": "Exploitant",
}
SFTP_USER = "boutique"


def demo_folder() -> Path:
    """Where the demo keeps its own files."""
    return Path(settings.DATA_DIR) / "demo"


def logins_file() -> Path:
    """Log-ins and passwords of the demo's people, readable by their owner only."""
    return demo_folder() / "connexions.txt"


def shop_folder() -> Path:
    """What the demo shop drops: the folder that the SFTP server serves."""
    return demo_folder() / "boutique"


def sftp_password() -> str:
    """The SFTP account's password, drawn once."""
    kept = demo_folder() / "sftp-password"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.touch(mode=0o600)
        kept.write_text(secrets.token_urlsafe(16))
    return kept.read_text()


@contextmanager
def demo_server() -> Iterator[SftpServer]:
    """The shop's SFTP server, always on the same port of this installation.

    When `make serve` runs it already, that one is used: the feed finds it where it was.
    """
    kept = demo_folder() / "sftp-port"
    port = int(kept.read_text()) if kept.exists() else 0
    folder, password, key_file = shop_folder(), sftp_password(), demo_folder() / "sftp-host-key"
    if port and answers(port):
        yield SftpServer(port, SFTP_USER, password, public_key(key_file))
        return
    with ExitStack() as stack:

        def serve(wanted: int) -> SftpServer:
            return stack.enter_context(
                serve_folder(
                    folder, username=SFTP_USER, password=password, key_file=key_file, port=wanted
                )
            )

        try:
            server = serve(port)
        except OSError:
            server = serve(0)
        kept.write_text(str(server.port))
        yield server


def write_files() -> Path:
    """The shop's files and the catalogue, written by the first run; returns the catalogue."""
    folder = shop_folder()
    folder.mkdir(parents=True, exist_ok=True)
    catalogue = demo_folder() / "catalogue.csv"
    if not (folder / "orders.csv").exists():
        write_catalogue(catalogue)
        midnight = datetime.combine(clock.today(), datetime.min.time())
        write_shop_files(folder, midnight)
    return catalogue


@transaction.atomic
def install(server: SftpServer) -> Feed:
    """The firm, its people, its shop and the feed that fetches from `server`."""
    Company.objects.get_or_create(
        pk=1,
        defaults={
            "name": "Maison Sphinx (démonstration)",
            "legal_form": "SARL",
            "share_capital": "10 000 €",
            "siren": "123456782",
            "siret": "12345678200002",
            "vat_number": "FR11123456782",
            "trade_register": "RCS Nantes 123 456 782",
            "address1": "12 quai de la Fosse",
            "postcode": "44000",
            "city": "Nantes",
            "email": "bonjour@maison-sphinx.test",
            "phone": "+33 2 40 00 00 00",
            "uses_oss": True,
            "hides_first_steps": True,
        },
    )
    _people()
    shop, _created = Shop.objects.get_or_create(
        code="demo", defaults={"name": "Boutique de démonstration"}
    )
    feed, _created = Feed.objects.get_or_create(
        code="demo",
        defaults={"shop": shop, "protocol": Feed.Protocol.SFTP, "directory": "."},
    )
    feed.host, feed.port, feed.username = "127.0.0.1", server.port, server.username
    feed.host_key = server.host_key
    feed.save()
    set_credentials(feed, password=server.password)
    return feed


def _people() -> None:
    missing = [name for name in PEOPLE if not User.objects.filter(username=name).exists()]
    if not missing:
        return
    lines = logins_file().read_text().splitlines() if logins_file().exists() else []
    for name in missing:
        password = secrets.token_urlsafe(9)
        user = User.objects.create_user(name, f"{name}@maison-sphinx.test", password, is_staff=True)
        user.groups.add(Group.objects.get(name=PEOPLE[name]))
        lines.append(f"{PEOPLE[name]:<18} {name:<12}{password}")
    logins_file().touch(mode=0o600)
    logins_file().write_text("\n".join(lines) + "\n")
