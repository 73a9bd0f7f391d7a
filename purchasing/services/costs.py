"""What suppliers' documents change in the cost of goods that are still there.

The cost of purchase includes what it cost to bring the goods in, less what the supplier takes off
(PCG, art. 213-31). What has left keeps the cost that it left with.

Goods bought in another currency stay at the rate of the day that they came (PCG, art. 420-1): a
price that differs is a difference in the currency, brought to euros at that same rate. What the
invoice's own rate makes of the price that was ordered is exchange, and no cost of the goods.
Carriage is a cost of its own, at the invoice's rate.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from inventory.locks import Place
from inventory.models import StockPosition, Warehouse
from inventory.selectors.layers import pieces_left
from inventory.services import revalue_stock, take_back_revaluation
from purchasing.models import ReceiptLine, SupplierInvoice
from sphinx.core.money import ZERO, settle, spread, to_cents

ADDED, TAKEN_BACK = "supplier_invoice", "invoice_taken_back"


class Bearer(Protocol):
    """A line of a document that bears a part of its cost, and keeps what it added to stock."""

    cost_added: Decimal | None


class Change(NamedTuple):
    """What a line of a document changes for so many pieces of a receipt line (EUR, all of them)."""

    bearer: Bearer
    receipt_line: ReceiptLine
    pieces: Decimal
    amount: Decimal


def changes_of(invoice: SupplierInvoice) -> list[Change]:
    """What an invoice, or a credit note that lowers prices, changes line by line: the price beyond
    that of the receipt at the receipt's rate, and its share of the carriage.

    Pieces that a credit note takes back have left, or never came: what stays costs what it cost.
    """
    lines = list(
        invoice.lines.select_related(
            "receipt_line__order_line", "receipt_line__receipt__purchase_order__warehouse"
        ).order_by("pk")
    )
    # What is taken back bears no carriage.
    weights = [max(line.amount_excl_tax, ZERO) for line in lines]
    carriage = (
        spread(invoice.euros.carriage, weights) if sum(weights, ZERO) else [ZERO] * len(lines)
    )
    changes = []
    for line, share in zip(lines, carriage, strict=True):
        receipt = line.receipt_line.receipt
        if line.lowers_price:
            amount = -(receipt.amount_eur(line.amount_excl_tax) + share)
        elif invoice.sign > 0 and line.quantity > 0:
            # The amount as the invoice states it: of many pieces the price is only near it.
            came = to_cents(line.receipt_line.unit_price_excl_tax * line.quantity)
            gap = line.amount_excl_tax - came
            amount = gap / (receipt.exchange_rate or 1) + share
        else:
            continue
        changes.append(Change(line, line.receipt_line, line.quantity, amount))
    return changes + _shares_of(invoice)


def _shares_of(invoice: SupplierInvoice) -> list[Change]:
    """The costs of bringing in what others delivered, by receipt line."""
    shares = invoice.cost_shares.select_related(
        "receipt_line__order_line", "receipt_line__receipt__purchase_order__warehouse"
    ).order_by("pk")
    return [
        Change(share, share.receipt_line, share.receipt_line.kept, share.amount_excl_tax)
        for share in shares
    ]


def add_to_costs(
    invoice: SupplierInvoice,
    changes: Sequence[Change],
    positions: Mapping[Place, StockPosition],
    *,
    at: datetime,
    actor: Any,
) -> None:
    """Give goods that are still there their part of each change, and keep what each line added.

    Of a receipt line that part is what is left of it, the first in having left first; the
    positions are locked.
    """
    left = left_of([c.receipt_line for c in changes], positions)
    parts: dict[int, dict[int, list[tuple[Bearer, Decimal]]]] = {}
    warehouses: dict[int, Warehouse] = {}
    for change in changes:
        line = change.receipt_line
        # What was charged beyond what stayed bears its part, and so do other invoices.
        whole = max(line.kept, change.pieces)
        warehouse = line.receipt.purchase_order.warehouse
        warehouses[warehouse.pk] = warehouse
        by_product = parts.setdefault(warehouse.pk, {})
        by_product.setdefault(line.order_line.product_id, []).append(
            (change.bearer, part_left(change.amount, left[line.pk], whole))
        )
    for pk, by_product in sorted(parts.items()):
        values = {
            product: sum((p for _b, p in found), ZERO) for product, found in by_product.items()
        }
        moves = revalue_stock(
            values=values,
            warehouse=warehouses[pk],
            at=at,
            origin_kind=ADDED,
            origin_number=invoice.number,
            note=invoice.supplier_number,
            actor=actor,
        )
        for product, found in by_product.items():
            move = moves.get(product)
            _keep(found, values[product], move.value_change if move else ZERO)


def part_left(amount: Decimal, left: Decimal, whole: Decimal) -> Decimal:
    """The part of an amount for pieces that are left of so many (EUR, cents)."""
    return to_cents(amount * left / whole) if whole else ZERO


def left_of(
    lines: Sequence[ReceiptLine], positions: Mapping[Place, StockPosition]
) -> dict[int, Decimal]:
    """Pieces of each receipt line that still lie where they came in."""
    returned = dict(
        ReceiptLine.objects.filter(
            quantity_returned__gt=0,
            move__product__in={product for product, _w in positions},
            move__warehouse__in={warehouse for _p, warehouse in positions},
        ).values_list("move_id", "quantity_returned")
    )
    there = pieces_left(positions.values(), sent_back=returned)
    return {line.pk: there.get(line.move_id or 0, ZERO) for line in lines}


def _keep(found: Sequence[tuple[Bearer, Decimal]], asked: Decimal, done: Decimal) -> None:
    """Note on each line what it added; goods never cost less than nothing, so it may be less."""
    parts = [part for _bearer, part in found]
    if done != asked:
        parts = settle(done, [part * done / asked for part in parts])
    for (bearer, _part), part in zip(found, parts, strict=True):
        bearer.cost_added = part


def take_back_costs(invoice: SupplierInvoice, *, at: datetime, actor: Any) -> None:
    """Take back what a document added to the cost of goods, of what is still there of it."""
    take_back_revaluation(
        origin_kind=ADDED,
        origin_number=invoice.number,
        as_kind=TAKEN_BACK,
        at=at,
        note=invoice.supplier_number,
        actor=actor,
    )
