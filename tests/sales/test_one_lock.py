"""Stock is locked once a transaction: two locks could cross another's."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory.locks import Place, lock_places
from inventory.models import Product
from sales.models import Order
from sales.services import by_hand, cancel_order, prepare_delivery, ship_delivery_note
from sphinx.core.errors import ConflictError
from tests.factories import NOON, ProductFactory, draft, line, placed, put

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def _goods() -> None:
    for sku in "ABC":
        ProductFactory(sku=sku, on_hand=20)


def _locked(asked: CaptureQueriesContext) -> list[set[int]]:
    """The products of each lock of positions, in the order of the locks."""
    locks = [
        query["sql"]
        for query in asked.captured_queries
        if 'FOR NO KEY UPDATE OF "inventory_stockposition"' in query["sql"]
    ]
    return [
        {int(pk) for pk in re.search(r'"product_id" IN \(([^)]+)\)', sql)[1].split(",")}
        for sql in locks
    ]


def _ids(skus: str) -> set[int]:
    return set(Product.objects.filter(sku__in=list(skus)).values_list("pk", flat=True))


def test_new_and_changed_orders_of_one_file() -> None:
    placed("1", line("A"))

    with CaptureQueriesContext(connection) as asked:
        put(draft("2", line("C")), draft("1", line("A", quantity="2"), line("B")))

    first, *rest = _locked(asked)
    assert first == _ids("ABC")
    assert all(later <= first for later in rest)


def test_what_is_added_to_an_order_that_has_left() -> None:
    order = placed("1", line("A", quantity="2"), line("B"))
    note = prepare_delivery(order_id=order.pk, at=NOON)
    assert note is not None
    ship_delivery_note(note_id=note.pk, at=NOON)

    with CaptureQueriesContext(connection) as asked:
        put(draft("1", line("A", quantity="2"), line("B"), line("C")))

    assert Order.objects.filter(complements=order).exists()
    first, *rest = _locked(asked)
    assert all(later <= first for later in rest)


def test_lines_that_changed_before_the_lock_are_looked_at_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever cancels waits for a file being read; what it made of the order is not yet locked."""
    order = placed("1", line("B"))

    def _once_a_file_was_read(places: set[Place]) -> None:
        lock_places(places)
        put(draft("1", line("A"), line("C")))

    monkeypatch.setattr(by_hand, "lock_places", _once_a_file_was_read)

    with pytest.raises(ConflictError):
        cancel_order(order_id=order.pk, at=NOON)


def test_what_changed_within_the_same_places_is_cancelled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    order = placed("1", line("B"))

    def _once_a_file_was_read(places: set[Place]) -> None:
        lock_places(places)
        put(draft("1", line("B", quantity="3")))

    monkeypatch.setattr(by_hand, "lock_places", _once_a_file_was_read)

    assert cancel_order(order_id=order.pk, at=NOON).status == Order.Status.CANCELLED


def test_an_order_that_is_gone_is_said_to_be() -> None:
    with pytest.raises(ConflictError, match="retirée"):
        cancel_order(order_id=999_999, at=NOON)
