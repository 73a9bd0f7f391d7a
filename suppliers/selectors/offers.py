"""Who sells a product, at what price."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from inventory.models import Product
from suppliers.calendars import OPEN, Calendar
from suppliers.models import SupplierPrice, SupplierProduct


class Offer(NamedTuple):
    """A product as its chosen supplier sells it; prices are (from quantity, EUR excl. tax)."""

    item: SupplierProduct
    prices: tuple[tuple[Decimal, Decimal], ...]

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
        """EUR excl. tax a piece when `quantity` pieces are bought."""
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


def offers_of(product_ids: Iterable[int]) -> dict[int, list[Offer]]:
    """Offers to choose from for each product: the preferred ones alone where there are."""
    return {
        product_id: [o for o in offers if o.item.is_preferred] or offers
        for product_id, offers in all_offers(product_ids).items()
    }


def all_offers(product_ids: Iterable[int]) -> dict[int, list[Offer]]:
    """All offers of active suppliers for each product."""
    items = list(
        SupplierProduct.objects.filter(product_id__in=list(product_ids), supplier__is_active=True)
        .select_related("supplier", "product")
        .order_by("pk")
    )
    prices: dict[int, list[tuple[Decimal, Decimal]]] = {}
    for price in SupplierPrice.objects.filter(item__in=items).order_by("from_quantity"):
        prices.setdefault(price.item_id, []).append(
            (price.from_quantity, price.unit_price_excl_tax)
        )
    found: dict[int, list[Offer]] = {}
    for item in items:
        found.setdefault(item.product_id, []).append(Offer(item, tuple(prices.get(item.pk, ()))))
    return found
