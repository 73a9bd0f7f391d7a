"""Suppliers take orders and deliver on some days only, and close for a time."""

from datetime import date
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from suppliers.calendars import Calendar, Closure, kept_as, weekdays_of
from suppliers.models import Supplier, SupplierClosure
from suppliers.selectors import calendars_of
from tests.factories import SupplierFactory

MONDAY, TUESDAY, THURSDAY, FRIDAY = 0, 1, 3, 4
AUGUST = Closure(date(2026, 8, 3), date(2026, 8, 28), "congés")


def test_days_of_the_week_are_kept_as_a_sum() -> None:
    assert kept_as([TUESDAY, FRIDAY]) == 2 + 16
    assert weekdays_of(18) == [TUESDAY, FRIDAY]


@pytest.mark.parametrize(
    ("wanted", "leaves", "arrives"),
    [
        # A Tuesday takes orders the same day, five days make a Sunday.
        (date(2026, 3, 3), date(2026, 3, 3), date(2026, 3, 8)),
        # From Wednesday on it is Friday's, from Saturday on next Tuesday's.
        (date(2026, 3, 4), date(2026, 3, 6), date(2026, 3, 11)),
        (date(2026, 3, 7), date(2026, 3, 10), date(2026, 3, 15)),
    ],
)
def test_an_order_waits_for_the_next_order_day(wanted: date, leaves: date, arrives: date) -> None:
    calendar = Calendar(order_days=kept_as([TUESDAY, FRIDAY]))

    assert calendar.next_order(wanted) == leaves
    assert calendar.arrives(wanted, 5) == arrives


def test_goods_come_on_the_next_delivery_day() -> None:
    calendar = Calendar(delivery_days=kept_as([THURSDAY]))

    # Monday and two days make a Wednesday; and four a Friday, hence the Thursday after.
    assert calendar.arrives(date(2026, 3, 2), 2) == date(2026, 3, 5)
    assert calendar.arrives(date(2026, 3, 2), 4) == date(2026, 3, 12)


@pytest.mark.parametrize(
    ("wanted", "arrives"),
    [
        # The last order that comes before it.
        (date(2026, 7, 28), date(2026, 8, 2)),
        # Four days before it, the fifth after it.
        (date(2026, 7, 29), date(2026, 8, 29)),
        # Three days before it, two after it.
        (date(2026, 7, 30), date(2026, 8, 30)),
        # Taken when it opens again on the 29th.
        (date(2026, 8, 10), date(2026, 9, 3)),
    ],
)
def test_closed_days_are_no_days_of_the_delay(wanted: date, arrives: date) -> None:
    assert Calendar(closures=(AUGUST,)).arrives(wanted, 5) == arrives


def test_closed_days_of_a_past_delay_are_counted() -> None:
    calendar = Calendar(closures=(AUGUST,))

    assert calendar.closed_days(date(2026, 7, 29), date(2026, 9, 1)) == 26
    assert calendar.closed_days(date(2026, 8, 3), date(2026, 8, 5)) == 2
    assert calendar.closed_days(date(2026, 6, 1), date(2026, 7, 1)) == 0


@pytest.mark.django_db
def test_only_suppliers_with_a_calendar_are_read() -> None:
    SupplierFactory()
    SupplierFactory(order_weekdays=127)
    tuesdays, closed = SupplierFactory(order_weekdays=2), SupplierFactory()
    SupplierClosure.objects.create(supplier=closed, first_day=AUGUST.first, last_day=AUGUST.last)

    assert calendars_of() == {
        tuesdays.pk: Calendar(order_days=2),
        closed.pk: Calendar(closures=(AUGUST._replace(note=""),)),
    }


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2026, 8, 28), date(2026, 9, 4)),
        (date(2026, 7, 1), date(2026, 8, 3)),
        (date(2026, 8, 10), date(2026, 8, 11)),
        (date(2026, 7, 1), date(2026, 9, 30)),
    ],
)
def test_the_database_refuses_closures_that_overlap(first: date, last: date) -> None:
    supplier = SupplierFactory()
    SupplierClosure.objects.create(supplier=supplier, first_day=AUGUST.first, last_day=AUGUST.last)

    with pytest.raises(IntegrityError), transaction.atomic():
        SupplierClosure.objects.create(supplier=supplier, first_day=first, last_day=last)


@pytest.mark.django_db
def test_closures_side_by_side_or_of_others_are_kept() -> None:
    supplier, other = SupplierFactory(), SupplierFactory()
    kept = SupplierClosure.objects.create(
        supplier=supplier, first_day=AUGUST.first, last_day=AUGUST.last
    )
    SupplierClosure.objects.create(
        supplier=supplier, first_day=date(2026, 8, 29), last_day=date(2026, 8, 29)
    )
    SupplierClosure.objects.create(supplier=other, first_day=AUGUST.first, last_day=AUGUST.last)
    kept.note = "congés d'été"
    kept.save()

    assert SupplierClosure.objects.count() == 3


@pytest.mark.django_db
def test_the_database_refuses_a_closure_that_ends_before_it_begins() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        SupplierClosure.objects.create(
            supplier=SupplierFactory(), first_day=AUGUST.last, last_day=AUGUST.first
        )


def _typed(supplier: Supplier, *closures: tuple[str, str], **values: Any) -> dict[str, Any]:
    known = {
        "code": supplier.code,
        "name": supplier.name,
        "country": "FR",
        "language": "fr",
        "currency": "EUR",
        "lead_time_days": 7,
        "payment_terms_days": 30,
        "minimum_order_excl_tax": "0",
        "carriage_excl_tax": "0",
        "is_active": "on",
        "closures-TOTAL_FORMS": len(closures),
        "closures-INITIAL_FORMS": 0,
    }
    for number, (first, last) in enumerate(closures):
        known[f"closures-{number}-first_day"] = first
        known[f"closures-{number}-last_day"] = last
    return {**known, **values}


@pytest.mark.django_db
def test_its_form_ticks_days_and_takes_closures(admin_client: Client) -> None:
    supplier = SupplierFactory(order_weekdays=1)
    url = reverse("admin:suppliers_supplier_change", args=[supplier.pk])
    page = admin_client.get(url).content.decode()

    answer = admin_client.post(
        url, _typed(supplier, ("03/08/2026", "28/08/2026"), order_weekdays=["1", "4"])
    )

    supplier.refresh_from_db()
    assert page.count("checked") >= 1
    assert answer.status_code == 302
    assert (supplier.order_weekdays, supplier.delivery_weekdays) == (18, 0)
    assert supplier.closures.get().last_day == AUGUST.last
    assert 'value="4"' in page


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("closures", "said"),
    [
        ([("28/08/2026", "03/08/2026")], "avant de commencer"),
        ([("03/08/2026", "28/08/2026"), ("28/08/2026", "30/08/2026")], "28/08/2026"),
    ],
)
def test_its_form_says_what_is_wrong_with_closures(
    closures: list[tuple[str, str]], said: str, admin_client: Client
) -> None:
    supplier = SupplierFactory()
    url = reverse("admin:suppliers_supplier_change", args=[supplier.pk])

    answer = admin_client.post(url, _typed(supplier, *closures))

    assert said in answer.content.decode()
    assert not supplier.closures.exists()
