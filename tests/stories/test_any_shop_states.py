"""Whatever a shop does with an order, in any turn: what left, what was invoiced, what was kept."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounting_export.services import post_missing, post_money
from invoicing.models import Invoice, TaxBreakdown
from invoicing.services import credit_refunds, issue_shipped
from sales.drafts import LineDraft, OrderDraft
from sales.models import Order, OrderLine
from sales.selectors import orders_in_doubt
from sales.services import explain_refund, prepare_deliveries, ship_delivery_notes
from sphinx.core.money import ZERO
from sphinx.core.proofs import run_proofs
from tests.factories import NOON, ProductFactory, draft, line, put

pytestmark = pytest.mark.django_db
D = Decimal
# SKU, price incl. tax, VAT rate.
GOODS = (("BOU", "24.00", "20"), ("LIV", "21.10", "5.5"), ("SAV", "4.90", "20"))
CARRIAGE = D("6.00")


class Said(NamedTuple):
    """What the shop has done so far."""

    ordered: tuple[int, ...]
    refunded: tuple[int, ...]
    carriage: bool
    gesture: D

    @property
    def amount(self) -> D:
        pieces = sum(
            (D(price) * n for (_s, price, _r), n in zip(GOODS, self.refunded, strict=True)), ZERO
        )
        return pieces + (CARRIAGE if self.carriage else ZERO) + self.gesture

    @property
    def total(self) -> D:
        goods = (D(price) * n for (_s, price, _r), n in zip(GOODS, self.ordered, strict=True))
        return sum(goods, CARRIAGE)

    def draft(self) -> OrderDraft:
        lines: Sequence[LineDraft] = [
            line(sku, price, str(n), tax_rate=D(rate), refunded=D(back))
            for (sku, price, rate), n, back in zip(GOODS, self.ordered, self.refunded, strict=True)
        ]
        return draft(
            "1",
            *lines,
            shipping_amount=CARRIAGE,
            shipping_tax_rate=D(20),
            refunded=self.amount,
            shipping_refunded=CARRIAGE if self.carriage else ZERO,
            payment_status="partially_refunded" if self.amount else "paid",
            total_incl_tax=self.total,
        )


steps = st.lists(
    st.one_of(
        st.tuples(st.just("refund"), st.integers(0, 2)),
        st.tuples(st.sampled_from(["carriage", "prepare", "ship", "invoice", "credit"])),
        st.tuples(st.just("gesture"), st.integers(1, 300)),
    ),
    max_size=12,
)


class AnyStates(TestCase):
    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(ordered=st.tuples(*[st.integers(1, 3)] * 3), steps=steps, stock=st.sampled_from([2, 20]))
    def test_pieces_and_money_agree(
        self, ordered: tuple[int, ...], steps: list[tuple[Any, ...]], stock: int
    ) -> None:
        for sku, _price, rate in GOODS:
            ProductFactory(sku=sku, tax_rate=D(rate), on_hand=stock)
        said = Said(ordered, (0, 0, 0), carriage=False, gesture=ZERO)
        put(said.draft())
        for step in steps:
            said = _do(said, *step)
            _check_pieces()
        put(said.draft())
        for sku, _price, _rate in GOODS:
            _fill_up(sku)
        # What was being picked leaves first, then the rest.
        for name in ("ship", "prepare", "ship", "invoice", "credit"):
            _do(said, name)
        _check_money(said)


def _do(said: Said, name: str, much: int = 0) -> Said:
    if name in ("refund", "carriage", "gesture"):
        more = _refunded_more(said, name, much)
        # No shop gives back more than it was paid.
        if more.amount <= more.total:
            put(more.draft())
            return more
    elif name == "prepare":
        _answer()
        orders = Order.objects.values_list("pk", flat=True)
        prepare_deliveries(order_ids=list(orders), at=NOON)
    elif name == "ship":
        _answer()
        notes = Order.objects.values_list("delivery_notes", flat=True)
        ship_delivery_notes(note_ids=[pk for pk in notes if pk], at=NOON)
    elif name == "invoice":
        issue_shipped(at=NOON)
    elif name == "credit":
        credit_refunds(at=NOON)
    return said


def _refunded_more(said: Said, name: str, much: int) -> Said:
    if name == "carriage":
        return said._replace(carriage=True)
    if name == "gesture":
        return said._replace(gesture=said.gesture + D(much) / 100)
    pieces = zip(said.refunded, said.ordered, strict=True)
    back = [min(n + (place == much), ordered) for place, (n, ordered) in enumerate(pieces)]
    return said._replace(refunded=tuple(back))


def _answer() -> None:
    for order in orders_in_doubt():
        explain_refund(order_id=order.pk, pieces={}, asked=order.refund_asked_incl_tax)


def _fill_up(sku: str) -> None:
    from inventory.models import Product, StockPosition
    from inventory.services import adjust_stock, default_warehouse

    position = StockPosition.objects.get(product__sku=sku)
    adjust_stock(
        product=Product.objects.get(sku=sku),
        warehouse=default_warehouse(),
        counted=position.on_hand + 10,
        at=NOON,
        number=f"INV-{sku}",
        note="Comptage",
    )


def _check_pieces() -> None:
    for found in OrderLine.objects.all():
        assert found.quantity_delivered <= found.quantity - found.quantity_removed
        assert found.quantity_removed <= found.quantity_refunded


def _check_money(said: Said) -> None:
    """Invoices less credit notes are what the customer paid and wasn't given back."""
    order = Order.objects.get()
    if order.status == "cancelled" or not Invoice.objects.exists():
        return
    net: dict[D, D] = defaultdict(lambda: ZERO)
    for tax in TaxBreakdown.objects.select_related("invoice"):
        net[tax.tax_rate] += tax.invoice.sign * tax.total_incl_tax
    assert sum(net.values(), ZERO) == said.total - said.amount
    if not said.gesture:
        kept: dict[D, D] = defaultdict(lambda: ZERO)
        kept[D("20.00")] += ZERO if said.carriage else CARRIAGE
        for (_sku, price, rate), n, back in zip(GOODS, said.ordered, said.refunded, strict=True):
            kept[D(rate).quantize(D("0.01"))] += D(price) * (n - back)
        assert {r: a for r, a in net.items() if a} == {r: a for r, a in kept.items() if a}
    post_missing()
    post_money()
    assert [fault for proof in run_proofs() for fault in proof.faults] == []
