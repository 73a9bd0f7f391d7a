"""The life of an order: from the line of the file to the line of the journal."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import Prefetch, QuerySet

from accounting_export.models import JournalEntry, JournalLine
from ftp_ingest.models import QuarantinedRow
from invoicing.models import Invoice, InvoicedNote, Payment
from sales.models import DeliveryNote, DeliveryNoteLine, Order, OrderLine
from sphinx.core.clock import PARIS
from sphinx.core.money import plain


def traced(orders: QuerySet[Order]) -> QuerySet[Order]:
    """The orders with everything that `trace_order` shows, in a fixed number of queries."""
    return orders.select_related("shop", "customer", "quote").prefetch_related(
        Prefetch("lines", OrderLine.objects.order_by("position")),
        Prefetch(
            "delivery_notes",
            DeliveryNote.objects.exclude(status=DeliveryNote.Status.CANCELLED).order_by("pk"),
        ),
        Prefetch("delivery_notes__lines", DeliveryNoteLine.objects.select_related("order_line")),
        Prefetch("invoices", Invoice.objects.filter(is_grouped=False)),
        Prefetch("invoices__entry", JournalEntry.objects.select_related("journal")),
        Prefetch("invoices__entry__lines", JournalLine.objects.order_by("position")),
        Prefetch("payments", Payment.objects.select_related("entry").order_by("paid_at", "pk")),
        Prefetch("delivery_notes__invoiced", InvoicedNote.objects.select_related("invoice")),
        Prefetch(
            "delivery_notes__invoiced__invoice__entry",
            JournalEntry.objects.select_related("journal"),
        ),
        Prefetch(
            "delivery_notes__invoiced__invoice__entry__lines",
            JournalLine.objects.order_by("position"),
        ),
    )


def documents_of(order: Order) -> list[Invoice]:
    """The documents of an order that `traced` fetched, grouped invoices included."""
    grouped = {
        row.invoice_id: row.invoice
        for note in order.delivery_notes.all()
        for row in note.invoiced.all()
    }
    return sorted([*order.invoices.all(), *grouped.values()], key=lambda i: i.chain_index)


def trace_all(batch_size: int = 500) -> Iterator[dict[str, Any]]:
    """Every order's life, oldest key first, in constant memory."""
    orders = traced(Order.objects.order_by("pk"))
    last = 0
    while batch := list(orders.filter(pk__gt=last)[:batch_size]):
        issues = _open_issues(batch)
        for order in batch:
            yield trace_order(order, issues)
        last = batch[-1].pk


def trace_orders(orders: Iterable[Order]) -> list[dict[str, Any]]:
    """The lives of the given orders, oldest key first."""
    found = list(traced(Order.objects.filter(pk__in=[o.pk for o in orders]).order_by("pk")))
    issues = _open_issues(found)
    return [trace_order(order, issues) for order in found]


_TO_NUMBERS = (
    "delivery_notes__number",
    "invoices__number",
    "invoices__entry__number",
    "delivery_notes__invoiced__invoice__number",
    "delivery_notes__invoiced__invoice__entry__number",
    "payments__entry__number",
)


def orders_behind(number: str) -> list[Order]:
    """The orders of the delivery note, document or entry of that number, as a FEC's line has it."""
    ids: set[int] = set()
    # One at a time, each by its number's index; joined in one statement they'd read all orders.
    for path in _TO_NUMBERS:
        ids.update(Order.objects.filter(**{path: number}).values_list("pk", flat=True))
    return list(Order.objects.filter(pk__in=ids).order_by("pk"))


_Issues = dict[tuple[int, str], list[QuarantinedRow]]


def _open_issues(orders: Iterable[Order]) -> _Issues:
    keys = {key for o in orders for key in (o.external_id, o.number)}
    found: _Issues = {}
    for row in QuarantinedRow.objects.filter(
        external_id__in=keys, status=QuarantinedRow.Status.OPEN
    ).select_related("file"):
        found.setdefault((row.file.shop_id, row.external_id), []).append(row)
    return found


def trace_order(order: Order, issues: _Issues) -> dict[str, Any]:
    """One order as the contract wants it."""
    customer = order.customer
    invoices = documents_of(order)
    keys = dict.fromkeys((order.external_id, order.number))
    rows = [row for key in keys for row in issues.get((order.shop_id, key), [])]
    return {
        "shop": order.shop.code,
        "number": order.number,
        "status": order.status,
        "payment_status": order.payment_status,
        "placed_at": order.placed_at.astimezone(PARIS).isoformat(),
        "currency": order.currency,
        "customer": {
            "code": customer.code,
            "name": customer.name,
            "email": customer.email,
            "country": order.billing_country or order.shipping_country,
            "vat_number": order.vat_number or customer.vat_number,
        },
        "total_incl_tax": str(order.total_incl_tax),
        "total_excl_tax": str(order.total_excl_tax),
        "total_tax": str(order.total_tax),
        "shipping_incl_tax": str(order.shipping_incl_tax),
        "discount_incl_tax": str(order.discount_incl_tax),
        "lines": [_line(line) for line in order.lines.all()],
        "source": {
            "file": order.source_file,
            "sha256": order.source_sha256,
            "line": order.source_line,
        },
        "delivery_notes": [_note(note) for note in order.delivery_notes.all()],
        "invoices": [
            {
                "number": i.number,
                "kind": i.kind,
                "issued_on": i.issued_on.isoformat(),
                "total_incl_tax": str(i.total_incl_tax),
            }
            for i in invoices
        ],
        "entries": [line for i in invoices for line in _entry(i)],
        "issues": [
            {
                "file": r.file.name,
                "line": r.line,
                "column": r.column,
                "code": r.code,
                "message": r.message,
                "order": r.number or None,
            }
            for r in rows
        ],
    }


def _line(line: OrderLine) -> dict[str, str]:
    return {
        "sku": line.sku,
        "label": line.label,
        "quantity": plain(line.quantity),
        "unit_price_incl_tax": _price(line.unit_price_incl_tax),
        "tax_rate": plain(line.tax_rate),
        "total_incl_tax": str(line.total_incl_tax),
    }


def _price(value: Any) -> str:
    """Two decimals at least, more when the price has them."""
    text = plain(value)
    return f"{value:.2f}" if len(text.partition(".")[2]) <= 2 else text  # noqa: PLR2004


def _note(note: DeliveryNote) -> dict[str, Any]:
    return {
        "number": note.number,
        "shipped_at": note.shipped_at.astimezone(PARIS).isoformat() if note.shipped_at else None,
        "lines": [
            {"sku": ln.order_line.sku, "quantity": plain(ln.quantity)} for ln in note.lines.all()
        ],
    }


def _entry(invoice: Invoice) -> Iterator[dict[str, str]]:
    entry: JournalEntry | None = getattr(invoice, "entry", None)
    for line in entry.lines.all() if entry else []:
        yield {
            "journal": entry.journal.code if entry else "",
            "date": invoice.issued_on.isoformat(),
            "piece": invoice.number,
            "account": line.account,
            "auxiliary": line.auxiliary,
            "debit": str(line.debit),
            "credit": str(line.credit),
        }
