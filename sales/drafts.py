"""What an order looks like at the door: typed, cleaned, not yet priced or compared.

Dialects, browser forms and any later API all come in through these.
"""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from customers.drafts import AddressDraft, CustomerDraft
from inventory.article_keys import article_key
from sphinx.core.texts import sku_key

GOODS, FEE, TIP, GIFT_CARD, DUTIES = "goods", "fee", "tip", "gift_card", "duties"


class LineDraft(NamedTuple):
    """One line; `unit_price` and `discount` incl. or excl. tax as the order says.

    `discount` is the line's whole discount (EUR), `tax_rate` percent or None when the file
    doesn't say, `line` the line of the file. `kind` is goods unless it is a fee, a tip, a gift
    card sold or duties charged on. `product_key` is the shop's own key of the article, blank
    where the file has none.

    What the shop already did: `shipped` pieces that left (None where it doesn't say), pieces that
    it `cancelled` or `refunded`, those of the refunded that had left and were `returned`, and
    `refunded_amount` (incl. tax, None where it doesn't say).
    """

    sku: str
    label: str
    quantity: Decimal
    unit_price: Decimal
    tax_rate: Decimal | None = None
    discount: Decimal = Decimal(0)
    line: int = 0
    kind: str = GOODS
    product_key: str = ""
    shipped: Decimal | None = None
    cancelled: Decimal = Decimal(0)
    refunded: Decimal = Decimal(0)
    returned: Decimal = Decimal(0)
    refunded_amount: Decimal | None = None

    @property
    def article_key(self) -> str:
        """What names its article: its SKU, else how the shop knows it; blank for no goods."""
        if self.sku:
            return sku_key(self.sku)
        return article_key(self.product_key, self.label) if self.kind == GOODS else ""


class StatedTax(NamedTuple):
    """VAT as the shop states it for the whole order (EUR); `rate` None when it names none."""

    rate: Decimal | None
    amount: Decimal


class OrderDraft(NamedTuple):
    """One order of a shop. `state` is pending, confirmed or cancelled.

    `prices_include_tax` says how line prices and line discounts are given,
    `charges_include_tax` the same for shipping and the order's discount; `total_incl_tax` is
    what the customer was charged and is never changed. `tolerance` is how far (EUR) the lines
    may be from it because the shop itself rounds: the total rules. `raw_hash` stands for the rows
    it was read from and the way they were read; blank when it came another way. `currency` is
    blank where the file names none: it is the shop's.

    `is_shipped`: all that is still wanted has left, says the shop; on `shipped_at` (None where it
    doesn't say), with `carrier` and `tracking_number`. `shipping_refunded` is the part of
    `refunded` that was given back on shipping.
    """

    external_id: str
    number: str
    placed_at: datetime
    state: str
    payment_status: str
    customer: CustomerDraft
    lines: tuple[LineDraft, ...]
    total_incl_tax: Decimal
    billing: AddressDraft = AddressDraft()
    shipping: AddressDraft = AddressDraft()
    currency: str = "EUR"
    prices_include_tax: bool = True
    charges_include_tax: bool = True
    shipping_amount: Decimal = Decimal(0)
    shipping_tax_rate: Decimal | None = None
    discount: Decimal = Decimal(0)
    refunded: Decimal = Decimal(0)
    stated_taxes: tuple[StatedTax, ...] = ()
    payment_method: str = ""
    paid_at: datetime | None = None
    cancelled_at: datetime | None = None
    note: str = ""
    line: int = 0
    tolerance: Decimal = Decimal(0)
    raw_hash: str = ""
    changed_at: datetime | None = None
    shares_number: bool = False
    is_shipped: bool = False
    shipped_at: datetime | None = None
    carrier: str = ""
    tracking_number: str = ""
    shipping_refunded: Decimal = Decimal(0)
