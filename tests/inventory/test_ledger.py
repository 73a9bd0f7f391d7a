from decimal import Decimal
from functools import partial

import pytest
from django.db import DatabaseError, connection, transaction

from inventory.models import StockMove, StockPosition
from sales.models import Order
from sales.services import upsert_orders
from tests.factories import NOON, SOURCE, ProductFactory, ShopFactory, draft, line, put
from tests.support.threads import together

UPDATE = "UPDATE inventory_stockmove SET quantity = 99"
DELETE = "DELETE FROM inventory_stockmove"


@pytest.mark.django_db
@pytest.mark.parametrize("statement", [UPDATE, DELETE])
def test_the_database_refuses_to_change_a_move(statement: str) -> None:
    ProductFactory(on_hand=5)

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)

    assert StockMove.objects.get().quantity == 5


@pytest.mark.django_db
def test_the_database_refuses_stock_below_zero() -> None:
    ProductFactory(on_hand=5)

    with pytest.raises(DatabaseError), transaction.atomic():
        StockPosition.objects.update(on_hand=-1)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_many_buyers_of_the_last_pieces_never_get_one_twice() -> None:
    ProductFactory(sku="A", on_hand=7)
    ProductFactory(sku="B", on_hand=7)
    shops = [ShopFactory(code=f"s{n}") for n in range(10)]

    def buy(rank: int) -> None:
        # Every other buyer names the products the other way round: locks have one order.
        skus = ("A", "B") if rank % 2 else ("B", "A")
        order = draft(f"{rank}", *(line(sku) for sku in skus))
        upsert_orders(shop=shops[rank % 10], drafts=[order], source=SOURCE, at=NOON)

    assert together(partial(buy, rank) for rank in range(20)) == []
    assert Order.objects.count() == 20
    for position in StockPosition.objects.all():
        assert (position.reserved, position.backordered) == (Decimal(7), Decimal(13))


@pytest.mark.django_db
def test_the_same_document_line_moves_stock_once() -> None:
    product = ProductFactory(on_hand=5)
    move = StockMove.objects.get()

    with pytest.raises(DatabaseError), transaction.atomic():
        StockMove.objects.create(
            product=product,
            warehouse=move.warehouse,
            kind=move.kind,
            quantity=5,
            at=move.at,
            origin_kind=move.origin_kind,
            origin_number=move.origin_number,
        )


@pytest.mark.django_db
def test_stock_is_opened_once() -> None:
    from inventory.services import default_warehouse, open_stock

    product = ProductFactory(on_hand=5)

    opened = open_stock(
        opening={product.pk: (Decimal(50), Decimal(1))}, warehouse=default_warehouse(), at=NOON
    )

    assert opened == set()
    assert put(draft("1", line(product.sku, quantity="6"))).reserved == 5
