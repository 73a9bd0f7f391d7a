"""Whose orders are ordinary or exceptional, as their customers' forms say."""

from typing import Any

from django.db.models import QuerySet

from customers.models import Customer
from inventory.standings import EXCEPTIONAL, ORDINARY, Told, tells
from sales.models import OrderLine


@tells
def by_customer() -> Told:
    """Reservations of orders by customers on whose form somebody chose one or the other."""
    chosen = set(
        Customer.objects.exclude(orders_count="")
        .order_by()
        .values_list("orders_count", flat=True)
        .distinct()
    )
    return Told(*(_reserved(name) if name in chosen else None for name in (ORDINARY, EXCEPTIONAL)))


def _reserved(name: str) -> QuerySet[Any]:
    lines = OrderLine.objects.filter(order__customer__orders_count=name, reservation__isnull=False)
    return lines.order_by().values("reservation")
