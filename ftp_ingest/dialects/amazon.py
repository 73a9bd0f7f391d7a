"""Amazon: the All Orders report and the Order report, tab-separated, one row an item.

No order total: it is the sum of what the buyer paid, items, shipping and gift wrap less
promotions. Each amount is a row's whole, not a piece's. In Europe it includes VAT, and the tax
columns say how much of it is; an account without Amazon's VAT calculation has nothing or 0
there, which states nothing. Elsewhere tax is added and is Amazon's own: it isn't the sale's.
The All Orders report names nobody; the Order report may have the buyer's relayed e-mail.
"""

from collections.abc import Sequence
from decimal import Decimal

from django.utils.translation import gettext as _

from customers.drafts import AddressDraft, CustomerDraft
from ftp_ingest.dialects.amounts import rate_between, rounding, stated
from ftp_ingest.dialects.base import (
    ORDERS,
    CustomerReader,
    Dialect,
    Header,
    Row,
    no_lines,
    register,
)
from ftp_ingest.dialects.columns import Columns, Entry, known_names
from ftp_ingest.dialects.readers import (
    TableOrders,
    blank_cell,
    currency_of,
    key_of_person,
    no_customers,
    no_items,
    read_states,
)
from sales.drafts import FEE, LineDraft, OrderDraft
from sphinx.core.money import ZERO, to_cents
from sphinx.core.texts import fold

_ALIASES: dict[str, tuple[str, ...]] = {
    "id": ("amazon-order-id", "order-id"),
    "date": ("purchase-date",),
    "paid_at": ("payments-date",),
    "status": ("order-status",),
    "item_status": ("item-status",),
    "channel": ("sales-channel",),
    "currency": ("currency",),
    "sku": ("sku",),
    "name": ("product-name", "item-name"),
    "quantity": ("quantity", "quantity-purchased"),
    "price": ("item-price",),
    "tax": ("item-tax",),
    "shipping": ("shipping-price",),
    "shipping_tax": ("shipping-tax",),
    "wrap": ("gift-wrap-price",),
    "wrap_tax": ("gift-wrap-tax",),
    "promotion": ("item-promotion-discount",),
    "ship_promotion": ("ship-promotion-discount",),
    "email": ("buyer-email",),
    "buyer": ("buyer-name",),
    "phone": ("ship-phone-number", "buyer-phone-number"),
    "recipient": ("recipient-name",),
    "address1": ("ship-address-1",),
    "address2": ("ship-address-2",),
    "address3": ("ship-address-3",),
    "city": ("ship-city",),
    "postcode": ("ship-postal-code",),
    "country": ("ship-country",),
    "service": ("ship-service-level",),
    "item_id": ("order-item-id", "asin"),
}
_NAMES = known_names(_ALIASES)
_STATUSES = {
    "pending": ("pending", "unpaid"),
    "unshipped": ("confirmed", "paid"),
    "partially shipped": ("confirmed", "paid"),
    "shipping": ("confirmed", "paid"),
    "shipped": ("confirmed", "paid"),
    "shipped delivered to buyer": ("confirmed", "paid"),
    "shipped picked up": ("confirmed", "paid"),
    "shipped out for delivery": ("confirmed", "paid"),
    "complete": ("confirmed", "paid"),
    "cancelled": ("cancelled", "unpaid"),
    "canceled": ("cancelled", "unpaid"),
}
_LEFT = frozenset(s for s in _STATUSES if s.startswith("shipped")) | {"complete"}
_CANCELLED = ("cancelled", "canceled")
# Whose prices include VAT; a file that doesn't name its site is of a European account.
_EUROPE = frozenset("fr de it es nl be ie se pl uk".split())


@register
class Amazon(Dialect):
    code = "amazon"
    label = "Amazon"

    def recognise(self, header: Header) -> tuple[str, int]:
        columns = Columns(header, _ALIASES)
        keyed = header.has("amazon order id") or header.has("order id", "order item id")
        if keyed and columns.has("date", "sku", "service", "quantity"):
            return ORDERS, header.count(_NAMES)
        return "", 0

    def check_header(self, header: Header, kind: str) -> None:
        if not Columns(header, _ALIASES).has("price"):
            raise no_lines(
                self.label,
                _(
                    "ce rapport n'a pas les prix. Demandez le rapport « Toutes les commandes » "
                    "(All Orders), ou le rapport de commandes avec item-price"
                ),
            )

    def orders(self, header: Header) -> "AmazonOrders":
        return AmazonOrders(header)

    def customers(self, header: Header) -> CustomerReader:
        raise no_customers(self.label)


class AmazonOrders(TableOrders):
    """Reads orders.

    The Order report has no status: it lists orders whose payment Amazon has taken and that are
    to be sent. A blank cell of the All Orders report's status is refused.
    """

    def __init__(self, header: Header) -> None:
        super().__init__(header, _ALIASES, key="id", date="date", content=("sku", "price"))

    def draft(self, rows: Sequence[Row]) -> OrderDraft:
        entries = [self._columns.entry(row) for row in rows]
        entry = entries[0]
        number = entry.plain("id")
        state, payment = ("confirmed", "paid")
        if self._columns.has("status"):
            state, payment = read_states(entry, self.states, _STATUSES)
        entries = _kept(entries, is_cancelled=state == "cancelled")
        lines = [line for e in entries for line in _lines(e, is_cancelled=state == "cancelled")]
        if not lines:
            raise no_items(number, entry, "quantity")
        shipping = sum((e.amount("shipping") - e.size("ship_promotion") for e in entries), ZERO)
        shipping = max(shipping, ZERO)
        tax, is_european = ZERO, _includes_vat(entry)
        if is_european:
            tax = sum(
                (e.cents(f) for e in entries for f in ("tax", "shipping_tax", "wrap_tax")), ZERO
            )
        goods = to_cents(sum((d.quantity * d.unit_price - d.discount for d in lines), ZERO))
        address = _address(entry)
        return OrderDraft(
            external_id=number[:80],
            number=number[:80],
            placed_at=entry.moment("date"),
            state=state,
            payment_status=payment,
            customer=_customer(entry, address),
            lines=tuple(lines),
            total_incl_tax=goods + shipping,
            billing=address,
            shipping=address,
            currency=currency_of(entry),
            shipping_amount=shipping,
            shipping_tax_rate=_shipping_rate(entries) if tax else None,
            # Outside Europe there is no VAT of ours in the price.
            stated_taxes=stated({}, tax) if tax or not is_european else (),
            payment_method="Amazon",
            paid_at=entry.maybe_moment("paid_at"),
            line=entry.line,
            tolerance=rounding(len(lines) + 1) if tax else ZERO,
            is_shipped=self._columns.has("status") and fold(entry.raw("status")) in _LEFT,
        )


def _kept(entries: Sequence[Entry], *, is_cancelled: bool) -> list[Entry]:
    """The items that were sold: of an order that goes on those that aren't cancelled."""
    if is_cancelled:
        return list(entries)
    return [
        e
        for e in entries
        if fold(e.raw("item_status")) not in _CANCELLED and e.raw("quantity").strip() != "0"
    ]


def _lines(entry: Entry, *, is_cancelled: bool) -> list[LineDraft]:
    """An item, and its gift wrap. Amazon empties the amounts of what is cancelled."""
    if not entry.filled("price") and not is_cancelled:
        raise blank_cell(entry, "price")
    sku, name = entry.plain("sku"), entry.text("name")
    price, promotion = entry.amount("price"), entry.size("promotion")
    quantity = max(entry.number("quantity"), Decimal(1)) if is_cancelled else None
    is_taxed = _includes_vat(entry)
    pieces = quantity or entry.quantity("quantity")
    item = LineDraft(
        sku=sku[:80],
        label=(name or sku or _("Article"))[:200],
        quantity=pieces,
        unit_price=price / pieces,
        tax_rate=_rate(price - promotion, entry.cents("tax")) if is_taxed else None,
        discount=promotion,
        line=entry.line,
    )
    if is_cancelled and not price:
        item = item._replace(tax_rate=ZERO)
    wrap = entry.amount("wrap")
    if not wrap:
        return [item]
    rate = _rate(wrap, entry.cents("wrap_tax")) if is_taxed else None
    label = _("Emballage cadeau")
    return [item, LineDraft("", label, Decimal(1), wrap, rate, line=entry.line, kind=FEE)]


def _rate(gross: Decimal, tax: Decimal) -> Decimal | None:
    """The rate of an amount by the tax in it; None where none is stated."""
    return rate_between(gross - tax, tax) if tax else None


def _shipping_rate(entries: Sequence[Entry]) -> Decimal | None:
    gross = sum((e.amount("shipping") - e.size("ship_promotion") for e in entries), ZERO)
    return _rate(gross, sum((e.cents("shipping_tax") for e in entries), ZERO))


def _includes_vat(entry: Entry) -> bool:
    """True for a sale of a European site, whose amounts include VAT."""
    site = entry.text("channel").lower()
    return "amazon." not in site or site.rpartition(".")[2] in _EUROPE


def _address(entry: Entry) -> AddressDraft:
    second = ", ".join(filter(None, (entry.text("address2"), entry.text("address3"))))
    return AddressDraft(
        name=entry.text("recipient") or entry.text("buyer"),
        address1=entry.text("address1"),
        address2=second,
        postcode=entry.plain("postcode"),
        city=entry.text("city"),
        country=entry.country("country"),
        phone=entry.plain("phone"),
    )


def _customer(entry: Entry, address: AddressDraft) -> CustomerDraft:
    """Who bought; where the report names nobody each order has a buyer of its own."""
    name = entry.text("buyer") or address.name
    first, _space, last = name.partition(" ")
    email = entry.text("email")
    return CustomerDraft(
        ref="" if email else key_of_person(address) or f"amazon:{entry.plain('id')}"[:80],
        email=email,
        first_name=first,
        last_name=last,
        phone=address.phone,
        address=address,
        line=entry.line,
    )
