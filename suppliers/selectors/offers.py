"""Who sells a product, at what price."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from inventory.models import Product
from sphinx.core import clock
from sphinx.core.exchange import indicative_units
from sphinx.core.money import to_unit_price
from suppliers.calendars import OPEN, Calendar
from suppliers.models import SupplierPrice, SupplierProduct


class Offer(NamedTuple):
    """A product as its chosen supplier sells it; prices are (from quantity, excl. tax in the
    supplier's currency), `units` how many of that one euro is worth, None when nobody knows."""

    item: SupplierProduct
    prices: tuple[tuple[Decimal, Decimal], ...]
    units: Decimal | None = Decimal(1)

    @property
    def prices_eur(self) -> tuple[tuple[Decimal, Decimal], ...]:
        """The prices in euros, to compare suppliers; no order is written with them."""
        if self.units is None or self.units == 1:
            return self.prices
        return tuple((start, to_unit_price(price / self.units)) for start, price in self.prices)

    @property
    def lead_time_days(self) -> int:
        """Days from order to goods: the product's own, else the supplier's."""
        own = self.item.lead_time_days
        return self.item.supplier.lead_time_days if own is None else own

    def arrives_on(self, on: date, calendars: Mapping[int, Calendar]) -> date:
        """The day on which goods ordered on that day would be here, by suppliers' calendars."""
        calendar = calendars.get(self.item.supplier_id, OPEN)
        return calendar.arrives(on, self.lead_time_days)

    def unit_price(self, quantity: Decimal) -> Decimal:
        """Excl. tax a piece, in the supplier's currency, when `quantity` pieces are bought."""
        reached = [price for start, price in self.prices if start <= quantity]
        return reached[-1] if reached else self.prices[0][1] if self.prices else Decimal(0)


def unit_scanned(code: str, supplier_id: int) -> Product | None:
    """The article whose box bears a barcode at a supplier; None when none does."""
    wanted = code.strip()
    if not wanted:
        return None
    item = (
        SupplierProduct.objects.filter(supplier=supplier_id, unit_barcode=wanted)
        .select_related("product")
        .first()
    )
    return item.product if item else None


def offers_of(product_ids: Iterable[int], *, on: date | None = None) -> dict[int, list[Offer]]:
    """Offers to choose from for each product: the preferred ones alone where there are.

    One in a currency of which no rate is known compares with nothing and is left out.
    """
    found: dict[int, list[Offer]] = {}
    for product_id, offers in all_offers(product_ids, on=on).items():
        known = [o for o in offers if o.units is not None]
        if known:
            found[product_id] = [o for o in known if o.item.is_preferred] or known
    return found


def all_offers(product_ids: Iterable[int], *, on: date | None = None) -> dict[int, list[Offer]]:
    """All offers of active suppliers for each product, at the rates of a day (today's)."""
    items = list(
        SupplierProduct.objects.filter(product_id__in=list(product_ids), supplier__is_active=True)
        .select_related("supplier", "product")
        .order_by("pk")
    )
    prices: dict[int, list[SupplierPrice]] = {}
    for price in SupplierPrice.objects.filter(item__in=items).order_by("from_quantity"):
        prices.setdefault(price.item_id, []).append(price)
    currencies = {price.currency for given in prices.values() for price in given}
    units = indicative_units(
        currencies | {item.supplier.currency for item in items}, on or clock.today()
    )
    found: dict[int, list[Offer]] = {}
    for item in items:
        currency = item.supplier.currency
        tiers = tuple(
            (price.from_quantity, known)
            for price in prices.get(item.pk, ())
            if (known := _in_currency(price, currency, units)) is not None
        )
        found.setdefault(item.product_id, []).append(Offer(item, tiers, units.get(currency)))
    return found


def _in_currency(
    price: SupplierPrice, currency: str, units: Mapping[str, Decimal]
) -> Decimal | None:
    """A price in the supplier's currency: given in the one before, at the rates of the day."""
    if price.currency == currency:
        return price.unit_price_excl_tax
    if price.currency not in units or currency not in units:
        return None
    return to_unit_price(price.unit_price_excl_tax / units[price.currency] * units[currency])
