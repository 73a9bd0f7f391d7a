"""One article in several places: put away by hand, picked along the walk, counted where it lies."""

from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from inventory.errors import NotEnoughStock
from inventory.models import Bin, BinStock, Product, StockMove, StockPosition, Warehouse
from inventory.selectors import places_to_pick, to_put_away
from inventory.services import (
    Entry,
    Placed,
    correct_stock,
    default_warehouse,
    open_count,
    post_count,
    put_away,
    receive_stock,
    record_counted,
    set_walk,
    write_off,
)
from sales.models import DeliveryNote
from sales.picking import picking_list
from sales.services import prepare_delivery, ship_delivery_note
from sphinx.core.errors import BusinessRuleError, InputError
from sphinx.core.models import AuditEvent
from sphinx.core.proofs import run_proofs
from tests.factories import NOON, ProductFactory, line, placed
from tests.support.threads import together

pytestmark = pytest.mark.django_db
WALK = ["A1", "A2", "A10", "B1"]


@pytest.fixture
def depot() -> Warehouse:
    warehouse = default_warehouse()
    set_walk(warehouse=warehouse, codes=WALK)
    return warehouse


def place(warehouse: Warehouse, product: Product, **pieces: int) -> None:
    """Put what lies in no bin away: A1=3."""
    put_away(
        warehouse=warehouse,
        placed=[Placed(product.pk, Decimal(n), bin_of(code)) for code, n in pieces.items()],
    )


def bin_of(code: str) -> int:
    return Bin.objects.get(code=code).pk


def lies(product: Product) -> dict[str, Decimal]:
    rows = BinStock.objects.filter(product=product, on_hand__gt=0)
    return dict(rows.values_list("bin__code", "on_hand"))


def arrive(product: Product, pieces: int, number: str = "R1") -> None:
    receive_stock(
        entries=[Entry(product.pk, Decimal(pieces), Decimal(4), number, 1)],
        warehouse=default_warehouse(),
        at=NOON,
        kind=StockMove.Kind.RECEIPT,
        origin_kind="receipt",
    )


def note_of(number: str, *lines: Any) -> DeliveryNote:
    note = prepare_delivery(order_id=placed(number, *lines).pk, at=NOON)
    assert note is not None
    return note


def nothing_is_wrong() -> bool:
    return [proof.faults for proof in run_proofs() if not proof.ok] == []


# --- The walk ----------------------------------------------------------------------------------


def test_the_walk_is_the_order_in_which_it_was_written(depot: Warehouse) -> None:
    set_walk(warehouse=depot, codes=["B1", "A1", " ", "A2", "A10", "C1"])

    assert [b.code for b in depot.bins.all()] == ["B1", "A1", "A2", "A10", "C1"]


def test_a_bin_that_is_written_again_stays_the_same_bin(depot: Warehouse) -> None:
    before = bin_of("A2")

    set_walk(warehouse=depot, codes=["a2", "A1", "A10", "B1"])

    assert Bin.objects.get(code__iexact="a2").pk == before


@pytest.mark.parametrize(
    ("codes", "said"),
    [(["A1", "a1"], "Ligne 2"), (["A1", "B" * 31], "30 caractères")],
)
def test_a_code_that_cannot_be_is_named_by_its_line(
    depot: Warehouse, codes: list[str], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        set_walk(warehouse=depot, codes=codes)


def test_a_bin_that_holds_goods_stays(depot: Warehouse) -> None:
    place(depot, ProductFactory(on_hand=3), A2=1)

    with pytest.raises(BusinessRuleError, match="A2"):
        set_walk(warehouse=depot, codes=["A1"])

    assert [b.code for b in depot.bins.all()] == WALK


def test_an_empty_bin_may_go(depot: Warehouse) -> None:
    product = ProductFactory(on_hand=3)
    place(depot, product, A2=3)
    write_off(product_id=product.pk, warehouse=depot, quantity=Decimal(3), reason="casse", at=NOON)

    set_walk(warehouse=depot, codes=["A1"])

    assert [b.code for b in depot.bins.all()] == ["A1"]


# --- Put away ----------------------------------------------------------------------------------


def test_what_comes_in_waits_to_be_put_away_where_the_article_usually_lies(
    depot: Warehouse,
) -> None:
    usual = ProductFactory(sku="U", location="a10")
    known = ProductFactory(sku="V", on_hand=5)
    place(depot, known, A1=1, B1=4)
    arrive(usual, 6)
    arrive(known, 2, "R2")

    rows = to_put_away(depot, 10)

    said = [(row.product.sku, row.quantity, row.bin.code if row.bin else "") for row in rows]
    assert said == [("U", 6, "A10"), ("V", 2, "B1")]


def test_putting_away_moves_nothing_in_the_ledger_and_is_in_the_trail(depot: Warehouse) -> None:
    product = ProductFactory(on_hand=10)
    moves = StockMove.objects.count()

    place(depot, product, A1=3, B1=4)

    assert lies(product) == {"A1": 3, "B1": 4}
    assert StockPosition.objects.get(product=product).on_hand == 10
    assert StockMove.objects.count() == moves
    event = AuditEvent.objects.get(kind="bins.put_away")
    assert event.details == {"steps": ["3 → A1", "4 → B1"]}
    assert nothing_is_wrong()


def test_more_than_waits_is_refused_and_nothing_of_it_put_away(depot: Warehouse) -> None:
    product = ProductFactory(on_hand=5)

    with pytest.raises(NotEnoughStock, match="2 pièces à ranger, 3 demandées"):
        place(depot, product, A1=3, B1=3)

    assert lies(product) == {}


def test_goods_move_from_one_bin_to_another(depot: Warehouse) -> None:
    product = ProductFactory(on_hand=5)
    place(depot, product, A1=5)

    put_away(warehouse=depot, placed=[Placed(product.pk, Decimal(2), bin_of("B1"), bin_of("A1"))])

    assert lies(product) == {"A1": 3, "B1": 2}


def test_more_than_lies_in_a_bin_does_not_move(depot: Warehouse) -> None:
    product = ProductFactory(on_hand=5)
    place(depot, product, A1=1)

    with pytest.raises(NotEnoughStock, match="1 pièces A1, 2 demandées"):
        put_away(
            warehouse=depot, placed=[Placed(product.pk, Decimal(2), bin_of("B1"), bin_of("A1"))]
        )


def test_another_warehouses_bin_is_none_of_this_one(depot: Warehouse) -> None:
    other = Warehouse.objects.create(code="autre", name="Autre")
    set_walk(warehouse=other, codes=["Z1"])

    with pytest.raises(InputError):
        place(depot, ProductFactory(on_hand=5), Z1=1)


def test_the_database_refuses_less_than_nothing_in_a_bin(depot: Warehouse) -> None:
    product = ProductFactory(on_hand=5)

    with pytest.raises(IntegrityError), transaction.atomic():
        BinStock.objects.create(product=product, bin_id=bin_of("A1"), on_hand=Decimal(-1))


# --- Picking -----------------------------------------------------------------------------------


def test_goods_are_picked_at_their_usual_place_first_then_along_the_walk(depot: Warehouse) -> None:
    product = ProductFactory(sku="P", location="B1", on_hand=10)
    place(depot, product, A10=2, A2=3, B1=4)
    spot = (product.pk, depot.pk)

    steps = places_to_pick({spot: Decimal(10)})[spot]

    said = [(step.bin.code if step.bin else None, step.quantity) for step in steps]
    assert said == [("B1", 4), ("A2", 3), ("A10", 2), (None, 1)]


def test_the_picking_list_follows_the_walk_and_says_which_parcel_each_piece_goes_to(
    depot: Warehouse,
) -> None:
    first, second = ProductFactory(sku="F", on_hand=9), ProductFactory(sku="S", on_hand=9)
    place(depot, first, A10=2, B1=7)
    place(depot, second, A2=5)
    one = note_of("1", line("F", quantity="3"), line("S", quantity="2"))
    two = note_of("2", line("F"), line("S", quantity="4"))

    picks = picking_list([one, two])

    assert [(p.place, p.product.sku, p.quantity, p.is_unplaced) for p in picks] == [
        ("A2", "S", 5, False),
        ("A10", "F", 2, False),
        ("B1", "F", 2, False),
        ("", "S", 1, True),
    ]
    assert picks[0].shares == [(one.number, 2), (two.number, 3)]
    assert picks[2].shares == [(one.number, 1), (two.number, 1)]


def test_without_bins_places_are_read_as_people_read_them() -> None:
    ProductFactory(sku="X", location="A10", on_hand=5)
    ProductFactory(sku="Y", location="A2", on_hand=5)

    picks = picking_list([note_of("1", line("X"), line("Y"))])

    assert [p.place for p in picks] == ["A2", "A10"]


def test_shipping_takes_the_goods_from_where_the_list_said(depot: Warehouse) -> None:
    product = ProductFactory(sku="P", on_hand=10)
    place(depot, product, A1=2, B1=5)
    note = note_of("1", line("P", quantity="4"))

    ship_delivery_note(note_id=note.pk, at=NOON)

    assert lies(product) == {"B1": 3}
    assert nothing_is_wrong()


def test_what_is_not_put_away_is_taken_last(depot: Warehouse) -> None:
    product = ProductFactory(sku="P", on_hand=10)
    place(depot, product, A1=2)

    ship_delivery_note(note_id=note_of("1", line("P", quantity="5")).pk, at=NOON)

    assert lies(product) == {}
    assert to_put_away(depot, 9)[0].quantity == 5


def test_a_mistake_taken_out_of_stock_leaves_bins_with_no_more_than_there_is(
    depot: Warehouse,
) -> None:
    product = ProductFactory(on_hand=5)
    place(depot, product, A1=5)

    correct_stock(
        product_id=product.pk, warehouse=depot, difference=Decimal(-4), reason="saisie", at=NOON
    )

    assert lies(product) == {"A1": 1}
    assert nothing_is_wrong()


# --- Counts ------------------------------------------------------------------------------------


def test_a_shelf_is_counted_without_what_lies_elsewhere(depot: Warehouse) -> None:
    product = ProductFactory(on_hand=10)
    place(depot, product, A1=3, B1=7)
    count = open_count(warehouse=depot, at=NOON, scope="shelf", scope_value="a")

    record_counted(
        count_id=count.pk, product_id=product.pk, quantity=Decimal(2), bin_code="A1", at=NOON
    )
    post_count(count_id=count.pk, at=NOON)

    assert lies(product) == {"A1": 2, "B1": 7}
    assert StockPosition.objects.get(product=product).on_hand == 9
    assert [row.bin_code for row in count.lines.all()] == ["A1"]
    assert nothing_is_wrong()


def test_what_is_found_in_a_bin_stays_there(depot: Warehouse) -> None:
    product = ProductFactory(on_hand=10)
    place(depot, product, A1=10)
    count = open_count(warehouse=depot, at=NOON)

    record_counted(
        count_id=count.pk, product_id=product.pk, quantity=Decimal(4), bin_code="B1", at=NOON
    )
    post_count(count_id=count.pk, at=NOON)

    assert lies(product) == {"A1": 10, "B1": 4}
    assert StockPosition.objects.get(product=product).on_hand == 14


def test_what_is_missing_of_the_goods_in_no_bin_is_not_taken_out_of_bins(depot: Warehouse) -> None:
    product = ProductFactory(on_hand=10)
    place(depot, product, A1=6)
    count = open_count(warehouse=depot, at=NOON)

    record_counted(count_id=count.pk, product_id=product.pk, quantity=Decimal(1), at=NOON)
    post_count(count_id=count.pk, at=NOON)

    assert lies(product) == {"A1": 6}
    assert StockPosition.objects.get(product=product).on_hand == 7


def test_bins_that_nobody_counted_are_empty_when_asked(depot: Warehouse) -> None:
    product = ProductFactory(on_hand=10)
    place(depot, product, A1=6, B1=3)
    count = open_count(warehouse=depot, at=NOON)

    record_counted(
        count_id=count.pk, product_id=product.pk, quantity=Decimal(6), bin_code="A1", at=NOON
    )
    post_count(count_id=count.pk, at=NOON, missing_are_zero=True)

    assert lies(product) == {"A1": 6}
    assert StockPosition.objects.get(product=product).on_hand == 6


def test_goods_that_leave_a_bin_between_count_and_posting_are_no_difference(
    depot: Warehouse,
) -> None:
    product = ProductFactory(sku="P", on_hand=10)
    place(depot, product, A1=4, B1=6)
    count = open_count(warehouse=depot, at=NOON)
    record_counted(
        count_id=count.pk, product_id=product.pk, quantity=Decimal(3), bin_code="A1", at=NOON
    )
    ship_delivery_note(note_id=note_of("1", line("P", quantity="4")).pk, at=NOON)

    post_count(count_id=count.pk, at=NOON)

    # Four left A1, the one that had been missing there is gone too: it comes off B1's.
    assert lies(product) == {"B1": 5}
    assert nothing_is_wrong()


# --- What it costs -----------------------------------------------------------------------------


def test_putting_away_costs_the_same_whatever_there_is(
    depot: Warehouse, django_assert_max_num_queries: Any
) -> None:
    goods = [Placed(ProductFactory(on_hand=2).pk, Decimal(1), bin_of("A1")) for _ in range(30)]

    with django_assert_max_num_queries(13):
        put_away(warehouse=depot, placed=goods)


# --- Proofs, and several at once ---------------------------------------------------------------


def test_bins_with_more_than_there_is_are_named(depot: Warehouse) -> None:
    product = ProductFactory(sku="P", on_hand=5)
    place(depot, product, A1=5)
    BinStock.objects.update(on_hand=6)

    (found,) = [proof for proof in run_proofs() if not proof.ok]

    assert (found.name, found.faults) == (
        "bins",
        ["P : 6 dans les emplacements, 5 en stock"],
    )


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_who_put_the_same_pieces_away_at_once_put_them_away_once(depot: Warehouse) -> None:
    product = ProductFactory(on_hand=5)
    goods = [Placed(product.pk, Decimal(5), bin_of("A1"))]

    raised = together([partial(put_away, warehouse=depot, placed=goods)] * 4)

    assert [type(error) for error in raised] == [NotEnoughStock] * 3
    assert lies(product) == {"A1": 5}
