"""Folder feeds stay below the one folder that the operator names; what isn't a shop's file stays
unseen."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from ftp_ingest.forms import FeedForm
from ftp_ingest.models import QuarantinedRow, ReceivedFile
from ftp_ingest.services import probe, pull_feed
from ftp_ingest.transports import open_transport
from sphinx.core.errors import InputError, SphinxError
from tests.factories import FeedFactory
from tests.ftp_ingest.test_feeds import ORDERS
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db
SECRET = "b3Zq9-kT_lWx0aVnH7uPzR5cYfGd2sJm8QeBwLtCiKo4"


@pytest.fixture
def root(tmp_path: Path, settings: Any) -> Path:
    """The operator's folder, and beside it what nobody may reach."""
    settings.FEED_ROOT = tmp_path / "depots"
    (settings.FEED_ROOT / "boutique").mkdir(parents=True)
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "secret.csv").write_text(SECRET)
    (secrets / "orders.csv").write_text(ORDERS)
    return tmp_path / "depots"


def form_data(**values: Any) -> dict[str, Any]:
    feed = FeedFactory.build(**values)
    names = FeedForm.Meta.fields
    data = {name: getattr(feed, name) for name in names if name != "shop"}
    return {k: v for k, v in data.items() if v not in (None, False)} | values


WAYS_OUT = ["{tmp}/secrets", "../secrets", "boutique/../../secrets", "/", "/etc", "link", "a\x00b"]


@pytest.mark.parametrize("way", WAYS_OUT)
def test_no_folder_feed_leaves_the_root(way: str, root: Path, tmp_path: Path) -> None:
    (root / "link").symlink_to(tmp_path / "secrets")
    directory = way.format(tmp=tmp_path)
    feed = FeedFactory.build(directory=directory) if "\x00" in way else None
    feed = feed or FeedFactory(directory=directory, after_fetch="delete")

    if "\x00" not in way:
        report = pull_feed(feed)
        assert report.status == "failed"
    assert not probe(feed)[-1].is_ok
    assert not ReceivedFile.objects.exists()
    assert (tmp_path / "secrets" / "secret.csv").read_text() == SECRET


@pytest.mark.parametrize("way", [w for w in WAYS_OUT if w != "link"])
def test_the_form_says_no_at_once(way: str, root: Path, tmp_path: Path, shop: Any) -> None:
    data = form_data(code="f", protocol="folder", directory=way.format(tmp=tmp_path))
    form = FeedForm({**data, "shop": shop.pk})
    assert not form.is_valid()
    assert "directory" in form.errors


@pytest.mark.parametrize("directory", [".", "boutique", "./boutique/", "{root}/boutique", "{root}"])
def test_a_folder_below_the_root_is_read(directory: str, root: Path, shop: Any) -> None:
    place = root if "boutique" not in directory else root / "boutique"
    (place / "orders.csv").write_text(ORDERS)
    told = directory.format(root=root)
    data = form_data(code="f", protocol="folder", directory=told)
    form = FeedForm({**data, "shop": shop.pk})
    assert form.is_valid(), form.errors
    assert pull_feed(form.save()).status == "ok"


def test_without_a_root_no_folder_is_read_and_the_sentence_names_the_setting(
    root: Path, settings: Any, shop: Any
) -> None:
    settings.FEED_ROOT = None
    (root / "boutique" / "orders.csv").write_text(ORDERS)
    report = pull_feed(FeedFactory(directory=str(root / "boutique")))
    assert report.status == "failed"
    assert "SPHINX_FEED_ROOT" in report.error
    form = FeedForm({**form_data(code="g", protocol="folder", directory="."), "shop": shop.pk})
    assert not form.is_valid()
    assert "SPHINX_FEED_ROOT" in str(form.errors)


def test_a_feed_over_a_server_names_any_folder_of_it(root: Path, shop: Any) -> None:
    data = form_data(code="f", protocol="sftp", host="h", directory="/depot/../x")
    assert FeedForm({**data, "shop": shop.pk}).is_valid()


def test_a_link_to_a_file_is_left_aside_and_said(root: Path, tmp_path: Path) -> None:
    (root / "boutique" / "orders.csv").symlink_to(tmp_path / "secrets" / "orders.csv")
    report = pull_feed(FeedFactory(directory="boutique", after_fetch="delete"))
    assert not ReceivedFile.objects.exists()
    assert "orders.csv" in report.error
    assert (tmp_path / "secrets" / "orders.csv").exists()


def test_a_link_to_a_folder_below_isnt_followed(root: Path, tmp_path: Path) -> None:
    (root / "boutique" / "paris").symlink_to(tmp_path / "secrets")
    pull_feed(FeedFactory(directory="boutique", subfolders=True, after_fetch="archive"))
    assert not ReceivedFile.objects.exists()


@pytest.mark.parametrize("action", ["leave", "archive", "delete"])
@pytest.mark.parametrize("swapped", ["file", "folder", "feed"])
def test_what_becomes_a_link_between_the_look_and_the_reading_isnt_read(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, swapped: str, action: str
) -> None:
    """The folder is listed, then somebody puts a link where a file or a folder was."""
    from ftp_ingest.transports.folder import FolderTransport

    here = root / "boutique" / "paris"
    here.mkdir()
    (here / "orders.csv").write_text(ORDERS)
    place = {"file": here / "orders.csv", "folder": here, "feed": root / "boutique"}[swapped]
    target = tmp_path / "secrets"
    (target / "paris").mkdir()
    (target / "paris" / "orders.csv").write_text(ORDERS)
    goal = {"file": target / "orders.csv", "folder": target, "feed": target}[swapped]
    look = FolderTransport.list_files
    looks = []

    def look_then_swap(self: FolderTransport) -> Any:
        found = look(self)
        if not looks:
            place.rename(root / "aside")
            place.symlink_to(goal)
        looks.append(found)
        return found

    before = sorted(target.rglob("*"))
    monkeypatch.setattr(FolderTransport, "list_files", look_then_swap)
    pull_feed(FeedFactory(directory="boutique", subfolders=True, after_fetch=action))

    if swapped != "feed":
        assert not ReceivedFile.objects.exists()
    assert sorted(target.rglob("*")) == before


def test_a_pipe_isnt_waited_for(root: Path) -> None:
    os.mkfifo(root / "boutique" / "orders.csv")
    assert pull_feed(FeedFactory(directory="boutique")).status == "nothing_new"


@pytest.mark.parametrize(
    "name", ["../secrets/x.csv", "/nulle/part.csv", "a/../../x.csv", "link/x.csv"]
)
@pytest.mark.parametrize("field", ["stock_file", "shipment_file"])
def test_what_we_leave_stays_below_the_root_too(
    root: Path, tmp_path: Path, name: str, field: str, shop: Any
) -> None:
    (root / "boutique" / "link").symlink_to(tmp_path / "secrets")
    before = sorted((tmp_path / "secrets").iterdir())
    (root / "boutique" / "orders.csv").write_text(ORDERS)
    feed = FeedFactory(directory="boutique", **{field: name})
    if field == "stock_file":
        assert pull_feed(feed).status == "failed"
    else:
        with open_transport(feed, "", "") as transport, pytest.raises(SphinxError):
            transport.put(root / "boutique" / "orders.csv", name)
    assert sorted((tmp_path / "secrets").iterdir()) == before
    if "link" not in name:
        data = form_data(code="f", protocol="folder", directory="boutique", **{field: name})
        assert field in FeedForm({**data, "shop": shop.pk}).errors


# --- What was received and is no shop's file --------------------------------------------------


@pytest.fixture
def unknown(root: Path) -> ReceivedFile:
    """A secret that somebody dropped where feeds are read."""
    (root / "boutique" / "notes.csv").write_text(f"{SECRET};motdepasse=hunter2\nroot:x:0:0;ici\n")
    pull_feed(FeedFactory(directory="boutique"))
    return ReceivedFile.objects.get()


@pytest.mark.parametrize("role", ["Gérant", "Exploitant", "Ventes"])
def test_what_nobody_recognised_isnt_given_out(unknown: ReceivedFile, role: str) -> None:
    client = signed_in(role)
    assert client.get(f"/passerelle/fichiers/{unknown.pk}/").status_code == 404
    listed = client.get("/admin/ftp_ingest/receivedfile/").content.decode()
    assert f"/passerelle/fichiers/{unknown.pk}/" not in listed
    page = client.get(f"/passerelle/passages/{unknown.run_id}/").content.decode()
    assert f"/passerelle/fichiers/{unknown.pk}/" not in page


def test_a_shops_file_is_given_to_who_sees_feeds(root: Path) -> None:
    (root / "boutique" / "orders.csv").write_text(ORDERS)
    pull_feed(FeedFactory(directory="boutique"))
    address = f"/passerelle/fichiers/{ReceivedFile.objects.get().pk}/"
    assert signed_in("Ventes").get(address).status_code == 200
    assert signed_in("Comptable").get(address).status_code == 403


def test_who_may_see_files_but_no_feed_takes_none_away(root: Path) -> None:
    from django.contrib.auth.models import Permission, User

    (root / "boutique" / "orders.csv").write_text(ORDERS)
    pull_feed(FeedFactory(directory="boutique"))
    person = User.objects.create_user("seule", is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="view_receivedfile"))
    client = Client()
    client.force_login(person)
    address = f"/passerelle/fichiers/{ReceivedFile.objects.get().pk}/"
    assert client.get(address).status_code == 403


def test_no_message_quotes_what_isnt_a_header(unknown: ReceivedFile) -> None:
    row = QuarantinedRow.objects.get()
    said = row.message + row.cause + row.subject + unknown.run.error
    for piece in (SECRET, "hunter2", "root:x"):
        assert piece not in said
    assert "En-tête inconnu" in row.message
    client = signed_in("Gérant")
    for page in ("/admin/ftp_ingest/quarantinedrow/", f"/passerelle/quarantaine/{row.pk}/"):
        assert SECRET not in client.get(page).content.decode()
    assert SECRET not in client.get(f"/passerelle/passages/{unknown.run_id}/").content.decode()


def test_a_header_that_nobody_knows_is_still_quoted(root: Path) -> None:
    (root / "boutique" / "x.csv").write_text("Bestellnummer;Kunde (Name);E-Mail\n1;a;b\n")
    pull_feed(FeedFactory(directory="boutique"))
    assert "Bestellnummer, Kunde (Name), E-Mail" in QuarantinedRow.objects.get().message


def test_the_assistant_shows_a_file_of_the_shop_or_ones_own_only(root: Path) -> None:
    (root / "boutique" / "x.csv").write_text("Bestellnummer;Kunde\n1;a\n")
    pull_feed(FeedFactory(directory="boutique"))
    from sphinx.core.models import Shop

    Shop.objects.create(code="autre", name="Autre")
    file = ReceivedFile.objects.get()
    client = signed_in("Gérant")
    assert client.get(f"/passerelle/assistant/{file.shop.code}/{file.sha256}/").status_code == 200
    assert client.get(f"/passerelle/assistant/autre/{file.sha256}/").status_code == 404


def test_the_archive_is_asked_for_hashes_only(settings: Any) -> None:
    from ftp_ingest.services.archive import archive_path

    for name in ("../../secret", "x", "", "A" * 64, "0" * 63):
        with pytest.raises(InputError):
            archive_path(name)


# --- The root itself --------------------------------------------------------------------------


@pytest.mark.parametrize("root", ["/", "{tmp}", "{tmp}/data"])
def test_a_root_that_holds_the_programs_own_data_is_refused(root: str, tmp_path: Path) -> None:
    answer = settings_with(tmp_path, SPHINX_FEED_ROOT=root.format(tmp=tmp_path))
    assert "SPHINX_FEED_ROOT" in answer.stderr
    assert answer.returncode != 0


def test_production_has_no_root_unless_named(tmp_path: Path) -> None:
    assert settings_with(tmp_path, DEBUG="0", SECRET_KEY=SECRET).stdout.strip() == "None"
    named = settings_with(tmp_path, SPHINX_FEED_ROOT=str(tmp_path / "depots"))
    assert named.stdout.strip() == str(tmp_path / "depots")


def settings_with(tmp_path: Path, **values: str) -> Any:
    import subprocess
    import sys

    environment = {k: v for k, v in os.environ.items() if not k.startswith("SPHINX_FEED")}
    asked = "from django.conf import settings; print(settings.FEED_ROOT)"
    return subprocess.run(
        [sys.executable, "-c", asked],
        env={
            **environment,
            "DJANGO_SETTINGS_MODULE": "sphinx.settings",
            "SPHINX_DATA_DIR": str(tmp_path / "data"),
            **values,
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("verb", ["fetch", "delete", "put_away", "put"])
@pytest.mark.parametrize("swapped", ["file", "folder"])
def test_no_step_follows_a_link_put_there_since(
    verb: str, swapped: str, root: Path, tmp_path: Path, shop: Any
) -> None:
    here, target = root / "boutique" / "paris", tmp_path / "secrets"
    here.mkdir()
    (here / "orders.csv").write_text(ORDERS)
    before = {path: path.read_bytes() for path in target.iterdir()}
    with open_transport(FeedFactory(directory="boutique", subfolders=True), "", "") as transport:
        (file,) = transport.list_files()
        place, goal = {
            "file": (here / "orders.csv", target / "orders.csv"),
            "folder": (here, target),
        }[swapped]
        place.rename(root / "aside")
        place.symlink_to(goal)
        came = tmp_path / "came"
        with suppress(SphinxError, OSError):
            if verb == "fetch":
                transport.fetch(file, came)
            elif verb == "put":
                transport.put(root.parent / "secrets" / "secret.csv", "paris/orders.csv")
            else:
                getattr(transport, verb)(file)
    assert not came.exists()
    assert {path: path.read_bytes() for path in target.iterdir()} == before
