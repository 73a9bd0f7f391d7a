"""The purchase journal: suppliers' invoices good to pay, credit notes, what is taken back."""

import csv
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from accounting_export.models import Account, JournalEntry
from accounting_export.services import export_journal, post_missing_purchases
from accounting_export.vat_returns import ca3
from inventory.services import default_warehouse
from purchasing.expense_accounts import expense_chart
from purchasing.models import ReceiptLine, SupplierInvoice
from purchasing.services import (
    Charged,
    Expense,
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


# --- Lines that are no goods ----------------------------------------------------------------------


def spent(
    *expenses: Expense, tax: str, rounding: str = "0.00", country: str = "FR", **more: Any
) -> SupplierInvoice:
    """An invoice of expenses only."""
    total = sum((e.amount for e in expenses), D(0)) + D(tax) + D(rounding)
    return enter_supplier_invoice(
        supplier=SupplierFactory(name="Fibre", code="F00009", country=country),
        supplier_number="E-1",
        issued_on=DAY,
        charged=[],
        expenses=expenses,
        tax=D(tax),
        rounding=D(rounding),
        total_incl_tax=total,
        at=NOON,
        **more,
    )


def booked() -> list[tuple[str, str, str]]:
    post_missing_purchases()
    assert [proof.faults for proof in run_proofs() if not proof.ok] == []
    return lines_of(JournalEntry.objects.get())


FIBRE = Expense("Fibre", "62600000", D("30.00"), D("6.00"), D("20.00"))


def test_an_expense_is_booked_to_the_account_chosen() -> None:
    spent(FIBRE, tax="6.00")

    assert booked() == [
        ("40110000", "0.00", "36.00"),
        ("62600000", "30.00", "0.00"),
        ("44566000", "6.00", "0.00"),
    ]
    # The chart had no such account: it has it now, under its usual name.
    assert Account.objects.get(number="62600000").label.startswith("Frais postaux")


def test_eco_contribution_is_booked_beside_the_goods() -> None:
    row = received()
    enter_supplier_invoice(
        supplier=row.receipt.purchase_order.supplier,
        supplier_number="F-1",
        issued_on=DAY,
        charged=[Charged(row.pk, D(10), D("5.00"))],
        expenses=[Expense("DEEE", "60780000", D("2.00"), D("0.40"), D("20.00"))],
        tax=D("10.40"),
        total_incl_tax=D("62.40"),
        at=NOON,
    )

    assert booked() == [
        ("40110000", "0.00", "62.40"),
        ("60710000", "50.00", "0.00"),
        ("60780000", "2.00", "0.00"),
        ("44566000", "10.40", "0.00"),
    ]


def test_a_line_below_zero_is_a_credit_of_its_account() -> None:
    spent(FIBRE, Expense("Remise", "60970000", D("-5.00"), D("-1.00"), D("20.00")), tax="5.00")

    assert booked() == [
        ("40110000", "0.00", "30.00"),
        ("62600000", "30.00", "0.00"),
        ("60970000", "0.00", "5.00"),
        ("44566000", "5.00", "0.00"),
    ]


@pytest.mark.parametrize(
    ("rounding", "owed", "line"),
    [
        ("-0.01", "35.99", ("75800000", "0.00", "0.01")),
        ("0.02", "36.02", ("65800000", "0.02", "0.00")),
    ],
)
def test_rounding_is_a_charge_or_an_income(
    rounding: str, owed: str, line: tuple[str, str, str]
) -> None:
    spent(FIBRE, tax="6.00", rounding=rounding)

    lines = booked()

    assert lines[0] == ("40110000", "0.00", owed)
    assert line in lines


def test_vat_that_is_not_deducted_is_part_of_the_charge() -> None:
    fuel = Expense("Gazole", "60614000", D("50.00"), D("10.00"), D("20.00"), D(80))

    spent(fuel, FIBRE, tax="16.00")

    # A fifth of 10.00 is 2.00: 52.00 to the charge, 14.00 deducted.
    assert booked() == [
        ("40110000", "0.00", "96.00"),
        ("60614000", "52.00", "0.00"),
        ("62600000", "30.00", "0.00"),
        ("44566000", "14.00", "0.00"),
    ]


def test_a_firm_that_charges_no_vat_has_it_in_its_charges() -> None:
    firm = company()
    firm.is_tax_exempt = True
    firm.save()

    spent(FIBRE, tax="6.00")

    assert booked() == [("40110000", "0.00", "36.00"), ("62600000", "36.00", "0.00")]


def test_an_expense_in_dollars_is_booked_in_euros() -> None:
    fuel = Expense("Gazole", "60614000", D("50.00"), D("10.00"), D("20.00"), D(80))

    spent(fuel, FIBRE, tax="16.00", currency="USD", exchange_rate=D("1.25"))

    # 96.00 USD at 1.25 are 76.80 €: 80.00 → 64.00, 16.00 → 12.80, of which 2.00 → 1.60 is kept.
    assert booked() == [
        ("40110000", "0.00", "76.80"),
        ("60614000", "41.60", "0.00"),
        ("62600000", "24.00", "0.00"),
        ("44566000", "11.20", "0.00"),
    ]


def test_a_credit_note_on_an_expense_swaps_sides() -> None:
    spent(FIBRE, tax="6.00", kind="credit_note")

    assert booked() == [
        ("40110000", "36.00", "0.00"),
        ("62600000", "0.00", "30.00"),
        ("44566000", "0.00", "6.00"),
    ]


def test_an_expense_taken_back_is_reversed() -> None:
    invoice = spent(FIBRE, tax="6.00")
    post_missing_purchases()

    cancel_supplier_invoice(invoice_id=invoice.pk, reason="mauvais compte", at=NOON)
    post_missing_purchases()

    reversal = JournalEntry.objects.get(is_reversal=True)
    assert lines_of(reversal)[1] == ("62600000", "0.00", "30.00")


def test_vat_on_an_expense_from_the_union_is_owed_and_deducted() -> None:
    spent(Expense("Logiciel", "65110000", D("100.00")), tax="0.00", country="IE")

    assert booked() == [
        ("40110000", "0.00", "100.00"),
        ("65110000", "100.00", "0.00"),
        ("44566200", "20.00", "0.00"),
        ("44520000", "0.00", "20.00"),
    ]


@pytest.mark.parametrize("country", ["IE", "US"])
def test_services_from_abroad_are_in_a3_and_not_in_b2(country: str) -> None:
    spent(Expense("Logiciel", "65110000", D("100.00")), tax="0.00", country=country)
    post_missing_purchases()

    boxes = {box.code: (box.base, box.tax) for box in ca3(DAY, DAY)}

    # 100.00 at 20 %: owed, and deducted.
    assert boxes == {
        "A3": (D("100.00"), None),
        "08": (D("100.00"), D("20.00")),
        "16": (None, D("20.00")),
        "20": (None, D("20.00")),
    }


def test_goods_from_the_union_beside_a_service_stay_in_b2() -> None:
    charged(received(country="DE", code="F00008"), tax="0.00", carriage="0.00")
    spent(Expense("Logiciel", "65110000", D("100.00")), tax="0.00", country="IE")
    post_missing_purchases()

    boxes = {box.code: (box.base, box.tax) for box in ca3(DAY, DAY)}

    assert (boxes["A3"], boxes["B2"]) == ((D("100.00"), None), (D("50.00"), None))
    assert (boxes["08"], boxes["17"]) == ((D("150.00"), D("30.00")), (None, D("10.00")))


def test_goods_from_outside_the_union_are_the_customs_affair() -> None:
    spent(Expense("Cartons", "60260000", D("100.00")), tax="0.00", country="US")

    assert booked() == [("40110000", "0.00", "100.00"), ("60260000", "100.00", "0.00")]


def test_deducted_vat_of_expenses_is_in_box_20() -> None:
    fuel = Expense("Gazole", "60614000", D("50.00"), D("10.00"), D("20.00"), D(80))
    spent(fuel, FIBRE, tax="16.00")
    post_missing_purchases()

    boxes = {box.code: box.tax for box in ca3(DAY, DAY)}

    assert boxes["20"] == D("14.00")
    assert "19" not in boxes


def test_the_fec_names_the_piece_and_the_accounts_of_an_expense() -> None:
    invoice = spent(FIBRE, tax="6.00")
    post_missing_purchases()

    (made,) = JournalEntry.objects.all()

    assert (made.piece_ref, made.supplier_invoice) == (invoice.number, invoice)
    assert "E-1" in made.label


def test_the_page_offers_the_accounts_of_the_chart() -> None:
    Account.objects.create(number="62690000", label="Fibre et mobiles")

    assert expense_chart()["62690000"] == "Fibre et mobiles"
    assert not any(number.startswith("4") for number in expense_chart())
