"""Money in the books: payments, what providers keep and pay out, what is settled."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from accounting_export.errors import NoAccount
from accounting_export.models import JournalEntry, JournalLine, LetteredLine, PaymentMeans
from accounting_export.services import (
    letter_all,
    post_arrivals,
    post_invoices,
    post_missing,
    post_payments,
    post_payouts,
)
from accounting_export.services.lettering import letters
from invoicing.models import BankLine, Invoice, Payment
from invoicing.services import (
    credit_invoice,
    enter_payment,
    import_payouts,
    issue_invoice,
    match_line,
    match_sure_lines,
)
from sphinx.core.proofs import run_proofs
from tests.factories import NOON, line, shipped
from tests.invoicing.test_grouped import UNPAID, grouped, left
from tests.support.threads import together
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db
D = Decimal
STRIPE = (
    "automatic_payout_id,balance_transaction_id,created_utc,currency,gross,fee,net,"
    "reporting_category,description,payment_metadata[order_id]\n"
)


def invoiced(number: str = "1", price: str = "120.00", **values: Any) -> Invoice:
    return issue_invoice(delivery_note_id=shipped(number, line("A", price), **values).pk, at=NOON)


def entries(code: str) -> list[dict[str, str]]:
    """The entries of a journal: account → signed amount, debits above zero."""
    return [
        {ln.account: f"{ln.debit - ln.credit:.2f}" for ln in entry.lines.all()}
        for entry in JournalEntry.objects.filter(journal__code=code).order_by("pk")
    ]


def faults() -> list[str]:
    return [fault for proof in run_proofs() for fault in proof.faults]


def test_what_the_shop_took_is_booked_where_it_lies_on_the_day_it_was_paid() -> None:
    paid_at = datetime(2026, 2, 27, 23, 30, tzinfo=UTC)
    invoiced(payment_method="Stripe (carte)", paid_at=paid_at)
    post_missing()

    assert entries("ST") == [{"51151000": "120.00", "41110000": "-120.00"}]
    entry = JournalEntry.objects.get(journal__code="ST")
    assert (entry.entry_date, entry.piece_ref) == (date(2026, 2, 28), "FA2026-000001")
    assert entry.lines.get(position=2).auxiliary == "CDIVERS"
    assert faults() == []


@pytest.mark.parametrize(
    ("method", "journal"),
    [
        ("Carte bancaire", "CB"),
        ("", "CB"),
        ("stripe_cc", "ST"),
        ("PayPal Express Checkout", "PP"),
        ("shopify_payments", "SP"),
        ("ps_wirepayment", "BQ"),
        ("Virement bancaire", "BQ"),
        ("Chèque", "CQ"),
        ("Espèces", "CA"),
        ("gift_card", "OD"),
    ],
)
def test_the_journal_is_told_by_the_shops_own_words(method: str, journal: str) -> None:
    invoiced(payment_method=method)
    post_missing()
    assert JournalEntry.objects.exclude(payment=None).get().journal.code == journal


def test_a_transfer_that_the_bank_shows_is_in_the_banks_journal() -> None:
    invoice = invoiced(**UNPAID)
    found = BankLine.objects.create(
        key="b1", booked_on=date(2026, 3, 9), amount=D("120.00"), label="VIR PORT"
    )
    match_line(line_id=found.pk, shares=[(invoice.pk, D("120.00"))])
    post_missing()

    assert entries("BQ") == [{"51210000": "120.00", "41110000": "-120.00"}]


def test_money_given_back_swaps_sides_and_settles_the_credit_note() -> None:
    invoice = invoiced(payment_method="PayPal")
    credit = credit_invoice(invoice_id=invoice.pk, amount=D("30.00"), reason="Geste", at=NOON)
    enter_payment(invoice_id=credit.pk, amount=D("-30.00"), method="PayPal", paid_at=NOON)
    post_missing()

    assert entries("PP") == [
        {"51152000": "120.00", "41110000": "-120.00"},
        {"51152000": "-30.00", "41110000": "30.00"},
    ]
    assert _lettered() == {"AAA": D(0)}
    assert LetteredLine.objects.count() == 4
    assert faults() == []


def _lettered() -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for mark in LetteredLine.objects.select_related("line"):
        sums[mark.code] = sums.get(mark.code, D(0)) + mark.line.debit - mark.line.credit
    return sums


def test_an_invoice_is_lettered_with_its_credit_note_and_the_rest_that_was_paid() -> None:
    invoice = invoiced(**UNPAID)
    credit_invoice(invoice_id=invoice.pk, amount=D("20.00"), reason="Geste", at=NOON)
    enter_payment(invoice_id=invoice.pk, amount=D("60.00"), method="virement", paid_at=NOON)
    post_missing()
    assert not LetteredLine.objects.exists()

    enter_payment(invoice_id=invoice.pk, amount=D("40.00"), method="virement", paid_at=NOON)
    post_missing()

    assert LetteredLine.objects.count() == 4
    assert _lettered() == {"AAA": D(0)}


def test_a_credit_of_the_whole_letters_without_money() -> None:
    invoice = invoiced(**UNPAID)
    credit_invoice(invoice_id=invoice.pk, amount=D("120.00"), reason="Annulée", at=NOON)
    post_missing()
    assert _lettered() == {"AAA": D(0)}


def test_too_much_stays_open() -> None:
    invoice = invoiced(**UNPAID)
    enter_payment(invoice_id=invoice.pk, amount=D("121.00"), method="virement", paid_at=NOON)
    post_missing()
    assert not LetteredLine.objects.exists()


def test_the_sweep_letters_what_was_missed_and_twice_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    invoiced("1")
    invoiced("2")
    with monkeypatch.context() as patched:
        # The process died between the entries and their lettering.
        patched.setattr("accounting_export.services.money.letter_invoices", lambda ids: 0)
        post_missing()

    assert (letter_all(), letter_all()) == (2, 0)
    assert LetteredLine.objects.count() == 4


def test_a_grouped_invoice_is_lettered_once_all_its_orders_are_paid() -> None:
    invoice = grouped(left("1", line("A", "10.00")), left("2", line("A", "24.00")))
    enter_payment(invoice_id=invoice.pk, amount=D("34.00"), method="virement", paid_at=NOON)
    post_missing()
    assert LetteredLine.objects.count() == 2
    assert faults() == []


def test_codes_of_letters_follow_each_other_and_grow() -> None:
    assert [letters(n) for n in (1, 2, 27, 26**3, 26**3 + 1)] == [
        "AAA", "AAB", "ABA", "ZZZ", "BAAA",
    ]  # fmt: skip


# --- Providers -----------------------------------------------------------------------------


def taken(*rows: str) -> None:
    import_payouts(name="x.csv", data=(STRIPE + "\n".join(rows) + "\n").encode())


def test_a_payout_with_its_fees_leaves_the_providers_account_even() -> None:
    # 120.00 less 2.05 came in, 30.00 went back: 87.95 to the bank.
    invoice = invoiced("1001", payment_method="stripe")
    credit = credit_invoice(invoice_id=invoice.pk, amount=D("30.00"), reason="Retour", at=NOON)
    enter_payment(invoice_id=credit.pk, amount=D("-30.00"), method="stripe", paid_at=NOON)
    taken(
        "po_1,t1,2026-03-02 10:00:00,eur,120.00,2.05,117.95,charge,,1001",
        "po_1,t2,2026-03-03 10:00:00,eur,-30.00,0.00,-30.00,refund,,1001",
    )
    BankLine.objects.create(key="b1", booked_on=date(2026, 3, 5), amount=D("87.95"), label="STRIPE")
    match_sure_lines()
    post_missing()

    assert entries("ST")[2] == {
        "58000000": "87.95", "62780000": "2.05", "51151000": "-90.00",
    }  # fmt: skip
    assert entries("BQ") == [{"51210000": "87.95", "58000000": "-87.95"}]
    held = sum(
        (ln.debit - ln.credit for ln in JournalLine.objects.filter(account="51151000")), D(0)
    )
    assert held == 0
    assert faults() == []


def test_what_is_no_sale_goes_to_the_suspense_account() -> None:
    taken("po_1,t1,2026-03-02 10:00:00,eur,-50.00,15.00,-65.00,dispute,,")
    post_payouts()

    # The payout is a debt: 65.00 that the provider takes from the bank.
    assert entries("ST") == [{"58000000": "-65.00", "62780000": "15.00", "47100000": "50.00"}]


def test_a_movement_is_booked_once_and_one_that_comes_later_by_itself() -> None:
    taken("po_1,t1,2026-03-02 10:00:00,eur,100.00,1.00,99.00,charge,,1")
    post_payouts()
    taken(
        "po_1,t1,2026-03-02 10:00:00,eur,100.00,1.00,99.00,charge,,1",
        "po_1,t2,2026-03-02 11:00:00,eur,10.00,0.50,9.50,charge,,2",
    )
    post_payouts()

    assert post_payouts() == []
    assert [entry["58000000"] for entry in entries("ST")] == ["99.00", "9.50"]


def test_fees_are_booked_by_the_day_where_no_payout_is_named() -> None:
    taken(
        ",t1,2026-03-02 10:00:00,eur,100.00,1.00,99.00,charge,,1",
        ",t2,2026-03-02 11:00:00,eur,10.00,0.50,9.50,charge,,2",
        ",t3,2026-03-05 11:00:00,eur,-108.50,0.00,-108.50,payout,STRIPE PAYOUT,",
    )
    post_payouts()

    assert entries("ST") == [
        {"62780000": "1.50", "51151000": "-1.50"},
        {"58000000": "108.50", "51151000": "-108.50"},
    ]


def test_sales_without_fee_nor_payout_make_no_entry() -> None:
    taken(",t1,2026-03-02 10:00:00,eur,100.00,0.00,100.00,charge,,1")
    assert post_payouts() == []


def test_only_a_recognised_payout_of_the_bank_is_booked() -> None:
    BankLine.objects.create(key="b1", booked_on=date(2026, 3, 5), amount=D("5"), label="LOYER")
    assert post_arrivals() == []


# --- What may go wrong ---------------------------------------------------------------------


def test_without_means_for_it_a_payment_waits_and_says_so() -> None:
    invoiced()
    PaymentMeans.objects.filter(keywords="").delete()
    with pytest.raises(NoAccount, match="moyen de paiement"):
        post_missing()

    assert JournalEntry.objects.count() == 1
    assert "n'est pas dans le journal" in " ".join(faults())


def test_a_payment_waits_for_its_invoices_entry() -> None:
    invoiced()
    assert post_payments(payment_ids=Payment.objects.values_list("pk", flat=True)) == []


def test_marks_and_movements_do_not_change() -> None:
    invoiced()
    post_missing()
    with pytest.raises(DatabaseError), transaction.atomic():
        LetteredLine.objects.update(code="X")


def test_five_hundred_payments_take_as_many_queries_as_two() -> None:
    def count(numbers: range) -> int:
        for n in numbers:
            invoiced(str(n))
        post_invoices(invoice_ids=Invoice.objects.values_list("pk", flat=True))
        ids = list(Payment.objects.filter(entry=None).values_list("pk", flat=True))
        before = len(connection.queries_log)
        post_payments(payment_ids=ids)
        return len(connection.queries_log) - before

    connection.force_debug_cursor = True
    try:
        count(range(1))
        assert count(range(1, 3)) == count(range(3, 12))
    finally:
        connection.force_debug_cursor = False


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_many_who_post_at_once_post_once() -> None:
    for n in range(6):
        invoiced(str(n), payment_method=("stripe", "paypal")[n % 2])
    taken("po_1,t1,2026-03-02 10:00:00,eur,100.00,1.00,99.00,charge,,1")

    assert together([post_missing] * 6) == []

    assert JournalEntry.objects.exclude(payment=None).count() == 6
    assert len(entries("ST")) == 4
    assert LetteredLine.objects.count() == 12
    assert faults() == []


def test_an_orders_page_ends_with_its_payments_and_their_entries() -> None:
    order = invoiced(payment_method="PayPal").order
    assert order is not None
    post_missing()
    page = signed_in("Gérant").get(f"/admin/sales/order/{order.pk}/change/").content.decode()
    assert "120,00 €, PayPal" in page
    assert "PP000001" in page
