"""A new article that takes another's place learns from what the other was asked for."""

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from inventory.models import Product
from inventory.selectors import Asked
from purchasing.models import StockPolicy
from purchasing.planning.heirs import began_with_them, seen_before_its_day, with_inherited
from purchasing.services import propose_orders
from tests.factories import ProductFactory, SupplierProductFactory
from tests.purchasing.test_learning import DAY, policy, sold

pytestmark = pytest.mark.django_db
D = Decimal
OLD, NEW = 1, 2
BEGAN = date(2026, 2, 20)


@pytest.fixture
def old() -> Product:
    """Two pieces a day for four months."""
    found = ProductFactory(sku="LAMP-1", on_hand=1000)
    sold(found)
    return found


def level_of(product: Product) -> Decimal:
    SupplierProductFactory(product=product)
    propose_orders(on=DAY)
    return policy(product).reorder_point


def test_it_is_bought_like_the_one_it_replaces(old: Product) -> None:
    new = ProductFactory(sku="LAMP-2", inherits_from=old)
    SupplierProductFactory(product=old)

    assert level_of(new) == policy(old).reorder_point > 0


def test_without_one_nobody_knows() -> None:
    assert level_of(ProductFactory(sku="LAMP-2")) == 0


def test_its_reason_names_the_other(old: Product) -> None:
    new = ProductFactory(sku="LAMP-2", inherits_from=old)
    level_of(new)

    assert policy(new).figures["inherits_from"] == "LAMP-1"
    assert policy(old).figures["inherits_from"] == ""


def test_the_other_is_left_as_it_was(old: Product) -> None:
    alone = level_of(old)
    StockPolicy.objects.all().delete()
    ProductFactory(sku="LAMP-2", inherits_from=old)

    propose_orders(on=DAY)

    assert policy(old).reorder_point == alone


def test_from_its_own_first_day_on_only_its_own_orders_count() -> None:
    days = [BEGAN + timedelta(days=n) for n in (-2, -1, 0, 1)]
    asked = [Asked(OLD, day, D(1), 1) for day in days] + [Asked(NEW, BEGAN, D(5), 1)]

    found = with_inherited(asked, {NEW: OLD}, {OLD: days[0], NEW: BEGAN})

    of_new = [(item.day, item.pieces) for item in found if item.product_id == NEW]
    assert of_new == [(days[0], 1), (days[1], 1), (BEGAN, 5)]
    assert [item for item in found if item.product_id == OLD] == asked[:4]


def test_its_history_begins_with_the_other() -> None:
    earlier = date(2026, 1, 1)

    assert began_with_them({NEW: OLD}, {OLD: earlier, NEW: BEGAN})[NEW] == earlier
    assert began_with_them({NEW: OLD}, {OLD: earlier})[NEW] == earlier
    assert began_with_them({NEW: OLD}, {NEW: BEGAN})[NEW] == BEGAN


def test_days_before_it_was_there_are_no_days_without_stock() -> None:
    out = np.ones((2, 7), dtype=bool)

    seen = seen_before_its_day(
        out, [OLD, NEW], {NEW: OLD}, {NEW: BEGAN}, before=BEGAN + timedelta(days=3)
    )

    assert seen.tolist() == [[True] * 7, [False] * 4 + [True] * 3]


def test_heirs_cost_no_query_each(old: Product) -> None:
    counts = []
    for number in (1, 5):
        for n in range(number):
            ProductFactory(sku=f"HEIR-{number}-{n}", inherits_from=old)
        with CaptureQueriesContext(connection) as asked:
            propose_orders(on=DAY)
        counts.append(len(asked))

    assert counts[1] <= counts[0]


def test_nothing_is_its_own_heir(old: Product) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Product.objects.filter(pk=old.pk).update(inherits_from=old)
