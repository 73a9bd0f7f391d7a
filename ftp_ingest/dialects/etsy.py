"""Etsy: the Sold Order Items file, one row an item.

It has neither e-mail nor total: the total is the items' less discounts, plus shipping. The Sold
Orders file has the totals but no items; it is recognised and refused. Both list orders that
were sold on Etsy; one whose `Date Paid` is blank waits for its payment. Sales tax, and VAT that
Etsy collects itself, are Etsy's and no part of the sale.
"""

import re
from collections.abc import Callable, Sequence
from decimal import Decimal

from django.utils.translation import gettext as _

from ftp_ingest.dialects.amounts import line_of_totals
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
from ftp_ingest.dialects.columns import Entry, known_names
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
from sphinx.core.errors import InputError
from sphinx.core.money import CENT, HUNDRED, ZERO, to_cents
from sphinx.core.texts import fold

_ALIASES: dict[str, tuple[str, ...]] = {
    "id": ("Order ID",),
    "date": ("Sale Date",),
    "paid_at": ("Date Paid",),
    "shipped_at": ("Date Shipped",),
    "name": ("Item Name",),
    "variations": ("Variations",),
    "sku": ("SKU",),
    "quantity": ("Quantity",),
    "price": ("Price",),
    "item_total": ("Item Total",),
    "discount": ("Discount Amount",),
    "discount_details": ("Coupon Details",),
    "shipping": ("Order Shipping",),
    "shipping_discount": ("Shipping Discount",),
    "currency": ("Currency",),
    "payment": ("Payment Type",),
    "account": ("Buyer",),
    "ship_name": ("Ship Name",),
    "ship_address1": ("Ship Address1",),
    "ship_address2": ("Ship Address2",),
    "ship_city": ("Ship City",),
    "ship_state": ("Ship State",),
    "ship_postcode": ("Ship Zipcode",),
    "ship_country": ("Ship Country",),
    "transaction": ("Transaction ID",),
    "listing": ("Listing ID",),
}
_NAMES = known_names(_ALIASES)
_ITEMS = tuple(map(fold, ("Sale Date", "Item Name", "Order ID", "Transaction ID")))
_ORDERS = tuple(map(fold, ("Sale Date", "Order ID", "Number of Items", "Order Net")))
_PERCENT = re.compile(r"(\d+(?:[.,]\d+)?)\s*%")


@register
class Etsy(Dialect):
    code = "etsy"
    label = "Etsy"

    def recognise(self, header: Header) -> tuple[str, int]:
        if header.has(*_ITEMS):
            return ORDERS, header.count(_NAMES)
        return (ORDERS, len(_ORDERS) + header.count(_NAMES)) if header.has(*_ORDERS) else ("", 0)

    def check_header(self, header: Header, kind: str) -> None:
        if not header.has(*_ITEMS):
            raise no_lines(
                self.label,
                _(
                    "le fichier « Orders » n'a pas les articles. Téléchargez « Order Items » : "
                    "Boutique › Paramètres › Options › Télécharger les données"
                ),
            )
        require(
            header,
            self.label,
            _ALIASES["quantity"],
            (*_ALIASES["item_total"], *_ALIASES["price"]),
            _ALIASES["shipping"],
        )

    def orders(self, header: Header) -> "EtsyOrders":
        return EtsyOrders(header)

    def customers(self, header: Header) -> CustomerReader:
        raise no_customers(self.label)


class EtsyOrders(TableOrders):
    """Reads orders; months come first."""

    def __init__(self, header: Header) -> None:
        super().__init__(header, _ALIASES, key="id", date="date", content=("name", "quantity"))
        self.date_places = ()

    def key(self, cells: list[str]) -> str:
        return super().key(cells).lstrip("#")

    def draft(self, rows: Sequence[Row]) -> OrderDraft:
        entries = [self._columns.entry(row) for row in rows]
        entry = entries[0]
        number = entry.plain("id").lstrip("#")
        lines = [_line(e) for e in entries if e.raw("quantity").strip() not in ("", "0")]
        if not lines:
            raise no_items(number, entry, "quantity")
        is_paid = not self._columns.has("paid_at") or entry.filled("paid_at")
        goods = to_cents(sum((d.quantity * d.unit_price for d in lines), ZERO))
        discount = _discount(entries, number)
        shipping = _once(entries, "shipping", number) - _once(entries, "shipping_discount", number)
        address = address_of(entry, "ship")
        return OrderDraft(
            external_id=number[:80],
            number=number[:80],
            placed_at=short_moment(entry, "date"),
            state="confirmed" if is_paid else "pending",
            payment_status="paid" if is_paid else "unpaid",
            customer=account_holder(entry, address, Etsy.code),
            lines=tuple(lines),
            total_incl_tax=goods - discount + max(shipping, ZERO),
            billing=address,
            shipping=address,
            currency=currency_of(entry),
            shipping_amount=max(shipping, ZERO),
            discount=discount,
            payment_method=entry.text("payment"),
            paid_at=short_moment(entry, "paid_at") if entry.filled("paid_at") else None,
            line=entry.line,
            is_shipped=entry.filled("shipped_at"),
            shipped_at=short_moment(entry, "shipped_at") if entry.filled("shipped_at") else None,
        )


def _line(entry: Entry) -> LineDraft:
    sku, name, variant = entry.plain("sku"), entry.text("name"), entry.text("variations")
    if not (entry.filled("item_total") or entry.filled("price")):
        raise blank_cell(entry, "price")
    quantity = entry.quantity("quantity")
    price = entry.price("price")
    label = f"{name} ({variant})" if variant else name
    return line_of_totals(
        sku=sku,
        label=label or sku or _("Article"),
        quantity=quantity,
        total=entry.amount("item_total") if entry.filled("item_total") else quantity * price,
        before_discount=ZERO,
        rate=None,
        line=entry.line,
    )


def _contradiction(entry: Entry, field: str, number: str) -> InputError:
    return InputError(
        _(
            "Commande %(number)s, colonne %(column)s : les lignes disent plusieurs montants, celui "
            "de la commande ne peut pas être choisi. Corrigez-les ici."
        )
        % {"number": number, "column": entry.column(field)},
        code="order.contradiction",
        line=entry.line,
        column=entry.column(field),
    )


def _once(entries: Sequence[Entry], field: str, number: str) -> Decimal:
    """An amount of the order: repeated on its rows, or on one of them only (EUR)."""
    amounts = {e.size(field) for e in entries} - {ZERO}
    if len(amounts) > 1:
        raise _contradiction(entries[0], field, number)
    return amounts.pop() if amounts else ZERO


def _discount(entries: Sequence[Entry], number: str) -> Decimal:
    """The order's discount: on one row, or on several, each its own share or the whole.

    Where several rows have one its percentage tells which; else nobody does.
    """
    told = [e for e in entries if e.size("discount")]
    if len(told) < 2:  # noqa: PLR2004 (one row or none)
        return sum((e.size("discount") for e in told), ZERO)
    match = _PERCENT.search(entries[0].raw("discount_details"))
    if match:
        share = Decimal(match[1].replace(",", ".")) / HUNDRED
        whole = sum((_worth(e) for e in entries), ZERO)
        if _all(told, lambda e: abs(e.size("discount") - share * _worth(e)) <= CENT):
            return sum((e.size("discount") for e in told), ZERO)
        if _all(told, lambda e: abs(e.size("discount") - share * whole) <= CENT):
            return told[0].size("discount")
    raise _contradiction(entries[0], "discount", number)


def _all(entries: Sequence[Entry], fits: Callable[[Entry], bool]) -> bool:
    return all(fits(e) for e in entries)


def _worth(entry: Entry) -> Decimal:
    """What a row's pieces cost before any discount."""
    if entry.filled("item_total"):
        return entry.cents("item_total")
    return to_cents(entry.number("quantity") * entry.price("price"))
