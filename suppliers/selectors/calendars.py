"""Suppliers' calendars, read at once."""

from collections.abc import Iterable

from suppliers.calendars import Calendar, Closure
from suppliers.models import Supplier, SupplierClosure


def calendars_of(supplier_ids: Iterable[int] | None = None) -> dict[int, Calendar]:
    """Calendars of suppliers, by id; those who are open every day are left out."""
    suppliers = Supplier.objects.all()
    closures = SupplierClosure.objects.order_by("first_day")
    if supplier_ids is not None:
        ids = list(supplier_ids)
        suppliers, closures = suppliers.filter(pk__in=ids), closures.filter(supplier__in=ids)
    closed: dict[int, list[Closure]] = {}
    rows = closures.values_list("supplier_id", "first_day", "last_day", "note")
    for pk, first, last, note in rows:
        closed.setdefault(pk, []).append(Closure(first, last, note))
    found = {
        pk: Calendar(orders, deliveries, tuple(closed.get(pk, ())))
        for pk, orders, deliveries in suppliers.values_list(
            "pk", "order_weekdays", "delivery_weekdays"
        )
    }
    return {pk: calendar for pk, calendar in found.items() if not calendar.is_plain}
