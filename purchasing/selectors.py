"""Reads of purchasing: how long suppliers take, what is on its way."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from statistics import fmean, stdev
from typing import NamedTuple

from django.db.models import F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from inventory.models import StockMove, Warehouse
from purchasing.models import (
    DemandAdjustment,
    PurchaseOrder,
    PurchaseOrderLine,
    Receipt,
    ReceiptLine,
    ReplenishmentRules,
    SupplierInvoice,
    SupplierPaymentPart,
)
from purchasing.planning.adjusting import Adjustment
from purchasing.planning.levels import LeadTime, Rules
from purchasing.planning.ordering import Costs
from purchasing.planning.series import DAYS, MAX_WEEKS
from sphinx.core.clock import business_date, start_of
from sphinx.core.exchange import EURO, indicative_units
from sphinx.core.money import to_cents
from suppliers.calendars import Calendar
from suppliers.models import SupplierProduct

# So many receipts tell more than what the supplier states.
RECEIPTS_TO_BELIEVE = 3
LATEST = 20
YEARS = 2
# Until receipts tell, a stated time is taken to vary by a fifth.
STATED_VARIATION = 0.2
Status = PurchaseOrder.Status
# The nearer to the article, the stronger.
_EVERYTHING = "everything"
_SCOPES = ("product", "category", "supplier", _EVERYTHING)
_AWAITED = (Status.SENT, Status.CONFIRMED, Status.PARTIALLY_RECEIVED)


def awaited_orders(on: date, *, is_late: bool = False) -> QuerySet[PurchaseOrder]:
    """Orders that a supplier should have delivered here by that day.

    Late ones: before it, here or straight to a customer.
    """
    awaited = PurchaseOrder.objects.filter(status__in=_AWAITED)
    if is_late:
        return awaited.filter(expected_on__lt=on)
    return awaited.filter(expected_on__lte=on, direct_delivery__isnull=True)


def replenishment_rules() -> ReplenishmentRules:
    """The firm's rules; made with defaults when the installation is new."""
    return ReplenishmentRules.objects.get_or_create(pk=1)[0]


def as_rules(row: ReplenishmentRules) -> Rules:
    """The same for the arithmetic."""
    return Rules(
        service_levels={
            "A": row.service_level_a,
            "B": row.service_level_b,
            "C": row.service_level_c,
        },
        review_days=row.review_days,
        cover_days=row.cover_days,
        max_cover_days=row.max_cover_days,
        shelf_life_share=row.shelf_life_share,
        costs=Costs(row.order_cost, row.holding_rate),
    )


def sold_since(receipt: Receipt) -> Decimal:
    """Pieces of a receipt's products that customers had between the day of it and its entry.

    They left at the average cost of then, without the receipt.
    """
    moves = dict(receipt.lines.exclude(move=None).values_list("order_line__product_id", "move_id"))
    if not moves:
        return Decimal(0)
    left = StockMove.objects.filter(
        product__in=moves,
        warehouse=receipt.purchase_order.warehouse_id,
        kind=StockMove.Kind.SALE,
        at__gte=receipt.received_at,
        pk__lt=min(moves.values()),
    )
    return -(left.aggregate(n=Sum("quantity"))["n"] or Decimal(0))


def known_units(currency: str, on: date) -> Decimal | None:
    """Units of a currency for one euro, the last known on a day; None of the euro, or of none."""
    return None if currency == EURO else indicative_units({currency}, on).get(currency)


class Owing(NamedTuple):
    """A supplier's document, and what standing payments settle of it: in its currency, and of what
    the books hold of it (EUR). Both are positive, of a credit note too."""

    invoice: SupplierInvoice
    settled: Decimal
    settled_eur: Decimal

    @property
    def left(self) -> Decimal:
        """What is still owed of it, in its currency."""
        return self.invoice.total_incl_tax - self.settled


def what_is_owed(invoices: Iterable[SupplierInvoice]) -> list[Owing]:
    """What is settled of some documents, in their order; a query."""
    found = list(invoices)
    rows = (
        SupplierPaymentPart.objects.filter(invoice__in=found, payment__cancelled_at=None)
        .order_by()
        .values_list("invoice_id")
        .annotate(amount=Sum("amount"), booked=Sum("booked_eur"))
    )
    sums = {pk: (abs(to_cents(a)), abs(to_cents(b))) for pk, a, b in rows}
    none = (Decimal(0), Decimal(0))
    return [Owing(invoice, *sums.get(invoice.pk, none)) for invoice in found]


class LeadTimes:
    """Days from order to goods, as receipts before a day show them.

    Of the product at the supplier when three receipts tell, else of the supplier, else stated. Days
    on which the supplier was closed (`calendars`) are no part of it: they are counted apart.
    """

    def __init__(self, before: date, calendars: Mapping[int, Calendar] | None = None) -> None:
        calendars = calendars or {}
        rows = (
            ReceiptLine.objects.filter(
                receipt__received_at__lt=start_of(before),
                receipt__received_at__gte=start_of(before - timedelta(days=365 * YEARS)),
            )
            .annotate(
                ordered_at=Coalesce(
                    "receipt__purchase_order__sent_at", "receipt__purchase_order__accepted_at"
                )
            )
            .exclude(ordered_at=None)
            .order_by("-receipt__received_at", "-pk")
            .values_list(
                "receipt__purchase_order__supplier_id",
                "order_line__product_id",
                "ordered_at",
                "receipt__received_at",
            )
        )
        self._own: dict[tuple[int, int], list[float]] = defaultdict(list)
        self._all: dict[int, list[float]] = defaultdict(list)
        for supplier_id, product_id, ordered_at, received_at in rows.iterator():
            days = (received_at - ordered_at).total_seconds() / 86_400
            if calendar := calendars.get(supplier_id):
                days -= calendar.closed_days(business_date(ordered_at), business_date(received_at))
            days = max(days, 0.0)
            for known in (self._own[supplier_id, product_id], self._all[supplier_id]):
                if len(known) < LATEST:
                    known.append(days)

    def of(self, supplier_id: int, product_id: int, stated_days: int) -> LeadTime:
        """Of a product at a supplier."""
        for known in (self._own.get((supplier_id, product_id)), self._all.get(supplier_id)):
            if known and len(known) >= RECEIPTS_TO_BELIEVE:
                return LeadTime(fmean(known), stdev(known), len(known))
        return LeadTime(float(stated_days), stated_days * STATED_VARIATION, 0)


class Adjustments:
    """Forecasts that people changed and didn't take back, as of a day: those to come, and the past
    ones whose days may tell nothing."""

    def __init__(self, on: date) -> None:
        self._of: dict[str, dict[int | None, list[Adjustment]]] = {
            name: defaultdict(list) for name in _SCOPES
        }
        rows = DemandAdjustment.objects.filter(
            withdrawn_at=None, last_day__gte=on - timedelta(days=MAX_WEEKS * DAYS)
        ).values_list(
            "pk",
            "product_id",
            "category_id",
            "supplier_id",
            "first_day",
            "last_day",
            "percent",
            "weekly",
            "reason",
            "created_by__username",
            "is_exceptional",
        )
        for pk, *keys, first, last, percent, weekly, reason, by, is_exceptional in rows:
            scope, key = next(
                ((name, k) for name, k in zip(_SCOPES, keys, strict=False) if k is not None),
                (_EVERYTHING, None),
            )
            rank = (len(_SCOPES) - _SCOPES.index(scope), pk)
            found = Adjustment(first, last, percent, weekly, reason, by or "", rank, is_exceptional)
            self._of[scope][key].append(found)
        # A run of last week may still have kept levels that were changed.
        self.is_recent = any(
            a.last >= on - timedelta(days=DAYS) for some in self._all_lists() for a in some
        )

    def __bool__(self) -> bool:
        return any(self._all_lists())

    def of(self, categories: Mapping[int, int | None]) -> dict[int, list[Adjustment]]:
        """Those that bear on each product, by product id; given its category."""
        if not self:
            return {}
        sellers = self._sellers(list(categories))
        everywhere = self._of[_EVERYTHING][None]
        found = {}
        for pk, category in categories.items():
            mine = [*self._of["product"].get(pk, ()), *everywhere]
            if category is not None:
                mine += self._of["category"].get(category, ())
            for supplier in sellers.get(pk, ()):
                mine += self._of["supplier"][supplier]
            if mine:
                found[pk] = mine
        return found

    def of_product(self, product_id: int) -> list[Adjustment]:
        """Those of just this one."""
        return self._of["product"].get(product_id, [])

    def _sellers(self, product_ids: Sequence[int]) -> dict[int, list[int]]:
        suppliers = [pk for pk in self._of["supplier"] if pk is not None]
        found: dict[int, list[int]] = defaultdict(list)
        if suppliers:
            rows = SupplierProduct.objects.filter(supplier__in=suppliers, product__in=product_ids)
            for product_id, supplier_id in rows.values_list("product_id", "supplier_id"):
                found[product_id].append(supplier_id)
        return found

    def _all_lists(self) -> list[list[Adjustment]]:
        return [some for by_key in self._of.values() for some in by_key.values()]


def coming_late(
    product_ids: Sequence[int], warehouse: Warehouse, on: date
) -> dict[int, list[tuple[int, Decimal]]]:
    """What is coming after a day, by product: (days after it, pieces), the first to come first.

    Orders without a day, or overdue, may come any day: they are in nobody's way.
    """
    lines = PurchaseOrderLine.objects.filter(
        product_id__in=list(product_ids),
        purchase_order__warehouse=warehouse,
        purchase_order__status__in=(Status.ACCEPTED, *_AWAITED),
        purchase_order__expected_on__gt=on,
        quantity__gt=F("quantity_received"),
    ).order_by("purchase_order__expected_on", "pk")
    found: dict[int, list[tuple[int, Decimal]]] = defaultdict(list)
    for product_id, day, pieces in lines.values_list(
        "product_id", "purchase_order__expected_on", F("quantity") - F("quantity_received")
    ):
        found[product_id].append(((day - on).days, pieces))
    return found


def incoming_at(
    product_ids: Sequence[int], warehouse: Warehouse, day: date
) -> Mapping[int, Decimal]:
    """Pieces on their way at the end of a past day: accepted by then, not received by then.

    Orders closed short or cancelled count as they stood: until the day they were closed.
    """
    end = start_of(day + timedelta(days=1))
    lines = PurchaseOrderLine.objects.filter(
        product_id__in=list(product_ids),
        purchase_order__warehouse=warehouse,
        purchase_order__accepted_at__lt=end,
    )
    lines = lines.filter(
        Q(purchase_order__closed_at__gte=end)
        | Q(purchase_order__closed_at=None)
        & ~Q(purchase_order__status__in=(Status.CANCELLED, Status.REFUSED))
    )
    received = ReceiptLine.objects.filter(order_line__in=lines, receipt__received_at__lt=end)
    due = defaultdict(
        Decimal,
        lines.order_by().values_list("product_id").annotate(n=Sum("quantity")),
    )
    for product_id, pieces in (
        received.order_by().values_list("order_line__product_id").annotate(n=Sum("quantity"))
    ):
        due[product_id] -= pieces
    return {product_id: max(pieces, Decimal(0)) for product_id, pieces in due.items()}
