"""Stock sent back to the shop, in its own import format, so that it stops selling what is gone."""

import csv
import tempfile
from collections.abc import Collection, Iterator
from decimal import Decimal
from heapq import merge
from pathlib import Path

from django.db.models import F

from ftp_ingest.dialects.base import stock_format_of
from ftp_ingest.models import Feed, ReceivedFile
from ftp_ingest.services.archive import hash_file
from ftp_ingest.transports import Transport
from inventory.models import Product, StockPosition
from inventory.selectors import bundle_availability, not_out_yet
from inventory.services import expire_lots, warehouse_of
from sphinx.core import clock
from sphinx.core.models import Shop
from sphinx.core.money import plain


def dialect_of(shop: Shop) -> str:
    """The code of the dialect of the shop's last orders file; blank before there is one."""
    latest = ReceivedFile.objects.filter(shop=shop, kind="orders").exclude(dialect="")
    return latest.order_by("-pk").values_list("dialect", flat=True).first() or ""


def write_stock(shop: Shop, path: Path) -> int:
    """Write what may be sold out of the shop's warehouse (pieces: on hand less expired
    and reserved, 0 at least; bundles: as many as their components make); returns the rows.

    Where the shop's format has a column for it, the day of what isn't out yet, as long as there is
    any: it may not be in stock at all.
    """
    expire_lots(on=clock.today())
    layout = stock_format_of(dialect_of(shop))
    promised = not_out_yet(clock.today()) if layout.released else {}
    columns = [layout.in_stock, layout.released if promised else ""]
    count = 0
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter=layout.delimiter)
        writer.writerow([layout.sku, layout.available, *filter(None, columns)])
        for sku, free in _free(shop, promised):
            available = max(free, Decimal(0))
            flag = ["1" if available else "0"] if layout.in_stock else []
            day = [str(promised.get(sku, ""))] if promised else []
            writer.writerow([sku, plain(available) if available else "0", *flag, *day])
            count += 1
    return count


def _free(shop: Shop, promised: Collection[str]) -> Iterator[tuple[str, Decimal]]:
    """SKU and pieces (or bundles) free for the shop, by SKU; what is promised of no pieces too."""
    warehouse = warehouse_of(shop)
    bundles = dict(
        Product.objects.filter(is_active=True, components__isnull=False).values_list("pk", "sku")
    )
    ready = bundle_availability(bundles, warehouse)
    made = sorted((sku, ready.get(pk, Decimal(0))) for pk, sku in bundles.items())
    # What a supplier delivers is sold whatever lies here.
    sent_by_suppliers = Product.objects.none()
    if not shop.ships_itself:
        sent_by_suppliers = Product.objects.filter(supply_mode=Product.SupplyMode.DROP_SHIP)
    plain_products = (
        StockPosition.objects.filter(product__is_active=True, warehouse=warehouse)
        .exclude(product__in=bundles)
        .exclude(product__in=sent_by_suppliers)
        .order_by("product__sku")
        .values_list("product__sku", F("on_hand") - F("expired") - F("reserved"))
    )
    unseen = (
        Product.objects.filter(sku__in=promised, is_active=True)
        .exclude(positions__warehouse=warehouse)
        .exclude(pk__in=bundles)
        .exclude(pk__in=sent_by_suppliers)
        .order_by("sku")
        .values_list("sku", flat=True)
    )
    yield from merge(plain_products.iterator(), made, ((sku, Decimal(0)) for sku in unseen))


def push_stock(feed: Feed, transport: Transport) -> bool:
    """Leave the stock file with the shop when it differs from the last one left there.

    Raises:
        ServerUnreachable: the server didn't take it.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stock.csv"
        write_stock(feed.shop, path)
        sha256, _size = hash_file(path)
        if sha256 == feed.stock_sha256:
            return False
        transport.put(path, feed.stock_file)
    feed.stock_sha256 = sha256
    feed.save(update_fields=["stock_sha256"])
    return True
