"""What lies in delivery notes piece by piece, bundles opened: for shelves and for parcels."""

from collections.abc import Iterable
from decimal import Decimal
from operator import itemgetter
from typing import Any, NamedTuple

from inventory.models import BundleComponent, Product
from inventory.selectors import natural_key, places_to_pick
from sales.models import DeliveryNote, DeliveryNoteLine


class Piece(NamedTuple):
    """Pieces of a product that a note holds, and the warehouse that they leave."""

    note_id: int
    note_number: str
    product: Product
    quantity: Decimal
    warehouse_id: int


class Pick(NamedTuple):
    """What to take from one place in one go, and which parcels it goes to."""

    place: str
    product: Product
    quantity: Decimal
    shares: list[tuple[str, Decimal]]
    # In a warehouse with bins: it lies in none yet.
    is_unplaced: bool = False


def pieces_of(note_ids: Iterable[int]) -> list[Piece]:
    """Goods of the notes by note and product; what isn't goods has nothing to pick."""
    lines = list(
        DeliveryNoteLine.objects.filter(
            delivery_note__in=list(note_ids), order_line__product__isnull=False
        )
        .select_related("delivery_note", "order_line__product__picture", "order_line__reservation")
        .defer("order_line__product__picture__data")
        .order_by("delivery_note_id", "order_line__position")
    )
    parts: dict[int, list[BundleComponent]] = {}
    for part in (
        BundleComponent.objects.filter(bundle__in={line.order_line.product_id for line in lines})
        .select_related("component__picture")
        .defer("component__picture__data")
    ):
        parts.setdefault(part.bundle_id, []).append(part)
    sums: dict[tuple[int, int], Piece] = {}
    for line in lines:
        product = line.order_line.product
        assert product is not None  # noqa: S101
        inside = parts.get(product.pk)
        contents = (
            [(p.component, p.quantity) for p in inside] if inside else [(product, Decimal(1))]
        )
        for component, each in contents:
            key = (line.delivery_note_id, component.pk)
            before = sums[key].quantity if key in sums else Decimal(0)
            sums[key] = Piece(
                line.delivery_note_id,
                line.delivery_note.number,
                component,
                before + line.quantity * each,
                line.order_line.reservation.warehouse_id if line.order_line.reservation else 0,
            )
    return list(sums.values())


def weight_of(pieces: Iterable[Piece]) -> Decimal | None:
    """What goods weigh together (kg); None while the weight of one is unknown."""
    total = Decimal(0)
    for piece in pieces:
        if piece.product.weight is None:
            return None
        total += piece.quantity * piece.product.weight
    return total


def weights_of(note_ids: Iterable[int]) -> dict[int, Decimal | None]:
    """The same of each of some notes, in one go."""
    wanted = list(note_ids)
    by_note: dict[int, list[Piece]] = {pk: [] for pk in wanted}
    for piece in pieces_of(wanted):
        by_note[piece.note_id].append(piece)
    return {pk: weight_of(pieces) if pieces else None for pk, pieces in by_note.items()}


def picking_list(notes: Iterable[DeliveryNote]) -> list[Pick]:
    """The notes' goods in the order of the walk, each product once a place.

    Where a warehouse has bins, from those that shipping will take them out of; else from the
    place written on the article. What has no place comes last.
    """
    wanted: dict[tuple[int, int], list[Piece]] = {}
    for piece in pieces_of(note.pk for note in notes):
        wanted.setdefault((piece.product.pk, piece.warehouse_id), []).append(piece)
    totals = {
        place: sum((p.quantity for p in pieces), Decimal(0)) for place, pieces in wanted.items()
    }
    steps = places_to_pick(totals)
    ordered: list[tuple[tuple[Any, ...], Pick]] = []
    for place, pieces in wanted.items():
        product, warehouse = pieces[0].product, place[1]
        if place not in steps:
            code = product.location
            pick = Pick(code, product, totals[place], _shares(pieces, totals[place]))
            ordered.append(((not code, warehouse, 0, natural_key(code), product.sku), pick))
        for found, quantity in steps.get(place, ()):
            code, at = (found.code, found.position) if found else ("", 0)
            pick = Pick(code, product, quantity, _shares(pieces, quantity), found is None)
            ordered.append(((not code, warehouse, at, [], product.sku), pick))
    return [pick for _order, pick in sorted(ordered, key=itemgetter(0))]


def _shares(pieces: list[Piece], quantity: Decimal) -> list[tuple[str, Decimal]]:
    """Which parcels `quantity` pieces go to, the first notes first; they leave `pieces`."""
    shares = []
    left = quantity
    while pieces and left > 0:
        first = pieces.pop(0)
        taken = min(first.quantity, left)
        shares.append((first.note_number, taken))
        left -= taken
        if taken < first.quantity:
            pieces.insert(0, first._replace(quantity=first.quantity - taken))
    return shares
