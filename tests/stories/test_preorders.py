"""Goods sold before they are out: promised for a day, bought for it, served in order on it."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from inventory.models import BundleComponent, Product
from inventory.services import default_warehouse, open_stock
from purchasing.services import accept_proposal, propose_orders, receive_goods
from sales.models import Order
from sales.selectors import lines_waiting_for_stock, orders_ready_to_deliver
from sales.services import prepare_delivery
from sphinx.core import clock
from tests.factories import NOON, ProductFactory, SupplierProductFactory, line, placed
from tests.test_pages import client_of

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 2)
OUT = date(2026, 4, 30)
AT = NOON + timedelta(days=59)


@pytest.fixture
def game() -> Product:
    """Out on 30 April; its supplier takes ten days."""
    product: Product = ProductFactory(sku="JEU", supply_mode="just_in_time", released_on=OUT)
    item = SupplierProductFactory(product=product, lead_time_days=10)
    assert item.lead_time_days == 10
    return product


def test_nothing_is_bought_before_it_must_be(game: Product) -> None:
    placed("1", line("JEU", quantity="3"))

    assert propose_orders(on=DAY).orders == []
    assert propose_orders(on=OUT - timedelta(days=12)).orders == []
    (order,) = propose_orders(on=OUT - timedelta(days=11)).orders
    assert order.lines.get().quantity == 3


def test_once_out_it_is_bought_as_any_other(game: Product) -> None:
    placed("1", line("JEU"))

    assert propose_orders(on=OUT + timedelta(days=1)).orders


def test_what_came_early_is_set_aside_in_order_and_leaves_on_its_day(game: Product) -> None:
    later = placed("2", line("JEU"), placed_at=NOON)
    sooner = placed("1", line("JEU"), placed_at=NOON - timedelta(hours=1))
    (order,) = propose_orders(on=OUT - timedelta(days=5)).orders
    accept_proposal(order_id=order.pk, at=NOON)
    receive_goods(order_id=order.pk, quantities={order.lines.get().pk: Decimal(1)}, at=NOON)

    assert prepare_delivery(order_id=sooner.pk, at=NOON) is None
    assert not orders_ready_to_deliver(OUT - timedelta(days=1)).exists()
    assert list(orders_ready_to_deliver(OUT)) == [sooner]
    assert prepare_delivery(order_id=sooner.pk, at=AT) is not None
    assert prepare_delivery(order_id=later.pk, at=AT) is None


def test_the_rest_of_the_order_leaves_before(game: Product) -> None:
    ProductFactory(sku="LIVRE", on_hand=5)
    open_stock(opening={game.pk: (Decimal(9), Decimal(1))}, warehouse=default_warehouse(), at=NOON)
    order = placed("1", line("JEU"), line("LIVRE"))

    note = prepare_delivery(order_id=order.pk, at=NOON)

    assert note is not None
    assert [ln.order_line.sku for ln in note.lines.all()] == ["LIVRE"]


def test_a_bundle_waits_for_the_last_of_its_parts(game: Product) -> None:
    box = ProductFactory(sku="COFFRET")
    part = ProductFactory(sku="LIVRE", on_hand=5)
    ProductFactory(sku="DE", on_hand=5, released_on=OUT)
    for component in (part, Product.objects.get(sku="DE")):
        BundleComponent.objects.create(bundle=box, component=component, quantity=1)
    order = placed("1", line("COFFRET"))

    assert prepare_delivery(order_id=order.pk, at=NOON) is None
    assert prepare_delivery(order_id=order.pk, at=AT) is not None


def test_what_is_not_out_yet_waits_for_no_stock(game: Product) -> None:
    placed("1", line("JEU"))
    Product.objects.update(released_on=clock.today() + timedelta(days=9))

    assert not lines_waiting_for_stock().exists()

    Product.objects.update(released_on=clock.today())
    assert lines_waiting_for_stock().exists()


def test_what_a_supplier_sends_is_ordered_for_its_day_too(game: Product) -> None:
    Product.objects.update(supply_mode="drop_ship")
    placed("1", line("JEU"))

    assert propose_orders(on=OUT - timedelta(days=11)).orders == []
    assert propose_orders(on=OUT - timedelta(days=10)).orders


def test_the_order_says_the_day(game: Product) -> None:
    placed("1", line("JEU"))
    Product.objects.update(released_on=date(2199, 1, 5))

    url = reverse("admin:sales_order_change", args=[Order.objects.get().pk])

    assert "sort le 05/01/2199" in client_of("Gérant").get(url).content.decode()
