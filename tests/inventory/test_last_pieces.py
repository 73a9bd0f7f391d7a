from decimal import Decimal
from functools import partial

import pytest

from inventory.models import Reservation, StockMove, StockPosition
from inventory.services import set_components
from sales.models import DeliveryNote, Order
from sales.selectors import orders_ready_to_deliver
from sales.services import prepare_deliveries, ship_delivery_notes, upsert_orders
from sphinx.core.proofs import run_proofs
from tests.factories import NOON, SOURCE, ProductFactory, ShopFactory, draft, line
from tests.support.threads import together

BUYERS = 20
THERE = 7


def buy_and_ship(shop_code: str, rank: int) -> None:
    """Every other buyer names the products the other way round, then the warehouse ships."""
    skus = ("A", "B", "BOX") if rank % 2 else ("BOX", "B", "A")
    upsert_orders(
        shop=ShopFactory(code=shop_code),
        drafts=[draft(f"{rank}", *(line(sku) for sku in skus))],
        source=SOURCE,
        at=NOON,
    )
    ready = list(orders_ready_to_deliver().values_list("pk", flat=True))
    prepare_deliveries(order_ids=ready, at=NOON)
    drafts = DeliveryNote.objects.filter(status="draft").values_list("pk", flat=True)
    ship_delivery_notes(note_ids=list(drafts), at=NOON)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_twenty_hands_at_once_never_sell_the_last_pieces_twice() -> None:
    a = ProductFactory(sku="A", on_hand=THERE)
    b = ProductFactory(sku="B", on_hand=THERE)
    box = ProductFactory(sku="BOX")
    set_components(bundle_id=box.pk, parts={a.pk: Decimal(2), b.pk: Decimal(1)})
    shops = [ShopFactory(code=f"s{n}").code for n in range(5)]

    raised = together(partial(buy_and_ship, shops[n % 5], n) for n in range(BUYERS))

    assert raised == []
    assert Order.objects.count() == BUYERS
    assert [proof.faults for proof in run_proofs() if not proof.ok] == []
    for product in (a, b):
        position = StockPosition.objects.get(product=product)
        left = sum(-m.quantity for m in StockMove.objects.filter(product=product, kind="sale"))
        assert position.on_hand + left == THERE
        assert position.on_hand >= 0
        # Each asked for one, and for a box that takes two of A and one of B.
        asked = sum(r.asked for r in Reservation.objects.filter(product=product))
        assert asked == BUYERS * (3 if product == a else 2)
