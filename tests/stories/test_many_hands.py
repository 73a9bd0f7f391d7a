"""Many hands at once on the same few orders and pieces: no deadlock, no double, books whole."""

import random
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest

from accounting_export.services import post_missing
from inventory.models import StockMove, StockPosition
from inventory.services import Entry, default_warehouse, receive_stock
from invoicing.selectors import notes_to_invoice
from invoicing.services import credit_refunds, issue_invoices
from sales.models import Order
from sales.selectors import notes_to_ship, orders_ready_to_deliver
from sales.services import (
    cancel_delivery_note,
    cancel_order,
    prepare_deliveries,
    ship_delivery_notes,
)
from sphinx.core.errors import BusinessRuleError, ConflictError
from sphinx.core.proofs import run_proofs
from tests.factories import NOON, ProductFactory, draft, line, put
from tests.support.threads import together

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
HANDS, TURNS, ORDERS = 8, 25, 12


class Hand:
    """One person or task; every verb picks its own rows, as pages and tasks do."""

    def __init__(self, rank: int) -> None:
        self.rank = rank
        self.draw = random.Random(rank)

    def bring(self) -> None:
        skus = self.draw.sample("ABCD", 2)
        number = str(self.draw.randrange(ORDERS))
        quantity = str(self.draw.randint(1, 3))
        state = self.draw.choice(("confirmed", "confirmed", "cancelled"))
        put(draft(number, *(line(sku, quantity=quantity) for sku in skus), state=state))

    def prepare(self) -> None:
        ready = orders_ready_to_deliver().values_list("pk", flat=True)[:4]
        prepare_deliveries(order_ids=list(ready), at=NOON)

    def ship(self) -> None:
        notes = notes_to_ship().values_list("pk", flat=True)[:3]
        ship_delivery_notes(note_ids=list(notes), at=NOON)

    def undo(self) -> None:
        for note in notes_to_ship()[:1]:
            cancel_delivery_note(note_id=note.pk)

    def cancel(self) -> None:
        for order in Order.objects.filter(status=Order.Status.CONFIRMED)[:1]:
            cancel_order(order_id=order.pk, at=NOON)

    def receive(self) -> None:
        products = dict(StockPosition.objects.values_list("product__sku", "product_id"))
        skus = self.draw.sample(sorted(products), 2)
        number = f"BR{self.rank}-{self.draw.random()}"
        receive_stock(
            entries=[
                Entry(products[sku], Decimal(2), Decimal(4), number, n)
                for n, sku in enumerate(skus)
            ],
            warehouse=default_warehouse(),
            at=NOON,
            kind=StockMove.Kind.RECEIPT,
            origin_kind="receipt",
        )

    def invoice(self) -> None:
        notes = notes_to_invoice().values_list("pk", flat=True)
        issue_invoices(note_ids=list(notes), at=NOON + timedelta(hours=1))
        credit_refunds(at=NOON + timedelta(hours=1))
        post_missing()

    def verbs(self) -> list[Callable[[], None]]:
        return [self.bring, self.bring, self.prepare, self.ship, self.undo, self.cancel,
                self.receive, self.invoice]  # fmt: skip


def test_many_hands_leave_the_books_whole() -> None:
    for sku in "ABCD":
        ProductFactory(sku=sku, on_hand=15)

    def work(rank: int) -> None:
        hand = Hand(rank)
        for _turn in range(TURNS):
            # What a rule forbids, or somebody did first, is no surprise.
            with suppress(BusinessRuleError, ConflictError):
                hand.draw.choice(hand.verbs())()

    assert together(partial(work, rank) for rank in range(HANDS)) == []
    post_missing()
    assert [f for proof in run_proofs() for f in proof.faults] == []
