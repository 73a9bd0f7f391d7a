from functools import partial

import pytest

from inventory.models import StockMove, StockPosition
from sales.errors import NoteNotDraft
from sales.models import DeliveryNote, Order
from sales.services import (
    cancel_delivery_note,
    prepare_deliveries,
    prepare_delivery,
    ship_delivery_note,
)
from tests.factories import NOON, ProductFactory, line, placed, shipped
from tests.support.threads import together


@pytest.mark.django_db
def test_a_delivery_is_partial_when_stock_is_short() -> None:
    ProductFactory(sku="A", on_hand=2)

    note = shipped("1", line("A", quantity="5"))

    assert note.lines.get().quantity == 2
    assert Order.objects.get().status == Order.Status.PARTIALLY_DELIVERED


@pytest.mark.django_db
def test_shipping_moves_stock_and_keeps_the_cost_it_left_with() -> None:
    note = shipped("1", line("A", quantity="3"))

    move = note.lines.get().move
    assert move is not None
    assert (move.quantity, move.origin_number) == (-3, note.number)
    assert note.lines.get().unit_cost == 4
    assert Order.objects.get().status == Order.Status.DELIVERED


@pytest.mark.django_db
def test_shipping_twice_ships_once() -> None:
    note = shipped("1", line("A"))

    ship_delivery_note(note_id=note.pk, at=NOON)

    assert StockMove.objects.filter(kind="sale").count() == 1


@pytest.mark.django_db
def test_preparing_twice_makes_one_note() -> None:
    ProductFactory(sku="A", on_hand=5)
    order = placed("1", line("A"))

    first = prepare_delivery(order_id=order.pk, at=NOON)
    second = prepare_delivery(order_id=order.pk, at=NOON)

    assert first == second
    assert DeliveryNote.objects.count() == 1


@pytest.mark.django_db
def test_nothing_ready_makes_no_note_and_uses_no_number() -> None:
    order = placed("1", line("A"))

    assert prepare_deliveries(order_ids=[order.pk], at=NOON) == []
    assert not DeliveryNote.objects.exists()


@pytest.mark.django_db
def test_a_cancelled_note_leaves_the_goods_set_aside() -> None:
    ProductFactory(sku="A", on_hand=5)
    order = placed("1", line("A"))
    note = prepare_delivery(order_id=order.pk, at=NOON)
    assert note is not None

    cancel_delivery_note(note_id=note.pk)

    assert StockPosition.objects.get().reserved == 1
    with pytest.raises(NoteNotDraft):
        ship_delivery_note(note_id=note.pk, at=NOON)


@pytest.mark.django_db
def test_a_shipped_note_cannot_be_cancelled() -> None:
    note = shipped("1", line("A"))

    with pytest.raises(NoteNotDraft):
        cancel_delivery_note(note_id=note.pk)


@pytest.mark.django_db
def test_what_is_not_goods_leaves_with_the_first_note() -> None:
    ProductFactory(sku="A", on_hand=1)

    note = shipped(
        "1", line("A", quantity="2"), line("", "5.00", label="Emballage cadeau", kind="fee")
    )

    assert {ln.order_line.label: int(ln.quantity) for ln in note.lines.all()} == {
        "Article A": 1,
        "Emballage cadeau": 1,
    }


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_people_shipping_the_same_note_ship_it_once() -> None:
    ProductFactory(sku="A", on_hand=5)
    order = placed("1", line("A"))
    note = prepare_delivery(order_id=order.pk, at=NOON)
    assert note is not None

    assert together([partial(ship_delivery_note, note_id=note.pk, at=NOON)] * 6) == []
    assert StockPosition.objects.get().on_hand == 4
