"""Batches go to the accountant on their day, by e-mail or SFTP, and leave a receipt."""

import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from django.core import mail
from django.core.exceptions import ValidationError

from accounting_export.models import Dispatch, ExportBatch, Journal, JournalEntry, Sending
from accounting_export.selectors import sending_settings, stuck_dispatches
from accounting_export.services import export_new, post_missing, send_due, send_waiting
from accounting_export.services import sending as module
from accounting_export.services.sending import next_day, sent_name
from invoicing.anchors import last_anchor
from invoicing.services import close_periods, issue_invoice
from sphinx.core.credentials import set_credentials
from sphinx.core.models import AuditEvent
from sphinx.dashboard.figures import work_waiting
from sphinx.demo.sftp import SftpServer, serve_folder
from tests.accounting_export.test_purchases import charged, received
from tests.factories import NOON, line, shipped
from tests.support.threads import together
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db
OTHER_KEY = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
LATER = NOON + timedelta(days=1)


@pytest.fixture
def by_email() -> Sending:
    chosen = sending_settings()
    chosen.is_active, chosen.email = True, "cabinet@exemple.test"
    chosen.rhythm = Sending.Rhythm.DAY
    chosen.save()
    return chosen


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    folder = tmp_path / "cabinet"
    (folder / "depot").mkdir(parents=True)
    return folder


@pytest.fixture
def server(drop: Path, tmp_path: Path) -> Iterator[SftpServer]:
    with serve_folder(drop, username="sphinx", password="secret", key_file=tmp_path / "key") as it:
        yield it


@pytest.fixture
def by_sftp(by_email: Sending, server: SftpServer) -> Sending:
    chosen = by_email
    chosen.way, chosen.host, chosen.port = Sending.Way.SFTP, "127.0.0.1", server.port
    chosen.username, chosen.host_key, chosen.directory = "sphinx", server.host_key, "depot"
    chosen.save()
    set_credentials(chosen, password="secret")
    return chosen


def invoiced(number: str) -> None:
    issue_invoice(delivery_note_id=shipped(number, line("A", "12.00")).pk, at=NOON)
    post_missing()


def test_what_is_new_goes_by_e_mail_with_its_file(by_email: Sending) -> None:
    invoiced("1")

    assert send_due(at=NOON) == 1

    batch = ExportBatch.objects.get()
    (message,) = mail.outbox
    assert message.to == ["cabinet@exemple.test"]
    assert "EX000001" in message.subject
    assert batch.sha256 in message.body
    name, data, _kind = message.attachments[0]
    assert name == sent_name(batch)
    assert (data if isinstance(data, bytes) else data.encode()) == batch.file.read_bytes()
    receipt = batch.dispatch
    assert (receipt.sent_at, receipt.recipient) == (NOON, "cabinet@exemple.test")
    assert AuditEvent.objects.filter(kind="journal.sent").exists()


def test_each_entry_goes_once_and_a_day_without_any_sends_none(by_email: Sending) -> None:
    invoiced("1")
    send_due(at=NOON)
    assert send_due(at=NOON) == 0
    assert send_due(at=LATER) == 0
    invoiced("2")
    assert send_due(at=LATER) == 0
    assert send_due(at=LATER + timedelta(days=1)) == 1
    assert [batch.entry_count for batch in ExportBatch.objects.order_by("pk")] == [1, 1]
    assert len(mail.outbox) == 2


def test_not_in_use_nothing_is_made_or_sent() -> None:
    invoiced("1")
    assert send_due(at=NOON) == 0
    assert not ExportBatch.objects.exists()


def test_it_waits_for_its_day(by_email: Sending) -> None:
    Sending.objects.update(next_on=LATER.date())
    invoiced("1")
    assert send_due(at=NOON) == 0
    assert not ExportBatch.objects.exists()
    assert send_due(at=LATER) == 1


@pytest.mark.parametrize(
    ("rhythm", "day", "following"),
    [
        ("day", date(2026, 12, 31), date(2027, 1, 1)),
        ("week", date(2026, 11, 26), date(2026, 11, 30)),
        ("week", date(2026, 11, 30), date(2026, 12, 7)),
        ("month", date(2026, 11, 1), date(2026, 12, 1)),
        ("month", date(2026, 12, 31), date(2027, 1, 1)),
    ],
)
def test_the_next_day_of_each_rhythm(rhythm: str, day: date, following: date) -> None:
    assert next_day(day, rhythm) == following


def test_the_journals_and_the_format_are_those_chosen(by_email: Sending) -> None:
    invoiced("1")
    charged(received())
    Sending.objects.update(format="csv")
    by_email.journals.set(Journal.objects.filter(code__in=["VE", "AC"]))
    send_due(at=NOON)
    batch = ExportBatch.objects.get()
    assert (batch.format, sorted(batch.journals.split(","))) == ("csv", ["AC", "VE"])


def test_sftp_leaves_the_whole_file_and_says_where(
    by_sftp: Sending, drop: Path, server: SftpServer
) -> None:
    invoiced("1")

    assert send_due(at=NOON) == 1

    batch = ExportBatch.objects.get()
    assert [path.name for path in (drop / "depot").iterdir()] == [sent_name(batch)]
    assert (drop / "depot" / sent_name(batch)).read_bytes() == batch.file.read_bytes()
    where = f"sftp://sphinx@127.0.0.1:{server.port}/depot/{sent_name(batch)}"
    assert batch.dispatch.recipient == where


def test_two_fecs_of_one_year_do_not_overwrite_each_other(by_sftp: Sending, drop: Path) -> None:
    invoiced("1")
    send_due(at=NOON)
    invoiced("2")
    send_due(at=LATER)
    names = sorted(path.name for path in (drop / "depot").iterdir())
    assert [name[:9] for name in names] == ["EX000001-", "EX000002-"]


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        ({"password": "faux"}, "refuse le mot de passe"),
        ({"host_key": ""}, "présente la clé ssh-ed25519"),
        ({"host_key": OTHER_KEY}, "a changé"),
        ({"directory": "ailleurs"}, "« ailleurs » n'existe pas"),
        ({"port": 1}, "connexion impossible"),
    ],
)  # fmt: skip
def test_what_cannot_leave_says_why_and_leaves_the_next_time(
    by_sftp: Sending, drop: Path, harm: dict[str, Any], words: str
) -> None:
    right = {name: getattr(by_sftp, name) for name in harm if name != "password"}
    set_credentials(by_sftp, password=harm.get("password", ""))
    Sending.objects.update(**{k: v for k, v in harm.items() if k != "password"})
    invoiced("1")

    assert send_due(at=NOON) == 0
    assert words in stuck_dispatches().get().reason
    assert not list((drop / "depot").iterdir())
    set_credentials(by_sftp, password="secret")
    Sending.objects.update(**right)
    assert send_due(at=NOON + timedelta(hours=1)) == 1
    assert Dispatch.objects.get().reason == ""


def test_a_mail_server_that_is_down_loses_nothing(
    by_email: Sending, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    invoiced("1")
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    assert send_due(at=NOON) == 0
    assert "refused" in stuck_dispatches().get().reason
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert send_due(at=NOON) == 1


def test_a_big_file_is_zipped_and_one_too_big_says_what_to_do(
    by_email: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoiced("1")
    size = 400
    monkeypatch.setattr(module, "MAX_ATTACHED", size)
    send_due(at=NOON)
    assert "trop grand pour un e-mail" in Dispatch.objects.get().reason
    monkeypatch.setattr(module, "MAX_ATTACHED", ExportBatch.objects.get().file.stat().st_size - 1)
    assert send_waiting(at=NOON) == 1
    name, data, kind = mail.outbox[0].attachments[0]
    assert kind == "application/zip"
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert (
            archive.read(name.removesuffix(".zip")) == ExportBatch.objects.get().file.read_bytes()
        )


def test_a_batch_that_cannot_be_made_does_not_hold_up_what_waits(by_email: Sending) -> None:
    invoiced("1")
    export_new(format_code="fec", is_to_send=True)
    Sending.objects.update(format="inconnu")
    invoiced("2")
    assert send_due(at=NOON) == 1
    assert len(mail.outbox) == 1

    client = signed_in("Gérant")
    assert "« inconnu » inconnu" in client.get("/comptabilite/export/").content.decode()
    assert work_waiting()["unsent"] == 1
    Sending.objects.update(format="csv")
    assert send_due(at=NOON + timedelta(hours=1)) == 1
    assert work_waiting()["unsent"] == 0


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_rounds_at_once_send_one(by_email: Sending) -> None:
    invoiced("1")
    assert together([lambda: send_due(at=NOON)] * 2) == []
    assert ExportBatch.objects.count() == 1
    assert len(mail.outbox) == 1
    assert JournalEntry.objects.filter(exports=None, journal__code="VE").count() == 0


def test_it_is_not_put_in_use_without_an_address() -> None:
    chosen = sending_settings()
    chosen.is_active = True
    with pytest.raises(ValidationError, match=r"Donnez l'e-mail"):
        chosen.full_clean()


def test_the_page_sends_on_request_and_shows_the_receipt(
    by_email: Sending, django_capture_on_commit_callbacks: Any
) -> None:
    invoiced("1")
    client = signed_in("Gérant")
    form = {"scope": "new", "format_code": "fec", "journals": ["VE"], "is_to_send": "on"}
    page = client.post("/comptabilite/export/", form, follow=True).content.decode()
    send_waiting(at=datetime(2026, 3, 2, 9, tzinfo=UTC))
    page = client.get("/comptabilite/export/").content.decode()
    assert "cabinet@exemple.test" in page
    assert len(mail.outbox) == 1


def test_the_page_shows_what_is_stuck_and_tries_again(by_sftp: Sending) -> None:
    Sending.objects.update(directory="ailleurs")
    invoiced("1")
    send_due(at=NOON)
    client = signed_in("Gérant")
    assert "ailleurs" in client.get("/comptabilite/export/").content.decode()
    assert "Envois au comptable en échec" in client.get("/").content.decode()
    Sending.objects.update(directory="depot")
    page = client.post("/comptabilite/export/transmettre/", follow=True).content.decode()
    assert "1 envoi transmis" in page


def test_the_password_is_kept_sealed_and_never_shown(by_sftp: Sending) -> None:
    client = signed_in("Gérant")
    url = "/admin/accounting_export/sending/1/change/"
    page = client.get(url).content.decode()
    assert "secret" not in page
    form = {
        "rhythm": "week", "format": "fec", "way": "email", "email": "a@exemple.test",
        "port": "22", "directory": ".", "password": "nouveau", "next_on": "",
    }  # fmt: skip
    assert client.post(url, form).status_code == 302
    kept = Sending.objects.get()
    assert kept.rhythm == "week"
    assert "nouveau" not in kept.password_encrypted
    assert kept.password_encrypted != by_sftp.password_encrypted


def test_the_message_holds_the_anchor_of_the_last_closing(by_email: Sending) -> None:
    issue_invoice(delivery_note_id=shipped("1", line("A", "12.00")).pk, at=NOON)
    post_missing()
    close_periods(at=LATER)

    send_due(at=LATER)

    (message,) = mail.outbox
    assert last_anchor().startswith("SPHINX-1-")
    assert last_anchor() in message.body
