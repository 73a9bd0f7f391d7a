"""The figures of the home page, each with its definition; EUR, civil days in Europe/Paris."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

from django.db.models import Min, QuerySet, Sum

from accounting_export.models import Sending
from accounting_export.selectors import open_questions, stuck_dispatches
from customers.models import Customer
from customers.selectors import customers_with_invalid_numbers
from ftp_ingest.models import Feed, QuarantinedRow
from ftp_ingest.selectors import open_causes
from inventory.models import Product, StockCount, StockTransfer
from invoicing.models import BankLine
from invoicing.receivables import open_invoices
from invoicing.selectors import (
    notes_ready_to_invoice,
    orders_kept,
    orders_to_explain,
    refused_e_invoices,
)
from purchasing.models import PurchaseOrder, ReceivedInvoice, SupplierInvoice
from purchasing.selectors import awaited_orders
from sales.models import Order
from sales.selectors import (
    lines_waiting_for_stock,
    notes_to_ship,
    orders_at_foreign_rates,
    orders_in_doubt,
    orders_ready_to_deliver,
    orders_to_take_over,
    quotes_to_follow_up,
    returns_to_examine,
    shipped_by_shops,
)
from sphinx.core import clock
from sphinx.core.counting import count_up_to
from sphinx.core.models import Approval, AuditEvent, DeadLetter
from sphinx.core.money import ZERO, to_cents
from sphinx.dashboard.direct import awaited_departures
from sphinx.dashboard.models import ProductDay, SalesDay
from sphinx.dashboard.periods import Period, bounds
from suppliers.models import SupplierProduct


class Chosen(NamedTuple):
    """Of which sales figures are; nothing chosen: of all."""

    shop_id: int | None = None
    # ISO code of where goods go.
    country: str = ""
    is_business: bool | None = None
    category_id: int | None = None
    # The first of a product's preferred suppliers.
    supplier_id: int | None = None

    @property
    def is_of_products(self) -> bool:
        """Whether documents count for the lines of certain products only."""
        return bool(self.category_id or self.supplier_id)


EVERYTHING = Chosen()


class Sales(NamedTuple):
    """Orders of a period by order date, cancelled out; turnover by issue date."""

    orders: int
    ordered_incl_tax: Decimal
    turnover_excl_tax: Decimal

    @property
    def average_basket(self) -> Decimal:
        """Σ order totals incl. tax / number of orders."""
        return to_cents(self.ordered_incl_tax / self.orders) if self.orders else ZERO


class Day(NamedTuple):
    """One bar of the chart: the orders of a day, EUR incl. tax."""

    day: date
    orders: int
    total: Decimal


def sold_in(
    period: Period, chosen: Chosen = EVERYTHING
) -> "QuerySet[SalesDay] | QuerySet[ProductDay]":
    """The kept sums of the days of a period; who asks for them has refreshed them.

    Of certain products they are sums by reference, which know no orders, tax or documents.
    """
    if chosen.is_of_products:
        return products_in(period, chosen)
    return SalesDay.objects.filter(**_of_days(period, chosen)).order_by()


def products_in(period: Period, chosen: Chosen = EVERYTHING) -> QuerySet[ProductDay]:
    """The same by reference."""
    found = ProductDay.objects.filter(**_of_days(period, chosen)).order_by()
    return found.filter(sku__in=_skus(chosen)) if chosen.is_of_products else found


def _skus(chosen: Chosen) -> QuerySet[Product, str]:
    found = Product.objects.order_by()
    if chosen.category_id:
        found = found.filter(category=chosen.category_id)
    if chosen.supplier_id:
        preferred = SupplierProduct.objects.filter(is_preferred=True).order_by()
        first = preferred.values("product").annotate(first=Min("supplier"))
        found = found.filter(pk__in=first.filter(first=chosen.supplier_id).values("product"))
    return found.values_list("sku", flat=True)


def _of_days(period: Period, chosen: Chosen) -> dict[str, Any]:
    lookups: dict[str, Any] = {"day__range": (period.start, period.end)}
    if chosen.shop_id:
        lookups["shop"] = chosen.shop_id
    if chosen.country:
        lookups["country"] = chosen.country
    if chosen.is_business is not None:
        lookups["is_business"] = chosen.is_business
    return lookups


def orders_in(period: Period, chosen: Chosen = EVERYTHING) -> QuerySet[Order]:
    """Orders by order date, cancelled out."""
    start, end = bounds(period)
    found = Order.objects.filter(placed_at__gte=start, placed_at__lt=end, **of_orders(chosen))
    return found.exclude(status=Order.Status.CANCELLED).order_by()


def of_orders(chosen: Chosen, path: str = "") -> dict[str, Any]:
    """What is chosen as lookups of orders, or of what has them at `path`."""
    kinds = {True: Customer.Kind.COMPANY.value, False: Customer.Kind.PERSON.value, None: ""}
    lookups = {
        "shop__id__exact": chosen.shop_id,
        "shipping_country__exact": chosen.country,
        "customer__kind__exact": kinds[chosen.is_business],
    }
    return {f"{path}{name}": value for name, value in lookups.items() if value}


def sales_of(period: Period, chosen: Chosen = EVERYTHING) -> Sales:
    """The sales figures of a period."""
    sums = sold_in(period, chosen).aggregate(
        orders=Sum("orders"), ordered=Sum("ordered_incl_tax"), turnover=Sum("net_excl_tax")
    )
    return Sales(
        sums["orders"] or 0,
        to_cents(sums["ordered"] or ZERO),
        to_cents(sums["turnover"] or ZERO),
    )


def orders_by_day(period: Period) -> list[Day]:
    """Orders of each civil day of the period, days without any included."""
    rows = (
        sold_in(period).values("day").annotate(count=Sum("orders"), total=Sum("ordered_incl_tax"))
    )
    found: Mapping[date, tuple[int, Decimal]] = {
        row["day"]: (row["count"], to_cents(row["total"])) for row in rows
    }
    days = (period.start + timedelta(days=offset) for offset in range(period.days))
    return [Day(day, *found.get(day, (0, ZERO))) for day in days]


def percent_change(now: Decimal, before: Decimal) -> int | None:
    """Percent from `before` to `now`; None when there was nothing before."""
    return int((now - before) * 100 / before) if before else None


def work_waiting(at_most: int | None = None) -> dict[str, int]:
    """What waits for a hand, by the name of the card; no further than `at_most` + 1 when asked."""
    direct = awaited_departures()
    count = partial(count_up_to, at_most=at_most)
    return {
        "departures": len(direct),
        "departures_in_doubt": sum(row.is_in_doubt for row in direct),
        "to_confirm": count(Order.objects.filter(status=Order.Status.DRAFT, is_history=False)),
        "quotes": count(quotes_to_follow_up(clock.today())),
        "to_prepare": count(orders_ready_to_deliver()),
        "to_ship": count(notes_to_ship()),
        "refunds_in_doubt": count(orders_in_doubt()),
        "shipped_by_shops": count(shipped_by_shops()),
        "to_take_over": count(orders_to_take_over()),
        "kept": count(orders_kept()),
        "to_invoice": count(notes_ready_to_invoice()),
        "without_tax": count(orders_to_explain()),
        "returns": count(returns_to_examine()),
        "waiting_stock": count(lines_waiting_for_stock().values("order").distinct()),
        "foreign_rates": count(orders_at_foreign_rates(clock.today())),
        "proposals": count(PurchaseOrder.objects.filter(status=PurchaseOrder.Status.PROPOSED)),
        "quarantine": count(QuarantinedRow.objects.filter(status=QuarantinedRow.Status.OPEN)),
        "quarantine_causes": count(open_causes()),
        "alarms": count(
            AuditEvent.objects.filter(kind="feed.alarm", at__gte=clock.now() - timedelta(hours=24))
        ),
        "failing_feeds": count(Feed.objects.filter(is_active=True, failures__gt=0)),
        "approvals": count(Approval.objects.filter(status=Approval.Status.WAITING)),
        "dead_letters": count(DeadLetter.objects.filter(status=DeadLetter.Status.OPEN)),
        "overdue": count(open_invoices().filter(balance__gt=0, due_on__lt=clock.today())),
        "refused_vat": count(customers_with_invalid_numbers()),
        "refused_invoices": count(refused_e_invoices()),
        "bank": count(BankLine.objects.filter(status=BankLine.Status.OPEN, amount__gt=0)),
        "questions": count(open_questions()),
        "unsent": count(stuck_dispatches()) + count(Sending.objects.exclude(reason="")),
        "einvoices": count(ReceivedInvoice.objects.filter(status=ReceivedInvoice.Status.OPEN)),
        "differing": count(SupplierInvoice.objects.filter(status=SupplierInvoice.Status.DIFFERS)),
        "to_receive": count(awaited_orders(clock.today())),
        "late_suppliers": count(awaited_orders(clock.today(), is_late=True)),
        "transfers": count(
            StockTransfer.objects.filter(status=StockTransfer.Status.DRAFT, is_proposed=True)
        ),
        "counts": count(StockCount.objects.filter(status=StockCount.Status.OPEN)),
        "incomplete_products": count(Product.objects.filter(is_incomplete=True, is_active=True)),
    }
