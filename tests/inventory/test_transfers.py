from decimal import Decimal

import pytest

from inventory.errors import NotEnoughStock, WrongTransferState
from inventory.models import Product, StockPosition, StockTransfer, Warehouse
from inventory.services import (
    cancel_transfer,
    create_transfer,
    default_warehouse,
    receive_transfer,
    send_transfer,
)
from sales.models import OrderLine
from sphinx.core.proofs import run_proofs
from tests.factories import NOON, ProductFactory, ShopFactory, line, placed

pytestmark = pytest.mark.django_db


@pytest.fixture
def annex() -> Warehouse:
    return Warehouse.objects.create(code="annexe", name="Annexe")


def to(annex: Warehouse, product: Product, quantity: str) -> StockTransfer:
    return create_transfer(
        source=default_warehouse(),
        destination=annex,
        quantities={product.pk: Decimal(quantity)},
        at=NOON,
    )


def at(warehouse: Warehouse, product: Product) -> StockPosition:
    return StockPosition.objects.get(warehouse=warehouse, product=product)


def test_goods_on_their_way_are_expected_and_in_nobodys_stock(annex: Warehouse) -> None:
    product = ProductFactory(on_hand=10)
    transfer = to(annex, product, "4")

    send_transfer(transfer_id=transfer.pk, at=NOON)

    assert at(default_warehouse(), product).on_hand == 6
    assert (at(annex, product).on_hand, at(annex, product).incoming) == (0, 4)


def test_goods_arrive_at_the_cost_they_left_with(annex: Warehouse) -> None:
    product = ProductFactory(on_hand=10, unit_cost=Decimal("4.5"))
    transfer = to(annex, product, "4")
    send_transfer(transfer_id=transfer.pk, at=NOON)

    receive_transfer(transfer_id=transfer.pk, at=NOON)

    found = at(annex, product)
    assert (found.on_hand, found.incoming, found.average_cost) == (4, 0, Decimal("4.5"))
    assert [proof.faults for proof in run_proofs() if not proof.ok] == []


def test_a_part_may_arrive_first_and_the_rest_be_lost(annex: Warehouse) -> None:
    product = ProductFactory(on_hand=10)
    transfer = to(annex, product, "4")
    send_transfer(transfer_id=transfer.pk, at=NOON)
    row = transfer.lines.get()

    receive_transfer(transfer_id=transfer.pk, at=NOON, quantities={row.pk: Decimal(1)})
    ended = receive_transfer(
        transfer_id=transfer.pk, at=NOON, quantities={row.pk: Decimal(2)}, closes=True
    )

    assert (at(annex, product).on_hand, at(annex, product).incoming) == (3, 0)
    assert ended.status == StockTransfer.Status.RECEIVED


def test_what_orders_hold_is_not_transferred(annex: Warehouse) -> None:
    product = ProductFactory(sku="A", on_hand=5)
    placed("1", line("A", quantity="4"))
    transfer = to(annex, product, "2")

    with pytest.raises(NotEnoughStock):
        send_transfer(transfer_id=transfer.pk, at=NOON)


def test_sending_and_receiving_twice_moves_once(annex: Warehouse) -> None:
    product = ProductFactory(on_hand=10)
    transfer = to(annex, product, "4")

    for _turn in range(2):
        send_transfer(transfer_id=transfer.pk, at=NOON)
    for _turn in range(2):
        receive_transfer(transfer_id=transfer.pk, at=NOON)

    assert (at(default_warehouse(), product).on_hand, at(annex, product).on_hand) == (6, 4)


def test_a_transfer_that_left_is_not_cancelled(annex: Warehouse) -> None:
    product = ProductFactory(on_hand=10)
    transfer = to(annex, product, "4")
    send_transfer(transfer_id=transfer.pk, at=NOON)

    with pytest.raises(WrongTransferState):
        cancel_transfer(transfer_id=transfer.pk)


def test_a_shop_may_draw_on_a_warehouse_of_its_own(annex: Warehouse) -> None:
    product = ProductFactory(sku="A", on_hand=10)
    annex.shops.add(ShopFactory())

    placed("1", line("A"))

    assert OrderLine.objects.get().reservation.warehouse == annex
    assert at(annex, product).backordered == 1
    assert at(default_warehouse(), product).reserved == 0
