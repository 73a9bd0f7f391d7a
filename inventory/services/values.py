"""What positions are worth (EUR excl. tax): the sum of their moves, kept beside the pieces.

The average cost has six places, so pieces times average may differ from that sum by a rounding.
More is put right by a move of its own, so that the ledger never holds value without goods.
"""

from collections.abc import Collection, Iterable
from decimal import Decimal

from django.db.models import QuerySet

from inventory.locks import Place
from inventory.models import WORTH, StockMove, StockPosition
from sphinx.core.money import NOTHING

# Half of the last place of an average cost, twice over.
_PLACE = Decimal("0.000001")


def gap(position: StockPosition) -> Decimal:
    """What the ledger holds beyond the pieces at their average cost (EUR)."""
    return position.value - position.on_hand * position.average_cost


def is_off(position: StockPosition) -> bool:
    """True when that is more than a rounding: half a cent, or the last place of the average."""
    return abs(gap(position)) > max(NOTHING, abs(position.on_hand) * _PLACE)


def ledger_values(places: Collection[Place]) -> dict[Place, Decimal]:
    """The sum of the moves of some places (EUR)."""
    rows = in_places(places).order_by().values("product_id", "warehouse_id").annotate(worth=WORTH)
    found = {(row["product_id"], row["warehouse_id"]): row["worth"] for row in rows}
    return {place: found.get(place, Decimal(0)) for place in places}


def in_places(places: Collection[Place]) -> QuerySet[StockMove]:
    """Moves of the places' products in the places' warehouses."""
    return StockMove.objects.filter(
        product_id__in={product_id for product_id, _w in places},
        warehouse_id__in={warehouse_id for _p, warehouse_id in places},
    )


def believe_the_ledger(positions: Iterable[StockPosition]) -> None:
    """Add up the moves anew where a position's value isn't that of its pieces.

    What an earlier version wrote beside this one didn't keep it.
    """
    strange = {(p.product_id, p.warehouse_id): p for p in positions if is_off(p)}
    if strange:
        for place, value in ledger_values(strange.keys()).items():
            strange[place].value = value
