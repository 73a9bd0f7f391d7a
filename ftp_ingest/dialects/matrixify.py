"""Matrixify (a Shopify app): its Orders and Customers sheets saved as CSV.

One order over several rows, each of a `Line: Type` of its own: articles, discounts, shipping,
refunds, transactions, fulfilments. The order's own columns stand on its first row; `ID` and
`Name` on every one. Rates are fractions (0.2).
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext as _

from customers.drafts import AddressDraft, CustomerDraft
from ftp_ingest.dialects.amounts import rounding, sorted_out, stated
from ftp_ingest.dialects.base import (
    CUSTOMERS,
    ORDERS,
    Dialect,
    Header,
    Row,
    StockFormat,
    no_customer_key,
    no_lines,
    register,
    require,
)
from ftp_ingest.dialects.columns import Columns, Entry, known_names
from ftp_ingest.dialects.readers import (
    TableOrders,
    address_of,
    blank_cell,
    currency_of,
    no_items,
    payment_references,
    person,
    read_states,
)
from ftp_ingest.dialects.shipments import Shipment, ShipmentFormat
from ftp_ingest.dialects.states import after_refund
from sales.drafts import GIFT_CARD, LineDraft, OrderDraft
from sales.errors import TotalMismatch
from sphinx.core.money import HUNDRED, ZERO, plain, to_cents
from sphinx.core.texts import fold, said

_ADDRESS = {
    "first_name": "First Name",
    "last_name": "Last Name",
    "name": "Name",
    "company": "Company",
    "phone": "Phone",
    "address1": "Address 1",
    "address2": "Address 2",
    "postcode": "Zip",
    "city": "City",
    "country": "Country Code",
    "country_name": "Country",
}
_ALIASES: dict[str, tuple[str, ...]] = {
    "id": ("ID",),
    "name": ("Name",),
    "created_at": ("Created At", "Processed At"),
    "cancelled_at": ("Cancelled At",),
    "currency": ("Currency",),
    "status": ("Payment: Status",),
    "fulfilment": ("Order Fulfillment Status",),
    "fulfilled_at": ("Fulfillment: Processed At", "Fulfillment: Created At"),
    "carrier": ("Fulfillment: Tracking Company",),
    "tracking": ("Fulfillment: Tracking Number",),
    "line_id": ("Line: ID",),
    "total": ("Price: Total",),
    "total_shipping": ("Price: Total Shipping",),
    "total_refund": ("Price: Total Refund",),
    "tax": ("Tax: Total",),
    "tax_included": ("Tax: Included",),
    "note": ("Note",),
    "email": ("Email", "Customer: Email"),
    "customer_id": ("Customer: ID",),
    "customer_first_name": ("Customer: First Name",),
    "customer_last_name": ("Customer: Last Name",),
    "phone": ("Phone", "Customer: Phone"),
    "type": ("Line: Type",),
    "sku": ("Line: SKU", "Line: Variant SKU"),
    "title": ("Line: Title", "Line: Name"),
    "variant": ("Line: Variant Title",),
    "variant_id": ("Line: Variant ID",),
    "quantity": ("Line: Quantity",),
    "price": ("Line: Price",),
    "line_discount": ("Line: Discount",),
    "line_total": ("Line: Total",),
    "gift_card": ("Line: Gift Card",),
    "taxable": ("Line: Taxable",),
    "transaction_kind": ("Transaction: Kind",),
    "transaction_status": ("Transaction: Status",),
    "transaction_amount": ("Transaction: Amount",),
    "transaction_at": ("Transaction: Processed At",),
    "gateway": ("Transaction: Gateway",),
    "transaction_id": ("Transaction: ID",),
    "authorization": ("Transaction: Authorization",),
    **{f"line_rate_{n}": (f"Line: Tax {n} Rate",) for n in (1, 2, 3)},
    **{f"line_tax_{n}": (f"Line: Tax {n} Price",) for n in (1, 2, 3)},
    **{f"rate_{n}": (f"Tax {n}: Rate",) for n in (1, 2, 3)},
    **{f"tax_{n}": (f"Tax {n}: Price",) for n in (1, 2, 3)},
    **{
        f"{use}_{field}": (f"{use.title()}: {name}",)
        for use in ("billing", "shipping")
        for field, name in _ADDRESS.items()
    },
}
_NAMES = known_names(_ALIASES)
_SIGNATURE = tuple(map(fold, ("Line: Type", "Line: Quantity", "Line: Price")))
_ITEM, _SHIPPING, _DISCOUNT, _TRANSACTION = "line item", "shipping line", "discount", "transaction"
_REFUND, _FULFILMENT = "refund line", "fulfillment line"
_PAYMENTS = {
    "paid": ("confirmed", "paid"),
    "pending": ("pending", "unpaid"),
    "authorized": ("pending", "unpaid"),
    "partially paid": ("pending", "unpaid"),
    "unpaid": ("pending", "unpaid"),
    "expired": ("pending", "unpaid"),
    "partially refunded": ("confirmed", "partially_refunded"),
    "refunded": ("confirmed", "refunded"),
    "voided": ("cancelled", "unpaid"),
}


def _fulfilment_rows(shipment: Shipment) -> Iterator[Sequence[str]]:
    key = shipment.order_key
    for sku, quantity in shipment.pieces:
        yield (
            key if key.isdecimal() else "",
            shipment.order_number,
            "UPDATE",
            "Fulfillment Line",
            sku,
            plain(quantity),
            "success",
            f"{shipment.shipped_at:%Y-%m-%d %H:%M:%S %z}",
            shipment.carrier,
            shipment.tracking_number,
            shipment.tracking_url,
            "TRUE" if shipment.shop_tells else "FALSE",
        )


# Rows of the sheet Orders that fulfil orders which are there; Shopify itself imports none.
FULFILMENTS = ShipmentFormat(
    ",",
    (
        "ID",
        "Name",
        "Command",
        "Line: Type",
        "Line: SKU",
        "Line: Quantity",
        "Fulfillment: Status",
        "Fulfillment: Processed At",
        "Fulfillment: Tracking Company",
        "Fulfillment: Tracking Number",
        "Fulfillment: Tracking URL",
        "Fulfillment: Send Receipt",
    ),
    _fulfilment_rows,
)


@register
class Matrixify(Dialect):
    code = "matrixify"
    label = "Matrixify (Shopify)"
    stock_format = StockFormat(",", "Variant SKU", "Variant Inventory Qty")
    shipment_format = FULFILMENTS

    def recognise(self, header: Header) -> tuple[str, int]:
        if header.has(*_SIGNATURE) or header.has("line type", "price total"):
            # More than any other reading of its columns.
            return ORDERS, header.count(_NAMES) + len(_SIGNATURE)
        return (CUSTOMERS, strength) if (strength := _customers_strength(header)) else ("", 0)

    def check_header(self, header: Header, kind: str) -> None:
        if kind != ORDERS:
            return
        if not Columns(header, _ALIASES).has("quantity", "price"):
            raise no_lines(self.label, _("dans l'export Orders, cochez aussi « Line Items »"))
        require(
            header,
            self.label,
            _ALIASES["name"],
            _ALIASES["created_at"],
            _ALIASES["status"],
            _ALIASES["total"],
        )

    def orders(self, header: Header) -> "MatrixifyOrders":
        return MatrixifyOrders(header)

    def customers(self, header: Header) -> "MatrixifyCustomers":
        return MatrixifyCustomers(header)


class MatrixifyOrders(TableOrders):
    """Reads orders; the key is Shopify's `ID`, as in Shopify's own export."""

    def __init__(self, header: Header) -> None:
        super().__init__(header, _ALIASES, key="id", date="created_at", content=("type", "name"))
        self._name = self._columns.place["name"]

    def key(self, cells: list[str]) -> str:
        """The order's id, its name where a file made for an import has none."""
        return super().key(cells).removeprefix("'") or cells[self._name].strip()

    def is_total(self, cells: list[str]) -> bool:
        return not self.key(cells) and super().is_total(cells)

    def draft(self, rows: Sequence[Row]) -> OrderDraft:
        by_type: dict[str, list[Entry]] = {}
        for row in rows:
            e = self._columns.entry(row)
            by_type.setdefault(fold(e.raw("type")), []).append(e)
        entry = self._columns.entry(rows[0])
        name = entry.plain("name") or entry.plain("id")
        if not entry.filled("total"):
            raise blank_cell(entry, "total")
        left, back = by_type.get(_FULFILMENT, ()), by_type.get(_REFUND, ())
        lines = [
            _with_deeds(_line(e), _line_key(e), left, back)
            for e in by_type.get(_ITEM, ())
            if e.number("quantity") > 0
        ]
        if not lines:
            raise no_items(name, entry, "quantity")
        total, tax = entry.amount("total"), entry.cents("tax")
        is_gross, shipping, discount = _basis(entry, name, lines, by_type, tax)
        refunded = _refunded(entry, by_type)
        states = read_states(entry, self.states, _PAYMENTS)
        state, payment = after_refund(states, refunded, total)
        billing, delivery = _address(entry, "billing"), _address(entry, "shipping")
        transactions = by_type.get(_TRANSACTION, [])
        return OrderDraft(
            external_id=(entry.plain("id") or name)[:80],
            number=name[:80],
            placed_at=entry.moment("created_at"),
            state="cancelled" if entry.filled("cancelled_at") else state,
            payment_status=payment,
            customer=_customer(entry, billing if any(billing) else delivery),
            lines=tuple(lines),
            total_incl_tax=total,
            billing=billing if any(billing) else delivery,
            shipping=delivery if any(delivery) else billing,
            currency=currency_of(entry),
            prices_include_tax=is_gross,
            charges_include_tax=is_gross,
            shipping_amount=shipping,
            shipping_tax_rate=_shipping_rate(by_type),
            discount=discount,
            refunded=refunded or (total if payment == "refunded" else ZERO),
            stated_taxes=stated(_taxes(entry), tax),
            payment_method=next((t.text("gateway") for t in transactions if t.text("gateway")), ""),
            paid_at=_paid_at(transactions),
            cancelled_at=entry.maybe_moment("cancelled_at"),
            note=entry.text("note"),
            line=entry.line,
            tolerance=ZERO if is_gross else rounding(len(lines) + 1),
            is_shipped=fold(entry.raw("fulfilment")) == "fulfilled",
            shipped_at=max(
                (e.moment("fulfilled_at") for e in left if e.filled("fulfilled_at")), default=None
            ),
            carrier=next((e.text("carrier") for e in left if e.filled("carrier")), ""),
            tracking_number=next((e.plain("tracking") for e in left if e.filled("tracking")), ""),
            payment_references=payment_references(transactions, "authorization", "transaction_id"),
        )


def _line_key(entry: Entry) -> str:
    """What names an item on its own row, its refund's and its fulfilment's."""
    return entry.plain("line_id") or entry.plain("sku") or entry.text("title")


def _with_deeds(
    line: LineDraft, key: str, left: Sequence[Entry], back: Sequence[Entry]
) -> LineDraft:
    """The line with the pieces that left and those that were given back, by their own rows."""
    shipped = sum((e.pieces("quantity") or ZERO for e in left if _line_key(e) == key), ZERO)
    refunded = [e for e in back if _line_key(e) == key]
    return line._replace(
        shipped=shipped if left else None,
        refunded=sum((e.pieces("quantity") or ZERO for e in refunded), ZERO),
        refunded_amount=sum((e.size("line_total") for e in refunded), ZERO) if refunded else None,
    )


def _percent(entry: Entry, field: str) -> Decimal | None:
    """A rate, which Matrixify writes as a fraction: 0.055 is 5.5 %."""
    value = entry.number(field) if entry.filled(field) else None
    if value is None:
        return None
    return to_cents(value * HUNDRED) if abs(value) < 1 else to_cents(value)


def _own_rate(entry: Entry) -> Decimal | None:
    """The rate of a row that bears one tax; None where it bears none or several."""
    rates = [_percent(entry, f"line_rate_{n}") for n in (1, 2, 3) if entry.cents(f"line_tax_{n}")]
    return rates[0] if len(rates) == 1 else None


def _line(entry: Entry) -> LineDraft:
    sku, name, variant = entry.plain("sku"), entry.text("title"), entry.text("variant")
    label = f"{name} ({variant})" if variant else name
    draft = LineDraft(
        sku=sku[:80],
        label=(label or sku or _("Article"))[:200],
        quantity=entry.quantity("quantity"),
        unit_price=entry.price("price"),
        tax_rate=_own_rate(entry),
        discount=entry.size("line_discount"),
        line=entry.line,
        product_key=entry.plain("variant_id"),
    )
    is_taxed = any(entry.cents(f"line_tax_{n}") for n in (1, 2, 3))
    if entry.yes("gift_card") and not is_taxed:
        return draft._replace(kind=GIFT_CARD, sku="", tax_rate=ZERO)
    return sorted_out(draft, is_taxed=is_taxed or bool(sku))


def _shipping_rate(by_type: dict[str, list[Entry]]) -> Decimal | None:
    rates = {_own_rate(e) for e in by_type.get(_SHIPPING, ())}
    return rates.pop() if len(rates) == 1 else None


def _taxes(entry: Entry) -> dict[Decimal, Decimal]:
    """The order's VAT by rate; nothing where two taxes share one base."""
    taxes: dict[Decimal, Decimal] = {}
    for n in (1, 2, 3):
        rate = _percent(entry, f"rate_{n}")
        if rate is not None and entry.cents(f"tax_{n}"):
            taxes[rate] = taxes.get(rate, ZERO) + entry.cents(f"tax_{n}")
    return taxes if sum(taxes.values(), ZERO) == entry.cents("tax") else {}


def _basis(
    entry: Entry,
    name: str,
    lines: Sequence[LineDraft],
    by_type: dict[str, list[Entry]],
    tax: Decimal,
) -> tuple[bool, Decimal, Decimal]:
    """Whether prices include tax, shipping, and the order's discount: what makes the total.

    A discount may stand on a row of its own and be spread over the lines too; shipping before
    or after its discount.

    Raises:
        TotalMismatch: nothing makes the total.
    """
    total = entry.amount("total")
    goods = to_cents(sum((d.quantity * d.unit_price - d.discount for d in lines), ZERO))
    rows = by_type.get(_SHIPPING, [])
    priced = sum((e.cents("price") for e in rows), ZERO)
    charged = sum((e.cents("line_total") for e in rows), ZERO)
    named = sum((e.size("line_discount") for e in by_type.get(_DISCOUNT, ())), ZERO)
    shippings = (charged, priced) if rows else (entry.cents("total_shipping"),)
    told = entry.text("tax_included")
    ways = [(True, ZERO), (False, tax)] if not told else [(entry.yes("tax_included"), ZERO)]
    for is_gross, _added in ways:
        added = ZERO if is_gross else tax
        for shipping in dict.fromkeys(shippings):
            for discount in dict.fromkeys((ZERO, named)):
                if goods + shipping - discount + added == total:
                    return is_gross, shipping, discount
    raise TotalMismatch(
        _(
            "Commande %(number)s : articles %(goods)s + port %(shipping)s − remise %(discount)s "
            "(+ taxes %(tax)s) ne font pas le total %(total)s."
        )
        % said(
            {
                "number": name,
                "goods": goods,
                "shipping": shippings[0],
                "discount": named,
                "tax": tax,
                "total": total,
            }
        ),
        line=entry.line,
        column=entry.column("total"),
    )


def _refunded(entry: Entry, by_type: dict[str, list[Entry]]) -> Decimal:
    """What went back: by transactions, else as the order says, else by its refund rows (EUR)."""
    paid_back = sum(
        (
            t.size("transaction_amount")
            for t in by_type.get(_TRANSACTION, ())
            if fold(t.raw("transaction_kind")) == "refund"
            and fold(t.raw("transaction_status")) == "success"
        ),
        ZERO,
    )
    by_rows = sum(
        (e.cents("line_total") for kind, es in by_type.items() if "refund" in kind for e in es),
        ZERO,
    )
    return paid_back or entry.size("total_refund") or abs(by_rows)


def _paid_at(transactions: Sequence[Entry]) -> datetime | None:
    """When the first money came in."""
    moments = [
        t.moment("transaction_at")
        for t in transactions
        if fold(t.raw("transaction_kind")) in ("sale", "capture")
        and fold(t.raw("transaction_status")) == "success"
        and t.filled("transaction_at")
    ]
    return min(moments, default=None)


def _address(entry: Entry, use: str) -> AddressDraft:
    """An address, its name in two columns or one, its country by code or by name."""
    found = address_of(entry, use)
    name = f"{entry.text(f'{use}_first_name')} {entry.text(f'{use}_last_name')}".strip()
    country = found.country or entry.country(f"{use}_country_name")
    return found._replace(name=name or found.name, country=country)


def _customer(entry: Entry, address: AddressDraft) -> CustomerDraft:
    first, _space, last = address.name.partition(" ")
    return CustomerDraft(
        ref=entry.plain("customer_id")[:80],
        email=entry.text("email"),
        first_name=entry.text("customer_first_name") or first,
        last_name=entry.text("customer_last_name") or last,
        company=address.company,
        phone=entry.plain("phone") or address.phone,
        is_business=bool(address.company),
        address=address,
        line=entry.line,
    )


_CUSTOMER_ALIASES: dict[str, tuple[str, ...]] = {
    "ref": ("ID",),
    "email": ("Email",),
    "first_name": ("First Name",),
    "last_name": ("Last Name",),
    "phone": ("Phone", "Address Phone"),
    "company": ("Address Company",),
    "address1": ("Address Line 1",),
    "address2": ("Address Line 2",),
    "postcode": ("Address Zip",),
    "city": ("Address City",),
    "country": ("Address Country Code", "Address Country"),
    "created_at": ("Created At",),
    "note": ("Note",),
    "marketing": ("Email Marketing: Status", "Accepts Marketing"),
    "address_id": ("Address ID",),
    "is_default": ("Address Is Default",),
    "spent": ("Total Spent",),
    "orders": ("Total Orders",),
}
_CUSTOMER_NAMES = known_names(_CUSTOMER_ALIASES)


def _customers_strength(header: Header) -> int:
    """How many columns agree; 0 when the file isn't Matrixify's customers."""
    is_ours = header.has("id", "email", "address id", "address line 1", "address is default")
    return header.count(_CUSTOMER_NAMES) if is_ours else 0


class MatrixifyCustomers:
    """Reads customers; a second address stands on a row that repeats the id."""

    def __init__(self, header: Header) -> None:
        self._columns = Columns(header, _CUSTOMER_ALIASES)
        self._last = ""

    def draft(self, row: Row) -> CustomerDraft | None:
        entry = self._columns.entry(row)
        ref = entry.plain("ref")
        if ref and ref == self._last:
            return None
        self._last = ref
        if not ref and not entry.filled("email"):
            raise no_customer_key(entry.line, entry.column("email"))
        subscribed = fold(entry.raw("marketing")) in ("subscribed", "true", "yes")
        return person(entry, ref=ref)._replace(accepts_marketing=subscribed)
