"""How much to buy, and why: pure arithmetic, every figure kept for the reader.

Two ways so far, told by the product's supply mode:
- stocked: when available + incoming − waiting demand is at or under the minimum, buy up to
  the maximum ((s, S) policy; Silver, Pyke & Thomas, Inventory and Production Management);
- just in time: buy what customers wait for and nothing else.
Then the supplier's minimum quantity and pack size round the quantity up.
"""

from decimal import ROUND_CEILING, Decimal
from typing import NamedTuple

from inventory.models import Product, ReorderRule, StockPosition
from sphinx.core.money import plain
from suppliers.selectors import Offer

ZERO = Decimal(0)


class Purchase(NamedTuple):
    """A quantity to buy (pieces), its price (EUR excl. tax a piece), its reason."""

    quantity: Decimal
    unit_price: Decimal
    reason: dict[str, str]


def needed_quantity(
    position: StockPosition, rule: ReorderRule | None, product: Product
) -> tuple[Decimal, str]:
    """Pieces to buy before any rounding, and the code of the policy that says so."""
    forecast = position.available + position.incoming - position.backordered
    if product.supply_mode == Product.SupplyMode.JUST_IN_TIME:
        return max(-forecast, ZERO), "just_in_time"
    if rule is not None:
        due = forecast <= rule.minimum and forecast < rule.maximum
        return (rule.maximum - forecast if due else ZERO), "minimum_maximum"
    return max(-forecast, ZERO), "backorders"


def plan_purchase(
    position: StockPosition, rule: ReorderRule | None, product: Product, offer: Offer | None
) -> Purchase | None:
    """What to buy of a product; None when nothing is needed."""
    raw, policy = needed_quantity(position, rule, product)
    if raw <= 0:
        return None
    minimum = offer.item.minimum_quantity if offer else Decimal(1)
    pack = offer.item.pack_size if offer else Decimal(1)
    wanted = max(raw, minimum)
    packs = (wanted / pack).to_integral_value(rounding=ROUND_CEILING)
    quantity = packs * pack
    price = offer.unit_price(quantity) if offer else ZERO
    reason = {
        "policy": policy,
        "on_hand": plain(position.on_hand),
        "reserved": plain(position.reserved),
        "available": plain(position.available),
        "incoming": plain(position.incoming),
        "backordered": plain(position.backordered),
        "forecast": plain(position.available + position.incoming - position.backordered),
        "reorder_minimum": plain(rule.minimum) if rule else "",
        "reorder_maximum": plain(rule.maximum) if rule else "",
        "needed": plain(raw),
        "supplier_minimum": plain(minimum),
        "pack_size": plain(pack),
        "packs": plain(packs),
        "lead_time_days": str(offer.lead_time_days) if offer else "",
        "unit_price": plain(price),
    }
    return Purchase(quantity, price, reason)
