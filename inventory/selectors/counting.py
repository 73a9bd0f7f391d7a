"""The lines of a count: along the walk, and what the books say of each now."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from inventory.models import (
    Bin,
    BinStock,
    LotPosition,
    StockCount,
    StockCountLine,
    StockPosition,
    Warehouse,
)
from inventory.selectors.bins import bins_by_code, natural_key
from sphinx.core.texts import clean

ZERO = Decimal(0)


def find_bin(warehouse: Warehouse, code: str) -> Bin | None:
    """The warehouse's bin that a code names."""
    return Bin.objects.filter(warehouse=warehouse, code__iexact=clean(code)).first()


def along_the_walk(count: StockCount) -> list[StockCountLine]:
    """The lines of a count as one walks past them; `place` says where that is."""
    walk = bins_by_code(count.warehouse)
    lines = list(count.lines.select_related("product", "lot"))
    for line in lines:
        waits = walk and line.lot is None and not line.bin_code
        usual = _("à ranger") if waits else line.product.location
        line.place = line.bin_code or usual  # type: ignore[attr-defined]

    def order(line: StockCountLine) -> tuple[Any, ...]:
        code = line.bin_code or line.product.location
        found = walk.get(code.casefold())
        at = found.position if found else 0
        return (found is None, at, not code, natural_key(code), line.product.sku, line.pk)

    return sorted(lines, key=order)


def books_of(lines: Sequence[StockCountLine], warehouse: Warehouse) -> dict[int, Decimal]:
    """What the books say is there, by line id: of a lot, in a bin, or of the product outside of
    its lots or bins."""
    products = {line.product_id for line in lines}
    lots: dict[int, Decimal] = {}
    inside: dict[int, Decimal] = defaultdict(Decimal)
    for lot, product, pieces in LotPosition.objects.filter(
        lot__product__in=products, warehouse=warehouse
    ).values_list("lot", "lot__product", "on_hand"):
        lots[lot] = pieces
        inside[product] += pieces
    bins: dict[tuple[int, str], Decimal] = {}
    placed: dict[int, Decimal] = defaultdict(Decimal)
    for product, code, pieces in BinStock.objects.filter(
        product__in=products, bin__warehouse=warehouse
    ).values_list("product", "bin__code", "on_hand"):
        bins[product, code.casefold()] = pieces
        placed[product] += pieces
    on_hand = dict(
        StockPosition.objects.filter(product__in=products, warehouse=warehouse).values_list(
            "product", "on_hand"
        )
    )
    books = {}
    for line in lines:
        product = line.product_id
        if line.lot_id is not None:
            books[line.pk] = lots.get(line.lot_id, ZERO)
        elif line.bin_code:
            books[line.pk] = bins.get((product, line.bin_code.casefold()), ZERO)
        else:
            elsewhere = inside if line.product.tracks_lots else placed
            books[line.pk] = on_hand.get(product, ZERO) - elsewhere[product]
    return books
