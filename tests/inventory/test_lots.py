from datetime import date, timedelta
from decimal import Decimal

import pytest

from inventory.models import Lot, LotPosition, Product, StockMove
from inventory.services import Entry, default_warehouse, receive_stock, write_off
from sales.models import DeliveryNote
from sales.services import prepare_delivery, ship_delivery_note
from sphinx.core import clock
from sphinx.core.proofs import run_proofs
from tests.factories import NOON, ProductFactory, line, placed

pytestmark = pytest.mark.django_db
TODAY = date(2026, 3, 2)


@pytest.fixture(autouse=True)
def that_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOON)


@pytest.fixture
def cheese() -> Product:
    return ProductFactory(sku="CHEESE", tracks_lots=True)


def receive(product: Product, quantity: int, lot: str, days: int | None = None) -> None:
    receive_stock(
        entries=[
            Entry(
                product.pk,
                Decimal(quantity),
                Decimal(4),
                f"BR-{lot}",
                1,
                lot,
                None if days is None else TODAY + timedelta(days=days),
            )
        ],
        warehouse=default_warehouse(),
        at=NOON,
        kind=StockMove.Kind.RECEIPT,
        origin_kind="receipt",
    )


def ship(quantity: str) -> DeliveryNote:
    order = placed(f"N{quantity}", line("CHEESE", quantity=quantity))
    note = prepare_delivery(order_id=order.pk, at=NOON)
    assert note is not None
    return ship_delivery_note(note_id=note.pk, at=NOON)


def left_of(number: str) -> Decimal:
    return LotPosition.objects.get(lot__number=number).on_hand


def test_the_first_lot_to_expire_leaves_first(cheese: Product) -> None:
    receive(cheese, 5, "LATE", days=30)
    receive(cheese, 5, "SOON", days=10)

    ship("7")

    assert (left_of("SOON"), left_of("LATE")) == (0, 3)
    assert StockMove.objects.filter(kind="sale").count() == 2
    assert [proof.faults for proof in run_proofs() if not proof.ok] == []


def test_an_expired_lot_is_never_shipped(cheese: Product) -> None:
    receive(cheese, 5, "OLD", days=-1)

    order = placed("N1", line("CHEESE", quantity="1"))

    assert prepare_delivery(order_id=order.pk, at=NOON) is None
    assert left_of("OLD") == 5


def test_an_expired_lot_can_be_thrown_away(cheese: Product) -> None:
    receive(cheese, 5, "OLD", days=-1)
    lot = Lot.objects.get()

    write_off(
        product_id=cheese.pk,
        warehouse=default_warehouse(),
        quantity=Decimal(5),
        reason="périmé",
        lot_id=lot.pk,
        at=NOON,
    )

    assert left_of("OLD") == 0


def test_a_lot_without_a_date_takes_the_shelf_life(cheese: Product) -> None:
    Product.objects.filter(pk=cheese.pk).update(shelf_life_days=20)

    receive(cheese, 5, "NEW")

    assert Lot.objects.get().best_before == TODAY + timedelta(days=20)


def test_stock_from_before_lots_were_kept_leaves_first() -> None:
    product = ProductFactory(sku="CHEESE", on_hand=2)
    Product.objects.filter(pk=product.pk).update(tracks_lots=True)
    receive(product, 5, "NEW", days=10)

    ship("3")

    assert left_of("NEW") == 4
