"""What a supplier's price list says, before it is compared with what we know."""

from decimal import Decimal
from typing import NamedTuple


class Priced(NamedTuple):
    """One reference of the list; prices are (from quantity, currency units excl. tax), both in
    the list's unit, as are the minimum and the pack.

    `unit_size` is the pieces that the list says a unit holds, None when it says nothing: the
    unit is then the one that is known of the article.
    """

    line: int
    reference: str
    own_sku: str
    barcode: str
    label: str
    prices: tuple[tuple[Decimal, Decimal], ...]
    minimum: Decimal | None
    pack: Decimal | None
    days: int | None
    unit: str = ""
    unit_size: Decimal | None = None

    @property
    def name(self) -> str:
        """What the list calls it."""
        return self.reference or self.own_sku or self.barcode
