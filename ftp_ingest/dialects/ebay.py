"""eBay: the orders report of Seller Hub, below a few lines of its own.

One row an item. An order of several items has a row of its own first, with its totals and
without an item. There is no status: an order whose `Paid On Date` is blank waits for its
payment. Tax that eBay collects itself is eBay's and no part of the sale.
"""

import re
from collections.abc import Sequence
from decimal import Decimal

from django.utils.translation import gettext as _

from customers.drafts import AddressDraft
from ftp_ingest.dialects.amounts import stated
from ftp_ingest.dialects.base import (
    ORDERS,
    CustomerReader,
    Dialect,
    Header,
    Row,
    no_lines,
    register,
    require,
)
from ftp_ingest.dialects.columns import Columns, Entry, known_names
from ftp_ingest.dialects.readers import (
    TableOrders,
    account_holder,
    address_of,
    blank_cell,
    currency_of,
    no_customers,
    no_items,
    short_moment,
)
from sales.drafts import LineDraft, OrderDraft
from sales.errors import TotalMismatch
from sphinx.core.money import ZERO, to_cents
from sphinx.core.texts import said

_ADDRESS: dict[str, tuple[str, ...]] = {
    "name": ("Name",),
    "phone": ("Phone",),
    "address1": ("Address 1",),
    "address2": ("Address 2",),
    "city": ("City",),
    "postcode": ("Zip", "Postcode"),
    "country": ("Country",),
}
_ALIASES: dict[str, tuple[str, ...]] = {
    "record": ("Sales Record Number",),
    "number": ("Order Number",),
    "account": ("Buyer Username",),
    "email": ("Buyer Email",),
    "note": ("Buyer Note",),
    # Delivery, as the American and the British site call it.
    **{
        f"{use}_{field}": tuple(f"{title} {name}" for title in titles for name in names)
        for use, titles in (("buyer", ("Buyer",)), ("to", ("Ship To", "Post to")))
        for field, names in _ADDRESS.items()
    },
    "item": ("Item Number",),
    "title": ("Item Title",),
    "variation": ("Variation Details",),
    "sku": ("Custom Label",),
    "quantity": ("Quantity",),
    "price": ("Sold For",),
    "shipping": ("Shipping And Handling", "Postage and packaging"),
    "shipped_at": ("Shipped On Date",),
    "tracking_number": ("Tracking Number",),
    "seller_tax": ("Seller Collected Tax",),
    "ebay_tax": ("eBay Collected Tax",),
    "ebay_tax_included": ("eBay Collected Tax Included in Total",),
    "total": ("Total Price",),
    "currency": ("Currency",),
    "payment": ("Payment Method",),
    "date": ("Sale Date",),
    "paid_at": ("Paid On Date",),
}
_NAMES = known_names(_ALIASES)
# The report's last lines.
_END = re.compile(r"\d* ?record\(s\) downloaded.*|seller id ?:.*", re.IGNORECASE)
_SIGNS = (
    ("AU $", "AUD"),
    ("C $", "CAD"),
    ("US $", "USD"),
    ("$", "USD"),
    ("£", "GBP"),
    ("€", "EUR"),
    ("EUR", "EUR"),
    ("GBP", "GBP"),
    ("USD", "USD"),
)


@register
class Ebay(Dialect):
    code = "ebay"
    label = "eBay"

    def recognise(self, header: Header) -> tuple[str, int]:
        columns = Columns(header, _ALIASES)
        if columns.has("number", "account") and (columns.has("item") or columns.has("to_name")):
            return ORDERS, header.count(_NAMES)
        return "", 0

    def check_header(self, header: Header, kind: str) -> None:
        if not Columns(header, _ALIASES).has("quantity", "price"):
            raise no_lines(self.label, _("téléchargez le rapport de commandes complet"))
        require(
            header,
            self.label,
            _ALIASES["title"],
            _ALIASES["total"],
            _ALIASES["date"],
            _ALIASES["paid_at"],
        )

    def orders(self, header: Header) -> "EbayOrders":
        return EbayOrders(header)

    def customers(self, header: Header) -> CustomerReader:
        raise no_customers(self.label)


class EbayOrders(TableOrders):
    """Reads orders; dates are Jul-21-25."""

    def __init__(self, header: Header) -> None:
        super().__init__(header, _ALIASES, key="number", date="date", content=("title", "total"))
        self._record = self._columns.place["record"]
        self.date_places = ()
        # A row of several articles begins an order too: totals are looked for row by row.
        self.first_row = ()

    def key(self, cells: list[str]) -> str:
        """The order's number, the record's where the report leaves it blank."""
        return super().key(cells) or cells[self._record].strip()

    def is_total(self, cells: list[str]) -> bool:
        return any(_END.fullmatch(cell.strip()) for cell in cells[:2])

    def draft(self, rows: Sequence[Row]) -> OrderDraft:
        entries = [self._columns.entry(row) for row in rows]
        entry = entries[0]
        number = entry.plain("number") or entry.plain("record")
        items = [e for e in entries if e.filled("title") or e.filled("item")]
        if not items:
            raise no_items(number, entry, "title")
        whole = [e for e in entries if e not in items] or items
        lines, total, shipping, tax = _add_up(number, items, whole)
        is_paid = entry.filled("paid_at")
        delivery, billing = _address(entry, "to"), _address(entry, "buyer")
        delivery = delivery if delivery.address1 or delivery.city else billing
        billing = billing if billing.address1 or billing.city else delivery
        return OrderDraft(
            external_id=number[:80],
            number=number[:80],
            placed_at=short_moment(entry, "date"),
            state="confirmed" if is_paid else "pending",
            payment_status="paid" if is_paid else "unpaid",
            customer=account_holder(entry, billing, Ebay.code),
            lines=tuple(lines),
            total_incl_tax=total,
            billing=billing,
            shipping=delivery,
            currency=_currency(whole[0]),
            prices_include_tax=not tax,
            charges_include_tax=not tax,
            shipping_amount=shipping,
            stated_taxes=stated({}, tax) if tax else (),
            payment_method=entry.text("payment"),
            paid_at=short_moment(entry, "paid_at") if is_paid else None,
            note=entry.text("note"),
            line=entry.line,
            is_shipped=entry.filled("shipped_at"),
            shipped_at=short_moment(entry, "shipped_at") if entry.filled("shipped_at") else None,
            tracking_number=entry.plain("tracking_number"),
        )


def _add_up(
    number: str, items: Sequence[Entry], whole: Sequence[Entry]
) -> tuple[list[LineDraft], Decimal, Decimal, Decimal]:
    """Lines, total, shipping and the seller's own tax where it is added: by what makes the total.

    `Sold For` is a piece's price or the row's.

    Raises:
        InputError: a row has no total.
        TotalMismatch: nothing makes the total.
    """
    if blank := next((e for e in whole if not e.filled("total")), None):
        raise blank_cell(blank, "total")
    total = sum((e.cents("total") - _collected(e) for e in whole), ZERO)
    shipping = sum((e.amount("shipping") for e in whole), ZERO)
    tax = sum((e.cents("seller_tax") for e in whole), ZERO)
    for is_unit in (True, False):
        lines = [_line(e, is_unit=is_unit) for e in items]
        goods = to_cents(sum((d.quantity * d.unit_price for d in lines), ZERO))
        for added in dict.fromkeys((ZERO, tax)):
            if goods + shipping + added == total:
                return lines, total, shipping, added
    raise TotalMismatch(
        _(
            "Commande %(number)s : articles, port %(shipping)s et taxes %(tax)s ne font pas le "
            "total %(total)s."
        )
        % said({"number": number, "shipping": shipping, "tax": tax, "total": total}),
        line=items[0].line,
        column=items[0].column("total"),
    )


def _collected(entry: Entry) -> Decimal:
    """Tax that eBay collects itself, where the row's total includes it."""
    return entry.size("ebay_tax") if entry.yes("ebay_tax_included") else ZERO


def _line(entry: Entry, *, is_unit: bool) -> LineDraft:
    if not entry.filled("price"):
        raise blank_cell(entry, "price")
    sku, title, variation = entry.plain("sku"), entry.text("title"), entry.text("variation")
    quantity, price = entry.quantity("quantity"), entry.price("price")
    label = f"{title} ({variation})" if variation else title
    return LineDraft(
        sku=sku[:80],
        label=(label or sku or _("Article"))[:200],
        quantity=quantity,
        unit_price=price if is_unit else price / quantity,
        line=entry.line,
    )


def _currency(entry: Entry) -> str:
    """The currency by its sign: the report usually has no column for it."""
    text = entry.text("total").upper()
    return next((code for sign, code in _SIGNS if sign in text), currency_of(entry))


def _address(entry: Entry, use: str) -> AddressDraft:
    """An address; both have the one name and phone where the report has no other."""
    found = address_of(entry, use)
    name, phone = found.name or entry.text("buyer_name"), entry.plain("to_phone")
    return found._replace(name=name, phone=phone)
