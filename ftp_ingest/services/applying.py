"""Drafts of one file applied, a chunk a transaction; what can't be is set aside.

A run that dies is started again from the file's first line: chunks already applied are found
unchanged and skipped, so nothing is doubled.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import TypeVar

from django.conf import settings
from django.db import DataError, IntegrityError, transaction
from django.utils.translation import gettext as _

from customers.drafts import CustomerDraft
from customers.services import Source, upsert_customers
from ftp_ingest.models import ReceivedFile
from ftp_ingest.reading.drafts import Fault, OrderFile
from ftp_ingest.services.quarantine import keep_notes, set_aside, settle_rows
from sales.drafts import OrderDraft
from sales.models import Order
from sales.selectors import OrderAsRead, orders_as_read
from sales.services import OrderChange, OrderResult, Rejection, upsert_orders
from sphinx.core.bulk import check_references_now, commit_lazily
from sphinx.core.clock import business_date
from sphinx.core.errors import ConflictError

MAX_CONFLICTS = 5
# Of what changed so much is told, run by run; the orders themselves tell the rest.
MAX_CHANGES = 500
_Item = TypeVar("_Item")


@dataclass
class Counts:
    """What became of orders and customers; each is counted once."""

    customers: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("created", "updated", "unchanged", "quarantined"), 0)
    )
    orders: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(
            ("created", "updated", "unchanged", "cancelled", "quarantined"), 0
        )
    )
    lines: int = 0
    reserved: Decimal = Decimal(0)
    faults: list[tuple[str, Fault]] = field(default_factory=list)
    # Of orders that came in: nothing is refused, but a person should look.
    notes: list[tuple[str, Fault]] = field(default_factory=list)
    changes: list[OrderChange] = field(default_factory=list)
    # Day → what the file charges in all, what of it stands here (EUR incl. tax).
    days: dict[str, list[Decimal]] = field(default_factory=dict)

    def add_to_day(self, placed_at: datetime, total: Decimal, *, is_applied: bool) -> None:
        """Count an order's total (EUR incl. tax) in its civil day."""
        sums = self.days.setdefault(business_date(placed_at).isoformat(), [Decimal(0), Decimal(0)])
        sums[0] += total
        if is_applied:
            sums[1] += total

    def note(self, name: str, notes: Iterable[Fault]) -> None:
        """Note what is to be looked at of orders that came in."""
        self.notes += [(name, fault) for fault in notes]

    def refuse(self, name: str, faults: Iterable[Fault]) -> None:
        """Note the faults of the file called `name`."""
        self.faults += [(name, fault) for fault in faults]


def _chunks(items: Iterator[_Item], size: int) -> Iterator[list[_Item]]:
    while chunk := list(islice(items, size)):
        yield chunk


def apply_orders(
    file: ReceivedFile,
    orders: OrderFile,
    counts: Counts,
    *,
    at: datetime,
    beat: Callable[[int], None],
    only: Collection[str] | None = None,
) -> None:
    """Apply a file's orders, of some keys when asked.

    `beat` is called in each chunk's transaction with its last line. Orders whose rows stand as
    they were read before are counted and not read again.
    """
    source = Source(file.name, file.sha256)
    for chunk in _chunks(orders.raw_orders(only), settings.INGEST_CHUNK_ORDERS):
        with transaction.atomic():
            commit_lazily()
            beat(chunk[-1].line)
            known = orders_as_read(file.shop, {raw.key: raw.raw_hash for raw in chunk})
            items = [orders.draft(raw) for raw in chunk if raw.raw_hash not in known]
            drafts = [d for d in items if isinstance(d, OrderDraft)]
            faults = [f for f in items if isinstance(f, Fault)]
            result = _upsert(file, drafts, source, at)
            result.unchanged += len(known)
            faults += map(_as_fault, result.rejections)
            set_aside(file, faults, "orders")
            refused = {fault.external_id for fault in faults}
            applied = [d for d in drafts if d.external_id not in refused]
            standing: list[OrderDraft | OrderAsRead] = [*applied, *known.values()]
            settle_rows(
                file.shop,
                [order.external_id for order in standing],
                [order.number for order in standing],
                file.name,
            )
            notes = list(map(_as_fault, result.notes))
            keep_notes(file, result.written_ids, notes)
        for draft in drafts:
            if draft.state != "cancelled":
                is_applied = draft.external_id not in refused
                counts.add_to_day(draft.placed_at, draft.total_incl_tax, is_applied=is_applied)
        for order in known.values():
            if order.status != Order.Status.CANCELLED:
                counts.add_to_day(order.placed_at, order.total_incl_tax, is_applied=True)
        _count_orders(counts, result, len(faults))
        counts.refuse(file.name, faults)
        counts.note(file.name, notes)


def _as_fault(rejection: Rejection) -> Fault:
    r = rejection
    return Fault(r.line, r.column, r.code, r.message, r.external_id, r.number, r.cause)


def _count_orders(counts: Counts, result: OrderResult, refused: int) -> None:
    for name in ("created", "updated", "unchanged", "cancelled"):
        counts.orders[name] += getattr(result, name)
    counts.orders["quarantined"] += refused
    counts.customers["created"] += result.customers_created
    counts.lines += result.lines
    counts.changes += result.changes[: MAX_CHANGES - len(counts.changes)]
    counts.reserved += result.reserved


def _upsert(
    file: ReceivedFile, drafts: Sequence[OrderDraft], source: Source, at: datetime
) -> OrderResult:
    """Apply a chunk; if the database refuses it, halve it until the culprit is alone."""
    if not drafts:
        return OrderResult()
    try:
        return _upsert_retrying(file, drafts, source, at)
    except (DataError, IntegrityError) as error:
        if len(drafts) == 1:
            return _refused_by_database(drafts[0], error)
    middle = len(drafts) // 2
    left = _upsert(file, drafts[:middle], source, at)
    return _joined(left, _upsert(file, drafts[middle:], source, at))


def _upsert_retrying(
    file: ReceivedFile,
    drafts: Sequence[OrderDraft],
    source: Source,
    at: datetime,
    attempts: int = MAX_CONFLICTS,
) -> OrderResult:
    """Apply a chunk; when an order was shipped or cancelled meanwhile, read again.

    Raises:
        ConflictError: it happened at every attempt.
    """
    try:
        with transaction.atomic():
            result = upsert_orders(shop=file.shop, drafts=drafts, source=source, at=at)
            check_references_now()
            return result
    except ConflictError:
        if attempts <= 1:
            raise
    return _upsert_retrying(file, drafts, source, at, attempts - 1)


def _refused_by_database(draft: OrderDraft, error: Exception) -> OrderResult:
    message = _("Commande %(number)s : valeur hors des limites permises (%(reason)s).") % {
        "number": draft.number,
        "reason": str(error).splitlines()[0][:120],
    }
    return OrderResult(
        rejections=[
            Rejection(
                draft.line, "", "order.out_of_bounds", message, draft.external_id, draft.number
            )
        ]
    )


def _joined(left: OrderResult, right: OrderResult) -> OrderResult:
    return OrderResult(
        **{name: getattr(left, name) + getattr(right, name) for name in vars(OrderResult())}
    )


def apply_customers(
    file: ReceivedFile,
    items: Iterator[CustomerDraft | Fault],
    counts: Counts,
    *,
    at: datetime,
    beat: Callable[[int], None],
) -> None:
    """Apply a file's customers."""
    source = Source(file.name, file.sha256)
    for chunk in _chunks(items, settings.INGEST_CHUNK_ORDERS * 2):
        drafts = [d for d in chunk if isinstance(d, CustomerDraft)]
        faults = [f for f in chunk if isinstance(f, Fault)]
        with transaction.atomic():
            commit_lazily()
            beat(chunk[-1].line)
            result = upsert_customers(shop=file.shop, drafts=drafts, source=source, at=at)
            set_aside(file, faults, "customers")
        for name in ("created", "updated", "unchanged"):
            counts.customers[name] += getattr(result, name)
        counts.customers["quarantined"] += len(faults)
        counts.refuse(file.name, faults)
