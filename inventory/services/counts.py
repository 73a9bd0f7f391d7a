"""Stock counts: opened for a warehouse, a shelf or a class, counted piece by piece, posted.

Each line remembers what the books said when it was counted; goods that move between the count
and its posting are no difference.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from inventory.errors import CountClosed
from inventory.locks import lock_places
from inventory.models import (
    BinStock,
    Lot,
    LotPosition,
    StockCount,
    StockCountLine,
    StockPosition,
    Warehouse,
)
from inventory.selectors import bins_by_code, books_of
from inventory.services.adjustments import apply_difference, settle
from inventory.services.warehouses import require_shelves
from inventory.services.writer import Writer
from sphinx.core.clock import business_date
from sphinx.core.errors import BusinessRuleError
from sphinx.core.services import allocate_number, record

ZERO = Decimal(0)
Scope, Status = StockCount.Scope, StockCount.Status


@transaction.atomic
def open_count(
    *,
    warehouse: Warehouse,
    at: datetime,
    scope: str = Scope.ALL,
    scope_value: str = "",
    is_blind: bool = True,
    actor: Any = None,
) -> StockCount:
    """Open a count of what should lie there: a line a product, a line a lot.

    Raises:
        BusinessRuleError: nothing falls into the scope, or some of it is being counted.
    """
    require_shelves(warehouse)
    # Two counts opened at once take turns.
    Warehouse.objects.select_for_update(no_key=True).get(pk=warehouse.pk)
    value = scope_value.strip()
    positions = list(_in_scope(warehouse, scope, value).select_related("product"))
    if not positions:
        raise BusinessRuleError(
            _("Rien à compter : aucun article de « %(place)s » ne répond à ce choix.")
            % {"place": warehouse},
            code="inventory.count_empty",
        )
    busy = (
        StockCountLine.objects.filter(
            count__status=Status.OPEN,
            count__warehouse=warehouse,
            product_id__in=[p.product_id for p in positions],
        )
        .select_related("count", "product")
        .first()
    )
    if busy is not None:
        raise BusinessRuleError(
            _("%(product)s est déjà compté par %(count)s : validez-le ou abandonnez-le d'abord.")
            % {"product": busy.product, "count": busy.count},
            code="inventory.counted_twice",
        )
    count = StockCount.objects.create(
        number=allocate_number(series="INV", on=business_date(at)),
        warehouse=warehouse,
        scope=scope,
        scope_value=value[:30],
        is_blind=is_blind,
        created_at=at,
    )
    StockCountLine.objects.bulk_create(_lines(count, positions), batch_size=1000)
    record("stock_count.opened", [count], actor=actor)
    return count


def _in_scope(warehouse: Warehouse, scope: str, value: str) -> QuerySet[StockPosition]:
    found = StockPosition.objects.filter(warehouse=warehouse).filter(
        Q(product__is_active=True) | ~Q(on_hand=0)
    )
    found = found.filter(product__components__isnull=True).order_by("product_id")
    if scope == Scope.SHELF:
        here = BinStock.objects.filter(
            product=OuterRef("product"),
            bin__warehouse=warehouse,
            bin__code__istartswith=value,
            on_hand__gt=0,
        )
        return found.filter(Q(product__location__istartswith=value) | Exists(here))
    if scope == Scope.ABC:
        return found.filter(product__abc_class=value.upper())
    return found


def _lines(count: StockCount, positions: list[StockPosition]) -> list[StockCountLine]:
    """A line a product; of products in lots a line a lot, of others in bins a line a bin."""
    binned = _bin_codes(count, [p for p in positions if not p.product.tracks_lots])
    plain = [p for p in positions if p.product_id not in binned]
    lines = _lot_lines(count, plain)
    for position in positions:
        lines += [
            StockCountLine(count=count, product=position.product, bin_code=code)
            for code in binned.get(position.product_id, ())
        ]
    return lines


def _bin_codes(count: StockCount, positions: list[StockPosition]) -> dict[int, list[str]]:
    """The bins to be counted of the products that lie in some; "" is what lies in none."""
    held: dict[int, list[BinStock]] = {}
    for found in BinStock.objects.filter(
        product_id__in=[p.product_id for p in positions],
        bin__warehouse=count.warehouse,
        on_hand__gt=0,
    ).select_related("bin"):
        held.setdefault(found.product_id, []).append(found)
    codes = {pk: [found.bin.code for found in rows] for pk, rows in held.items()}
    if count.scope == Scope.SHELF:
        # Only this shelf is looked at: what lies elsewhere isn't missing.
        start = count.scope_value.casefold()
        return {
            pk: [code for code in found if code.casefold().startswith(start)]
            for pk, found in codes.items()
        }
    on_hand = {p.product_id: p.on_hand for p in positions}
    return {
        pk: [*found, ""] if on_hand[pk] != sum((h.on_hand for h in held[pk]), ZERO) else found
        for pk, found in codes.items()
    }


def _lot_lines(count: StockCount, positions: list[StockPosition]) -> list[StockCountLine]:
    tracked = [p.product_id for p in positions if p.product.tracks_lots]
    lots: dict[int, list[LotPosition]] = {}
    for found in LotPosition.objects.filter(
        lot__product_id__in=tracked, warehouse=count.warehouse, on_hand__gt=0
    ).select_related("lot"):
        lots.setdefault(found.lot.product_id, []).append(found)
    lines = []
    for position in positions:
        held = lots.get(position.product_id, [])
        unnamed = position.on_hand - sum((p.on_hand for p in held), ZERO)
        if not held or unnamed:
            lines.append(StockCountLine(count=count, product=position.product))
        lines += [StockCountLine(count=count, product=position.product, lot=p.lot) for p in held]
    return lines


@transaction.atomic
def record_counted(
    *,
    count_id: int,
    product_id: int,
    quantity: Decimal,
    at: datetime,
    lot_id: int | None = None,
    bin_code: str = "",
    adds: bool = False,
    actor: Any = None,
) -> StockCountLine:
    """Note pieces counted: `quantity` in all, or more than before with `adds` (a scanner).

    A product that wasn't expected there gets a line. In a warehouse with bins `bin_code` says
    where they lie; lots are counted wherever they lie.

    Raises:
        CountClosed: the count is posted or abandoned.
        BusinessRuleError: fewer than no pieces.
    """
    count = StockCount.objects.get(pk=count_id)
    lock_places([(product_id, count.warehouse_id)])
    _open_count(count_id)
    lot = Lot.objects.get(pk=lot_id) if lot_id is not None else None
    line, _created = StockCountLine.objects.get_or_create(
        count=count, product_id=product_id, lot=lot, bin_code="" if lot else bin_code
    )
    books = books_of([line], count.warehouse)[line.pk]
    total = quantity
    if adds and line.counted is not None and line.expected is not None:
        # What moved since the last scan moved on the shelf too.
        total += line.counted + books - line.expected
    if total < 0:
        raise BusinessRuleError(_("On ne compte pas moins de 0 pièce."), code="inventory.negative")
    line.counted, line.expected, line.counted_at, line.counted_by = total, books, at, actor
    line.save(update_fields=["counted", "expected", "counted_at", "counted_by"])
    return line


@transaction.atomic
def post_count(
    *, count_id: int, at: datetime, missing_are_zero: bool = False, actor: Any = None
) -> StockCount:
    """Post the differences, once; lines nobody counted stay as the books say, or are empty.

    Raises:
        CountClosed: the count was abandoned.
        NotEnoughStock: more is missing than is on hand by now; nothing is posted.
    """
    found = StockCount.objects.get(pk=count_id)
    if found.status == Status.POSTED:
        return found
    products = found.lines.values_list("product_id", flat=True)
    positions = lock_places((pk, found.warehouse_id) for pk in products)
    count = _open_count(count_id)
    bins = bins_by_code(count.warehouse)
    writer = Writer(positions, at=at, origin_kind="count", actor=actor)
    moved = []
    lines = list(count.lines.select_related("product").order_by("product_id", "pk"))
    books = books_of(lines, count.warehouse)
    for line in lines:
        position = positions[line.product_id, count.warehouse_id]
        position.product = line.product
        if line.counted is None and missing_are_zero:
            line.counted, line.expected = ZERO, books[line.pk]
            line.counted_at, line.counted_by = at, actor
        difference = line.difference
        if difference:
            moves = apply_difference(
                writer,
                position,
                difference,
                number=count.number,
                line=line.pk,
                lot_id=line.lot_id,
                bin_id=b.pk if (b := bins.get(line.bin_code.casefold())) else None,
            )
            moved.append((line, moves[0]))
    writer.write()
    for line, move in moved:
        line.move = move
    StockCountLine.objects.bulk_update(
        lines, ["counted", "expected", "counted_at", "counted_by", "move"], batch_size=500
    )
    settle(positions)
    count.status, count.posted_at = Status.POSTED, at
    count.save(update_fields=["status", "posted_at"])
    record("stock_count.posted", [count], actor=actor, differences=len(moved))
    return count


@transaction.atomic
def cancel_count(*, count_id: int, actor: Any = None) -> StockCount:
    """Give a count up; nothing moves. Twice is once.

    Raises:
        CountClosed: it has been posted.
    """
    count = StockCount.objects.select_for_update(no_key=True).get(pk=count_id)
    if count.status == Status.CANCELLED:
        return count
    count = _open_count(count_id)
    count.status = Status.CANCELLED
    count.save(update_fields=["status"])
    record("stock_count.cancelled", [count], actor=actor)
    return count


def _open_count(count_id: int) -> StockCount:
    count = StockCount.objects.select_for_update(no_key=True).get(pk=count_id)
    if count.status != Status.OPEN:
        raise CountClosed(
            _("L'inventaire %(number)s est « %(status)s » : ouvrez-en un autre.")
            % {"number": count.number, "status": count.get_status_display()}
        )
    return count
