"""What lies there is worth its average cost, whatever happened; nothing is worth nothing."""

from datetime import timedelta
from decimal import Decimal
from importlib import import_module

import pytest
from django.apps import apps
from django.db.models import F

from inventory.models import (
    Product,
    StockMove,
    StockPosition,
    StockTransfer,
    StockTransferLine,
    Warehouse,
)
from inventory.selectors import stock_value
from inventory.services import (
    Entry,
    Taking,
    create_transfer,
    default_warehouse,
    receive_stock,
    receive_transfer,
    send_transfer,
    take_stock,
)
from sphinx.core.clock import business_date
from sphinx.core.proofs import run_proofs
from tests.factories import NOON, ProductFactory

pytestmark = pytest.mark.django_db
D = Decimal
DAY = business_date(NOON)


@pytest.fixture
def boundless() -> Product:
    """A product that is sold before it is there."""
    return ProductFactory(sku="A", allows_negative=True, unit_cost=None)


def come(product: Product, pieces: str, cost: str, number: str, days: int = 0) -> None:
    receive_stock(
        entries=[Entry(product.pk, D(pieces), D(cost), number, 1)],
        warehouse=default_warehouse(),
        at=NOON + timedelta(days=days),
        kind=StockMove.Kind.RECEIPT,
        origin_kind="receipt",
    )


def leave(product: Product, pieces: str, number: str, days: int = 0) -> None:
    take_stock(
        takings=[Taking(product.pk, D(pieces), number, 1)],
        warehouse=default_warehouse(),
        at=NOON + timedelta(days=days),
        kind=StockMove.Kind.LOSS,
        origin_kind="loss",
    )


def worth(days: int = 0) -> Decimal:
    return sum((v.value for v in stock_value(DAY + timedelta(days=days))), D(0))


def test_goods_that_cover_what_left_before_them_are_worth_their_cost(boundless: Product) -> None:
    come(boundless, "1", "10", "R1")
    leave(boundless, "6", "L1")

    come(boundless, "10", "12", "R2")

    position = StockPosition.objects.get()
    assert (position.on_hand, position.average_cost, worth()) == (5, 12, D("60.00"))


def test_what_is_still_missing_is_owed_at_the_cost_it_left_with(boundless: Product) -> None:
    come(boundless, "1", "10", "R1")
    leave(boundless, "6", "L1")

    come(boundless, "2", "12", "R2")

    assert (StockPosition.objects.get().average_cost, worth()) == (10, D("-30.00"))


def test_nothing_is_worth_something_once_it_is_sold_out(boundless: Product) -> None:
    leave(boundless, "3", "L1")
    come(boundless, "3", "12", "R1")

    assert (worth(), ledger()) == (0, 0)


def test_goods_sold_before_they_came_cost_more_on_the_day_they_left(boundless: Product) -> None:
    come(boundless, "1", "10", "R1")
    leave(boundless, "6", "L1", days=4)

    come(boundless, "10", "12", "R2", days=2)

    assert [worth(day) for day in (0, 2, 4)] == [D("10.00"), D("130.00"), D("60.00")]
    righted = StockMove.objects.get(kind="revaluation")
    assert (righted.value_change, righted.at) == (D("-10.00"), NOON + timedelta(days=4))


def test_roundings_never_add_up() -> None:
    product = ProductFactory(on_hand=0)
    for n in range(40):
        come(product, "3000", "1.000001", f"R{n}")
        come(product, "4001", "2.333333", f"S{n}")
        leave(product, "6999.5", f"L{n}")

    assert faults() == []
    leave(product, "60", "last")
    assert (StockPosition.objects.get().on_hand, abs(ledger()) <= D("0.005")) == (0, True)


def ledger() -> Decimal:
    """The sum of all moves."""
    moves = StockMove.objects.all()
    return sum((m.quantity * m.unit_cost + m.value_change for m in moves), D(0))


def faults() -> list[str]:
    return [fault for proof in run_proofs() for fault in proof.faults]


# --- On the way between two warehouses ----------------------------------------------------------


@pytest.fixture
def annex() -> Warehouse:
    return Warehouse.objects.create(code="annexe", name="Annexe")


def on_the_way(annex: Warehouse, product: Product, pieces: str = "4") -> int:
    """A transfer that left the next day."""
    transfer = create_transfer(
        source=default_warehouse(),
        destination=annex,
        quantities={product.pk: D(pieces)},
        at=NOON,
    )
    return send_transfer(transfer_id=transfer.pk, at=NOON + timedelta(days=1)).pk


def test_goods_on_their_way_keep_their_value(annex: Warehouse) -> None:
    product = ProductFactory(on_hand=10, unit_cost=D("4.50"))
    transfer = on_the_way(annex, product)
    receive_transfer(transfer_id=transfer, at=NOON + timedelta(days=3))

    assert [worth(day) for day in range(5)] == [D("45.00")] * 5
    (lying, moving) = stock_value(DAY + timedelta(days=2))[::-1]
    assert (lying.warehouse, lying.value) == (default_warehouse(), D("27.00"))
    assert (moving.warehouse, moving.quantity, moving.value) == (annex, 4, D("18.00"))
    assert moving.is_on_its_way
    assert [v.value for v in stock_value(DAY + timedelta(days=2), annex)] == [D("18.00")]
    assert faults() == []


def test_what_arrives_in_part_leaves_the_rest_on_its_way(annex: Warehouse) -> None:
    product = ProductFactory(on_hand=10, unit_cost=D("4.50"))
    transfer = on_the_way(annex, product)
    line = StockTransferLine.objects.get().pk
    receive_transfer(transfer_id=transfer, quantities={line: D(1)}, at=NOON + timedelta(days=3))

    values = [(v.is_on_its_way, v.value) for v in stock_value(DAY + timedelta(days=3), annex)]
    assert values == [(False, D("4.50")), (True, D("13.50"))]
    assert faults() == []


def test_what_is_lost_on_the_way_is_a_loss_of_its_day_and_costs_no_shelf_anything(
    annex: Warehouse,
) -> None:
    product = ProductFactory(on_hand=10, unit_cost=D("4.50"), tracks_lots=True)
    transfer = on_the_way(annex, product)
    line = StockTransferLine.objects.get().pk

    receive_transfer(
        transfer_id=transfer, quantities={line: D(1)}, closes=True, at=NOON + timedelta(days=3)
    )

    assert [worth(day) for day in (2, 3)] == [D("45.00"), D("31.50")]
    loss = StockMove.objects.get(kind="loss")
    assert (loss.warehouse, loss.quantity, loss.unit_cost) == (annex, -3, D("4.5"))
    there = StockPosition.objects.get(warehouse=annex)
    assert (there.on_hand, there.average_cost, there.incoming) == (1, D("4.5"), 0)
    assert faults() == []


# --- What verify proves ---------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["value", "average_cost"])
def test_verify_sees_a_value_that_is_not_that_of_the_goods(field: str) -> None:
    ProductFactory(on_hand=10, unit_cost=D(4))
    assert faults() == []

    StockPosition.objects.update(**{field: F(field) + 1})

    assert len(faults()) == 1


def test_verify_sees_a_past_value_that_does_not_lead_to_todays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ProductFactory(on_hand=10, unit_cost=D(4))
    monkeypatch.setattr("inventory.proofs.stock_value", lambda _day: [])

    assert len(faults()) > 1


def test_what_an_earlier_version_wrote_is_added_up_anew() -> None:
    product = ProductFactory(on_hand=10, unit_cost=D(4))
    StockPosition.objects.update(value=0)

    come(product, "10", "6", "R1")

    position = StockPosition.objects.get()
    assert (position.average_cost, position.value) == (5, 100)
    assert faults() == []


def test_the_upgrade_takes_out_value_that_had_stayed_without_goods(annex: Warehouse) -> None:
    product = ProductFactory(sku="A", on_hand=10, unit_cost=D("4.50"))
    transfer = on_the_way(annex, product)
    # As it was left: value on no goods, and a rest that was lost without a word.
    StockMove.objects.create(
        product=product,
        warehouse=default_warehouse(),
        kind="revaluation",
        quantity=0,
        value_change=D("10.00"),
        at=NOON,
        origin_kind="past",
        origin_number="1",
    )
    StockTransfer.objects.filter(pk=transfer).update(status="received", received_at=NOON)
    StockPosition.objects.update(value=0)
    upgrade = import_module("inventory.migrations.0008_position_value")

    upgrade.note_what_was_lost(apps, None)
    upgrade.keep_values(apps, None)

    assert worth(2) + worth(300) == D("37.00") + D("27.00")
    assert faults() == []
