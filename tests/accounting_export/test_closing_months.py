"""Months of the accounts: closed in order, for good, with what was left open said."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from accounting_export.errors import CannotClose
from accounting_export.models import AccountRule, ClosedMonth, JournalEntry
from accounting_export.services import close_month, post_missing, post_missing_purchases
from invoicing.models import BankLine
from invoicing.services import enter_payment, issue_invoice
from sphinx.core.month_checks import left_open
from sphinx.core.proofs import run_proofs
from tests.accounting_export.test_purchases import charged, received
from tests.factories import NOON, draft, line, placed, put, shipped
from tests.invoicing.test_einvoices import FIRM
from tests.invoicing.test_grouped import UNPAID
from tests.support.threads import together
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db
D = Decimal
MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)
IN_APRIL = datetime(2026, 4, 3, 9, tzinfo=UTC)


def invoiced(number: str = "1", **values: Any) -> Any:
    return issue_invoice(delivery_note_id=shipped(number, line("A"), **values).pk, at=NOON)


def closed(month: date = MARCH, at: datetime = IN_APRIL, **options: Any) -> ClosedMonth:
    options.setdefault("accepts_open", False)
    return close_month(month=month, at=at, **options)


def open_points() -> dict[str, int]:
    return {a.name: a.count for a in left_open(MARCH, date(2026, 3, 31)) if a.count}


def test_a_month_in_order_is_closed_with_what_was_missing_booked_first() -> None:
    invoiced()
    month = closed()

    # The invoice and what the shop took for it.
    assert (month.entry_count, month.debit, month.credit) == (2, D("20.00"), D("20.00"))
    assert month.left_open == []
    assert [p.faults for p in run_proofs() if p.faults] == []


def test_what_comes_late_goes_to_the_next_open_month_and_says_so() -> None:
    invoice = invoiced(**UNPAID)
    closed()
    enter_payment(
        invoice_id=invoice.pk, amount=D("10.00"), method="virement",
        paid_at=datetime(2026, 3, 30, 12, tzinfo=UTC),
    )  # fmt: skip
    post_missing()

    entry = JournalEntry.objects.get(journal__code="BQ")
    assert (entry.entry_date, entry.piece_date) == (APRIL, date(2026, 3, 30))
    assert entry.label.endswith("(mois clos, du 30/03/2026)")
    assert [p.faults for p in run_proofs() if p.faults] == []


def test_a_long_label_still_says_that_it_is_late() -> None:
    invoice = invoiced(**{**UNPAID, "customer": FIRM._replace(company="Café du Port " * 9)})
    closed()
    enter_payment(
        invoice_id=invoice.pk, amount=D("10.00"), method="virement",
        paid_at=datetime(2026, 3, 30, 12, tzinfo=UTC),
    )  # fmt: skip
    post_missing()
    label = JournalEntry.objects.get(journal__code="BQ").label
    assert len(label) <= 120
    assert label.endswith("(mois clos, du 30/03/2026)")


def test_a_suppliers_late_invoice_is_booked_in_the_open_month() -> None:
    invoiced()
    closed()
    charged(received())
    post_missing_purchases()
    assert JournalEntry.objects.get(journal__code="AC").entry_date == APRIL


@pytest.mark.parametrize(
    ("month", "at", "said"),
    [
        (APRIL, IN_APRIL + timedelta(days=40), "dans l'ordre"),
        (date(2026, 2, 1), IN_APRIL, "dans l'ordre"),
        (MARCH, datetime(2026, 3, 31, 20, tzinfo=UTC), "pas terminé"),
    ],
)
def test_only_the_next_month_and_only_once_it_is_over(month: date, at: datetime, said: str) -> None:
    invoiced()
    post_missing()
    with pytest.raises(CannotClose, match=said):
        closed(month, at)


def test_twice_is_refused() -> None:
    invoiced()
    closed()
    with pytest.raises(CannotClose, match="déjà clos"):
        closed()


def test_what_has_no_account_keeps_the_month_open() -> None:
    invoiced("1")
    post_missing()
    invoiced("2")
    AccountRule.objects.filter(nature="goods").delete()
    with pytest.raises(CannotClose, match="Aucune règle de compte"):
        closed(accepts_open=True)
    assert not ClosedMonth.objects.exists()


def test_each_open_point_is_counted() -> None:
    invoiced("1")
    shipped("2", line("A"))
    placed("3", line("A"))
    BankLine.objects.create(key="b", booked_on=date(2026, 3, 9), amount=D("7"), label="VIR")
    post_missing()

    assert open_points() == {"not_invoiced": 1, "paid_not_delivered": 1, "bank": 1}


def test_open_points_are_accepted_by_word_and_kept() -> None:
    invoiced("1")
    shipped("2", line("A"))
    with pytest.raises(CannotClose, match="points ouverts"):
        closed()
    assert closed(accepts_open=True).left_open == [
        {"name": "not_invoiced", "count": 1, "amount": None}
    ]


def test_next_months_points_are_not_this_ones() -> None:
    invoiced("1")
    post_missing()
    BankLine.objects.create(key="b", booked_on=APRIL, amount=D("7"), label="VIR")
    put(draft("3", line("A"), placed_at=IN_APRIL), at=IN_APRIL)
    assert open_points() == {}


def test_a_closed_month_does_not_change() -> None:
    invoiced()
    closed()
    with pytest.raises(DatabaseError), transaction.atomic():
        ClosedMonth.objects.update(entry_count=0)
    with pytest.raises(DatabaseError), transaction.atomic():
        ClosedMonth.objects.all().delete()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_who_books_while_a_month_closes_lands_before_or_after_never_between() -> None:
    for n in range(4):
        invoiced(str(n))
    post_missing()
    late = invoiced("9", **UNPAID)

    def pay() -> None:
        enter_payment(
            invoice_id=late.pk, amount=D("10.00"), method="virement",
            paid_at=datetime(2026, 3, 30, 12, tzinfo=UTC),
        )  # fmt: skip
        post_missing()

    raised = together([pay, closed, post_missing])

    # A payment noted while the month closes may keep it open; it is never lost in between.
    assert {type(error) for error in raised} <= {CannotClose}
    post_missing()
    assert [p.faults for p in run_proofs() if p.faults] == []


def test_a_month_is_closed_in_the_browser_by_who_may() -> None:
    invoiced()
    post_missing()
    page = signed_in("Comptable").get("/comptabilite/clotures/").content.decode()
    assert "mars 2026" in page
    assert "Clore mars" not in page
    owner = signed_in("Gérant")
    assert "Clore mars 2026" in owner.get("/comptabilite/clotures/").content.decode()

    owner.post("/comptabilite/clotures/", {"month": "2026-03-01"})

    assert ClosedMonth.objects.get().closed_by is not None
    assert signed_in("Ventes").get("/comptabilite/clotures/").status_code == 403


def test_why_an_account_is_answered_from_the_line_itself() -> None:
    invoice = invoiced()
    post_missing()
    goods = invoice.entry.lines.get(nature="goods")
    accountant = signed_in("Comptable")

    page = accountant.get(f"/comptabilite/pourquoi/?ligne={goods.pk}").content.decode()

    winner = page[page.index("gagne") :]
    assert "70710000" in winner[: winner.index("</tr>")]
    asked = accountant.get("/comptabilite/pourquoi/?nature=tax&regime=oss&country=de")
    assert "44572276" in asked.content.decode()
    nothing = accountant.get("/comptabilite/pourquoi/?nature=tax&regime=export")
    assert "Aucune règle ne convient" in nothing.content.decode()
