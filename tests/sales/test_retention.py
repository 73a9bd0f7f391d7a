"""Who hasn't ordered for years is forgotten by itself, where the firm says so."""

from datetime import date, timedelta
from typing import Any

import pytest

from customers.models import Customer
from sales.models import Order
from sales.services import forget_inactive
from sphinx.core import clock
from sphinx.core.models import AuditEvent, Company
from sphinx.core.services import company
from tests.factories import CustomerFactory, draft, line, placed, put, shipped
from tests.support.machines import assert_proven

pytestmark = pytest.mark.django_db
TODAY = date(2029, 1, 1)


@pytest.fixture(autouse=True)
def _three_years() -> None:
    company()
    Company.objects.update(forget_after_years=3)


def ordered(number: str, day: date, **values: Any) -> Customer:
    """A customer whose only order is of that day, and over."""
    order = placed(number, line("A"), placed_at=clock.start_of(day), **values)
    Order.objects.filter(pk=order.pk).update(status="closed")
    return order.customer


def test_who_has_not_ordered_for_three_years_is_forgotten() -> None:
    from customers.drafts import CustomerDraft

    gone = ordered("1", date(2025, 5, 1), customer=CustomerDraft(ref="C1", email="a@x.test"))
    kept = ordered("2", date(2026, 2, 1), customer=CustomerDraft(ref="C2", email="b@x.test"))

    assert forget_inactive(on=TODAY) == 1
    assert forget_inactive(on=TODAY) == 0

    gone.refresh_from_db()
    kept.refresh_from_db()
    assert (gone.email, kept.email) == ("", "b@x.test")
    assert AuditEvent.objects.filter(kind="customer.forgotten").count() == 1


def test_who_came_and_never_ordered_counts_from_that_day() -> None:
    CustomerFactory(created_at=clock.start_of(date(2025, 6, 1)))
    CustomerFactory(created_at=clock.start_of(date(2027, 1, 1)))

    assert forget_inactive(on=TODAY) == 1


def test_an_order_under_way_keeps_its_customer() -> None:
    put(draft("1", line("A"), placed_at=clock.start_of(date(2025, 1, 1))))
    Customer.objects.update(created_at=clock.start_of(date(2025, 1, 1)))

    assert forget_inactive(on=TODAY) == 0
    assert Customer.objects.exclude(email="").exists()


def test_a_firm_that_says_nothing_forgets_nobody() -> None:
    Company.objects.update(forget_after_years=None)
    CustomerFactory(created_at=clock.start_of(date(2020, 1, 1)))

    assert forget_inactive(on=TODAY) == 0


def test_books_stay_proven(django_capture_on_commit_callbacks: Any) -> None:
    from invoicing.services import issue_invoices

    with django_capture_on_commit_callbacks(execute=True):
        note = shipped("1", line("A"))
        issue_invoices(note_ids=[note.pk], at=note.shipped_at + timedelta(hours=1))

    assert forget_inactive(on=date(2033, 6, 1)) == 1
    assert_proven()


def test_on_the_29th_of_february_it_is_the_28th_of_then() -> None:
    CustomerFactory(created_at=clock.start_of(date(2025, 2, 27)))
    CustomerFactory(created_at=clock.start_of(date(2025, 2, 28)))

    assert forget_inactive(on=date(2028, 2, 29)) == 1
