from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from inventory.models import Product
from inventory.services import (
    Demand,
    adjust_stock,
    change_reservations,
    default_warehouse,
    set_components,
)
from purchasing.courses import as_chart, course_of
from purchasing.models import PurchaseOrder, StockPolicy
from purchasing.selectors import incoming_at
from purchasing.services import (
    Arrived,
    accept_proposal,
    close_order,
    create_order,
    postpone_line,
    propose_orders,
    receive_goods,
    refuse_line,
    send_order,
    set_quantity,
)
from sales.services import cancel_order
from tests.factories import (
    NOON,
    ProductFactory,
    SupplierFactory,
    SupplierProductFactory,
    line,
    placed,
)

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 2)
D = Decimal


def sold(product: Product, *, a_day: int = 2, days: int = 120) -> None:
    """Orders of the last days, each served from what was there."""
    change_reservations(
        demands=[
            Demand(product.pk, D(a_day), NOON - timedelta(days=n), f"{product.sku}-{n}")
            for n in range(1, days + 1)
        ],
        warehouse=default_warehouse(),
    )


def policy(product: Product) -> StockPolicy:
    return StockPolicy.objects.get(product=product)


def test_levels_come_from_what_was_asked() -> None:
    product = ProductFactory(on_hand=250)
    SupplierProductFactory(product=product, lead_time_days=10)
    sold(product)

    (order,) = propose_orders(on=DAY).orders

    found = policy(product)
    assert found.demand_per_day == pytest.approx(D(2), rel=D("0.01"))
    # Ten days of delay; the day between two runs is told by the undershoot.
    assert float(found.figures["protection_demand"]) == pytest.approx(20, rel=0.01)
    assert found.reorder_point >= 20
    reason = order.lines.get().reason
    assert reason["policy"] == "learned"
    assert {"demand_per_day", "service_level", "safety_stock", "lead_time_days"} <= set(reason)


def test_an_empty_shelf_teaches_as_much_as_a_full_one() -> None:
    full, empty = ProductFactory(on_hand=1000), ProductFactory()
    for product in (full, empty):
        sold(product)

    propose_orders(on=DAY)

    assert policy(full).demand_per_day == policy(empty).demand_per_day


def history(*, days_out: int) -> Product:
    """Two pieces a day while there were some, then nothing: the sale was closed."""
    product = ProductFactory()
    adjust_stock(
        product=product,
        warehouse=default_warehouse(),
        counted=D(2 * 120),
        at=NOON - timedelta(days=120 + days_out, hours=1),
        number="INV",
        note="",
    )
    change_reservations(
        demands=[
            Demand(product.pk, D(2), NOON - timedelta(days=n), f"{product.sku}-{n}")
            for n in range(days_out + 1, days_out + 121)
        ],
        warehouse=default_warehouse(),
    )
    return product


@pytest.mark.parametrize("days_out", [28, 56, 180])
def test_a_stock_out_does_not_cause_the_next(days_out: int) -> None:
    """28 days without stock took the reorder point to 0.45 of what it was, 56 to nothing."""
    there, out = history(days_out=0), history(days_out=days_out)

    propose_orders(on=DAY)

    assert policy(out).demand_per_day == pytest.approx(D(2), rel=D("0.02"))
    assert policy(out).reorder_point == pytest.approx(policy(there).reorder_point, rel=D("0.1"))
    assert int(policy(out).figures["days_out"]) == days_out


def test_days_without_stock_are_told_and_drawn_grey(admin_client: Client) -> None:
    out = history(days_out=28)
    propose_orders(on=DAY)

    page = admin_client.get(reverse("purchasing:product", args=[out.pk])).content.decode()

    assert "jours sans stock ni commande ne sont pas comptés" in page
    assert "Jours sans stock" in page
    course = course_of(out, default_warehouse(), on=DAY, levels=(D(0), D(0)))
    assert sum(week.unseen for week in course.weeks) == 28
    grey = as_chart(course, defaultdict(str))["datasets"][-1]
    # The whole height where a whole week is unknown.
    assert max(height or 0 for height in grey["data"]) == max(w.stock or 0 for w in course.weeks)


def test_levels_that_did_not_change_are_not_written_again() -> None:
    product = ProductFactory(on_hand=250)
    sold(product)
    propose_orders(on=DAY)

    with CaptureQueriesContext(connection) as captured:
        propose_orders(on=DAY)

    assert not [q for q in captured if 'INTO "purchasing_stockpolicy"' in q["sql"]]
    StockPolicy.objects.update(reorder_point=1)
    propose_orders(on=DAY)
    assert policy(product).reorder_point > 1


def test_an_order_closed_short_is_expected_until_it_was_closed() -> None:
    product = ProductFactory(on_hand=1)
    item = SupplierProductFactory(product=product)
    order = create_order(
        supplier=item.supplier,
        warehouse=default_warehouse(),
        quantities={product.pk: D(10)},
        at=NOON - timedelta(days=20),
    )
    other = create_order(
        supplier=item.supplier,
        warehouse=default_warehouse(),
        quantities={product.pk: D(5)},
        at=NOON - timedelta(days=20),
    )
    row = order.lines.get()
    receive_goods(
        order_id=order.pk, quantities={row.pk: Arrived(D(4))}, at=NOON - timedelta(days=15)
    )
    close_order(order_id=order.pk, at=NOON - timedelta(days=5))
    close_order(order_id=other.pk, at=NOON - timedelta(days=8))

    def coming(days_ago: int) -> D:
        day = DAY - timedelta(days=days_ago)
        return incoming_at([product.pk], default_warehouse(), day).get(product.pk, D(0))

    assert [coming(n) for n in (16, 10, 7, 4)] == [15, 11, 6, 0]


def test_cancelled_orders_teach_nothing() -> None:
    product = ProductFactory(sku="A", on_hand=1)
    order = placed("1", line("A", quantity="50"), placed_at=NOON - timedelta(days=3))
    cancel_order(order_id=order.pk, at=NOON)

    propose_orders(on=DAY)

    assert policy(product).demand_per_day == 0


def test_a_sold_bundle_teaches_its_components() -> None:
    part, box = ProductFactory(sku="PART", on_hand=1), ProductFactory(sku="BOX")
    set_components(bundle_id=box.pk, parts={part.pk: D(3)})
    placed("1", line("BOX", quantity="4"), placed_at=NOON - timedelta(days=3))

    propose_orders(on=DAY)

    assert policy(part).demand_per_day > 0
    assert not StockPolicy.objects.filter(product=box).exists()


def test_receipts_teach_how_long_a_supplier_really_takes() -> None:
    product = ProductFactory(sku="JIT", supply_mode="just_in_time")
    SupplierProductFactory(product=product, lead_time_days=3)
    for turn in range(3):
        placed(str(turn), line("JIT"), placed_at=NOON)
        (order,) = propose_orders(on=DAY).orders
        sent = NOON + timedelta(days=turn)
        accept_proposal(order_id=order.pk, at=sent)
        send_order(order_id=order.pk, at=sent)
        receive_goods(order_id=order.pk, quantities=None, at=sent + timedelta(days=12 + turn))

    propose_orders(on=DAY + timedelta(days=60))

    figures = policy(product).figures
    assert (figures["lead_time_days"], figures["lead_time_receipts"]) == ("13", "3")
    assert figures["lead_time_spread"] == "1"


def test_running_twice_proposes_nothing_twice() -> None:
    product = ProductFactory(on_hand=5)
    SupplierProductFactory(product=product)
    sold(product)
    (first,) = propose_orders(on=DAY).orders
    quantity = first.lines.get().quantity

    (again,) = propose_orders(on=DAY).orders

    assert (again.pk, again.lines.get().quantity) == (first.pk, quantity)
    accept_proposal(order_id=first.pk, at=NOON)
    assert propose_orders(on=DAY).orders == []


def test_of_several_suppliers_the_cheapest_to_work_with_is_chosen() -> None:
    product = ProductFactory(on_hand=5, unit_cost=D(10))
    slow, quick = SupplierFactory(), SupplierFactory()
    SupplierProductFactory(product=product, supplier=slow, price="10.00", lead_time_days=60)
    SupplierProductFactory(product=product, supplier=quick, price="10.05", lead_time_days=2)
    sold(product)

    (order,) = propose_orders(on=DAY).orders

    # Half a percent dearer, but two months of safety stock less to keep.
    assert order.supplier == quick
    assert order.lines.get().reason["offers"] == "2"


def test_the_value_of_demand_makes_the_class() -> None:
    dear = ProductFactory(on_hand=500, unit_cost=D(100))
    cheap = ProductFactory(on_hand=500, unit_cost=D(1))
    for product in (dear, cheap):
        sold(product)

    from purchasing.services.policies import abc_classes

    assert abc_classes(DAY) == {dear.pk: "A", cheap.pk: "C"}


def test_a_past_day_is_planned_on_the_stock_of_that_evening() -> None:
    product = ProductFactory(on_hand=300)
    SupplierProductFactory(product=product)
    sold(product, days=30)

    propose_orders(on=DAY - timedelta(days=20))

    order = PurchaseOrder.objects.filter(lines__product=product).first()
    # Ten days' orders were open on 300 pieces: far from the reorder point.
    assert order is None
    assert policy(product).figures["history_days"] == "10"


# --- Decisions ---------------------------------------------------------------------------------


@pytest.fixture
def proposal() -> PurchaseOrder:
    product = ProductFactory(sku="A", on_hand=5)
    SupplierProductFactory(product=product, price="3.00")
    sold(product)
    # What is there is needed: nobody waits.
    adjust_stock(
        product=product,
        warehouse=default_warehouse(),
        counted=D(245),
        at=NOON,
        number="INV",
        note="",
    )
    (order,) = propose_orders(on=DAY).orders
    return order


def test_a_quantity_set_by_hand_survives_the_next_run(proposal: PurchaseOrder) -> None:
    row = proposal.lines.get()
    set_quantity(line_id=row.pk, quantity=D(77), reason="palette", at=NOON)

    propose_orders(on=DAY)

    again = proposal.lines.get()
    assert again.quantity == 77
    assert again.reason["set_because"] == "palette"
    assert D(again.reason["computed"]) == row.quantity


def test_what_is_put_off_is_not_proposed_before_its_day(proposal: PurchaseOrder) -> None:
    postpone_line(
        line_id=proposal.lines.get().pk, until=DAY + timedelta(days=10), reason="promo", at=NOON
    )

    assert propose_orders(on=DAY + timedelta(days=9)).orders == []
    assert len(propose_orders(on=DAY + timedelta(days=10)).orders) == 1


def test_what_is_refused_comes_back_when_customers_wait(proposal: PurchaseOrder) -> None:
    refuse_line(line_id=proposal.lines.get().pk, reason="fin de série", at=NOON)
    assert propose_orders(on=DAY).orders == []
    placed("1", line("A", quantity="30"))

    assert len(propose_orders(on=DAY).orders) == 1


# --- Filling up --------------------------------------------------------------------------------


def two_products(**supplier: str) -> tuple[Product, Product]:
    """One that is due, one that will be due in some weeks, of one supplier."""
    seller = SupplierFactory(**{name: D(value) for name, value in supplier.items()})
    due, soon = ProductFactory(sku="DUE", on_hand=241), ProductFactory(sku="SOON", on_hand=320)
    for product in (due, soon):
        SupplierProductFactory(product=product, supplier=seller, price="2.00", lead_time_days=5)
        sold(product)
    return due, soon


def test_an_order_is_filled_up_to_free_carriage_when_that_pays() -> None:
    due, soon = two_products(carriage_free_excl_tax="100", carriage_excl_tax="15")
    propose_orders(on=DAY)

    (order,) = propose_orders(on=DAY).orders

    assert {row.product for row in order.lines.all()} == {due, soon}
    assert order.lines.get(product=soon).reason["completes"] == "completes_free"


def test_an_order_is_not_filled_up_when_carriage_costs_less_than_keeping() -> None:
    due, _soon = two_products(carriage_free_excl_tax="100", carriage_excl_tax="0.01")
    propose_orders(on=DAY)

    (order,) = propose_orders(on=DAY).orders

    assert [row.product for row in order.lines.all()] == [due]
    assert order.note


def test_an_order_is_filled_up_to_the_suppliers_minimum() -> None:
    _due, soon = two_products(minimum_order_excl_tax="100")
    propose_orders(on=DAY)

    (order,) = propose_orders(on=DAY).orders

    assert order.total_excl_tax >= 100
    assert order.lines.get(product=soon).reason["completes"] == "completes_minimum"


def test_a_run_costs_the_same_number_of_statements_for_few_and_many_products() -> None:
    def statements() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            propose_orders(on=DAY)
        return len(captured)

    supplier = SupplierFactory()
    SupplierProductFactory(product=ProductFactory(on_hand=5), supplier=supplier)
    sold(Product.objects.get(), days=20)
    propose_orders(on=DAY)
    few = statements()
    for _n in range(20):
        product = ProductFactory(on_hand=5)
        SupplierProductFactory(product=product, supplier=supplier)
        sold(product, days=20)
    propose_orders(on=DAY)

    assert statements() == few
