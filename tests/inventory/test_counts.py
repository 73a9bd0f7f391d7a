from decimal import Decimal

import pytest

from inventory.errors import CountClosed, NotEnoughStock
from inventory.models import Product, StockCount, StockMove, StockPosition
from inventory.selectors import scanned_product
from inventory.services import (
    cancel_count,
    default_warehouse,
    open_count,
    post_count,
    record_counted,
)
from sales.services import prepare_delivery, ship_delivery_note
from sphinx.core.errors import BusinessRuleError, InputError
from sphinx.core.proofs import run_proofs
from tests.factories import NOON, ProductFactory, line, placed

pytestmark = pytest.mark.django_db


def opened(**options: str) -> StockCount:
    return open_count(warehouse=default_warehouse(), at=NOON, **options)


def note(count: StockCount, product: Product, quantity: str, *, adds: bool = False) -> None:
    record_counted(
        count_id=count.pk,
        product_id=product.pk,
        quantity=Decimal(quantity),
        adds=adds,
        at=NOON,
    )


def on_hand(product: Product) -> Decimal:
    return StockPosition.objects.get(product=product).on_hand


def ship(sku: str, quantity: str) -> None:
    order = placed(f"O-{sku}", line(sku, quantity=quantity))
    delivery = prepare_delivery(order_id=order.pk, at=NOON)
    assert delivery is not None
    ship_delivery_note(note_id=delivery.pk, at=NOON)


def test_posting_a_count_moves_stock_by_the_difference_at_its_cost() -> None:
    product = ProductFactory(on_hand=10, unit_cost=Decimal(4))
    count = opened()
    note(count, product, "8")

    post_count(count_id=count.pk, at=NOON)

    move = StockMove.objects.get(kind="count")
    assert (move.quantity, move.unit_cost, on_hand(product)) == (-2, 4, 8)
    assert [proof.faults for proof in run_proofs() if not proof.ok] == []


def test_posting_twice_is_posting_once() -> None:
    product = ProductFactory(on_hand=10)
    count = opened()
    note(count, product, "8")

    post_count(count_id=count.pk, at=NOON)
    post_count(count_id=count.pk, at=NOON)

    assert on_hand(product) == 8


def test_goods_that_leave_between_count_and_posting_are_no_difference() -> None:
    product = ProductFactory(sku="A", on_hand=10)
    count = opened()
    note(count, product, "9")
    ship("A", "3")

    post_count(count_id=count.pk, at=NOON)

    assert on_hand(product) == 6


def test_scans_add_up_even_when_goods_leave_in_between() -> None:
    product = ProductFactory(sku="A", on_hand=10)
    count = opened()
    note(count, product, "6", adds=True)
    ship("A", "2")

    note(count, product, "4", adds=True)
    post_count(count_id=count.pk, at=NOON)

    assert on_hand(product) == 8
    assert not StockMove.objects.filter(kind="count").exists()


def test_lines_that_nobody_counted_stay_as_they_are() -> None:
    counted, left = ProductFactory(on_hand=5), ProductFactory(on_hand=5)
    count = opened()
    note(count, counted, "4")

    post_count(count_id=count.pk, at=NOON)

    assert (on_hand(counted), on_hand(left)) == (4, 5)


def test_lines_that_nobody_counted_are_empty_when_asked() -> None:
    counted, gone = ProductFactory(on_hand=5), ProductFactory(on_hand=5)
    count = opened()
    note(count, counted, "5")

    post_count(count_id=count.pk, at=NOON, missing_are_zero=True)

    assert (on_hand(counted), on_hand(gone)) == (5, 0)


@pytest.mark.parametrize(
    ("scope", "value", "expected"),
    [("all", "", {"A", "B"}), ("shelf", "r1", {"A"}), ("abc", "c", {"B"})],
)
def test_a_count_covers_what_was_asked(scope: str, value: str, expected: set[str]) -> None:
    ProductFactory(sku="A", location="R1-03", abc_class="A", on_hand=1)
    ProductFactory(sku="B", location="R2-01", abc_class="C", on_hand=1)

    count = opened(scope=scope, scope_value=value)

    assert {row.product.sku for row in count.lines.all()} == expected


def test_the_same_product_is_not_counted_by_two_at_once() -> None:
    ProductFactory(on_hand=1)
    opened()

    with pytest.raises(BusinessRuleError):
        opened()


def test_a_count_with_more_missing_than_is_left_asks_to_count_again() -> None:
    product = ProductFactory(sku="A", on_hand=5)
    count = opened()
    note(count, product, "1")
    ship("A", "3")

    with pytest.raises(NotEnoughStock):
        post_count(count_id=count.pk, at=NOON)

    assert on_hand(product) == 2


def test_an_abandoned_count_takes_no_more_figures() -> None:
    product = ProductFactory(on_hand=5)
    count = opened()
    cancel_count(count_id=count.pk)

    with pytest.raises(CountClosed):
        note(count, product, "1")


@pytest.mark.parametrize("code", ["3760001234567", " sku-a ", "ALIAS"])
def test_a_scanner_finds_by_barcode_reference_or_alias(code: str) -> None:
    product = ProductFactory(sku="SKU-A", barcode="3760001234567")
    product.aliases.create(sku_key="alias")

    assert scanned_product(code) == product


def test_an_unknown_code_is_said_to_be_unknown() -> None:
    with pytest.raises(InputError):
        scanned_product("4000000000006")
