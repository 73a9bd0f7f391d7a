"""Units of purchase: what a supplier counts and prices in, and how many pieces that is.

Stock, costs and levels know pieces only. What suppliers write is converted where it comes in, and
back where they read it.
"""

import re
from decimal import Decimal
from typing import NamedTuple

from django.utils.translation import gettext as _

from sphinx.core.money import plain, to_quantity, to_unit_price
from sphinx.core.texts import fold

ONE = Decimal(1)
# Prices of a unit are written to four places: six of a piece, times the pieces, are near enough.
_PLACES = Decimal("0.0001")
_PIECE_WORDS = frozenset(
    "piece pieces pce pces pc pcs u un unite unites unit units each ea stk stuck st".split()
)
_BOX_WORDS = re.compile(
    r"\b(cartons?|ctn?|boites?|bte?s?|box(es)?|caisses?|cases?|colis|lots?|packs?|paquets?|pqt?"
    r"|palettes?|pallets?|sacs?|sachets?|bundles?|karton|schachtel|cajas?|scatol[ae])\b"
)
_NUMBER = re.compile(r"(?<![\d.,])(\d{1,5})(?![\d.,]*\d)")


class Unit(NamedTuple):
    """What a supplier sells: `pieces` (above 0) of the article under a name, blank for pieces."""

    name: str = ""
    pieces: Decimal = ONE

    def __str__(self) -> str:
        return self.name or _("lot de %s") % plain(self.pieces)

    @property
    def is_piece(self) -> bool:
        """Whether it counts as pieces do."""
        return self.pieces == ONE

    def whole(self, pieces: Decimal) -> Decimal | None:
        """How many of it whole make so many pieces; None when pieces are left over."""
        return None if self.is_piece or pieces % self.pieces else pieces / self.pieces

    def in_pieces(self, count: Decimal) -> Decimal:
        """Pieces of so many of it."""
        return to_quantity(count * self.pieces)

    def piece_price(self, price: Decimal) -> Decimal:
        """EUR a piece, of the price of one of it."""
        return to_unit_price(price / self.pieces)

    def price(self, piece_price: Decimal) -> Decimal:
        """EUR for one of it, of the price of a piece."""
        if self.is_piece:
            return piece_price
        return (piece_price * self.pieces).quantize(_PLACES, rounding="ROUND_HALF_UP")


PIECE = Unit()


def pieces_named(text: str) -> Decimal | None:
    """The pieces that a unit's name says: 1 of a piece, 12 of « carton de 12 »; None when it says
    nothing."""
    folded = fold(text)
    if folded in _PIECE_WORDS:
        return ONE
    numbers = {int(number) for number in _NUMBER.findall(text)} - {0}
    return Decimal(numbers.pop()) if len(numbers) == 1 else None


def is_box(text: str) -> bool:
    """Whether a unit's name is a packaging's: it holds several pieces, whatever it says."""
    return bool(_BOX_WORDS.search(fold(text)))
