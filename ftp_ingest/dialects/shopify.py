"""Shopify: orders_export.csv and customers_export.csv.

One row a line item; order columns on the first row only. `Id` is the key (`Name`, #1001, is
the merchant's to shape), prices include tax or not, told apart by the arithmetic, order by
order. See docs/guide/fr/shops/shopify.md.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from django.utils.translation import gettext as _

from customers.drafts import AddressDraft, CustomerDraft
from ftp_ingest.dialects.amounts import sorted_out
from ftp_ingest.dialects.base import CUSTOMERS, ORDERS, Dialect, Header, Row, StockFormat, register
from ftp_ingest.dialects.columns import Columns, Entry
from ftp_ingest.dialects.matrixify import FULFILMENTS
from ftp_ingest.dialects.readers import (
    TableOrders,
    address_of,
    buyer,
    currency_of,
    no_items,
    payment_references,
    person,
)
from ftp_ingest.dialects.states import MEANINGS
from ftp_ingest.errors import FileRefused
from sales.drafts import DUTIES, TIP, LineDraft, OrderDraft, StatedTax
from sales.errors import TotalMismatch
from sphinx.core.errors import InputError
from sphinx.core.money import ZERO, to_cents
from sphinx.core.texts import fold, said

_TAX_FIELDS = tuple(f"tax_{n}" for n in range(1, 6))
_ADDRESS = {
    "name": "Name",
    "company": "Company",
    "address1": "Address1",
    "street": "Street",
    "address2": "Address2",
    "postcode": "Zip",
    "city": "City",
    "country": "Country",
    "phone": "Phone",
}
_ORDER: dict[str, tuple[str, ...]] = {
    "name": ("Name",),
    "id": ("Id",),
    "email": ("Email",),
    "phone": ("Phone",),
    "status": ("Financial Status",),
    "paid_at": ("Paid at",),
    "created_at": ("Created at",),
    "cancelled_at": ("Cancelled at",),
    "currency": ("Currency",),
    "payment": ("Payment Method",),
    "payment_reference": ("Payment Reference",),
    "payment_references": ("Payment References",),
    "payment_id": ("Payment ID",),
    "subtotal": ("Subtotal",),
    "shipping": ("Shipping",),
    "taxes": ("Taxes",),
    "total": ("Total",),
    "discount": ("Discount Amount",),
    "refunded": ("Refunded Amount",),
    "duties": ("Duties",),
    "outstanding": ("Outstanding Balance",),
    "note": ("Notes",),
    "fulfilment": ("Fulfillment Status",),
    "fulfilled_at": ("Fulfilled at",),
    "carrier": ("Shipping Method",),
    "quantity": ("Lineitem quantity",),
    "item_fulfilment": ("Lineitem fulfillment status",),
    "item": ("Lineitem name",),
    "price": ("Lineitem price",),
    "sku": ("Lineitem sku",),
    "item_discount": ("Lineitem discount",),
    "taxable": ("Lineitem taxable",),
    **{f"tax_{n}": (f"Tax {n} Name",) for n in range(1, 6)},
    **{f"tax_{n}_value": (f"Tax {n} Value",) for n in range(1, 6)},
    **{
        f"{use}_{field}": (f"{use.title()} {name}",)
        for use in ("billing", "shipping")
        for field, name in _ADDRESS.items()
    },
}
_CUSTOMER: dict[str, tuple[str, ...]] = {
    "ref": ("Customer ID",),
    "first_name": ("First Name",),
    "last_name": ("Last Name",),
    "email": ("Email",),
    "phone": ("Phone",),
    "address_phone": ("Default Address Phone",),
    "company": ("Default Address Company", "Company"),
    "address1": ("Default Address Address1", "Address1"),
    "address2": ("Default Address Address2", "Address2"),
    "postcode": ("Default Address Zip", "Zip"),
    "city": ("Default Address City", "City"),
    "country": ("Default Address Country Code", "Country Code"),
    "marketing": ("Accepts Email Marketing", "Accepts Marketing"),
    "note": ("Note",),
}
_ORDER_COLUMNS = frozenset(
    (
        "name,email,financial status,paid at,fulfillment status,currency,subtotal,shipping,taxes,"
        "total,discount code,discount amount,shipping method,created at,lineitem quantity,"
        "lineitem name,lineitem price,lineitem sku,lineitem requires shipping,lineitem taxable,"
        "lineitem discount,cancelled at,payment method,payment reference,refunded amount,id,tags,"
        "risk level,source,tax 1 name,tax 1 value,vendor,accepts marketing,note attributes"
    ).split(",")
)
_CUSTOMER_COLUMNS = frozenset(
    (
        "customer id,first name,last name,email,accepts email marketing,accepts marketing,"
        "default address company,default address address1,default address city,"
        "default address country code,default address zip,total spent,total orders,tax exempt,"
        "note,tags,phone,company,address1,country code,province code,zip"
    ).split(",")
)
_ITEM_COLUMNS = frozenset(name for name in _ORDER_COLUMNS if name.startswith("lineitem"))
ENOUGH_ITEM_COLUMNS = 3
_PAYMENTS = {
    "pending": ("pending", "unpaid"),
    "authorized": ("pending", "unpaid"),
    "expired": ("pending", "unpaid"),
    "partially_paid": ("pending", "unpaid"),
    "paid": ("confirmed", "paid"),
    "partially_refunded": ("confirmed", "partially_refunded"),
    "refunded": ("confirmed", "refunded"),
    "voided": ("cancelled", "unpaid"),
}
_REQUIRED = ("Created at,Financial Status,Subtotal,Total,Email,Lineitem name,Lineitem price").split(
    ","
)
_REFERENCES = ("payment_reference", "payment_references", "payment_id")
_FULFILLED = frozenset(("fulfilled", "restocked fulfilled", "shipped"))
_RATE_IN_LABEL = re.compile(r"(\d+(?:[.,]\d+)?)\s*%")


class _Money(NamedTuple):
    """The order's amounts, and how they fit together."""

    subtotal: Decimal
    shipping: Decimal
    taxes: Decimal
    total: Decimal
    extra: Decimal
    includes_tax: bool


@register
class Shopify(Dialect):
    code = "shopify"
    label = "Shopify"
    stock_format = StockFormat(",", "SKU", "Available")
    shipment_format = FULFILMENTS

    def recognise(self, header: Header) -> tuple[str, int]:
        # Squarespace writes nearly the same columns, but "Order ID" where Shopify has "Name".
        if header.has("name", "financial status", "total"):
            return ORDERS, header.count(_ORDER_COLUMNS)
        if header.has("name") and header.count(_ITEM_COLUMNS) >= ENOUGH_ITEM_COLUMNS:
            # Columns were taken out: check_header says which.
            return ORDERS, header.count(_ORDER_COLUMNS)
        looks_ours = (
            header.has("default address address1")
            or header.has("accepts email marketing")
            or header.has("total spent")
        )
        if header.has("first name", "email") and looks_ours:
            return CUSTOMERS, header.count(_CUSTOMER_COLUMNS)
        return "", 0

    def check_header(self, header: Header, kind: str) -> None:
        if kind != ORDERS:
            return
        if not header.has("lineitem quantity"):
            raise FileRefused(
                _(
                    "Export Shopify sans lignes d'articles : dans Commandes › Exporter, choisissez "
                    "« Exporter les commandes » au format CSV, pas l'historique des transactions."
                ),
                code="file.no_lines",
                line=1,
                column="Lineitem quantity",
            )
        missing = [name for name in _REQUIRED if not header.has(fold(name))]
        if missing:
            raise FileRefused(
                _("Export Shopify sans %(missing)s : ajoutez ces colonnes à l'export.")
                % {"missing": ", ".join(missing)},
                code="file.missing_columns",
                line=1,
                column=missing[0],
            )

    def orders(self, header: Header) -> "ShopifyOrders":
        return ShopifyOrders(header)

    def customers(self, header: Header) -> "ShopifyCustomers":
        return ShopifyCustomers(header)


class ShopifyOrders(TableOrders):
    """Reads orders."""

    def __init__(self, header: Header) -> None:
        super().__init__(header, _ORDER, key="name", date="created_at", content=("quantity",))

    def draft(self, rows: Sequence[Row]) -> OrderDraft:
        entries = [self._columns.entry(row) for row in rows]
        entry = entries[0]
        name = entry.text("name")
        taxes = _stated_taxes(entry)
        names_rates = any(tax.rate is not None for tax in taxes)
        lines = [_line(e, names_rates=names_rates) for e in entries if _has_item(e)]
        if not lines:
            raise no_items(name, entry, "quantity")
        tips = sum((d.quantity * d.unit_price for d in lines if d.kind == TIP), ZERO)
        money = _money(entry, tips)
        lines, discount = _discounts(entry, lines, money)
        lines += _extra_lines(money, entry.line)
        state, payment_status = self._states(entry)
        billing, shipping = _address(entry, "billing"), _address(entry, "shipping")
        key, phone = entry.plain("id"), entry.plain("phone")
        placed_at = entry.moment("created_at")
        customer = buyer(entry, billing if any(billing) else shipping, entry.text("email"))
        return OrderDraft(
            # A key that isn't all digits was spoilt by a spreadsheet: 5,93536E+12.
            external_id=(key if key.isdecimal() else name)[:80],
            number=name[:80],
            placed_at=placed_at,
            state=state,
            payment_status=payment_status,
            customer=customer._replace(phone=phone) if phone else customer,
            lines=tuple(lines),
            total_incl_tax=money.total,
            billing=billing if any(billing) else shipping,
            shipping=shipping if any(shipping) else billing,
            currency=currency_of(entry),
            prices_include_tax=money.includes_tax,
            charges_include_tax=money.includes_tax,
            shipping_amount=money.shipping,
            discount=discount,
            refunded=entry.amount("refunded"),
            stated_taxes=taxes,
            payment_method=entry.text("payment"),
            paid_at=entry.maybe_moment("paid_at"),
            cancelled_at=entry.maybe_moment("cancelled_at"),
            note=entry.text("note"),
            line=entry.line,
            is_shipped=fold(entry.raw("fulfilment")) in _FULFILLED,
            shipped_at=entry.maybe_moment("fulfilled_at"),
            carrier=entry.text("carrier") if entry.filled("fulfilled_at") else "",
            payment_references=payment_references([entry], *_REFERENCES),
        )

    def _states(self, entry: Entry) -> tuple[str, str]:
        text = entry.raw("status").strip()
        status = text.casefold().replace(" ", "_")
        found = MEANINGS.get(self.states.get(fold(status), "")) or _PAYMENTS.get(status)
        if found is None:
            raise InputError(
                _("Ligne %(line)s, colonne Financial Status : « %(status)s » est inconnu.")
                % {"line": entry.line, "status": status[:40]},
                code="order.unknown_status",
                line=entry.line,
                column=entry.column("status"),
                status=text,
            )
        state, payment = found
        return ("cancelled" if entry.filled("cancelled_at") else state), payment


def _has_item(entry: Entry) -> bool:
    """An item taken off the order by hand stays in the export with quantity 0."""
    return entry.raw("quantity").strip() not in ("", "0")


def _line(entry: Entry, *, names_rates: bool) -> LineDraft:
    """An article; where the order names its rates, one that isn't taxable has 0 %."""
    sku, name = entry.plain("sku"), entry.text("item")
    is_taxed = entry.raw("taxable").strip().casefold() != "false"
    draft = LineDraft(
        sku=sku[:80],
        label=(name or sku or _("Article"))[:200],
        quantity=entry.quantity("quantity"),
        unit_price=entry.price("price"),
        tax_rate=Decimal("0.00") if names_rates and not is_taxed else None,
        discount=entry.amount("item_discount"),
        line=entry.line,
    )
    draft = draft._replace(shipped=_shipped(entry, draft.quantity))
    return sorted_out(draft, is_taxed=is_taxed)


def _shipped(entry: Entry, quantity: Decimal) -> Decimal | None:
    """A line left whole or not at all, as the export says it; None where it doesn't say."""
    state = fold(entry.raw("item_fulfilment"))
    if not state:
        return None
    return quantity if state in _FULFILLED else ZERO


def _stated_taxes(entry: Entry) -> tuple[StatedTax, ...]:
    """Each tax that is named, even two of one rate: they may lie on one base (CGST, SGST)."""
    sums: dict[tuple[str, Decimal], Decimal] = {}
    for field in _TAX_FIELDS:
        name = entry.raw(field).strip()
        match = _RATE_IN_LABEL.search(name)
        if match:
            tax = (name, to_cents(Decimal(match[1].replace(",", "."))))
            sums[tax] = sums.get(tax, ZERO) + entry.amount(f"{field}_value")
    if sums:
        return tuple(StatedTax(percent, value) for (_name, percent), value in sums.items())
    # No tax is named: the sum alone is stated, 0 for a shop without tax set up.
    return (StatedTax(None, entry.amount("taxes")),) if entry.filled("taxes") else ()


def _money(entry: Entry, tips: Decimal) -> _Money:
    """Prices include tax when Subtotal + Shipping = Total, else tax is added to them.

    Duties and tips may stand between; a tip is a line too, inside the subtotal or not.

    Raises:
        TotalMismatch: nothing makes the total.
    """
    total, taxes = entry.amount("total"), entry.amount("taxes")
    shipping, duties = entry.amount("shipping"), entry.amount("duties")
    subtotal = entry.amount("subtotal")
    if not entry.filled("subtotal"):
        subtotal = total - shipping - duties
    for extra, tip in dict.fromkeys(((ZERO, ZERO), (duties, ZERO), (ZERO, tips), (duties, tips))):
        goods = subtotal + tip
        if goods + shipping + extra == total:
            return _Money(goods, shipping, taxes, total, extra, includes_tax=True)
        if goods + shipping + taxes + extra == total:
            return _Money(goods, shipping, taxes, total, extra, includes_tax=False)
    # A free-shipping code: shipping is written before its discount.
    discount = entry.amount("discount")
    for is_included, tax in ((True, ZERO), (False, taxes)):
        if subtotal + shipping - discount + tax + duties == total:
            net = shipping - discount
            return _Money(subtotal, net, taxes, total, duties, includes_tax=is_included)
    amounts = {"subtotal": subtotal, "shipping": shipping, "taxes": taxes, "total": total}
    raise _mismatch(entry, amounts)


def _mismatch(entry: Entry, amounts: dict[str, Decimal]) -> TotalMismatch:
    """The refusal of parts that don't make the total; says what is still due after an edit."""
    text = _(
        "Commande %(number)s : sous-total %(subtotal)s + port %(shipping)s (+ taxes "
        "%(taxes)s) ne font pas le total %(total)s."
    )
    due = entry.number("outstanding")
    if due:
        text += " " + _(
            "Elle a été modifiée après paiement : il reste %(due)s à encaisser (Outstanding "
            "Balance). Encaissez ou annulez ce reste à la boutique."
        )
    own = {"number": entry.text("name"), "due": due, **amounts}
    return TotalMismatch(text % said(own), line=entry.line, column=entry.column("total"))


def _discounts(
    entry: Entry, lines: list[LineDraft], money: _Money
) -> tuple[list[LineDraft], Decimal]:
    """Line discounts and the order's, such that lines − discounts = Subtotal.

    "Discount Amount" is at times the order's alone, at times the sum of all.
    """
    gross = to_cents(sum((d.quantity * d.unit_price for d in lines), ZERO))
    own = sum((d.discount for d in lines), ZERO)
    if gross - own == money.subtotal:
        return lines, ZERO
    stated = entry.amount("discount")
    if gross - own - stated == money.subtotal:
        return lines, stated
    if gross - stated == money.subtotal:
        return [d._replace(discount=ZERO) for d in lines], stated
    raise TotalMismatch(
        _(
            "Commande %(number)s : les lignes font %(gross)s moins %(discount)s de remise, le "
            "sous-total du fichier est %(subtotal)s."
        )
        % {
            "number": entry.text("name"),
            "gross": gross,
            "discount": max(own, stated),
            "subtotal": money.subtotal,
        },
        line=entry.line,
        column=entry.column("subtotal"),
    )


def _extra_lines(money: _Money, line: int) -> list[LineDraft]:
    if not money.extra:
        return []
    label = _("Droits de douane")
    rate = Decimal("0.00")
    return [LineDraft("", label, Decimal(1), money.extra, rate, line=line, kind=DUTIES)]


def _address(entry: Entry, use: str) -> AddressDraft:
    """An address, its street in parts or whole."""
    found = address_of(entry, use)
    return found if found.address1 else found._replace(address1=entry.text(f"{use}_street"))


class ShopifyCustomers:
    """Reads customers, of the present and the older export."""

    def __init__(self, header: Header) -> None:
        self._columns = Columns(header, _CUSTOMER)

    def draft(self, row: Row) -> CustomerDraft:
        entry = self._columns.entry(row)
        email, phone = entry.text("email"), entry.plain("phone")
        ref = entry.plain("ref") or ("" if email else phone)
        if not ref and not email:
            raise InputError(
                _("Ligne %(line)s : ni Customer ID, ni Email, ni Phone.") % {"line": entry.line},
                code="customer.no_key",
                line=entry.line,
                column=entry.column("email"),
            )
        return person(entry, ref=ref)._replace(
            phone=phone or entry.plain("address_phone"),
            accepts_marketing=entry.yes("marketing"),
        )
