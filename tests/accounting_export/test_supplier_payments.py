"""Purchases in another currency in the books: the entry, what paying it costs, lettering, FEC."""

import csv
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Sum

from accounting_export.models import JournalEntry, JournalLine, LetteredLine, PaymentMeans
from accounting_export.services import (
    export_journal,
    letter_all,
    make_fec,
    post_missing_purchases,
)
from purchasing.models import ReceiptLine, SupplierInvoice
from purchasing.services import (
    Charged,
    approve_supplier_invoice,
    cancel_supplier_invoice,
    cancel_supplier_payment,
    enter_supplier_invoice,
    pay_supplier,
    return_to_supplier,
)
from sphinx.core.proofs import run_proofs
from sphinx.core.services import company
from tests.factories import NOON, SupplierFactory
from tests.purchasing.test_currencies import invoiced, paid, received

pytestmark = pytest.mark.django_db
D = Decimal
DAY = NOON.date()


def lines_of(entry: JournalEntry) -> list[tuple[str, str, str]]:
    return [(r.account, f"{r.debit:.2f}", f"{r.credit:.2f}") for r in entry.lines.all()]


def entry_of(what: Any, **more: Any) -> JournalEntry:
    name = "supplier_invoice" if isinstance(what, SupplierInvoice) else "supplier_payment"
    return JournalEntry.objects.get(**{name: what}, **more)


def faults() -> list[Any]:
    return [(proof.name, proof.faults) for proof in run_proofs() if not proof.ok]


def open_lines() -> int:
    return JournalLine.objects.filter(account="40110000", lettered=None).count()


def test_an_invoice_in_dollars_is_booked_in_euros_at_its_rate() -> None:
    invoice = invoiced(received("1.20"), "1.25")

    post_missing_purchases()

    # 120.00 USD at 1.25.
    assert lines_of(entry_of(invoice)) == [
        ("40110000", "0.00", "96.00"),
        ("60740000", "96.00", "0.00"),
    ]
    assert faults() == []


def test_what_it_costs_more_to_pay_is_a_loss_of_exchange() -> None:
    payment = paid(invoiced(received("1.20"), "1.25"), eur="100.00")

    post_missing_purchases()

    entry = entry_of(payment)
    # 96.00 were booked, 100.00 left the bank.
    assert lines_of(entry) == [
        ("40110000", "96.00", "0.00"),
        ("51210000", "0.00", "100.00"),
        ("66600000", "4.00", "0.00"),
    ]
    assert (entry.journal.code, entry.entry_date, entry.piece_ref) == ("BQ", DAY, payment.number)
    assert open_lines() == 0
    assert faults() == []


def test_what_it_costs_less_is_a_gain() -> None:
    payment = paid(invoiced(received("1.20"), "1.25"), eur="90.00")

    post_missing_purchases()

    assert lines_of(entry_of(payment)) == [
        ("40110000", "96.00", "0.00"),
        ("51210000", "0.00", "90.00"),
        ("76600000", "0.00", "6.00"),
    ]
    assert open_lines() == 0
    assert faults() == []


def test_paid_in_the_currency_the_banks_line_is_in_both() -> None:
    payment = pay_supplier(
        parts={invoiced(received("1.20"), "1.25").pk: D("120.00")},
        paid_on=DAY,
        exchange_rate=D("1.60"),
        at=NOON,
    )
    means = PaymentMeans.objects.get(is_bank=True)
    PaymentMeans.objects.create(
        name="Compte USD", journal=means.journal, account=means.account, keywords="usd"
    )

    post_missing_purchases()

    bank = entry_of(payment).lines.get(account="51210000")
    # 120.00 USD at 1.60.
    assert (bank.credit, bank.currency, bank.currency_amount) == (D("75.00"), "USD", D("120.00"))


def test_parts_are_lettered_once_the_whole_is_paid() -> None:
    invoice = invoiced(received("1.20"), "1.25")
    paid(invoice, "50.00", "41.00")
    post_missing_purchases()
    assert not LetteredLine.objects.exists()

    paid(invoice, "70.00", "55.00")
    post_missing_purchases()

    # 50 of 120 is 40.00 of 96.00; the rest 56.00.
    assert open_lines() == 0
    exchange = JournalLine.objects.filter(account__in=("66600000", "76600000"))
    assert sorted((r.account, r.debit, r.credit) for r in exchange) == [
        ("66600000", D("1.00"), D("0.00")),
        ("76600000", D("0.00"), D("1.00")),
    ]
    assert faults() == []


def credit_note(row: ReceiptLine, units: str, pieces: int = 2) -> SupplierInvoice:
    return_to_supplier(
        receipt_id=row.receipt_id, quantities={row.pk: D(pieces)}, reason="abîmé", at=NOON
    )
    return enter_supplier_invoice(
        supplier=row.receipt.purchase_order.supplier,
        supplier_number="US-CN",
        issued_on=DAY,
        charged=[Charged(row.pk, D(pieces), D("12.00"))],
        tax=D("0.00"),
        total_incl_tax=D(pieces) * 12,
        kind="credit_note",
        exchange_rate=D(units),
        at=NOON,
    )


def test_a_credit_note_is_taken_off_what_is_paid() -> None:
    row = received("1.20")
    invoice, credit = invoiced(row, "1.25"), credit_note(row, "1.20")

    payment = pay_supplier(
        parts={invoice.pk: D("120.00"), credit.pk: D("24.00")},
        paid_on=DAY,
        paid_eur=D("80.00"),
        at=NOON,
    )
    post_missing_purchases()

    # 96.00 less 24.00 USD at 1.20 = 20.00: 76.00 are owed, 80.00 paid.
    assert lines_of(entry_of(payment)) == [
        ("40110000", "96.00", "0.00"),
        ("40110000", "0.00", "20.00"),
        ("51210000", "0.00", "80.00"),
        ("66600000", "4.00", "0.00"),
    ]
    assert (payment.amount, open_lines()) == (D("96.00"), 0)
    assert faults() == []


def test_a_credit_note_set_off_in_full_moves_no_money() -> None:
    row = received("1.20")
    invoice, credit = invoiced(row, "1.25"), credit_note(row, "1.20", pieces=10)

    payment = pay_supplier(
        parts={invoice.pk: D("120.00"), credit.pk: D("120.00")}, paid_on=DAY, at=NOON
    )
    post_missing_purchases()

    entry = entry_of(payment)
    # 96.00 owed against 100.00 owed back: 4.00 are lost.
    assert lines_of(entry) == [
        ("40110000", "96.00", "0.00"),
        ("40110000", "0.00", "100.00"),
        ("66600000", "4.00", "0.00"),
    ]
    assert (entry.journal.code, open_lines()) == ("OD", 0)
    assert faults() == []


def test_money_that_a_supplier_gives_back_is_at_the_bank() -> None:
    row = received("1.20")
    paid(invoiced(row, "1.25"), eur="96.00")
    credit = credit_note(row, "1.20")

    back = pay_supplier(parts={credit.pk: D("24.00")}, paid_on=DAY, paid_eur=D("-21.00"), at=NOON)
    post_missing_purchases()

    # 20.00 were owed back, 21.00 came.
    assert lines_of(entry_of(back)) == [
        ("40110000", "0.00", "20.00"),
        ("51210000", "21.00", "0.00"),
        ("76600000", "0.00", "1.00"),
    ]
    assert faults() == []


def test_a_payment_taken_back_is_reversed_and_paid_again() -> None:
    invoice = invoiced(received("1.20"), "1.25")
    payment = paid(invoice, eur="100.00")
    post_missing_purchases()

    cancel_supplier_payment(payment_id=payment.pk, reason="mauvais montant", at=NOON)
    post_missing_purchases()

    assert lines_of(entry_of(payment, is_reversal=True)) == [
        ("40110000", "0.00", "96.00"),
        ("51210000", "100.00", "0.00"),
        ("66600000", "0.00", "4.00"),
    ]
    paid(invoice, eur="99.00")
    post_missing_purchases()
    assert open_lines() == 0
    assert faults() == []


def test_a_payment_taken_back_before_it_was_booked_never_is() -> None:
    payment = paid(invoiced(received()))
    cancel_supplier_payment(payment_id=payment.pk, reason="erreur", at=NOON)

    post_missing_purchases()

    assert not JournalEntry.objects.filter(supplier_payment=payment).exists()
    assert faults() == []


def test_an_invoice_taken_back_is_lettered_with_its_reversal() -> None:
    invoice = invoiced(received())
    post_missing_purchases()
    cancel_supplier_invoice(invoice_id=invoice.pk, reason="erreur", at=NOON)

    post_missing_purchases()

    assert open_lines() == 0


def test_twice_is_once() -> None:
    paid(invoiced(received()))
    post_missing_purchases()

    assert (post_missing_purchases(), letter_all()) == (0, 0)


def test_vat_on_goods_from_the_union_is_on_euros() -> None:
    row = received("10.00", currency="SEK", price="100.00", supplier=swede(), tax_rate=D("5.50"))

    invoiced(row, "11.00", price="110.00", number="S-1", carriage="110.00")
    invoice = SupplierInvoice.objects.get()
    approve_supplier_invoice(invoice_id=invoice.pk, at=NOON, reason="accepté")
    post_missing_purchases()

    # 1 100 SEK at 11 are 100.00 €, 110 are 10.00 €; 5.5 % of 110.00 €.
    assert lines_of(entry_of(invoice)) == [
        ("40110000", "0.00", "110.00"),
        ("60720000", "100.00", "0.00"),
        ("62410000", "10.00", "0.00"),
        ("44566200", "6.05", "0.00"),
        ("44520000", "0.00", "6.05"),
    ]


def swede() -> Any:
    return SupplierFactory(currency="SEK", country="SE")


def test_the_fec_says_the_currency_of_what_was_in_one() -> None:
    company_with_siren()
    paid(invoiced(received("1.20"), "1.25", tax="24.00"), "144.00", "120.00")

    made = make_fec(day=DAY)

    rows = list(csv.DictReader(made.path.read_text("utf-8").splitlines(), delimiter="\t"))
    told = [(r["CompteNum"], r["Debit"], r["Credit"], r["Montantdevise"], r["Idevise"])
            for r in rows]  # fmt: skip
    # 144.00 USD at 1.25 are 115.20 €; 120.00 € left the bank.
    assert told == [
        ("40110000", "0,00", "115,20", "144,00", "USD"),
        ("60740000", "96,00", "0,00", "120,00", "USD"),
        ("44566000", "19,20", "0,00", "24,00", "USD"),
        ("40110000", "115,20", "0,00", "144,00", "USD"),
        ("51210000", "0,00", "120,00", "", ""),
        ("66600000", "4,80", "0,00", "", ""),
    ]
    assert made.report.faults == []


def company_with_siren() -> None:
    firm = company()
    firm.siren = "732829320"
    firm.save()


def test_formats_that_know_no_currency_have_the_euros(tmp_path: Path) -> None:
    paid(invoiced(received("1.20"), "1.25"))

    batch = export_journal(
        date_from=DAY,
        date_to=DAY,
        format_code="csv",
        journals=["AC", "BQ"],
        path=tmp_path / "x.csv",
    )

    assert (batch.debit, batch.credit) == (D("196.00"), D("196.00"))


@pytest.mark.parametrize("seed", range(8))
def test_books_balance_whatever_the_rates(seed: int) -> None:
    """Any prices, rates and parts: every document settled in full leaves nothing on 401, and what
    was lost less what was gained is what was paid less what was booked."""
    chance = random.Random(seed)

    def rate() -> str:
        return str(D(chance.randint(300_000, 9_000_000)) / 1_000_000)

    paid_eur = booked = D(0)
    for n in range(4):
        price = D(chance.randint(1, 9_999)) / 100
        row = received(rate(), price=str(price), pieces=chance.randint(1, 30))
        pieces = int(row.quantity)
        invoice = invoiced(
            row, rate(), price=str(price), number=f"N{n}", pieces=pieces,
            carriage=str(D(chance.randint(0, 5_000)) / 100),
        )  # fmt: skip
        booked += invoice.euros.total
        left = invoice.total_incl_tax
        while left:
            amount = min(
                left, max(D("0.05"), (left * chance.randint(20, 100) / 100).quantize(D("0.01")))
            )
            payment = paid(invoice, str(amount), str(D(chance.randint(1, 99_999)) / 100))
            paid_eur += payment.paid_eur
            left -= amount

    post_missing_purchases()

    assert open_lines() == 0
    exchange = JournalLine.objects.filter(account__in=("66600000", "76600000"))
    sums = exchange.aggregate(debit=Sum("debit"), credit=Sum("credit"))
    assert (sums["debit"] or 0) - (sums["credit"] or 0) == paid_eur - booked
    assert faults() == []
