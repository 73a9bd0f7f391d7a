"""What a supplier's price list says, before it is compared with what we know."""

from decimal import Decimal
from typing import NamedTuple


class Priced(NamedTuple):
    """One reference of the list; prices are (from quantity, currency units excl. tax a piece)."""

    line: int
    reference: str
    own_sku: str
    barcode: str
    label: str
    prices: tuple[tuple[Decimal, Decimal], ...]
    minimum: Decimal | None
    pack: Decimal | None
    days: int | None

    @property
    def name(self) -> str:
        """What the list calls it."""
        return self.reference or self.own_sku or self.barcode
