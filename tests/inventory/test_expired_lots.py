"""Expired lots are no free stock: not promised, not sold, not counted on."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from ftp_ingest.services.pushing import write_stock
from inventory.models import Lot, Product, Reservation, StockMove, StockPosition
from inventory.selectors import bundle_availability
from inventory.services import (
    Entry,
    Taking,
    default_warehouse,
    expire_lots,
    receive_stock,
    set_components,
    take_stock,
    write_off,
)
from inventory.tasks import pass_expired_lots
from purchasing.planning.ageing import unsellable
from purchasing.services import propose_orders
from sales.models import DeliveryNote, Order
from sales.selectors import notes_short_of_stock, orders_ready_to_deliver
from sales.services import prepare_delivery, ship_delivery_note
from sphinx.core import clock
from sphinx.core.proofs import run_proofs
from tests.factories import NOON, ProductFactory, SupplierProductFactory, line, placed

pytestmark = pytest.mark.django_db
TODAY = date(2026, 3, 2)


class Days:
    """The day it is."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch
        self.pass_to(NOON)

    def pass_to(self, moment: datetime) -> None:
        self._patch.setattr(clock, "now", lambda: moment)


@pytest.fixture(autouse=True)
def days(monkeypatch: pytest.MonkeyPatch) -> Days:
    return Days(monkeypatch)


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


def position(product: Product) -> StockPosition:
    return StockPosition.objects.get(product=product)


def order(number: str, quantity: int) -> Order:
    return placed(number, line("CHEESE", quantity=str(quantity)))


def held(number: str) -> tuple[Decimal, Decimal]:
    found = Reservation.objects.get(origin_number__endswith=number)
    return found.allocated, found.quantity


def faults() -> list[list[str]]:
    return [proof.faults for proof in run_proofs() if not proof.ok]


def test_what_has_expired_is_on_hand_and_not_available(cheese: Product) -> None:
    receive(cheese, 5, "OLD", days=-1)
    receive(cheese, 3, "NEW", days=10)

    found = position(cheese)

    assert (found.on_hand, found.expired, found.available) == (8, 5, 3)


def test_an_order_is_not_promised_what_has_expired(cheese: Product) -> None:
    receive(cheese, 5, "OLD", days=-1)
    receive(cheese, 3, "NEW", days=10)

    asked = order("N1", 4)

    assert held("N1") == (3, 4)
    note = prepare_delivery(order_id=asked.pk, at=NOON)
    assert note is not None
    assert note.lines.get().quantity == 3
    ship_delivery_note(note_id=note.pk, at=NOON)
    assert position(cheese).on_hand == 5
    assert faults() == []


def test_an_order_for_expired_goods_alone_is_not_ready(cheese: Product) -> None:
    receive(cheese, 5, "OLD", days=-1)

    asked = order("N1", 1)

    assert not orders_ready_to_deliver(TODAY).exists()
    assert prepare_delivery(order_id=asked.pk, at=NOON) is None


def test_a_lot_sells_on_its_last_day_and_not_on_the_next(cheese: Product, days: Days) -> None:
    receive(cheese, 5, "LAST", days=0)
    days.pass_to(datetime(2026, 3, 2, 23, 59, tzinfo=clock.PARIS))
    order("N1", 1)
    assert held("N1") == (1, 1)

    days.pass_to(datetime(2026, 3, 3, 0, 0, tzinfo=clock.PARIS))
    order("N2", 1)

    assert (held("N1"), held("N2")) == ((0, 1), (0, 1))
    assert (position(cheese).reserved, position(cheese).backordered) == (0, 2)
    assert faults() == []


def test_what_was_held_on_a_lot_that_passes_waits_again_by_the_daily_task(
    cheese: Product, days: Days
) -> None:
    receive(cheese, 2, "SOON", days=3)
    receive(cheese, 2, "LATE", days=30)
    order("N1", 2)
    order("N2", 2)
    days.pass_to(NOON + timedelta(days=4))

    pass_expired_lots()

    assert (held("N1"), held("N2")) == ((2, 2), (0, 2))
    found = position(cheese)
    assert (found.expired, found.reserved, found.backordered, found.available) == (2, 2, 2, 0)
    assert faults() == []


def test_the_daily_task_twice_is_once(cheese: Product, days: Days) -> None:
    receive(cheese, 2, "SOON", days=3)
    order("N1", 2)
    days.pass_to(NOON + timedelta(days=4))

    assert expire_lots(on=clock.today()) == 1
    assert expire_lots(on=clock.today()) == 0

    assert held("N1") == (0, 2)


def test_a_note_made_before_the_date_is_short_after_it(cheese: Product, days: Days) -> None:
    receive(cheese, 2, "SOON", days=0)
    asked = order("N1", 2)
    note = prepare_delivery(order_id=asked.pk, at=NOON)
    assert note is not None
    days.pass_to(NOON + timedelta(days=1))

    pass_expired_lots()

    assert list(notes_short_of_stock()) == [note]


def test_preparing_sees_the_day_before_the_task_ran(cheese: Product, days: Days) -> None:
    receive(cheese, 2, "SOON", days=0)
    asked = order("N1", 2)
    days.pass_to(NOON + timedelta(days=1))

    assert prepare_delivery(order_id=asked.pk, at=NOON + timedelta(days=1)) is None
    assert not DeliveryNote.objects.exists()


def test_goods_that_come_in_serve_who_lost_theirs(cheese: Product, days: Days) -> None:
    receive(cheese, 2, "SOON", days=0)
    order("N1", 2)
    days.pass_to(NOON + timedelta(days=1))

    receive(cheese, 2, "NEW", days=30)

    assert held("N1") == (2, 2)
    assert position(cheese).expired == 2


def test_what_is_destroyed_is_expired_no_more(cheese: Product) -> None:
    receive(cheese, 5, "OLD", days=-1)

    write_off(
        product_id=cheese.pk,
        warehouse=default_warehouse(),
        quantity=Decimal(5),
        reason="périmé",
        lot_id=Lot.objects.get().pk,
        at=NOON,
    )

    assert (position(cheese).on_hand, position(cheese).expired) == (0, 0)
    assert faults() == []


def test_what_has_expired_may_go_back_to_the_supplier(cheese: Product) -> None:
    receive(cheese, 5, "OLD", days=-1)

    take_stock(
        takings=[Taking(cheese.pk, Decimal(5), "RF-1", 1, Lot.objects.get().pk)],
        warehouse=default_warehouse(),
        at=NOON,
        kind=StockMove.Kind.SUPPLIER_RETURN,
        origin_kind="supplier_return",
    )

    assert (position(cheese).on_hand, position(cheese).expired) == (0, 0)


def test_the_shop_is_told_what_can_be_sold(cheese: Product, tmp_path: Path, days: Days) -> None:
    receive(cheese, 5, "OLD", days=0)
    receive(cheese, 3, "NEW", days=10)
    order("N1", 1)
    days.pass_to(NOON + timedelta(days=1))

    write_stock(Order.objects.get().shop, tmp_path / "stock.csv")

    row = (tmp_path / "stock.csv").read_text().splitlines()[1]
    assert row.replace(",", ";").split(";")[:2] == ["CHEESE", "2"]


def test_bundles_are_made_of_what_can_be_sold(cheese: Product) -> None:
    box = ProductFactory(sku="BOX")
    set_components(bundle_id=box.pk, parts={cheese.pk: Decimal(2)})
    receive(cheese, 5, "OLD", days=-1)
    receive(cheese, 2, "NEW", days=10)

    assert bundle_availability([box.pk], default_warehouse()) == {box.pk: 1}


def test_an_older_version_s_lots_are_counted_by_the_daily_task(cheese: Product) -> None:
    receive(cheese, 5, "OLD", days=-1)
    StockPosition.objects.update(expired=0, expires_next_on=None)

    pass_expired_lots()

    assert position(cheese).expired == 5


def test_lots_no_longer_kept_expire_no_more(cheese: Product) -> None:
    receive(cheese, 5, "OLD", days=-1)
    Product.objects.update(tracks_lots=False)

    pass_expired_lots()

    assert position(cheese).available == 5


def test_a_difference_between_positions_and_lots_is_proved(cheese: Product) -> None:
    receive(cheese, 5, "OLD", days=-1)
    assert faults() == []

    StockPosition.objects.update(expired=4)

    assert len(faults()) == 1


def test_replenishment_buys_what_has_expired_anew(cheese: Product) -> None:
    SupplierProductFactory(product=cheese)
    receive(cheese, 5, "OLD", days=-1)
    order("N1", 3)

    proposals = propose_orders(on=TODAY)

    bought = proposals.orders[0].lines.get()
    assert bought.quantity >= 3
    assert bought.reason["unsellable"] == "5"


@pytest.mark.parametrize(
    ("lots", "unnamed", "owed", "per_day", "expected"),
    [
        # Ten days at one a day: ten of twelve are sold in time.
        ([(9, 12)], 0, 0, 1, 2),
        # What came before lots were kept leaves first.
        ([(9, 12)], 4, 0, 1, 6),
        # What customers wait for leaves at once.
        ([(9, 12)], 0, 2, 1, 0),
        # Expired is expired, whoever waits.
        ([(-1, 12)], 0, 12, 1, 12),
        # The first to expire leaves first; beyond the horizon nothing is lost yet.
        ([(4, 10), (9, 10), (40, 100)], 0, 0, 1, 10),
    ],
)
def test_what_expires_before_it_can_be_sold(
    lots: list[tuple[int, int]], unnamed: int, owed: int, per_day: int, expected: int
) -> None:
    shelf = [(TODAY + timedelta(days=d), Decimal(n)) for d, n in lots]

    found = unsellable(
        shelf,
        unnamed=Decimal(unnamed),
        owed=Decimal(owed),
        per_day=Decimal(per_day),
        on=TODAY,
        until=TODAY + timedelta(days=20),
    )

    assert found == expected
