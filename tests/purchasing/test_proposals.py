from datetime import date
from decimal import Decimal
from functools import partial

import pytest

from inventory.models import StockPosition
from purchasing.errors import WrongState
from purchasing.models import PurchaseOrder
from purchasing.services import (
    accept_proposal,
    propose_orders,
    receive_goods,
    refuse_proposal,
    set_quantity,
)
from sales.models import Order
from tests.factories import (
    NOON,
    ProductFactory,
    ReorderRuleFactory,
    SupplierFactory,
    SupplierProductFactory,
    line,
    placed,
)
from tests.support.threads import together

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 2)
D = Decimal


def test_under_its_reorder_point_a_product_is_bought_up_to_its_maximum() -> None:
    product = ProductFactory(on_hand=4)
    ReorderRuleFactory(product=product, minimum=5, maximum=20)
    SupplierProductFactory(product=product, price="3.00")

    (order,) = propose_orders(on=DAY).orders

    bought = order.lines.get()
    assert (bought.quantity, order.total_excl_tax) == (16, D("48.00"))
    assert bought.reason["forecast"] == "4"
    assert bought.reason["needed"] == "16"


def test_above_its_reorder_point_nothing_is_bought() -> None:
    ReorderRuleFactory(product=ProductFactory(on_hand=6), minimum=5)

    assert propose_orders(on=DAY).orders == []


def test_quantities_fill_the_suppliers_packs_and_minimum() -> None:
    product = ProductFactory(on_hand=4)
    ReorderRuleFactory(product=product, minimum=5, maximum=20)
    SupplierProductFactory(product=product, pack_size=12, minimum_quantity=20)

    (order,) = propose_orders(on=DAY).orders

    assert order.lines.get().quantity == 24


def test_just_in_time_buys_what_customers_wait_for_and_nothing_else() -> None:
    product = ProductFactory(sku="JIT", supply_mode="just_in_time")
    SupplierProductFactory(product=product)
    assert propose_orders(on=DAY).orders == []
    placed("1", line("JIT", quantity="3"))

    (order,) = propose_orders(on=DAY).orders

    bought = order.lines.get()
    assert (bought.quantity, bought.reason["policy"]) == (3, "just_in_time")


def test_asking_again_refreshes_the_proposal_in_place() -> None:
    product = ProductFactory(sku="JIT", supply_mode="just_in_time")
    SupplierProductFactory(product=product)
    placed("1", line("JIT", quantity="3"))
    (first,) = propose_orders(on=DAY).orders
    placed("2", line("JIT", quantity="1"))

    (again,) = propose_orders(on=DAY).orders

    assert (again.pk, again.lines.get().quantity) == (first.pk, 4)
    assert PurchaseOrder.objects.count() == 1


def test_what_was_accepted_is_not_bought_twice() -> None:
    product = ProductFactory(on_hand=4)
    ReorderRuleFactory(product=product)
    SupplierProductFactory(product=product)
    (order,) = propose_orders(on=DAY).orders

    accept_proposal(order_id=order.pk, at=NOON)
    accept_proposal(order_id=order.pk, at=NOON)

    assert StockPosition.objects.get().incoming == 16
    assert propose_orders(on=DAY).orders == []


def test_a_proposal_whose_need_is_gone_is_closed_and_says_why() -> None:
    product = ProductFactory(sku="JIT", supply_mode="just_in_time")
    SupplierProductFactory(product=product)
    order = placed("1", line("JIT"))
    propose_orders(on=DAY)
    from sales.services import cancel_order

    cancel_order(order_id=order.pk, at=NOON)

    assert propose_orders(on=DAY).orders == []
    closed = PurchaseOrder.objects.get()
    assert closed.status == PurchaseOrder.Status.CANCELLED
    assert closed.note


def test_what_nobody_sells_is_reported() -> None:
    product = ProductFactory(sku="JIT", supply_mode="just_in_time")
    placed("1", line("JIT", quantity="2"))

    proposals = propose_orders(on=DAY)

    assert proposals.orders == []
    assert [(p.pk, buy.quantity) for p, buy in proposals.without_supplier] == [(product.pk, 2)]


def test_the_preferred_supplier_wins_over_a_cheaper_one() -> None:
    product = ProductFactory(on_hand=4)
    ReorderRuleFactory(product=product)
    SupplierProductFactory(product=product, price="1.00", is_preferred=False)
    preferred = SupplierFactory()
    SupplierProductFactory(product=product, supplier=preferred, price="3.00")

    (order,) = propose_orders(on=DAY).orders

    assert order.supplier == preferred


def test_a_quantity_changed_by_hand_keeps_what_was_computed() -> None:
    product = ProductFactory(on_hand=4)
    ReorderRuleFactory(product=product)
    SupplierProductFactory(product=product, price="3.00")
    (order,) = propose_orders(on=DAY).orders

    changed = set_quantity(line_id=order.lines.get().pk, quantity=D(10), at=NOON)

    assert changed.reason["computed"] == "16.000"
    order.refresh_from_db()
    assert order.total_excl_tax == D("30.00")


def test_a_receipt_serves_the_customers_who_wait() -> None:
    product = ProductFactory(sku="JIT", supply_mode="just_in_time")
    SupplierProductFactory(product=product, price="3.00")
    placed("1", line("JIT", quantity="3"))
    (order,) = propose_orders(on=DAY).orders
    accept_proposal(order_id=order.pk, at=NOON)

    receive_goods(order_id=order.pk, quantities=None, at=NOON)

    now = StockPosition.objects.get()
    assert (now.on_hand, now.reserved, now.incoming) == (3, 3, 0)
    assert Order.objects.get().lines.get().reservation.allocated == 3
    assert receive_goods(order_id=order.pk, quantities=None, at=NOON) is None


def test_more_than_was_ordered_is_not_received_in_silence() -> None:
    product = ProductFactory(on_hand=4)
    ReorderRuleFactory(product=product)
    SupplierProductFactory(product=product)
    (order,) = propose_orders(on=DAY).orders
    accept_proposal(order_id=order.pk, at=NOON)

    with pytest.raises(WrongState):
        receive_goods(order_id=order.pk, quantities={order.lines.get().pk: D(17)}, at=NOON)


def test_a_refused_proposal_cannot_be_accepted() -> None:
    product = ProductFactory(on_hand=4)
    ReorderRuleFactory(product=product)
    SupplierProductFactory(product=product)
    (order,) = propose_orders(on=DAY).orders
    refuse_proposal(order_id=order.pk, reason="Fin de série", at=NOON)

    with pytest.raises(WrongState):
        accept_proposal(order_id=order.pk, at=NOON)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_make_one_proposal() -> None:
    product = ProductFactory(on_hand=4)
    ReorderRuleFactory(product=product)
    SupplierProductFactory(product=product)

    assert together([partial(propose_orders, on=DAY)] * 6) == []
    assert PurchaseOrder.objects.count() == 1
