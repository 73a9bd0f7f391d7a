"""What is changed with the triggers off is seen by `verify`, kind by kind, on both databases."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from accounting_export.services import post_missing
from inventory.models import StockMove
from invoicing.chain import GENESIS, document_hash
from invoicing.models import Invoice, InvoicePdf, Payment
from invoicing.services import close_periods, issue_invoice, record_payment, render_pdfs
from sphinx.core.models import AuditEvent, Seal
from sphinx.core.proofs import run_proofs
from sphinx.core.sealing import seal_books
from tests.factories import NOON, line, shipped
from tests.support.tampering import triggers_off

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def faults() -> dict[str, list[str]]:
    return {proof.name: proof.faults for proof in run_proofs() if proof.faults}


def tampered(sql: str, *values: Any) -> set[str]:
    """The proofs that fail once this was done with the triggers off."""
    with triggers_off() as cursor:
        cursor.execute(sql, values)
        assert cursor.rowcount
    return set(faults())


@pytest.fixture
def books() -> Invoice:
    """A day with two invoices, what they were paid, their entries; closed, and proved."""
    first, _second = (
        issue_invoice(
            delivery_note_id=shipped(str(n), line("A", "120.00"), payment_method="Carte").pk,
            at=NOON,
        )
        for n in (1, 2)
    )
    post_missing()
    record_payment(invoice=first, amount=5, method="Espèces", reference="caisse-1", paid_at=NOON)
    render_pdfs([first.pk])
    close_periods(at=NOON + DAY)
    return first


@pytest.fixture(autouse=True)
def _whole(books: Invoice) -> None:
    found = faults()
    found.pop("documents_posted", None)  # the till's payment is booked later
    assert found == {}


def test_a_payment_deleted() -> None:
    found = tampered("DELETE FROM invoicing_payment WHERE reference = 'caisse-1'")

    assert {"sealed_payments", "closing_details"} <= found


def test_a_payments_amount() -> None:
    found = tampered("UPDATE invoicing_payment SET amount = 4 WHERE reference = 'caisse-1'")

    assert {"sealed_payments", "closing_details"} <= found


@pytest.mark.parametrize(
    "change",
    [
        "entry_date = '2026-03-01'",
        "piece_date = '2026-03-01'",
        "label = 'Autre'",
        "piece_ref = 'FA2026-000009'",
        "validated_on = '2026-03-01'",
    ],
)
def test_an_entrys_date_label_or_reference(change: str, books: Invoice) -> None:
    sql = f"UPDATE accounting_export_journalentry SET {change} WHERE invoice_id = %s"

    assert "sealed_entries" in tampered(sql, books.pk)


def test_an_entrys_account(books: Invoice) -> None:
    sql = (
        "UPDATE accounting_export_journalline SET account = '70710009' WHERE account LIKE '707%%' "
        "AND entry_id = %s"
    )

    assert "sealed_entry_lines" in tampered(sql, books.entry.pk)


def test_vat_moved_to_sales_in_balance(books: Invoice) -> None:
    # 120.00 at 20 %: 100.00 of sales and 20.00 of VAT become 110.00 and 10.00.
    sql = (
        "UPDATE accounting_export_journalline SET credit = CASE WHEN account LIKE '707%%' "
        "THEN 110 ELSE 10 END WHERE credit > 0 AND entry_id = %s"
    )

    assert tampered(sql, books.entry.pk) >= {"sealed_entry_lines"}
    assert "entries_balanced" not in faults()


def test_an_invoice_changed_and_the_chain_built_anew() -> None:
    previous = GENESIS
    with triggers_off() as cursor:
        cursor.execute("UPDATE invoicing_invoice SET customer_name = 'Autre' WHERE chain_index = 1")
        for invoice in Invoice.objects.order_by("chain_index"):
            invoice.previous_hash = previous
            previous = document_hash(invoice, invoice.lines.all(), invoice.taxes.all())
            cursor.execute(
                "UPDATE invoicing_invoice SET previous_hash = %s, hash = %s WHERE id = %s",
                [invoice.previous_hash, previous, invoice.pk],
            )

    found = faults()
    assert "hash_chain" not in found
    assert "closings_bind" in found


def test_closings_deleted() -> None:
    assert "sealed_closings" in tampered("DELETE FROM invoicing_closing")


def test_closings_and_their_seals_deleted() -> None:
    with triggers_off() as cursor:
        cursor.execute("DELETE FROM invoicing_closing")
        cursor.execute("DELETE FROM core_seal WHERE book = 'closings'")

    assert "sealed_closings" in faults()


def test_a_pdf_and_its_hash_exchanged_together(books: Invoice) -> None:
    import hashlib

    from django.conf import settings

    pdf = InvoicePdf.objects.get(invoice=books)
    (settings.DATA_DIR / pdf.path).write_bytes(b"%PDF-1.7 forged")
    forged = hashlib.sha256(b"%PDF-1.7 forged").hexdigest()

    found = tampered("UPDATE invoicing_invoicepdf SET sha256 = %s", forged)

    assert "invoice_pdfs" not in found
    assert "sealed_pdfs" in found


def test_the_first_audit_events_deleted() -> None:
    first = AuditEvent.objects.order_by("pk").values_list("pk", flat=True)[0]

    assert "sealed_audit" in tampered("DELETE FROM core_auditevent WHERE id = %s", first)


def test_an_audit_events_details_changed() -> None:
    sql = "UPDATE core_auditevent SET details = '{\"amount\": \"1\"}' WHERE kind = 'books.closed'"
    seal_books()

    assert "sealed_audit" in tampered(sql)


def test_unit_costs_of_two_moves_changed_in_balance() -> None:
    moves = StockMove.objects.order_by("pk")
    assert moves.count() >= 2

    found = tampered("UPDATE inventory_stockmove SET unit_cost = unit_cost + 1")

    assert "sealed_moves" in found


def test_an_average_cost_changed() -> None:
    sql = "UPDATE inventory_stockposition SET average_cost = average_cost + 1"

    assert "stock_value" in tampered(sql)


def test_payments_changed_and_their_seals_made_anew() -> None:
    """Whoever rebuilds the seals too is told by the closing, which names the seal it had."""
    with triggers_off() as cursor:
        cursor.execute("DELETE FROM invoicing_payment WHERE reference = 'caisse-1'")
        cursor.execute("DELETE FROM core_seal WHERE book = 'payments'")
        cursor.execute("UPDATE core_documentsequence SET last_number = 0 "
                       "WHERE series = 'SEAL-payments'")  # fmt: skip
    seal_books()

    found = faults()
    assert "sealed_payments" not in found
    assert "closings_bind" in found


# --- What the database refuses itself ------------------------------------------------------------


def refused(sql: str) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)
    except DatabaseError:
        return True
    return False


@pytest.mark.parametrize(
    "table",
    [
        "core_auditevent",
        "core_seal",
        "inventory_stockmove",
        "invoicing_closing",
        "invoicing_invoicepdf",
        "accounting_export_journalline",
    ],
)
def test_truncate_is_refused(table: str) -> None:
    if connection.vendor == "postgresql":
        assert refused(f"TRUNCATE {table} CASCADE")
    else:
        assert refused(f"DELETE FROM {table}")


def test_insert_or_replace_is_refused() -> None:
    if connection.vendor == "postgresql":
        pytest.skip("SQLite only")
    kept = Payment.objects.count()

    assert refused("INSERT OR REPLACE INTO invoicing_payment SELECT * FROM invoicing_payment")
    assert Payment.objects.count() == kept


# --- Sealing -------------------------------------------------------------------------------------


def test_what_was_sealed_is_not_sealed_again() -> None:
    seal_books(with_late=True)
    seals = Seal.objects.count()

    assert seal_books(with_late=True) == 0
    assert Seal.objects.count() == seals


def test_a_row_committed_late_is_sealed_by_a_later_seal() -> None:
    seal_books()
    last = AuditEvent.objects.latest("pk")
    AuditEvent.objects.create(pk=last.pk + 2, at=last.at, kind="books.closed")
    seal_books()
    AuditEvent.objects.create(pk=last.pk + 1, at=last.at, kind="books.closed")

    assert seal_books() == 0
    assert seal_books(with_late=True) == 1
    assert "sealed_audit" not in faults()
