"""A feed's keys: pasted as they come, tried at saving, said clearly when they don't fit."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from cryptography.hazmat.primitives import serialization
from django.test import Client

from accounting_export.forms import SendingForm
from ftp_ingest.forms import FeedForm
from ftp_ingest.models import Feed
from ftp_ingest.services import probe, pull_feed
from sales.models import Order
from sphinx.core.credentials import reveal, set_credentials
from sphinx.demo.sftp import SftpServer, serve_folder
from tests.core.test_ssh_keys import PASSPHRASE, PRIVATE, written
from tests.factories import FeedFactory, ShopFactory
from tests.ftp_ingest.test_feeds import ORDERS
from tests.support.servers import PASSWORD, USER, ScriptedFtp, ftp_server

pytestmark = pytest.mark.django_db


@pytest.fixture
def dropped(tmp_path: Path) -> Path:
    folder = tmp_path / "depot"
    folder.mkdir()
    (folder / "orders.csv").write_text(ORDERS)
    return folder


@pytest.fixture
def sftp(dropped: Path, tmp_path: Path) -> Iterator[SftpServer]:
    """Lets in by password, or by one of the keys."""
    form = (serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    known = [key.public_key().public_bytes(*form).decode() for key in PRIVATE.values()]
    (tmp_path / "authorized").write_text("\n".join(known) + "\n")
    with serve_folder(
        dropped,
        username=USER,
        password=PASSWORD,
        key_file=tmp_path / "host-key",
        authorized_client_keys=str(tmp_path / "authorized"),
    ) as server:
        yield server


def feed_at(server: SftpServer, password: str = PASSWORD, key: str = "", **values: Any) -> Feed:
    values = {"host_key": server.host_key, **values}
    feed = FeedFactory(protocol="sftp", host="127.0.0.1", port=server.port, username=USER, **values)
    set_credentials(feed, password=password, private_key=key)
    return feed


# --- The server's key ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "form",
    ["{key} root@srv", "127.0.0.1 {key}", "[127.0.0.1]:2222 {key}", "# h:22 SSH-2.0-x\nh {key}\n"],
)
def test_a_line_of_ssh_keyscan_is_a_host_key(sftp: SftpServer, form: str) -> None:
    feed = feed_at(sftp, host_key=form.format(key=sftp.host_key))

    assert [step.is_ok for step in probe(feed)] == [True] * 4
    assert pull_feed(feed).status == "ok"


def test_any_of_several_keys_fits(sftp: SftpServer) -> None:
    other = asyncssh.generate_private_key("ssh-rsa").export_public_key().decode()

    report = pull_feed(feed_at(sftp, host_key=f"h {other}\nh {sftp.host_key}"))

    assert (report.status, report.error) == ("ok", "")


def test_another_key_is_still_refused(sftp: SftpServer) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()

    report = pull_feed(feed_at(sftp, host_key=f"127.0.0.1 {other}"))

    assert report.status == "failed"
    assert "a changé" in report.error
    assert not Order.objects.exists()


# --- Servers too old, or that speak something else ----------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"kex_algs": ["diffie-hellman-group14-sha1"]},
        {"encryption_algs": ["chacha20-poly1305@openssh.com"]},
    ],
)
@pytest.mark.parametrize("is_known", [True, False])
def test_a_server_with_nothing_in_common_is_said_clearly(
    options: dict[str, Any], is_known: bool, dropped: Path, tmp_path: Path
) -> None:
    with serve_folder(
        dropped, username=USER, password=PASSWORD, key_file=tmp_path / "host-key", **options
    ) as server:
        feed = feed_at(server, host_key=server.host_key if is_known else "")
        last = probe(feed)[-1]

    assert not last.is_ok
    assert "mettre son serveur à jour" in last.text


def test_plain_ftp_on_a_port_of_tls_is_said_clearly(dropped: Path) -> None:
    with ftp_server(dropped) as port:
        values = {"host": "127.0.0.1", "port": port, "username": USER}
        explicit = probe(FeedFactory(protocol="ftps", **values))[-1].text
        implicit = probe(FeedFactory(protocol="ftpsi", **values))[-1].text

    assert "n'offre pas le FTPS explicite" in explicit
    assert "ne parle pas TLS" in implicit


def test_a_server_that_wants_tls_says_so() -> None:
    class Strict(ScriptedFtp):
        def _answer(self, verb: str) -> bytes:
            return b"530 Non-anonymous sessions must use encryption.\r\n"

    with Strict({}).serve() as port:
        feed = FeedFactory(protocol="ftp", host="127.0.0.1", port=port, username=USER)
        last = probe(feed)[-1]

    assert "choisissez FTPS" in last.text


@pytest.mark.parametrize("host", ["a..b", "x" * 70 + ".exemple.test"])
def test_a_name_that_no_server_can_have_is_said(host: str) -> None:
    feed = FeedFactory(protocol="ftp", host=host, username=USER)

    assert "introuvable" in probe(feed)[-1].text
    assert pull_feed(feed).status == "failed"


# --- Our own key --------------------------------------------------------------------------


def posted(form: type, **values: str) -> Any:
    names = form.base_fields  # type: ignore[attr-defined]
    start = {name: field.initial for name, field in names.items() if field.initial is not None}
    chosen = {"code": "f", "shop": str(ShopFactory().pk), "protocol": "sftp", "host": "h"}
    return form({**start, **chosen, **values})


@pytest.mark.parametrize(("key", "form"), [("rsa", "PEM"), ("ecdsa", "PKCS#8"), ("rsa", "OpenSSH")])
def test_a_key_with_its_passphrase_logs_in(
    sftp: SftpServer, key: str, form: str, admin_client: Client
) -> None:
    feed = feed_at(sftp, password="")
    values = {
        name: getattr(feed, name)
        for name in FeedForm.Meta.fields
        if name not in ("shop", "is_passive")
    }
    values = {name: value for name, value in values.items() if value not in (None, False)}
    answer = admin_client.post(
        f"/admin/ftp_ingest/feed/{feed.pk}/change/",
        {
            **values,
            "shop": feed.shop_id,
            "private_key": written(key, form, PASSPHRASE),
            "passphrase": PASSPHRASE,
        },
    )
    assert answer.status_code == 302

    feed.refresh_from_db()

    assert PASSPHRASE not in reveal(feed.private_key_encrypted)
    assert pull_feed(feed).status == "ok"


@pytest.mark.parametrize("form", [FeedForm, SendingForm])
@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"private_key": written("rsa", "PEM", PASSPHRASE)}, "phrase secrète"),
        ({"private_key": "ssh-rsa AAAA"}, "publique"),
        ({"host_key": "n'importe quoi"}, "ssh-keyscan"),
    ],
)
def test_what_cant_be_a_key_is_refused_at_saving(
    form: type, values: dict[str, str], said: str
) -> None:
    errors = posted(form, **values).errors

    (name,) = values
    assert said in errors[name][0]


def test_a_locked_key_that_was_kept_before_is_no_wrong_password(sftp: SftpServer) -> None:
    feed = feed_at(sftp, password="", key=written("rsa", "PEM", PASSPHRASE))

    last = probe(feed)[-1]

    assert "protégée" in last.text
    assert "mot de passe" not in last.text
