"""The purchase journal: suppliers' invoices good to pay, credit notes, what is taken back."""

import csv
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from accounting_export.models import JournalEntry
from accounting_export.services import export_journal, post_missing_purchases
from inventory.services import default_warehouse
from purchasing.models import ReceiptLine, SupplierInvoice
from purchasing.services import (
    Charged,
    cancel_supplier_invoice,
    create_order,
    enter_supplier_invoice,
    receive_goods,
    send_order,
)
from sphinx.core.errors import InputError
from sphinx.core.proofs import run_proofs
from sphinx.core.services import company
from tests.factories import NOON, ProductFactory, SupplierFactory, SupplierProductFactory

pytestmark = pytest.mark.django_db
D = Decimal
DAY = NOON.date()


def received(country: str = "FR", rate: str | None = "20.00", code: str = "F00007") -> ReceiptLine:
    """Ten pieces at 5 EUR excl. tax, received."""
    product = ProductFactory(tax_rate=rate and D(rate))
    supplier = SupplierFactory(
        name="Cirier" if code == "F00007" else code, code=code, country=country
    )
    SupplierProductFactory(supplier=supplier, product=product, price="5.00")
    order = create_order(
        supplier=supplier, warehouse=default_warehouse(), quantities={product.pk: D(10)}, at=NOON
    )
    send_order(order_id=order.pk, by_email=False, at=NOON)
    receipt = receive_goods(order_id=order.pk, quantities=None, at=NOON)
    assert receipt is not None
    return receipt.lines.get()


def charged(
    row: ReceiptLine,
    tax: str = "11.00",
    carriage: str = "5.00",
    number: str = "F-1",
    pieces: int = 10,
    kind: str = "invoice",
) -> SupplierInvoice:
    return enter_supplier_invoice(
        supplier=row.receipt.purchase_order.supplier,
        supplier_number=number,
        issued_on=DAY,
        charged=[Charged(row.pk, D(pieces), D("5.00"))],
        carriage=D(carriage),
        tax=D(tax),
        total_incl_tax=D(pieces) * 5 + D(carriage) + D(tax),
        kind=kind,
        at=NOON,
    )


def lines_of(entry: JournalEntry) -> list[tuple[str, str, str]]:
    return [(r.account, f"{r.debit:.2f}", f"{r.credit:.2f}") for r in entry.lines.all()]


def test_an_invoice_good_to_pay_is_booked_once() -> None:
    invoice = charged(received())

    assert (post_missing_purchases(), post_missing_purchases()) == (1, 0)

    entry = JournalEntry.objects.get()
    assert lines_of(entry) == [
        ("40110000", "0.00", "66.00"),
        ("60710000", "50.00", "0.00"),
        ("62410000", "5.00", "0.00"),
        ("44566000", "11.00", "0.00"),
    ]
    first = entry.lines.get(position=1)
    assert (first.auxiliary, first.auxiliary_label) == ("F00007", "Cirier")
    assert (entry.number, entry.piece_ref, entry.entry_date) == ("AC000001", invoice.number, DAY)
    assert [proof.faults for proof in run_proofs() if not proof.ok] == []


def test_an_invoice_that_waits_for_a_decision_is_not_booked() -> None:
    row = received()
    charged(row, pieces=12)

    assert post_missing_purchases() == 0


def test_vat_on_goods_from_the_union_is_owed_and_deducted() -> None:
    charged(received("BE", "5.50"), tax="0.00", carriage="10.00")

    post_missing_purchases()

    # (50 + 10) × 5.5 %, on both sides.
    assert lines_of(JournalEntry.objects.get()) == [
        ("40110000", "0.00", "60.00"),
        ("60720000", "50.00", "0.00"),
        ("62410000", "10.00", "0.00"),
        ("44566200", "3.30", "0.00"),
        ("44520000", "0.00", "3.30"),
    ]


def test_imported_goods_are_taxed_on_the_customs_declaration() -> None:
    charged(received("CN"), tax="0.00", carriage="0.00")

    post_missing_purchases()

    assert lines_of(JournalEntry.objects.get()) == [
        ("40110000", "0.00", "50.00"),
        ("60740000", "50.00", "0.00"),
    ]


def test_a_firm_without_vat_deducts_none() -> None:
    firm = company()
    firm.is_tax_exempt = True
    firm.save()
    charged(received())

    post_missing_purchases()

    assert lines_of(JournalEntry.objects.get()) == [
        ("40110000", "0.00", "66.00"),
        ("60710000", "60.00", "0.00"),
        ("62410000", "6.00", "0.00"),
    ]


def test_a_credit_note_swaps_sides() -> None:
    row = received()
    charged(row, pieces=12)
    invoice = charged(row, tax="2.00", carriage="0.00", number="A-1", pieces=2, kind="credit_note")

    post_missing_purchases()

    assert invoice.status == SupplierInvoice.Status.APPROVED
    assert lines_of(JournalEntry.objects.get()) == [
        ("40110000", "12.00", "0.00"),
        ("60710000", "0.00", "10.00"),
        ("44566000", "0.00", "2.00"),
    ]


def test_an_invoice_taken_back_after_its_entry_is_reversed_once() -> None:
    invoice = charged(received())
    post_missing_purchases()

    cancel_supplier_invoice(invoice_id=invoice.pk, reason="erreur", at=NOON + timedelta(days=3))

    assert (post_missing_purchases(), post_missing_purchases()) == (1, 0)
    first, second = JournalEntry.objects.order_by("pk")
    assert [(a, c, d) for a, d, c in lines_of(first)] == lines_of(second)
    assert (second.number, second.entry_date) == ("AC000002", DAY + timedelta(days=3))
    assert [proof.faults for proof in run_proofs() if not proof.ok] == []


def test_an_invoice_taken_back_before_its_entry_is_never_booked() -> None:
    invoice = charged(received())
    cancel_supplier_invoice(invoice_id=invoice.pk, reason="erreur", at=NOON)

    assert post_missing_purchases() == 0


@pytest.mark.parametrize("code", ["fec", "csv", "xlsx"])
def test_purchases_go_out_only_when_asked(tmp_path: Path, code: str) -> None:
    charged(received("DE"), tax="0.00")
    period = {"date_from": DAY, "date_to": DAY, "format_code": code}

    sales = export_journal(**period, path=tmp_path / "ve")
    both = export_journal(**period, path=tmp_path / "both", journals=["VE", "AC"])

    assert (sales.entry_count, both.entry_count) == (0, 1)
    assert both.debit == both.credit == 66


def test_the_accountants_csv_names_supplier_due_day_and_regime(tmp_path: Path) -> None:
    charged(received("DE"), tax="0.00")
    path = tmp_path / "ac.csv"

    export_journal(date_from=DAY, date_to=DAY, format_code="csv", path=path, journals=["AC"])

    with path.open(encoding="utf-8-sig", newline="") as stream:
        row = next(csv.DictReader(stream, delimiter=";"))
    due = DAY + timedelta(days=30)
    assert (row["Auxiliaire"], row["Échéance"]) == ("F00007", f"{due:%d/%m/%Y}")
    assert (row["Régime TVA"], row["Pays"]) == ("Acquisition intracommunautaire", "DE")


def test_an_unknown_journal_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="XX"):
        export_journal(
            date_from=DAY, date_to=DAY, format_code="fec", path=tmp_path / "x", journals=["XX"]
        )
