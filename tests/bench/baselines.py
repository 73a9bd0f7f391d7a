"""How a shop's rows are usually brought in: django-import-export, and update_or_create a row.

Over the same rows and our own models, without any of the rules: a sample is enough, both cost
the same for every row.
"""

import csv
import time
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from import_export import fields, resources, widgets
from tablib import Dataset

from customers.models import Customer
from sales.models import Order, OrderLine
from sphinx.core.models import Shop

PLACED = datetime(2025, 1, 2, 8, tzinfo=UTC)


def _rows(path: Path, orders: int) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as stream:
        rows = list(islice(csv.DictReader(stream, delimiter=";"), orders * 4))
    numbers = list(dict.fromkeys(row["order_number"] for row in rows))[:orders]
    return [row for row in rows if row["order_number"] in set(numbers)]


class CustomerRows(resources.ModelResource):
    class Meta:
        model = Customer
        import_id_fields = ("code",)
        fields = ("code", "email", "last_name", "created_at")


class OrderRows(resources.ModelResource):
    customer = fields.Field("customer", "customer", widgets.ForeignKeyWidget(Customer, "code"))
    shop = fields.Field("shop", "shop", widgets.ForeignKeyWidget(Shop, "code"))

    class Meta:
        model = Order
        import_id_fields = ("external_id",)
        fields = (
            "external_id number customer shop status payment_status placed_at tax_regime "
            "total_incl_tax total_tax billing_city content_hash lines_hash"
        ).split()


class LineRows(resources.ModelResource):
    order = fields.Field("order", "order", widgets.ForeignKeyWidget(Order, "external_id"))

    class Meta:
        model = OrderLine
        import_id_fields = ("order", "sku")
        fields = (
            "order position sku label quantity unit_price_incl_tax tax_rate total_incl_tax"
        ).split()


def by_import_export(path: Path, orders: int) -> float:
    """Seconds an order with django-import-export's usual settings."""
    shop, rows = Shop.objects.get(), _rows(path, orders)
    started = time.perf_counter()
    people = {r["customer_ref"]: r for r in rows}
    _load(
        CustomerRows(),
        [
            {
                "code": ref[:12],
                "email": r["email"],
                "last_name": r["last_name"],
                "created_at": PLACED,
            }
            for ref, r in people.items()
        ],
    )
    firsts = {r["order_number"]: r for r in rows}
    _load(OrderRows(), [_order(r) | {"customer": r["customer_ref"][:12], "shop": shop.code}
                        for r in firsts.values()])  # fmt: skip
    _load(LineRows(), [_line(r, n) | {"order": r["order_number"]} for n, r in enumerate(rows)])
    return (time.perf_counter() - started) / len(firsts)


def _load(resource: Any, rows: list[dict[str, Any]]) -> None:
    data = Dataset(headers=list(rows[0]))
    for row in rows:
        data.append(list(row.values()))
    resource.import_data(data, raise_errors=True)


def _order(row: dict[str, str]) -> dict[str, Any]:
    return {
        "external_id": row["order_number"],
        "number": row["order_number"],
        "status": "confirmed",
        "payment_status": "paid",
        "placed_at": PLACED,
        "tax_regime": "domestic",
        "total_incl_tax": row["total_incl_tax"],
        "total_tax": "0.00",
        "billing_city": row["billing_city"],
        "content_hash": "x",
        "lines_hash": "x",
    }


def _line(row: dict[str, str], position: int) -> dict[str, Any]:
    price, quantity = Decimal(row["unit_price_incl_tax"]), Decimal(row["quantity"])
    return {
        "position": position % 30000,
        "sku": row["sku"],
        "label": row["label"],
        "quantity": quantity,
        "unit_price_incl_tax": price,
        "tax_rate": row["tax_rate"],
        "total_incl_tax": price * quantity,
    }


def by_update_or_create(path: Path, orders: int) -> float:
    """Seconds an order with `update_or_create` for every row."""
    shop, rows = Shop.objects.get(), _rows(path, orders)
    started = time.perf_counter()
    for position, row in enumerate(rows):
        customer, _new = Customer.objects.update_or_create(
            code=row["customer_ref"][:12],
            defaults={"email": row["email"], "last_name": row["last_name"], "created_at": PLACED},
        )
        values = _order(row)
        key = values.pop("external_id")
        order, _new = Order.objects.update_or_create(
            shop=shop, external_id=key, defaults=values | {"customer": customer}
        )
        line = _line(row, position)
        sku = line.pop("sku")
        OrderLine.objects.update_or_create(order=order, sku=sku, defaults=line)
    return (time.perf_counter() - started) / len({r["order_number"] for r in rows})
