"""Squarespace: orders.csv of the Orders panel, and the Contacts export.

Nearly Shopify's columns, with other habits: `Order ID` is a small number repeated on every row
and the only column filled on further rows, statuses are in capitals, countries are names, dates
have the month first unless the file shows otherwise, and no tax is named.
"""

from collections.abc import Sequence
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
from ftp_ingest.dialects.deeds import has_left
from ftp_ingest.dialects.readers import (
    TableOrders,
    buyer,
    currency_of,
    no_items,
    payment_references,
    person,
    unknown_status,
)
from ftp_ingest.dialects.states import States, states_of
from sales.drafts import LineDraft, OrderDraft
from sales.errors import TotalMismatch
from sphinx.core.money import ZERO, to_cents
from sphinx.core.texts import fold, said

_ADDRESS = "name company address1 address2 zip city province country phone"
_ALIASES: dict[str, tuple[str, ...]] = {
    "id": ("Order ID", "Order Number", "ID de commande", "Numéro de commande"),
    "email": ("Email", "Customer Email", "E-mail"),
    "status": ("Financial Status", "Statut financier", "Statut du paiement"),
    "fulfilment": ("Fulfillment Status", "Statut de traitement"),
    "fulfilled_at": ("Fulfilled at", "Traité le", "Expédié le"),
    "carrier": ("Shipping Method", "Mode de livraison"),
    "paid_at": ("Paid at", "Payé le"),
    "currency": ("Currency", "Devise"),
    "subtotal": ("Subtotal", "Sous-total"),
    "shipping": ("Shipping", "Livraison", "Expédition"),
    "tax": ("Taxes", "Tax", "Taxe"),
    "refunded": ("Amount Refunded", "Montant remboursé"),
    "total": ("Total",),
    "discount": ("Discount Amount", "Montant de la remise"),
    "created_at": ("Created at", "Créé le"),
    "quantity": ("Lineitem quantity", "Quantité"),
    "name": ("Lineitem name", "Nom de l'article"),
    "variant": ("Lineitem variant", "Variante"),
    "price": ("Lineitem price", "Prix de l'article"),
    "sku": ("Lineitem sku", "SKU"),
    "taxable": ("Lineitem taxable",),
    "cancelled_at": ("Cancelled at", "Canceled at", "Annulé le"),
    "note": ("Private Notes", "Notes"),
    "payment": ("Payment Method", "Mode de paiement"),
    "payment_reference": ("Payment Reference", "Référence de paiement"),
    **{f"{use}_{n}": (f"{use} {n}",) for use in ("billing", "shipping") for n in _ADDRESS.split()},
}
_NAMES = known_names(_ALIASES)
_PAYMENTS = {
    "paid": ("confirmed", "paid"),
    "pending": ("pending", "unpaid"),
    "authorized": ("pending", "unpaid"),
    "partially paid": ("pending", "unpaid"),
    "unpaid": ("pending", "unpaid"),
    "refunded": ("confirmed", "refunded"),
    "partially refunded": ("confirmed", "partially_refunded"),
    "voided": ("cancelled", "unpaid"),
    "declined": ("cancelled", "unpaid"),
    "failed": ("cancelled", "unpaid"),
    "cancelled": ("cancelled", "unpaid"),
    "canceled": ("cancelled", "unpaid"),
    # Nothing was due.
    "": ("confirmed", "paid"),
    "na": ("confirmed", "paid"),
}


@register
class Squarespace(Dialect):
    code = "squarespace"
    label = "Squarespace"
    stock_format = StockFormat(",", "SKU", "Stock")

    def recognise(self, header: Header) -> tuple[str, int]:
        columns = Columns(header, _ALIASES)
        if columns.has("id", "status", "total") and not header.has("name"):
            # One more than Shopify's reading of the same columns.
            return ORDERS, header.count(_NAMES) + 1
        return (CUSTOMERS, strength) if (strength := _contacts_strength(header)) else ("", 0)

    def check_header(self, header: Header, kind: str) -> None:
        if kind != ORDERS:
            return
        if not Columns(header, _ALIASES).has("quantity"):
            raise no_lines(
                self.label,
                _("exportez depuis Commandes › Télécharger le CSV, avec « Tous les produits »"),
            )
        require(header, self.label, _ALIASES["created_at"], _ALIASES["price"], _ALIASES["name"])

    def orders(self, header: Header) -> "SquarespaceOrders":
        return SquarespaceOrders(header)

    def customers(self, header: Header) -> "SquarespaceContacts":
        return SquarespaceContacts(header)


class SquarespaceOrders(TableOrders):
    """Reads orders; months come first unless the file shows otherwise."""

    def __init__(self, header: Header) -> None:
        super().__init__(header, _ALIASES, key="id", date="created_at", content=("quantity",))
        self.read_dates(day_first=False)

    def draft(self, rows: Sequence[Row]) -> OrderDraft:
        entry = self._columns.entry(rows[0])
        number = entry.plain("id")
        entries = [self._columns.entry(row) for row in rows]
        lines = [_line(e) for e in entries if e.raw("quantity").strip() not in ("", "0")]
        if not lines:
            raise no_items(number, entry, "quantity")
        total, tax = entry.amount("total"), entry.cents("tax")
        is_gross, discount = _basis(entry, number, lines, total, tax)
        state, payment = _states(entry, self.states)
        billing, delivery = _address(entry, "billing"), _address(entry, "shipping")
        has_billing = bool(billing.address1 or billing.city or billing.country)
        has_delivery = bool(delivery.address1 or delivery.city or delivery.country)
        return OrderDraft(
            external_id=number[:80],
            number=number[:80],
            placed_at=entry.moment("created_at"),
            state=state,
            payment_status=payment,
            customer=buyer(entry, billing if has_billing else delivery, entry.text("email")),
            lines=tuple(lines),
            total_incl_tax=total,
            billing=billing if has_billing else delivery,
            shipping=delivery if has_delivery else billing,
            currency=currency_of(entry),
            prices_include_tax=is_gross,
            charges_include_tax=is_gross,
            shipping_amount=entry.amount("shipping"),
            discount=discount,
            refunded=entry.size("refunded") or (total if payment == "refunded" else ZERO),
            stated_taxes=stated({}, tax),
            payment_method=entry.text("payment"),
            paid_at=entry.maybe_moment("paid_at"),
            cancelled_at=entry.maybe_moment("cancelled_at"),
            note=entry.text("note"),
            line=entry.line,
            tolerance=ZERO if is_gross else rounding(len(lines) + 1),
            is_shipped=has_left(entry.raw("fulfilment")),
            shipped_at=entry.maybe_moment("fulfilled_at"),
            carrier=entry.text("carrier") if entry.filled("fulfilled_at") else "",
            payment_references=payment_references([entry], "payment_reference"),
        )


def _line(entry: Entry) -> LineDraft:
    sku, name, variant = entry.plain("sku"), entry.text("name"), entry.text("variant")
    label = f"{name} ({variant})" if variant else name
    draft = LineDraft(
        sku=sku[:80],
        label=(label or sku or _("Article"))[:200],
        quantity=entry.quantity("quantity"),
        unit_price=entry.price("price"),
        line=entry.line,
    )
    return sorted_out(draft, is_taxed=bool(sku))


def _basis(
    entry: Entry, number: str, lines: Sequence[LineDraft], total: Decimal, tax: Decimal
) -> tuple[bool, Decimal]:
    """Whether prices include tax, and the order's discount: by what adds up to the total.

    Raises:
        TotalMismatch: nothing does.
    """
    goods = to_cents(sum((d.quantity * d.unit_price for d in lines), ZERO))
    shipping, discount = entry.amount("shipping"), entry.size("discount")
    for is_gross, added in ((True, ZERO), (False, tax)):
        for taken in dict.fromkeys((discount, ZERO)):
            if goods + shipping - taken + added == total:
                return is_gross, taken
    raise TotalMismatch(
        _(
            "Commande %(number)s : articles %(goods)s + port %(shipping)s − remise %(discount)s "
            "(+ taxes %(tax)s) ne font pas le total %(total)s."
        )
        % said(
            {
                "number": number,
                "goods": goods,
                "shipping": shipping,
                "discount": discount,
                "tax": tax,
                "total": total,
            }
        ),
        line=entry.line,
        column=entry.column("total"),
    )


def _states(entry: Entry, own: States) -> tuple[str, str]:
    found = states_of(entry.raw("status"), own, _PAYMENTS)
    if found is None:
        raise unknown_status(entry)
    state, payment = found
    stopped = entry.filled("cancelled_at") or fold(entry.raw("fulfilment")) in (
        "canceled",
        "cancelled",
    )
    return ("cancelled" if stopped else state), payment


def _address(entry: Entry, use: str) -> AddressDraft:
    return AddressDraft(
        name=entry.text(f"{use}_name"),
        company=entry.text(f"{use}_company"),
        address1=entry.text(f"{use}_address1"),
        address2=entry.text(f"{use}_address2"),
        postcode=entry.plain(f"{use}_zip"),
        city=entry.text(f"{use}_city"),
        country=entry.country(f"{use}_country"),
        phone=entry.plain(f"{use}_phone"),
    )


_CONTACT_ALIASES: dict[str, tuple[str, ...]] = {
    "email": ("Email", "Email Address", "E-mail", "Adresse e-mail"),
    "first_name": ("First Name", "Prénom"),
    "last_name": ("Last Name", "Nom"),
    "name": ("Name", "Customer Name", "Shipping Name", "Billing Name"),
    "company": ("Company",),
    "phone": ("Phone", "Phone Number", "Shipping Phone", "Shipping Phone Number", "Billing Phone"),
    "address1": ("Shipping Address 1", "Shipping Address1", "Address 1", "Billing Address 1"),
    "address2": ("Shipping Address 2", "Shipping Address2", "Address 2", "Billing Address 2"),
    "postcode": ("Shipping Zip", "Shipping Postal Code", "Zip", "Postal Code", "Billing Zip"),
    "city": ("Shipping City", "City", "Billing City"),
    "country": ("Shipping Country", "Country", "Billing Country"),
    "marketing": (
        "Accepts Marketing",
        "Subscriber",
        "Mailing List Status",
        "Subscription Status",
        "Status",
    ),
    "created_at": ("Created On", "Created at", "Customer Since", "Subscribed On"),
    "orders": ("Order Count", "Total Orders", "Number of Orders"),
    "spent": ("Total Spent", "Total Order Amount", "Total Spent Amount"),
    "last_order": ("Last Order Date", "Last Order", "Subscriber Source", "Mailing Lists", "Lists"),
    "tags": ("Tags", "Customer Notes", "Donation Count", "Member Areas"),
}
_CONTACT_NAMES = known_names(_CONTACT_ALIASES)
_ENOUGH_CONTACT = 4


def _contacts_strength(header: Header) -> int:
    """How many columns agree; 0 when the file isn't a Contacts export."""
    columns = Columns(header, _CONTACT_ALIASES)
    named = columns.has("email") and (columns.has("first_name") or columns.has("name"))
    kept_by_others = header.has("accepts email marketing") or header.has("default address zip")
    signs = sum(columns.has(f) for f in ("marketing", "orders", "last_order", "address1"))
    found = header.count(_CONTACT_NAMES)
    is_ours = named and signs > 1 and not kept_by_others and found >= _ENOUGH_CONTACT
    return found if is_ours else 0


class SquarespaceContacts:
    """Reads customers; the e-mail is their key."""

    def __init__(self, header: Header) -> None:
        self._columns = Columns(header, _CONTACT_ALIASES)
        self._columns.day_first = False

    def draft(self, row: Row) -> CustomerDraft:
        entry = self._columns.entry(row)
        if not entry.filled("email"):
            raise no_customer_key(entry.line, entry.column("email"))
        marketing = fold(entry.raw("marketing"))
        return person(entry, ref="")._replace(
            accepts_marketing=marketing in ("yes", "true", "subscribed", "active", "oui")
        )
