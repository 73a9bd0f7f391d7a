"""A price list beside what we know of the supplier: what would change, and how much."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import Prefetch, Q

from inventory.models import Product, ProductAlias
from sphinx.core.money import HUNDRED
from sphinx.core.texts import sku_key
from suppliers.drafts import Priced
from suppliers.models import Supplier, SupplierPrice, SupplierProduct
from suppliers.units import PIECE, Unit, is_box

Tiers = tuple[tuple[Decimal, Decimal], ...]
# A price that moves by more is probably a slip: a comma, a price for a hundred.
STRANGE = Decimal(50)


class Change(NamedTuple):
    """One article of the list; `item` is None when the supplier didn't sell it yet."""

    priced: Priced
    product: Product
    item: SupplierProduct | None
    before: Tiers
    after: Tiers
    # Field → (before, after), of the conditions that the list gives.
    conditions: dict[str, tuple[Any, Any]]

    @property
    def percent(self) -> Decimal | None:
        """How the price for the least quantity moves; None when there was none."""
        if not self.before or not self.before[0][1]:
            return None
        old, new = self.before[0][1], self.after[0][1]
        return ((new - old) / old * HUNDRED).quantize(Decimal("0.1"), rounding="ROUND_HALF_UP")

    @property
    def kind(self) -> str:
        """new, up, down, other (price breaks or conditions) or same."""
        if self.item is None:
            return "new"
        if not self.before or self.after[0][1] > self.before[0][1]:
            return "up"
        if self.after[0][1] < self.before[0][1]:
            return "down"
        return "other" if self.conditions or self.before != self.after else "same"

    @property
    def is_strange(self) -> bool:
        """Worth a look before it is taken."""
        return self.percent is not None and abs(self.percent) >= STRANGE


@dataclass
class Comparison:
    """What a list would change; `unknown` we don't sell, `missing` it no longer names; `unsized`
    are priced by a box of nobody says how many pieces."""

    changes: list[Change] = field(default_factory=list)
    unsized: list[Priced] = field(default_factory=list)
    unknown: list[Priced] = field(default_factory=list)
    missing: list[SupplierProduct] = field(default_factory=list)

    def count(self, kind: str) -> int:
        """Articles of a kind of change."""
        return sum(change.kind == kind for change in self.changes)

    def average(self) -> Decimal | None:
        """Mean move of the prices known before, in percent."""
        moves = [c.percent for c in self.changes if c.percent is not None]
        if not moves:
            return None
        mean = sum(moves, Decimal(0)) / len(moves)
        return mean.quantize(Decimal("0.1"), rounding="ROUND_HALF_UP")


class _Known:
    """The supplier's articles by every name that a list may use."""

    def __init__(self, supplier: Supplier, items: Sequence[Priced], currency: str) -> None:
        self.items = list(
            SupplierProduct.objects.filter(supplier=supplier)
            .select_related("product")
            .prefetch_related(
                Prefetch(
                    "prices",
                    # A price in the currency before compares with nothing.
                    SupplierPrice.objects.filter(currency=currency).order_by("from_quantity"),
                )
            )
            .order_by("pk")
        )
        self.by_product = {item.product_id: item for item in self.items}
        self._by_reference = {sku_key(i.supplier_sku): i for i in self.items if i.supplier_sku}
        # The supplier may use our reference where we wrote down none of its own.
        self._by_own = {i.product.sku_key: i for i in self.items if not i.supplier_sku}
        keys = {sku_key(i.own_sku) for i in items if i.own_sku}
        codes = {i.barcode for i in items if i.barcode}
        found = list(Product.objects.filter(Q(sku_key__in=keys) | Q(barcode__in=codes)))
        aliases = ProductAlias.objects.filter(sku_key__in=keys).select_related("product")
        self._products = {alias.sku_key: alias.product for alias in aliases}
        self._products |= {product.sku_key: product for product in found}
        self._by_barcode = {product.barcode: product for product in found if product.barcode}

    def find(self, priced: Priced) -> tuple[Product, SupplierProduct | None] | None:
        """By the supplier's reference, else by ours, else by barcode."""
        reference = sku_key(priced.reference)
        item = self._by_reference.get(reference) or self._by_own.get(reference)
        if item is not None:
            return item.product, item
        product = self._products.get(sku_key(priced.own_sku)) or self._by_barcode.get(
            priced.barcode
        )
        return (product, self.by_product.get(product.pk)) if product else None


def compare(supplier: Supplier, items: Sequence[Priced], currency: str) -> Comparison:
    """What the list, in a currency, would change; six queries, whatever its length."""
    known = _Known(supplier, items, currency)
    result = Comparison()
    seen: set[int] = set()
    for priced in items:
        match = known.find(priced)
        if match is None:
            result.unknown.append(priced)
        elif match[0].pk not in seen:
            seen.add(match[0].pk)
            if _unit(priced, match[1]) is None:
                result.unsized.append(priced)
            else:
                result.changes.append(_change(priced, *match))
    result.missing = [item for item in known.items if item.product_id not in seen]
    return result


def _unit(priced: Priced, item: SupplierProduct | None) -> Unit | None:
    """What the list's figures are in: what it says, else what is known; None for a box of nobody
    says how many pieces."""
    known = item.unit if item is not None else PIECE
    if priced.unit_size is not None:
        return Unit(priced.unit, priced.unit_size)
    if known.is_piece and is_box(priced.unit):
        return None
    return Unit(priced.unit, known.pieces)


def _change(priced: Priced, product: Product, item: SupplierProduct | None) -> Change:
    unit = _unit(priced, item) or PIECE
    before: Tiers = ()
    if item is not None:
        before = tuple((p.from_quantity, p.unit_price_excl_tax) for p in item.prices.all())
    given = {
        "supplier_sku": priced.reference or None,
        "minimum_quantity": None if priced.minimum is None else unit.in_pieces(priced.minimum),
        "pack_size": None if priced.pack is None else unit.in_pieces(priced.pack),
        "lead_time_days": priced.days,
    }
    # A price by so many pieces says nothing of what is sold.
    if not unit.is_piece:
        given |= {"unit_name": priced.unit or None, "unit_size": unit.pieces}
    conditions = {
        name: (getattr(item, name, None), value)
        for name, value in given.items()
        if value is not None and getattr(item, name, None) != value
    }
    after = tuple(
        (unit.in_pieces(start), unit.piece_price(price)) for start, price in priced.prices
    )
    return Change(priced, product, item, before, after, conditions)
