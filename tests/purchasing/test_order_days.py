"""Order days and closures make the protection time longer, and say so."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from inventory.models import Product
from inventory.services import default_warehouse
from purchasing.models import PurchaseOrder
from purchasing.planning.waiting import Waiting
from purchasing.reasons import explain, headline
from purchasing.selectors import LeadTimes
from purchasing.services import (
    create_order,
    propose_orders,
    receive_goods,
    send_order,
)
from suppliers.calendars import Calendar, Closure, kept_as
from suppliers.models import Supplier, SupplierClosure
from tests.factories import NOON, ProductFactory, SupplierFactory, SupplierProductFactory
from tests.purchasing.test_learning import DAY, policy, sold

D = Decimal
MONDAY, TUESDAY, FRIDAY = 0, 1, 4
AUGUST = Closure(date(2026, 8, 3), date(2026, 8, 28))
CLOSED = Calendar(closures=(AUGUST,))


@pytest.mark.parametrize(
    ("on", "days"),
    [
        # Tuesday: who misses it orders on Friday, two days later than tomorrow.
        (date(2026, 3, 3), 2),
        # Wednesday: tomorrow's run still reaches Friday, a day later than it runs.
        (date(2026, 3, 4), 1),
        (date(2026, 3, 5), 0),
        # Friday: the next one is Tuesday, three days after tomorrow.
        (date(2026, 3, 6), 3),
    ],
)
def test_the_wait_until_the_order_day_after_this_one_is_protected(on: date, days: int) -> None:
    waiting = Waiting(Calendar(order_days=kept_as([TUESDAY, FRIDAY])), on, lead_days=5)

    assert waiting.days == days
    assert waiting.closed_days == 0


@pytest.mark.parametrize(
    ("on", "days"),
    [
        # The order of the 28th is the last that comes before it (five days); a week ahead of the
        # first that doesn't, its 26 days are covered.
        (date(2026, 7, 21), 0),
        (date(2026, 7, 22), 26),
        (date(2026, 7, 28), 26),
        # On the 29th: an order of tomorrow takes two days fewer before it, hence one more after.
        (date(2026, 7, 29), 26),
        # Closed: what is ordered tomorrow leaves on the 29th, 18 days later.
        (date(2026, 8, 10), 18),
        (date(2026, 8, 28), 0),
    ],
)
def test_a_closure_is_protected_from_a_week_before_the_last_order(on: date, days: int) -> None:
    assert Waiting(CLOSED, on, lead_days=5).days == days


@pytest.mark.parametrize(
    ("on", "days"),
    [
        # Fourteen days of cover: the next order would be tomorrow fortnight's.
        (date(2026, 7, 13), 0),
        (date(2026, 7, 14), 26),
        # Already in the protection time.
        (date(2026, 7, 22), 0),
    ],
)
def test_an_order_covers_the_closure_that_its_next_one_would_meet(on: date, days: int) -> None:
    assert Waiting(CLOSED, on, lead_days=5).beyond(14) == days


@pytest.fixture
def product(db: None) -> Product:
    """Two pieces a day for four months, ten left."""
    found = ProductFactory(on_hand=250)
    sold(found)
    return found


def bought(product: Product, **supplier: int) -> PurchaseOrder:
    SupplierProductFactory(product=product, supplier=SupplierFactory(lead_time_days=10, **supplier))
    (order,) = propose_orders(on=DAY).orders
    return order


def test_a_supplier_of_mondays_makes_six_days_more(product: Product) -> None:
    # A Monday: an order today comes in ten days, tomorrow's run orders next Monday.
    order = bought(product, order_weekdays=kept_as([MONDAY]))

    figures = policy(product).figures
    assert figures["wait_days"] == "6"
    assert figures["protection_days"] == "16"
    # Two a day: 32 instead of 20.
    assert float(figures["protection_demand"]) == pytest.approx(32, rel=0.01)
    assert order.expected_on == date(2026, 3, 12)


def test_it_is_expected_by_the_next_order_day(product: Product) -> None:
    # On a Monday, for a supplier who takes orders on Fridays and delivers on Tuesdays: the 6th and
    # ten days make Monday the 16th, so Tuesday the 17th.
    order = bought(product, order_weekdays=kept_as([FRIDAY]), delivery_weekdays=kept_as([TUESDAY]))

    assert order.expected_on == date(2026, 3, 17)
    told = " ".join(step.text for step in explain(order.lines.get().reason))
    assert "part le 6 mars 2026 et arrive le 17 mars 2026" in told
    assert "Prend les commandes : vendredi. Livre : mardi." in told


def test_before_a_closure_more_is_ordered_and_it_says_why(product: Product) -> None:
    supplier = SupplierFactory(lead_time_days=10)
    SupplierProductFactory(product=product, supplier=supplier)
    (usual,) = propose_orders(on=DAY).orders
    before, point = usual.lines.get().quantity, policy(product).reorder_point
    # An order of tomorrow would have nine of its ten days before the closure: 19 days late.
    SupplierClosure.objects.create(
        supplier=supplier,
        first_day=date(2026, 3, 13),
        last_day=date(2026, 3, 31),
        note="inventaire",
    )

    (order,) = propose_orders(on=DAY).orders

    line = order.lines.get()
    figures = policy(product).figures
    assert figures["protection_days"] == "29"
    assert float(figures["protection_demand"]) == pytest.approx(58, rel=0.01)
    assert line.quantity - before == policy(product).reorder_point - point >= 38
    assert order.expected_on == date(2026, 3, 12)
    assert headline(line.reason).endswith(
        "fermé du 13 au 31 mars 2026 (inventaire) : couvre 19 jours de plus"
    )


def test_an_order_due_earlier_covers_the_closure_that_its_next_one_would_meet(
    product: Product,
) -> None:
    supplier = SupplierFactory(lead_time_days=10)
    SupplierProductFactory(product=product, supplier=supplier)
    # The next order, a fortnight after tomorrow's, has two of its ten days before the closure and
    # eight after its twenty days.
    SupplierClosure.objects.create(
        supplier=supplier, first_day=date(2026, 3, 20), last_day=date(2026, 4, 8)
    )

    (order,) = propose_orders(on=DAY).orders

    found = policy(product)
    assert found.figures["protection_days"] == "10"
    # Two a day for fourteen days, and twenty more.
    assert found.order_up_to - found.reorder_point == 68
    assert headline(order.lines.get().reason).endswith("couvre 20 jours de plus")


def test_the_page_of_the_article_says_it(product: Product, admin_client: Client) -> None:
    order = bought(product, order_weekdays=kept_as([MONDAY]))

    page = admin_client.get(reverse("purchasing:product", args=[product.pk])).content.decode()
    proposal = admin_client.get(reverse("purchasing:proposal", args=[order.pk])).content.decode()

    for text in (page, proposal):
        assert "Prend les commandes : lundi." in text
        assert "Sans elle, la suivante part le 9 mars 2026 : 6 jours de plus à couvrir." in text


def test_without_a_calendar_nothing_is_said(product: Product) -> None:
    order = bought(product)

    reason = order.lines.get().reason
    assert "wait_days" not in reason
    assert not [step for step in explain(reason) if "Calendrier" in step.title]


def test_an_order_by_hand_is_expected_by_the_calendar(product: Product) -> None:
    supplier = SupplierFactory(lead_time_days=3, order_weekdays=kept_as([FRIDAY]))
    SupplierProductFactory(product=product, supplier=supplier)

    order = create_order(
        supplier=supplier, warehouse=default_warehouse(), quantities={product.pk: D(5)}, at=NOON
    )

    assert order.expected_on == date(2026, 3, 9)


def test_closed_days_are_no_part_of_the_delay_learned(product: Product) -> None:
    supplier = SupplierFactory(lead_time_days=4)
    SupplierProductFactory(product=product, supplier=supplier)
    for _time in range(3):
        _ordered_and_received(product, supplier, days=15)

    calendar = Calendar(closures=(Closure(date(2026, 3, 4), date(2026, 3, 13)),))
    after = DAY + timedelta(days=30)
    assert LeadTimes(after).of(supplier.pk, product.pk, 4).days == pytest.approx(15)
    # Ten of the fifteen days it was closed.
    known = LeadTimes(after, {supplier.pk: calendar}).of(supplier.pk, product.pk, 4)
    assert known.days == pytest.approx(5)


def _ordered_and_received(product: Product, supplier: Supplier, *, days: int) -> None:
    order = create_order(
        supplier=supplier, warehouse=default_warehouse(), quantities={product.pk: D(1)}, at=NOON
    )
    send_order(order_id=order.pk, at=NOON)
    receive_goods(order_id=order.pk, quantities=None, at=NOON + timedelta(days=days))


def test_calendars_cost_no_query_each(product: Product) -> None:
    counts = []
    for number in (1, 6):
        for n in range(number):
            supplier = SupplierFactory(lead_time_days=10, order_weekdays=2)
            SupplierClosure.objects.create(
                supplier=supplier, first_day=AUGUST.first, last_day=AUGUST.last
            )
            SupplierProductFactory(
                product=ProductFactory(sku=f"CAL-{number}-{n}"), supplier=supplier
            )
        with CaptureQueriesContext(connection) as asked:
            propose_orders(on=DAY)
        counts.append(len(asked))

    assert counts[1] <= counts[0]
