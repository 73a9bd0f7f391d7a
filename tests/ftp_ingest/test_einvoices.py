"""Suppliers' electronic invoices dropped on a feed."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from ftp_ingest.models import QuarantinedRow, ReceivedFile
from ftp_ingest.services import IngestReport, pull_feed_now, replay_row
from purchasing.models import ReceivedInvoice
from tests.factories import FeedFactory, SupplierFactory
from tests.ftp_ingest.test_ingest import HEADER, row
from tests.purchasing.test_receptions import cii, pdf, terms

pytestmark = pytest.mark.django_db
Bring = Callable[..., IngestReport]


def statuses(report: IngestReport) -> list[tuple[str, str, str]]:
    return [(f.name, f.kind, f.status) for f in report.files]


def test_invoices_dropped_beside_orders_wait_to_be_matched(tmp_path: Path) -> None:
    supplier = SupplierFactory(name="Cirier du Nord")
    folder = tmp_path / "depot"
    folder.mkdir()
    (folder / "orders.csv").write_text(HEADER + row("1"))
    (folder / "facture.pdf").write_bytes(pdf(cii()))
    (folder / "autre.xml").write_bytes(cii(**{"BT-1": "F-2026-78"}))
    feed = FeedFactory(directory=str(folder), pattern="*")

    first, again = (pull_feed_now(feed_id=feed.pk) for _ in range(2))

    assert sorted(statuses(first.ingest)) == [
        ("autre.xml", "einvoice", "applied"),
        ("facture.pdf", "einvoice", "applied"),
        ("orders.csv", "orders", "applied"),
    ]
    assert again.status == "nothing_new"
    kept = ReceivedInvoice.objects.order_by("number")
    assert [(i.number, i.supplier, i.total_incl_tax) for i in kept] == [
        ("F-2026-77", supplier, Decimal("64.80")),
        ("F-2026-78", supplier, Decimal("64.80")),
    ]


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("facture.pdf", b"%PDF-1.7 scan", "einvoice"),
        ("facture.xml", b"<?xml version='1.0'?><a/>", "einvoice"),
        ("facture.xml", b"<not closed", "einvoice"),
    ],
)
def test_one_that_cannot_be_read_is_refused_with_its_reason(
    bring: Bring, name: str, data: bytes, code: str
) -> None:
    report = bring(data, name)

    assert statuses(report) == [(name, "einvoice", "refused")]
    refused = QuarantinedRow.objects.get(kind="file", status="open")
    assert refused.code.startswith(code)
    assert name in refused.message
    assert not ReceivedInvoice.objects.exists()


def test_a_refused_one_is_read_again_from_the_archive(
    bring: Bring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ftp_ingest.services.einvoices.MAX_UPLOAD", 10)
    bring(cii(), "facture.xml")
    assert ReceivedFile.objects.get().status == "refused"
    monkeypatch.undo()

    replay_row(row_id=QuarantinedRow.objects.get().pk)

    assert ReceivedFile.objects.get().status == "applied"
    assert QuarantinedRow.objects.get().status == "resolved"
    assert ReceivedInvoice.objects.get().number == terms()["BT-1"]


def test_a_dry_run_keeps_no_invoice(bring: Bring) -> None:
    assert statuses(bring(cii(), "facture.xml", dry_run=True))[0][2] == "applied"
    assert not ReceivedInvoice.objects.exists()


def test_what_calls_itself_a_csv_is_told_that_it_is_none(bring: Bring) -> None:
    report = bring(b"%PDF-1.7 facture", "orders.csv")

    assert [fault.code for _name, fault in report.counts.faults] == ["file.not_csv"]
