"""What lies in delivery notes piece by piece, bundles opened: for shelves and for parcels."""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from inventory.models import BundleComponent, Product
from sales.models import DeliveryNote, DeliveryNoteLine


class Piece(NamedTuple):
    """Pieces of a product that a note holds."""

    note_id: int
    note_number: str
    product: Product
    quantity: Decimal


class Pick(NamedTuple):
    """What to take from one shelf in one go, and which parcels it goes to."""

    product: Product
    quantity: Decimal
    shares: list[tuple[str, Decimal]]


def pieces_of(note_ids: Iterable[int]) -> list[Piece]:
    """Goods of the notes by note and product; what isn't goods has nothing to pick."""
    lines = list(
        DeliveryNoteLine.objects.filter(
            delivery_note__in=list(note_ids), order_line__product__isnull=False
        )
        .select_related("delivery_note", "order_line__product__picture")
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
    """The notes' goods in the order of the shelves, each product once."""
    picks: dict[int, Pick] = {}
    for piece in pieces_of(note.pk for note in notes):
        known = picks.get(piece.product.pk, Pick(piece.product, Decimal(0), []))
        picks[piece.product.pk] = Pick(
            piece.product,
            known.quantity + piece.quantity,
            [*known.shares, (piece.note_number, piece.quantity)],
        )
    # Products without a shelf come last.
    return sorted(
        picks.values(), key=lambda p: (not p.product.location, p.product.location, p.product.sku)
    )
