"""What a file would do, shown before it does it: read for real, looked at, undone."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ftp_ingest.dialects import Dialect
from ftp_ingest.services.ingest import IngestReport, ingest_paths
from sales.models import Order
from sphinx.core.models import Shop

SHOWN = 20


@dataclass
class Preview:
    """The report of a trial, and the first orders that it would bring in."""

    report: IngestReport
    orders: list[dict[str, Any]] = field(default_factory=list)


def preview(*, shop: Shop, paths: list[Path], own: list[Dialect] | None = None) -> Preview:
    """Try files out: nothing is kept. `own` stands for the shop's own dialects.

    Raises:
        InputError: there is nothing to read.
    """
    seen: list[dict[str, Any]] = []
    latest = Order.objects.order_by("-pk").values_list("pk", flat=True).first() or 0

    def look() -> None:
        new = Order.objects.filter(shop=shop, pk__gt=latest).order_by("pk")[:SHOWN]
        seen.extend(map(_shown, new.select_related("customer").prefetch_related("lines")))

    report = ingest_paths(shop=shop, paths=paths, dry_run=True, own=own, look=look)
    return Preview(report, seen)


def _shown(order: Order) -> dict[str, Any]:
    return {
        "number": order.number,
        "placed_at": order.placed_at,
        "status": order.get_status_display(),
        "customer": order.customer.name,
        "country": order.shipping_country,
        "lines": [str(line) for line in order.lines.all()],
        "shipping": order.shipping_incl_tax,
        "discount": order.discount_incl_tax,
        "tax": order.total_tax,
        "total": order.total_incl_tax,
        "source_line": order.source_line,
    }
