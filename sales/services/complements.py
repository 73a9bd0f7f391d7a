"""What a shop adds to an order that has left: an order of its own, the complement.

The delivered order stays as it was delivered and invoiced. The goods added since, and what they
add to shipping and discounts, become a second order with the same buyer and the same day, which
is delivered and invoiced like any other. Together they make the shop's total, to the cent.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from sales.drafts import LineDraft, OrderDraft, StatedTax
from sales.models import Order, OrderLine
from sales.services.pricing import PricedLine, PricedOrder
from sphinx.core.money import ZERO
from sphinx.core.texts import sku_key

# What a line is known by: article, VAT rate, price incl. tax.
_Key = tuple[str, Decimal, Decimal]
_KEY_LENGTH = 75


class _Amounts(NamedTuple):
    """Pieces, and EUR incl. tax."""

    quantity: Decimal = ZERO
    total: Decimal = ZERO
    discount: Decimal = ZERO

    def plus(self, other: "_Amounts") -> "_Amounts":
        return _Amounts(*(a + b for a, b in zip(self, other, strict=True)))

    def minus(self, other: "_Amounts") -> "_Amounts":
        return _Amounts(*(a - b for a, b in zip(self, other, strict=True)))


class Delivered(NamedTuple):
    """An order that has left, with the complements that it has had; the cancelled ones aside."""

    orders: tuple[Order, ...]
    lines: tuple[OrderLine, ...]
    complements: int


def delivered_with_complements(orders: Iterable[Order]) -> dict[int, Delivered]:
    """The orders by id, each with its complements and all their lines; two queries."""
    wanted = {order.pk: [order] for order in orders}
    if not wanted:
        return {}
    count: dict[int, int] = defaultdict(int)
    for complement in Order.objects.filter(complements__in=wanted):
        count[complement.complements_id or 0] += 1
        if complement.status != Order.Status.CANCELLED:
            wanted[complement.complements_id or 0].append(complement)
    lines: dict[int, list[OrderLine]] = defaultdict(list)
    everything = [order.pk for group in wanted.values() for order in group]
    for line in OrderLine.objects.filter(order__in=everything):
        lines[line.order_id].append(line)
    return {
        pk: Delivered(tuple(group), tuple(ln for o in group for ln in lines[o.pk]), count[pk])
        for pk, group in wanted.items()
    }


class Addition(NamedTuple):
    """What a newer version of an order has more than what has left; EUR incl. tax."""

    lines: tuple[LineDraft, ...]
    total: Decimal
    shipping: Decimal
    discount: Decimal

    @property
    def is_nothing(self) -> bool:
        return not (self.lines or self.total or self.shipping or self.discount)


def pass_refunds_on(orders: Iterable[Order]) -> list[Order]:
    """Move what was refunded beyond an order's total to its complements, the oldest first.

    A shop tells one sum for both. Returns the orders to be written, each with what is its own;
    nothing is asked of the database unless a refund is larger than its order.
    """
    over = {o.pk: o for o in orders if o.refunded_incl_tax > o.total_incl_tax}
    if not over:
        return []
    complements = Order.objects.filter(complements__in=over).order_by("pk")
    changed = []
    for complement in complements.exclude(status=Order.Status.CANCELLED):
        first = over[complement.complements_id or 0]
        part = min(first.refunded_incl_tax - first.total_incl_tax, complement.total_incl_tax)
        first.refunded_incl_tax -= part
        complement.refunded_incl_tax = part
        complement.payment_status = first.payment_status
        changed += [first, complement]
    return changed


def addition_of(draft: OrderDraft, priced: PricedOrder, delivered: Delivered) -> Addition | None:
    """What `draft`, priced whole, adds to what has left; None when it takes anything back.

    A line taken out, a smaller quantity, another price or another discount can't be told apart
    from a return or a gesture: a human decides.
    """
    lines = _added_lines(priced.lines, delivered.lines)
    orders = delivered.orders
    if lines is None:
        return None
    addition = Addition(
        tuple(lines),
        draft.total_incl_tax - sum((o.total_incl_tax for o in orders), ZERO),
        priced.shipping - sum((o.shipping_incl_tax for o in orders), ZERO),
        priced.discount - sum((o.discount_incl_tax for o in orders), ZERO),
    )
    less = min(addition.total, addition.shipping, addition.discount) < 0
    # Money alone, without goods, has no delivery to go with.
    return None if less or (not lines and not addition.is_nothing) else addition


def complement_of(
    draft: OrderDraft, priced: PricedOrder, delivered: Delivered, addition: Addition
) -> OrderDraft:
    """The addition as an order of its own, of the same buyer and day."""
    first, rank = delivered.orders[0], delivered.complements + 1
    # A part paid back is about what has left.
    partly = draft.payment_status == Order.PaymentStatus.PARTIALLY_REFUNDED
    return draft._replace(
        external_id=f"{first.external_id[:_KEY_LENGTH]}+{rank}",
        number=f"{first.number[:_KEY_LENGTH]}+{rank}",
        payment_status=Order.PaymentStatus.PAID if partly else draft.payment_status,
        lines=addition.lines,
        total_incl_tax=addition.total,
        prices_include_tax=True,
        charges_include_tax=True,
        shipping_amount=addition.shipping,
        shipping_tax_rate=priced.shipping_tax_rate,
        discount=addition.discount,
        refunded=ZERO,
        stated_taxes=tuple(_added_taxes(priced, delivered.orders)),
        tolerance=ZERO,
        raw_hash="",
    )


def _added_lines(new: Sequence[PricedLine], known: Sequence[OrderLine]) -> list[LineDraft] | None:
    """The lines, or the pieces of lines, that are new; None when something is less or other."""
    before: dict[_Key, _Amounts] = defaultdict(_Amounts)
    for line in known:
        key = (sku_key(line.sku) or line.label, line.tax_rate, line.unit_price_incl_tax)
        before[key] = before[key].plus(
            _Amounts(line.quantity, line.total_incl_tax, line.discount_incl_tax)
        )
    after: dict[_Key, _Amounts] = defaultdict(_Amounts)
    drafts: dict[_Key, LineDraft] = {}
    for priced in new:
        sku, label = priced.draft.sku[:80], priced.draft.label[:200]
        key = (sku_key(sku) or label, priced.tax_rate, priced.unit_price)
        after[key] = after[key].plus(_Amounts(priced.draft.quantity, priced.total, priced.discount))
        drafts.setdefault(key, priced.draft)
    if before.keys() - after.keys():
        return None
    added = []
    for key, amounts in after.items():
        more = amounts.minus(before[key])
        if min(more) < 0 or (not more.quantity and more != _Amounts()):
            return None
        if more.quantity:
            added.append(_line(drafts[key], key, more))
    return added


def _line(draft: LineDraft, key: _Key, more: _Amounts) -> LineDraft:
    _article, rate, price = key
    return draft._replace(
        quantity=more.quantity, unit_price=price, tax_rate=rate, discount=more.discount
    )


def _added_taxes(priced: PricedOrder, orders: Sequence[Order]) -> list[StatedTax]:
    """The shop's VAT by rate, less what the orders before have of it."""
    before: dict[Decimal, Decimal] = defaultdict(lambda: ZERO)
    for order in orders:
        for tax in order.taxes:
            before[Decimal(tax["rate"])] += Decimal(tax["tax"])
    return [
        StatedTax(tax.rate, tax.tax - before[tax.rate])
        for tax in priced.taxes
        if tax.tax >= before[tax.rate]
    ]
