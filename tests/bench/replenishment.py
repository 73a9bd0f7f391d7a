"""The nightly run over many products: time a product, memory."""

import random
import resource
import time
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.core.management import call_command
from django.db import connection

from inventory.models import Product, Reservation
from inventory.services import default_warehouse, open_stock
from sphinx.core import clock
from sphinx.core.bulk import insert_rows, reserve_ids
from sphinx.core.texts import sku_key
from suppliers.models import Supplier, SupplierPrice, SupplierProduct

SUPPLIERS = 200
LINES_A_PRODUCT = 20
DAYS = 400


def bench_replenishment(products: int) -> dict[str, Any]:
    """A year of orders, then one run; a second run the same evening."""
    from purchasing.services import propose_orders

    _fill(products)
    # What Python and the libraries weigh before any product is looked at.
    base = _peak_mb()
    started = time.perf_counter()
    first = propose_orders(on=clock.today())
    seconds = time.perf_counter() - started
    peak = _peak_mb()
    started = time.perf_counter()
    again = propose_orders(on=clock.today())
    assert len(again.orders) == len(first.orders)
    return {
        "products": products,
        "lines_proposed": sum(order.lines.count() for order in first.orders),
        "seconds": round(seconds, 2),
        "ms_per_product": round(1000 * seconds / products, 3),
        "again_ratio_to_first": round((time.perf_counter() - started) / seconds, 2),
        "base_mb": base,
        "peak_mb": peak,
    }


def _peak_mb() -> int:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def _fill(count: int) -> None:
    """Products with stock, suppliers, and order lines of the last year, intermittent mostly."""
    from tests.support.tampering import empty_tables_in_tests

    empty_tables_in_tests()
    call_command("flush", interactive=False, verbosity=0)
    draw = random.Random(count)
    warehouse = default_warehouse()
    suppliers = Supplier.objects.bulk_create(
        Supplier(code=f"F{n:05d}", name=f"Fournisseur {n}", lead_time_days=draw.randint(2, 30))
        for n in range(SUPPLIERS)
    )
    now = clock.now()
    columns = "id product_id warehouse_id quantity allocated asked requested_at origin_number"
    for start in range(0, count, 5000):
        some = Product.objects.bulk_create(
            Product(sku=f"R-{n:06d}", sku_key=sku_key(f"R-{n:06d}"), unit_cost=Decimal(5))
            for n in range(start, min(start + 5000, count))
        )
        items = SupplierProduct.objects.bulk_create(
            SupplierProduct(
                supplier=draw.choice(suppliers), product=p, pack_size=draw.choice((1, 6))
            )
            for p in some
        )
        SupplierPrice.objects.bulk_create(
            SupplierPrice(item=item, unit_price_excl_tax=Decimal(5)) for item in items
        )
        open_stock(
            opening={p.pk: (Decimal(draw.randint(1, 40)), Decimal(5)) for p in some},
            warehouse=warehouse,
            at=now - timedelta(days=DAYS),
        )
        ids = reserve_ids(Reservation, len(some) * LINES_A_PRODUCT)
        pieces = [
            (p.pk, draw.choice((1, 1, 1, 2, 3))) for p in some for _n in range(LINES_A_PRODUCT)
        ]
        insert_rows(
            Reservation,
            columns.split(),
            (
                # Served and shipped: nothing is held any more.
                (pk, product, warehouse.pk, 0, 0, asked,
                 now - timedelta(days=draw.randint(1, DAYS)), f"O{pk}")
                for pk, (product, asked) in zip(ids, pieces, strict=True)
            ),
        )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
