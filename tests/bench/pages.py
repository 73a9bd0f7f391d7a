"""Pages of figures over a short and a long history: the same firm, two years, few or many lines.

A few hundred orders go through the house; their rows are then copied by SQL under other numbers,
customers and days, until there are as many order lines as asked.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from django.contrib.auth.models import Group, User
from django.db import connection
from django.db.models import ForeignKey, Max, Model
from django.test import Client

from customers.models import Customer
from ftp_ingest.services import ingest_paths
from inventory.models import Reservation
from invoicing.models import Invoice, InvoiceLine, Payment, TaxBreakdown
from invoicing.services import issue_shipped
from sales.models import DeliveryNote, DeliveryNoteLine, Order, OrderLine
from sales.selectors import notes_to_ship, orders_ready_to_deliver
from sales.services import prepare_deliveries, ship_delivery_notes
from sphinx.core import clock
from sphinx.core.models import Shop
from sphinx.dashboard import rollups
from tests.bench.shop_files import write_orders

SEED = 500
# What waits for a hand is as much in a small history as in a large one.
OPEN = 100
DAYS = 730
TURNS = 9
_COPIED: tuple[type[Model], ...] = (
    Customer,
    Reservation,
    Order,
    OrderLine,
    DeliveryNote,
    DeliveryNoteLine,
    Invoice,
    InvoiceLine,
    TaxBreakdown,
    Payment,
)
_BACK = "((({0} + {{k}} * 7) * 13) %% 729 * interval '1 day')"
_OF_ORDER, _OF_ITSELF = _BACK.format("order_id"), _BACK.format("id")
# Columns that aren't copied as they are; k is the number of the copy.
_OTHERWISE: dict[type[Model], dict[str, str]] = {
    Customer: {"code": "code || '-' || {k}"},
    Order: {
        "external_id": "external_id || '-' || {k}",
        "number": "number || '-' || {k}",
        "placed_at": f"now() - interval '1 hour' - {_OF_ITSELF}",
        "raw_hash": "''",
    },
    DeliveryNote: {
        "number": "number || '-' || {k}",
        "created_at": f"created_at - {_OF_ORDER}",
        "shipped_at": f"shipped_at - {_OF_ORDER}",
    },
    DeliveryNoteLine: {"move_id": "NULL"},
    Invoice: {
        "number": "number || '-' || {k}",
        "issued_on": f"(issued_on - {_OF_ORDER})::date",
        "issued_at": f"issued_at - {_OF_ORDER}",
        "due_on": f"(due_on - {_OF_ORDER})::date",
        "chain_index": "chain_index + {k} * {width}",
        "hash": "md5(hash || {k})",
    },
    Payment: {"reference": "reference || '-' || {k}"},
}


def bench_pages(lines: int) -> dict[str, Any]:
    """Median milliseconds of each page of figures, and of bringing a touched day up to date."""
    _fill(lines)
    started = time.perf_counter()
    rollups.rebuild()
    rebuilt = time.perf_counter() - started
    assert not any(d.wrong for d in rollups.differences())
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    client = _owner()
    today = clock.today()
    year = f"start={today.replace(year=today.year - 1)}&end={today}"
    pages = {
        "home": "/",
        "statistics_30_days": "/statistiques/",
        "statistics_12_months": f"/statistiques/?{year}",
    }
    return {
        "lines": OrderLine.objects.count(),
        "orders": Order.objects.count(),
        "rebuild_s": round(rebuilt, 2),
        "ms": {name: _milliseconds(partial(_shown, client, url)) for name, url in pages.items()},
        "refresh_ms": _milliseconds(_touch_and_refresh),
    }


def _owner() -> Client:
    user = User.objects.create_user("bench", is_staff=True)
    user.groups.add(Group.objects.get(name="Gérant"))
    client = Client()
    client.force_login(user)
    return client


def _shown(client: Client, url: str) -> None:
    answer = client.get(url, secure=True, headers={"host": "localhost"})
    assert answer.status_code == 200, answer.status_code


def _touch_and_refresh() -> None:
    order = Order.objects.exclude(status=Order.Status.CANCELLED).first()
    assert order is not None
    Order.objects.filter(pk=order.pk).update(total_incl_tax=order.total_incl_tax + 1)
    rollups.refresh()


def _milliseconds(work: Callable[[], Any]) -> float:
    work()
    times = []
    for _turn in range(TURNS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return round(1000 * statistics.median(times), 1)


def _fill(lines: int) -> None:
    _bring(SEED)
    orders = list(orders_ready_to_deliver().values_list("pk", flat=True))
    prepare_deliveries(order_ids=orders, at=clock.now())
    ship_delivery_notes(note_ids=list(notes_to_ship().values_list("pk", flat=True)), at=clock.now())
    issue_shipped(at=clock.now())
    copies = max(1, round(lines / OrderLine.objects.count()))
    width = 1 + max(
        model.objects.aggregate(last=Max("pk"))["last"] or 0  # type: ignore[attr-defined]
        for model in _COPIED
    )
    with connection.cursor() as cursor:
        for model in _COPIED:
            cursor.execute(_copy(model, copies, width))
        for model in _COPIED:
            table = model._meta.db_table
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), MAX(id)) FROM {table}"
            )
    _bring(OPEN)


def _copy(model: type[Model], copies: int, width: int) -> str:
    """The rows of `model` once more for each copy, pointing at the copies of what they point at."""
    columns, values = [], []
    otherwise = _OTHERWISE.get(model, {})
    for field in model._meta.concrete_fields:
        value = f'"{field.column}"'
        is_copied = isinstance(field, ForeignKey) and field.related_model in _COPIED
        if field.column in otherwise:
            value = otherwise[field.column].format(k="k", width=width).replace("%%", "%")
        elif field.primary_key or is_copied:
            value = f'"{field.column}" + k * {width}'
        columns.append(f'"{field.column}"')
        values.append(value)
    table = model._meta.db_table
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} "
        f"FROM {table}, generate_series(1, {copies - 1}) AS k"
    )


def _bring(orders: int) -> None:
    path = Path(tempfile.mkdtemp(prefix="sphinx-bench-in-")) / f"orders-{orders}.csv"
    write_orders(path, orders)
    ingest_paths(shop=Shop.objects.get(), paths=[path])
