"""The bins of a warehouse along the walk, goods put away into them and moved between them.

Nothing of this changes what the warehouse holds: no move is written to the ledger.
"""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from inventory.errors import NotEnoughStock
from inventory.locks import Place, lock_places
from inventory.models import Bin, BinStock, Product, StockPosition, Warehouse
from inventory.selectors import bins_by_code
from inventory.services.bins import Bins
from inventory.services.warehouses import require_shelves
from sphinx.core.bulk import update_rows
from sphinx.core.errors import BusinessRuleError, InputError
from sphinx.core.money import plain
from sphinx.core.services import record, record_each
from sphinx.core.texts import clean

ZERO = Decimal(0)
MOST_NAMED = 5


class Placed(NamedTuple):
    """Pieces of a product put into a bin; out of another bin, or of what lies in none."""

    product_id: int
    quantity: Decimal
    bin_id: int
    from_bin_id: int | None = None


@transaction.atomic
def set_walk(*, warehouse: Warehouse, codes: Sequence[str], actor: Any = None) -> list[Bin]:
    """Let the warehouse have these bins, in this order; the others go, if they are empty.

    Raises:
        InputError: a code is there twice, or too long.
        BusinessRuleError: a bin that goes still holds goods.
    """
    require_shelves(warehouse)
    # Two walks written at once take turns.
    Warehouse.objects.select_for_update(no_key=True).get(pk=warehouse.pk)
    wanted = _codes(codes)
    known = bins_by_code(warehouse)
    _drop([b for key, b in known.items() if key not in wanted])
    Bin.objects.bulk_create(
        (
            Bin(warehouse=warehouse, code=code, position=number)
            for number, (key, code) in enumerate(wanted.items(), start=1)
            if key not in known
        ),
        batch_size=1000,
    )
    moved = [
        (known[key].pk, number)
        for number, key in enumerate(wanted, start=1)
        if key in known and known[key].position != number
    ]
    update_rows(Bin, ["position"], sorted(moved))
    record("bins.walk_set", [warehouse], actor=actor, bins=len(wanted))
    return list(Bin.objects.filter(warehouse=warehouse))


def _codes(codes: Sequence[str]) -> dict[str, str]:
    """Codes as they are written, by what tells them apart; blank ones left out."""
    longest = Bin._meta.get_field("code").max_length or 0
    wanted: dict[str, str] = {}
    for number, text in enumerate(codes, start=1):
        code = clean(text)
        if not code:
            continue
        said = {"line": number, "code": code[: longest + 1], "longest": longest}
        if len(code) > longest:
            raise InputError(
                _("Ligne %(line)s : « %(code)s… » dépasse %(longest)s caractères.") % said,
                code="inventory.bin_code",
            )
        if code.casefold() in wanted:
            raise InputError(
                _("Ligne %(line)s : l'emplacement « %(code)s » est déjà plus haut.") % said,
                code="inventory.bin_twice",
            )
        wanted[code.casefold()] = code
    return wanted


def _drop(bins: Sequence[Bin]) -> None:
    ids = [b.pk for b in bins]
    # Whoever puts something into them now waits, then finds them gone.
    list(Bin.objects.select_for_update().filter(pk__in=ids).order_by("pk").values_list("pk"))
    full = list(
        BinStock.objects.filter(bin__in=ids, on_hand__gt=0)
        .order_by("bin__position")
        .values_list("bin__code", flat=True)
        .distinct()
    )
    if full:
        names = ", ".join(dict.fromkeys(full[:MOST_NAMED])) + ("…" if full[MOST_NAMED:] else "")
        raise BusinessRuleError(
            _("Il reste des pièces à %s : rangez-les ailleurs d'abord.") % names,
            code="inventory.bin_not_empty",
        )
    BinStock.objects.filter(bin__in=ids).delete()
    Bin.objects.filter(pk__in=ids).delete()


@transaction.atomic
def put_away(*, warehouse: Warehouse, placed: Sequence[Placed], actor: Any = None) -> Decimal:
    """Put pieces into bins; how many went. All of them, or none.

    Raises:
        InputError: a bin is none of the warehouse's, or a quantity is 0.
        NotEnoughStock: fewer pieces lie where they should come from.
    """
    require_shelves(warehouse)
    positions = lock_places((p.product_id, warehouse.pk) for p in placed)
    asked = {pk for p in placed for pk in (p.bin_id, p.from_bin_id) if pk is not None}
    known = Bin.objects.select_for_update(no_key=True, of=("self",)).filter(
        pk__in=asked, warehouse=warehouse
    )
    bins = {b.pk: b for b in known.order_by("pk")}
    if asked - bins.keys() or any(p.quantity <= 0 for p in placed):
        raise InputError(
            _("Dites combien de pièces, et un emplacement de « %s ».") % warehouse,
            code="inventory.no_bin",
        )
    BinStock.objects.bulk_create(
        (BinStock(product_id=p.product_id, bin_id=p.bin_id) for p in placed),
        batch_size=1000,
        ignore_conflicts=True,
    )
    contents = Bins(positions)
    for one in placed:
        _place(contents, positions, warehouse, one, bins)
    contents.save()
    _record(placed, bins, actor)
    return sum((p.quantity for p in placed), ZERO)


def _place(
    contents: Bins,
    positions: dict[Place, StockPosition],
    warehouse: Warehouse,
    one: Placed,
    bins: dict[int, Bin],
) -> None:
    position = positions[one.product_id, warehouse.pk]
    there = (
        max(position.on_hand - contents.held(position), ZERO)
        if one.from_bin_id is None
        else contents.held_in(position, one.from_bin_id)
    )
    if one.quantity > there:
        where = _("à ranger") if one.from_bin_id is None else bins[one.from_bin_id].code
        raise NotEnoughStock(
            _("%(product)s : %(there)s pièces %(where)s, %(asked)s demandées.")
            % {
                "product": position.product,
                "there": plain(there),
                "where": where,
                "asked": plain(one.quantity),
            }
        )
    if one.from_bin_id is not None:
        contents.put(position, -one.quantity, one.from_bin_id)
    contents.put(position, one.quantity, one.bin_id)


def _record(placed: Sequence[Placed], bins: dict[int, Bin], actor: Any) -> None:
    products = Product.objects.in_bulk({p.product_id for p in placed})
    said: dict[int, list[str]] = defaultdict(list)
    for one in placed:
        source = bins[one.from_bin_id].code if one.from_bin_id is not None else ""
        said[one.product_id].append(
            f"{plain(one.quantity)} {source} → {bins[one.bin_id].code}".replace("  ", " ")
        )
    record_each(
        "bins.put_away",
        [(products[pk], {"steps": steps}) for pk, steps in sorted(said.items())],
        actor=actor,
    )
