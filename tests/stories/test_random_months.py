"""Months of anything that can happen, in any order: the books must prove themselves throughout."""

import random
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db.models import F

from accounting_export.services import post_missing
from inventory.errors import NobodyWaits
from inventory.models import StockPosition, Warehouse
from inventory.selectors import stock_value
from inventory.services import (
    correct_stock,
    create_transfer,
    default_warehouse,
    open_count,
    post_count,
    receive_transfer,
    record_counted,
    revalue_stock,
    send_transfer,
    set_components,
    write_off,
)
from invoicing.errors import NothingToCredit
from invoicing.models import Invoice
from invoicing.selectors import notes_to_invoice
from invoicing.services import credit_invoice, credit_refunds, issue_invoices
from purchasing.errors import WrongState
from purchasing.models import PurchaseOrder
from purchasing.services import (
    accept_proposal,
    bring_to_us,
    propose_orders,
    receive_goods,
    refuse_proposal,
    send_order,
)
from sales.drafts import LineDraft, OrderDraft
from sales.errors import NotDeliverable
from sales.models import DeliveryNote, DeliveryNoteLine, Order
from sales.selectors import notes_to_ship, orders_ready_to_deliver
from sales.services import (
    Back,
    cancel_delivery_note,
    cancel_order,
    confirm_order,
    prepare_deliveries,
    prioritise_orders,
    return_goods,
    ship_delivery_notes,
)
from sphinx.core.clock import business_date
from sphinx.core.proofs import run_proofs
from sphinx.dashboard.direct import confirm_departure
from tests.factories import (
    NOON,
    ProductFactory,
    ReorderRuleFactory,
    SupplierProductFactory,
    draft,
    line,
    put,
)

pytestmark = pytest.mark.django_db
SKUS = ("A", "B", "C", "D", "LOT", "BOX", "DIRECT")
RATES = {"A": "20", "B": "5.5", "C": "10", "D": "20", "LOT": "5.5", "BOX": "20", "DIRECT": "20"}
MODES = {"D": "just_in_time", "DIRECT": "drop_ship"}


class Month:
    """A shop and its back-office; each verb is one thing that may happen."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.drafts: dict[str, OrderDraft] = {}
        self.now = NOON
        self.annex = Warehouse.objects.create(code="annexe", name="Annexe")
        products = {}
        for sku in SKUS:
            product = products[sku] = ProductFactory(
                sku=sku,
                on_hand=0 if sku in MODES or sku == "BOX" else self.draw.randint(0, 12),
                supply_mode=MODES.get(sku, "stocked"),
                tracks_lots=sku == "LOT",
            )
            if sku == "BOX":
                continue
            SupplierProductFactory(product=product, pack_size=self.draw.choice((1, 6)))
            if sku not in MODES:
                ReorderRuleFactory(product=product, minimum=3, maximum=12)
        parts = {products["A"].pk: Decimal(1), products["B"].pk: Decimal(2)}
        set_components(bundle_id=products["BOX"].pk, parts=parts)

    def _lines(self) -> list[LineDraft]:
        chosen = self.draw.sample(SKUS, self.draw.randint(1, 3))
        return [
            line(
                sku,
                str(Decimal(self.draw.randint(1, 5000)) / 100),
                str(self.draw.randint(1, 4)),
                tax_rate=Decimal(RATES[sku]),
            )
            for sku in chosen
        ]

    def _order(self, number: str) -> OrderDraft:
        lines = self._lines()
        goods = sum(item.quantity * item.unit_price for item in lines)
        discount = (goods * self.draw.choice((0, 0, 0, 10, 100)) / 100).quantize(Decimal("0.01"))
        return draft(
            number,
            *lines,
            shipping_amount=Decimal(self.draw.choice(("0", "4.90", "6.35"))),
            discount=discount,
            placed_at=self.now,
        )

    def _bring(self, order: OrderDraft) -> None:
        if not put(order, at=self.now).rejections:
            self.drafts[order.number] = order

    def _any_order(self) -> OrderDraft | None:
        return self.draw.choice(list(self.drafts.values())) if self.drafts else None

    def order(self) -> None:
        self._bring(self._order(f"{len(self.drafts) + 1}"))

    def same_again(self) -> None:
        if known := self._any_order():
            assert put(known, at=self.now).unchanged == 1

    def change(self) -> None:
        if known := self._any_order():
            self._bring(self._order(known.number))

    def shop_cancels(self) -> None:
        if known := self._any_order():
            self._bring(known._replace(state="cancelled"))

    def shop_refunds(self) -> None:
        if known := self._any_order():
            part = (known.total_incl_tax * self.draw.randint(1, 100) / 100).quantize(
                Decimal("0.01")
            )
            whole = part == known.total_incl_tax
            self._bring(
                known._replace(
                    payment_status="refunded" if whole else "partially_refunded", refunded=part
                )
            )

    def unpaid(self) -> None:
        order = self._order(f"{len(self.drafts) + 1}")
        self._bring(order._replace(state="pending", payment_status="unpaid"))

    def staff_confirms(self) -> None:
        for order in Order.objects.filter(status=Order.Status.DRAFT)[:1]:
            confirm_order(order_id=order.pk)

    def staff_cancels(self) -> None:
        for order in Order.objects.filter(status=Order.Status.CONFIRMED).order_by("?")[:1]:
            cancel_order(order_id=order.pk, at=self.now)

    def prepare(self) -> None:
        ready = list(orders_ready_to_deliver().values_list("pk", flat=True)[:3])
        prepare_deliveries(order_ids=ready, at=self.now)

    def undo_preparation(self) -> None:
        for note in notes_to_ship()[:1]:
            cancel_delivery_note(note_id=note.pk)

    def ship(self) -> None:
        ship_delivery_notes(
            note_ids=list(notes_to_ship().values_list("pk", flat=True)), at=self.now
        )

    def invoice(self) -> None:
        issue_invoices(note_ids=list(notes_to_invoice().values_list("pk", flat=True)), at=self.now)
        credit_refunds(at=self.now)

    def credit(self) -> None:
        for invoice in Invoice.objects.filter(kind="invoice").order_by("?")[:1]:
            amount = (invoice.total_incl_tax / 3).quantize(Decimal("0.01"))
            try:
                credit_invoice(invoice_id=invoice.pk, amount=amount, reason="Geste", at=self.now)
            except NothingToCredit:
                continue

    def buy(self) -> None:
        for order in propose_orders(on=self.now.date()).orders:
            if self.draw.random() < 0.3:
                refuse_proposal(order_id=order.pk, at=self.now)
            else:
                accept_proposal(order_id=order.pk, at=self.now)

    def receive(self) -> None:
        under_way = ("accepted", "sent", "partially_received")
        ours = PurchaseOrder.objects.filter(direct_delivery__isnull=True)
        for order in ours.filter(status__in=under_way)[:2]:
            some = {
                item.pk: min(item.quantity - item.quantity_received, Decimal(4))
                for item in order.lines.all()
            }
            receive_goods(order_id=order.pk, quantities=some, at=self.now)

    def send(self) -> None:
        for order in PurchaseOrder.objects.filter(status="accepted").order_by("?")[:2]:
            try:
                send_order(order_id=order.pk, at=self.now)
            except WrongState:
                # Nobody wanted any of it any more.
                order.refresh_from_db()
                assert order.status == "cancelled"

    def depart(self) -> None:
        given = PurchaseOrder.objects.filter(
            direct_delivery__isnull=False, status__in=("sent", "partially_received")
        )
        for order in given.order_by("?")[:2]:
            some = {
                item.pk: min(item.quantity - item.quantity_received, Decimal(2))
                for item in order.lines.all()
            }
            try:
                confirm_departure(
                    order_id=order.pk, quantities=some, at=self.now, reference=str(self.now)
                )
            except (NobodyWaits, NotDeliverable):
                bring_to_us(order_id=order.pk, at=self.now)

    def book(self) -> None:
        post_missing()

    def _any_position(self) -> StockPosition:
        shelves = StockPosition.objects.filter(warehouse__is_direct=False)
        return self.draw.choice(list(shelves.order_by("pk")))

    def lose(self) -> None:
        found = self._any_position()
        if found.on_hand >= 1:
            write_off(
                product_id=found.product_id,
                warehouse=found.warehouse,
                quantity=Decimal(1),
                reason="casse",
                at=self.now,
            )

    def find(self) -> None:
        found = self._any_position()
        correct_stock(
            product_id=found.product_id,
            warehouse=found.warehouse,
            difference=Decimal(self.draw.randint(1, 3)),
            reason="retrouvé",
            at=self.now,
        )

    def count(self) -> None:
        count = open_count(warehouse=default_warehouse(), at=self.now)
        for row in list(count.lines.all())[:3]:
            record_counted(
                count_id=count.pk,
                product_id=row.product_id,
                lot_id=row.lot_id,
                quantity=Decimal(self.draw.randint(0, 12)),
                at=self.now,
            )
        post_count(count_id=count.pk, at=self.now)

    def transfer(self) -> None:
        found = self._any_position()
        if found.available < 1:
            return
        here = found.warehouse == default_warehouse()
        transfer = create_transfer(
            source=found.warehouse,
            destination=self.annex if here else default_warehouse(),
            quantities={found.product_id: Decimal(1)},
            at=self.now,
        )
        send_transfer(transfer_id=transfer.pk, at=self.now)
        if self.draw.random() < 0.7:
            receive_transfer(transfer_id=transfer.pk, at=self.now)

    def goods_return(self) -> None:
        rows = DeliveryNoteLine.objects.filter(
            delivery_note__status="shipped", move__isnull=False, quantity__gt=F("quantity_returned")
        )
        for row in rows.order_by("?")[:1]:
            scrap = self.draw.random() < 0.3
            return_goods(
                note_id=row.delivery_note_id, back=[Back(row.pk, Decimal(1), scrap)], at=self.now
            )

    def prioritise(self) -> None:
        for order in Order.objects.filter(status=Order.Status.CONFIRMED).order_by("?")[:1]:
            prioritise_orders(order_ids=[order.pk], priority=self.draw.choice((-1, 0, 1)))

    def revalue(self) -> None:
        found = self._any_position()
        revalue_stock(
            values={found.product_id: Decimal(self.draw.randint(-5, 5))},
            warehouse=found.warehouse,
            at=self.now,
            origin_kind="essai",
            origin_number=str(self.now),
        )

    def verbs(self) -> list[Callable[[], None]]:
        often = [self.order, self.prepare, self.ship, self.invoice, self.receive]
        return often * 2 + [
            self.same_again,
            self.change,
            self.shop_cancels,
            self.shop_refunds,
            self.unpaid,
            self.staff_confirms,
            self.staff_cancels,
            self.undo_preparation,
            self.credit,
            self.buy,
            self.send,
            self.depart,
            self.book,
            self.lose,
            self.find,
            self.count,
            self.transfer,
            self.goods_return,
            self.prioritise,
            self.revalue,
        ]


@pytest.mark.parametrize("seed", range(12))
def test_the_books_prove_themselves_after_anything(seed: int) -> None:
    month = Month(seed)
    told: list[str] = []
    for _step in range(80):
        month.now += timedelta(hours=month.draw.randint(1, 12))
        verb = month.draw.choice(month.verbs())
        told.append(verb.__name__)
        verb()
        if verb.__name__ == "book":
            faults = [f for proof in run_proofs() for f in proof.faults]
            assert faults == [], told[-12:]
    month.book()

    assert [f for proof in run_proofs() for f in proof.faults] == []
    # What is set aside is there, and nobody waits for what is free.
    for position in StockPosition.objects.all():
        assert position.available == 0 or position.backordered == 0
    for worth in stock_value(business_date(month.now)):
        if worth.is_on_its_way:
            continue
        found = StockPosition.objects.get(product=worth.product, warehouse=worth.warehouse)
        assert abs(worth.value - found.on_hand * found.average_cost) <= Decimal("0.01")
        assert worth.quantity == found.on_hand
    # What suppliers send never lies anywhere.
    for position in StockPosition.objects.filter(warehouse__is_direct=True):
        assert (position.on_hand, position.reserved) == (0, 0)
    assert not DeliveryNote.objects.filter(
        status=DeliveryNote.Status.DRAFT, order__status=Order.Status.CANCELLED
    ).exists()
