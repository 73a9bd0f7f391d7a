"""Pieces by the serial number that somebody scanned."""

from collections import defaultdict
from collections.abc import Collection, Sequence

from django.utils.translation import gettext as _

from inventory.errors import SerialRefused
from inventory.models import Lot, Product


def serials_in(text: str) -> list[str]:
    """One number a line, as scanners write them; blank lines left out."""
    return [number for line in text.splitlines() if (number := line.strip())]


def lots_of_serials(numbers: Sequence[str], product_ids: Collection[int]) -> dict[int, list[int]]:
    """The lots of serial numbers, in their order, by product; only those of `product_ids`.

    Whether each is in stock is the ledger's to say, under lock.

    Raises:
        SerialRefused: a number is unknown, another article's, or given twice.
    """
    found = {
        lot.number: lot
        for lot in Lot.objects.filter(
            number__in=numbers, product__in=product_ids, product__tracks_serials=True
        )
    }
    lots: dict[int, list[int]] = defaultdict(list)
    for number in numbers:
        if number not in found:
            raise SerialRefused(
                _("N° de série %s : aucun article de ce bon ne le porte.") % number[:40]
            )
        lot = found[number]
        if lot.pk in lots[lot.product_id]:
            raise SerialRefused(_("N° de série %s : il est scanné deux fois.") % lot)
        lots[lot.product_id].append(lot.pk)
    return dict(lots)


def serial_on_shelf(code: str, product_ids: Collection[int]) -> Product | None:
    """The article, among `product_ids`, of the piece in stock that has this serial number.

    Raises:
        SerialRefused: an article's piece has that number, but it isn't in stock.
    """
    lot = (
        Lot.objects.filter(number=code, product__in=product_ids, product__tracks_serials=True)
        .select_related("product")
        .first()
    )
    if lot is None:
        return None
    if not lot.positions.filter(on_hand__gt=0).exists():
        raise SerialRefused(_("N° de série %s : cette pièce n'est pas en stock.") % lot)
    return lot.product
