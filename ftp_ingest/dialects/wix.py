"""Wix: the Orders export of Wix Stores, and the Contacts export.

One row a line item, the order's columns repeated on every row. Names repeat: the second
`Delivery country … zip/postal code` are the billing address, whatever they are called.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

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
    person,
    unknown_status,
)
from ftp_ingest.dialects.states import States, after_refund, states_of
from sales.drafts import FEE, LineDraft, OrderDraft
from sales.errors import TotalMismatch
from sphinx.core import cells
from sphinx.core.money import ZERO, to_cents
from sphinx.core.texts import fold, said

_ALIASES: dict[str, tuple[str, ...]] = {
    "number": ("Order number", "Order no.", "Order #", "Numéro de commande", "N° de commande"),
    "date": ("Date created", "Date", "Date de création"),
    "time": ("Time", "Heure", "Heure de création"),
    "email": ("Contact email", "Email", "E-mail de contact", "E-mail du contact", "E-mail"),
    "note": ("Note from customer", "Note du client", "Remarque du client"),
    "item": ("Item", "Item's Name", "Article", "Produit", "Nom de l'article"),
    "variant": ("Variant", "Item's Variant", "Variante"),
    "sku": ("SKU", "UGS", "Référence"),
    "quantity": ("Qty", "Quantity", "Qté", "Quantité"),
    "quantity_refunded": ("Quantity refunded", "Quantité remboursée", "Qté remboursée"),
    "price": ("Price", "Item's Price", "Prix"),
    "custom": ("Custom text", "Texte personnalisé"),
    "recipient": ("Recipient name", "Nom du destinataire", "Shipping name"),
    "recipient_phone": ("Recipient phone", "Téléphone du destinataire"),
    "recipient_company": (
        "Recipient company name",
        "Nom de l'entreprise du destinataire",
        "Société du destinataire",
    ),
    "billing_name": ("Billing name", "Nom de facturation", "Nom du client"),
    "billing_phone": ("Billing phone", "Téléphone de facturation"),
    "billing_company": (
        "Billing company name",
        "Nom de l'entreprise de facturation",
        "Société de facturation",
    ),
    "vat_number": ("VAT ID", "Tax ID", "Numéro de TVA", "N° de TVA"),
    "status": ("Payment status", "Statut du paiement", "Statut de paiement"),
    "fulfilment": ("Fulfillment status", "Statut de traitement", "Statut d'exécution"),
    "payment": ("Payment method", "Mode de paiement", "Moyen de paiement"),
    "coupon": ("Coupon code", "Code promo", "Code de réduction", "Code du coupon"),
    "discount": ("Discount", "Discount amount", "Total discount", "Remise", "Réduction"),
    "gift_card": ("Gift card amount", "Montant de la carte cadeau", "Montant carte cadeau"),
    "shipping": (
        "Shipping rate",
        "Shipping",
        "Tarif de livraison",
        "Frais de livraison",
        "Frais d'expédition",
    ),
    "tax": ("Total tax", "Tax", "Total des taxes", "Taxe totale", "Total taxes"),
    "total": ("Total", "Total de la commande"),
    "currency": ("Currency", "Devise"),
    "refunded": ("Refunded amount", "Montant remboursé"),
    "fees": ("Additional fees", "Frais supplémentaires"),
}
_PLACE: dict[str, tuple[str, ...]] = {
    "country": ("country", "pays"),
    "city": ("city", "ville"),
    "address": ("address", "adresse"),
    "zip": ("zip/postal code", "zip", "postal code", "code postal"),
}
_DELIVERY = {
    field: tuple(f"Delivery {n}" for n in names)
    + tuple(f"Shipping {n}" for n in names)
    + tuple(f"{n} de livraison" for n in names)
    for field, names in _PLACE.items()
}
_BILLING = {
    field: tuple(f"Billing {n}" for n in names) + tuple(f"{n} de facturation" for n in names)
    for field, names in _PLACE.items()
}
_NAMES = known_names(_ALIASES) | known_names(_DELIVERY) | known_names(_BILLING)
_SIGNATURE = frozenset(
    fold(name)
    for name in (
        "Contact email,Fulfill by,Total order quantity,Note from customer,"
        "Additional checkout info,Quantity refunded,Shipping rate,Fulfillment service,"
        "Delivery method,Delivery time,Net amount,Gift card amount,Recipient name,"
        "Recipient company name,E-mail de contact,E-mail du contact,Nom du destinataire,"
        "Montant de la carte cadeau,Quantité remboursée,Frais supplémentaires,Montant net,"
        "Quantité totale de la commande,Mode de livraison,Tarif de livraison,Taxe totale,"
        "Total des taxes,Date de création"
    ).split(",")
)
_ENOUGH = 3
_FULFILLED = frozenset(("traitee", "traite", "executee", "execute"))
_PAYMENTS = {
    "paid": ("confirmed", "paid"),
    "paye": ("confirmed", "paid"),
    "payee": ("confirmed", "paid"),
    "not paid": ("pending", "unpaid"),
    "unpaid": ("pending", "unpaid"),
    "non paye": ("pending", "unpaid"),
    "non payee": ("pending", "unpaid"),
    "pending": ("pending", "unpaid"),
    "en attente": ("pending", "unpaid"),
    "authorized": ("pending", "unpaid"),
    "autorise": ("pending", "unpaid"),
    "partially paid": ("pending", "unpaid"),
    "partiellement paye": ("pending", "unpaid"),
    "partiellement payee": ("pending", "unpaid"),
    "refunded": ("confirmed", "refunded"),
    "fully refunded": ("confirmed", "refunded"),
    "rembourse": ("confirmed", "refunded"),
    "remboursee": ("confirmed", "refunded"),
    "entierement remboursee": ("confirmed", "refunded"),
    "partially refunded": ("confirmed", "partially_refunded"),
    "partiellement rembourse": ("confirmed", "partially_refunded"),
    "partiellement remboursee": ("confirmed", "partially_refunded"),
    "canceled": ("cancelled", "unpaid"),
    "cancelled": ("cancelled", "unpaid"),
    "annule": ("cancelled", "unpaid"),
    "annulee": ("cancelled", "unpaid"),
    "declined": ("cancelled", "unpaid"),
    "refuse": ("cancelled", "unpaid"),
    "voided": ("cancelled", "unpaid"),
    # Nothing was due.
    "": ("confirmed", "paid"),
}


@register
class Wix(Dialect):
    code = "wix"
    label = "Wix"
    stock_format = StockFormat(",", "sku", "inventory")

    def recognise(self, header: Header) -> tuple[str, int]:
        columns = Columns(header, _ALIASES)
        if header.count(_SIGNATURE) >= _ENOUGH and columns.has("number", "total"):
            return ORDERS, header.count(_NAMES | _SIGNATURE)
        return (CUSTOMERS, strength) if (strength := _contacts_strength(header)) else ("", 0)

    def check_header(self, header: Header, kind: str) -> None:
        if kind != ORDERS:
            return
        columns = Columns(header, _ALIASES)
        if not columns.has("quantity") or not columns.has("price"):
            raise no_lines(
                self.label,
                _(
                    "dans Commandes › Exporter, choisissez le modèle « Articles achetés » (une "
                    "ligne par article)"
                ),
            )
        require(header, self.label, _ALIASES["date"], _ALIASES["item"])

    def orders(self, header: Header) -> "WixOrders":
        return WixOrders(header)

    def customers(self, header: Header) -> "WixContacts":
        return WixContacts(header)


class _Addresses:
    """Where the two addresses stand; names that repeat tell the second from the first."""

    def __init__(self, header: Header) -> None:
        self.delivery = {field: self._first(header, names) for field, names in _DELIVERY.items()}
        self.billing = {
            field: self._own(header, _BILLING[field]) or self._second(header, _DELIVERY[field])
            for field in _PLACE
        }

    @staticmethod
    def _first(header: Header, names: Sequence[str]) -> int:
        return header.place(*(fold(name) for name in names))

    @staticmethod
    def _own(header: Header, names: Sequence[str]) -> int | None:
        place = header.place(*(fold(name) for name in names))
        return place if place >= 0 else None

    @staticmethod
    def _second(header: Header, names: Sequence[str]) -> int:
        for name in names:
            places = header.places(fold(name))
            if len(places) > 1:
                return places[1]
        return -1


class _Sum(NamedTuple):
    """How an order's amounts add up."""

    is_gross: bool
    total: Decimal
    discount: Decimal


class WixOrders(TableOrders):
    """Reads orders; months come first unless the file shows otherwise."""

    def __init__(self, header: Header) -> None:
        super().__init__(header, _ALIASES, key="number", date="date", content=("quantity",))
        self._addresses = _Addresses(header)
        self.read_dates(day_first=False)

    def key(self, cells: list[str]) -> str:
        return super().key(cells).lstrip("#")

    def draft(self, rows: Sequence[Row]) -> OrderDraft:
        entry = self._columns.entry(rows[0])
        number = entry.plain("number").lstrip("#")
        entries = [self._columns.entry(row) for row in rows]
        lines = [_line(e) for e in entries if e.raw("quantity").strip() not in ("", "0")]
        if not lines:
            raise no_items(number, entry, "quantity")
        fees = entry.amount("fees")
        if fees:
            lines.append(LineDraft("", _("Frais"), Decimal(1), fees, line=entry.line, kind=FEE))
        tax = entry.cents("tax")
        sums = _add_up(entry, number, lines, tax)
        state, payment = _states(entry, self.states)
        delivery, billing = self._read_addresses(rows[0].cells, entry)
        return OrderDraft(
            external_id=number[:80],
            number=number[:80],
            placed_at=self._placed_at(entry),
            state=state,
            payment_status=payment,
            customer=_customer(entry, billing),
            lines=tuple(lines),
            total_incl_tax=sums.total,
            billing=billing,
            shipping=delivery,
            currency=currency_of(entry),
            prices_include_tax=sums.is_gross,
            charges_include_tax=sums.is_gross,
            shipping_amount=entry.amount("shipping"),
            discount=sums.discount,
            refunded=entry.size("refunded") or (sums.total if payment == "refunded" else ZERO),
            stated_taxes=stated({}, tax),
            payment_method=entry.text("payment"),
            note=entry.text("note"),
            line=entry.line,
            tolerance=ZERO if sums.is_gross else rounding(len(lines) + 1),
            is_shipped=has_left(entry.raw("fulfilment"), None, _FULFILLED),
        )

    def _placed_at(self, entry: Entry) -> datetime:
        text = f"{entry.raw('date').strip()} {entry.raw('time').strip()}".strip()
        return cells.moment(
            text, entry.line, entry.column("date"), day_first=self._columns.day_first
        )

    def _read_addresses(self, values: list[str], entry: Entry) -> tuple[AddressDraft, AddressDraft]:
        delivery = _address(values, self._addresses.delivery)._replace(
            name=entry.text("recipient"),
            company=entry.text("recipient_company"),
            phone=entry.plain("recipient_phone"),
        )
        billing = _address(values, self._addresses.billing)._replace(
            name=entry.text("billing_name"),
            company=entry.text("billing_company"),
            phone=entry.plain("billing_phone"),
        )
        if not (billing.address1 or billing.city or billing.country):
            billing = delivery._replace(
                name=billing.name or delivery.name,
                company=billing.company or delivery.company,
                phone=billing.phone or delivery.phone,
            )
        if not (delivery.address1 or delivery.city or delivery.country):
            delivery = billing
        return delivery, billing


def _line(entry: Entry) -> LineDraft:
    sku, name, variant = entry.plain("sku"), entry.text("item"), entry.text("variant")
    label = f"{name} ({variant})" if variant else name
    draft = LineDraft(
        sku=sku[:80],
        label=(label or sku or _("Article"))[:200],
        quantity=entry.quantity("quantity"),
        unit_price=entry.price("price"),
        line=entry.line,
        refunded=entry.pieces("quantity_refunded") or ZERO,
    )
    return sorted_out(draft, is_taxed=bool(sku))


def _add_up(entry: Entry, number: str, lines: Sequence[LineDraft], tax: Decimal) -> _Sum:
    """Whether prices include tax, what was charged, and the discount.

    The file names a discount by its code only: its amount is what is missing. A gift card is a
    means of payment: where the total is what was left to pay, the card's amount is added.

    Raises:
        TotalMismatch: the parts don't make the total and no discount explains it.
    """
    total, card = entry.amount("total"), entry.size("gift_card")
    parts = to_cents(sum((d.quantity * d.unit_price for d in lines), ZERO)) + entry.amount(
        "shipping"
    )
    named = entry.size("discount")
    for whole in dict.fromkeys((total, total + card)):
        for is_gross, added in ((True, ZERO), (False, tax)):
            for discount in dict.fromkeys((ZERO, named)):
                if parts + added - discount == whole:
                    return _Sum(is_gross, whole, discount)
    if entry.filled("coupon") or named:
        # Prices incl. tax unless less than the total is left of them.
        is_gross = parts >= total
        missing = parts + (ZERO if is_gross else tax) - total
        if missing > 0:
            return _Sum(is_gross, total, missing)
    raise TotalMismatch(
        _(
            "Commande %(number)s : articles, port et frais font %(parts)s (taxes %(tax)s), le "
            "total du fichier est %(total)s et aucun code promo n'explique l'écart."
        )
        % said({"number": number, "parts": parts, "tax": tax, "total": total}),
        line=entry.line,
        column=entry.column("total"),
    )


def _states(entry: Entry, own: States) -> tuple[str, str]:
    found = states_of(entry.raw("status"), own, _PAYMENTS)
    if found is None:
        raise unknown_status(entry)
    state, payment = after_refund(found, entry.size("refunded"), entry.amount("total"))
    stopped = fold(entry.raw("fulfilment")) in ("canceled", "cancelled", "annule", "annulee")
    return ("cancelled" if stopped else state), payment


def _address(values: list[str], places: dict[str, int]) -> AddressDraft:
    return AddressDraft(
        address1=cells.clean(values[places["address"]]),
        postcode=cells.unquoted(values[places["zip"]]),
        city=cells.clean(values[places["city"]]),
        country=cells.country(values[places["country"]]),
    )


def _customer(entry: Entry, address: AddressDraft) -> CustomerDraft:
    found = buyer(entry, address, entry.text("email"))
    return found._replace(vat_number=entry.text("vat_number"))


_CONTACT_ALIASES: dict[str, tuple[str, ...]] = {
    "ref": ("Contact ID", "ID du contact"),
    "email": ("Email 1", "Email", "E-mail 1", "Email Address"),
    "first_name": ("First Name", "Prénom"),
    "last_name": ("Last Name", "Nom", "Nom de famille"),
    "company": ("Company", "Entreprise", "Société"),
    "phone": ("Phone 1", "Phone", "Téléphone 1"),
    "address1": (
        "Address 1 - Street",
        "Address 1 - Street line 1",
        "Address 1 - Address line 1",
        "Address 1 - Street and Number",
        "Adresse 1 - Rue",
    ),
    "address2": ("Address 1 - Street Line 2", "Address 1 - Address line 2"),
    "postcode": (
        "Address 1 - Zip",
        "Address 1 - Zip/Postal code",
        "Address 1 - Zip Code",
        "Adresse 1 - Code postal",
    ),
    "city": ("Address 1 - City", "Adresse 1 - Ville"),
    "country": ("Address 1 - Country", "Adresse 1 - Pays"),
    "vat_number": ("VAT ID", "Numéro de TVA"),
    "labels": ("Labels", "Libellés", "Étiquettes"),
    "source": ("Source", "Source du contact"),
    "subscribed": (
        "Email subscriber status",
        "Email subscriber",
        "Statut d'abonné par e-mail",
        "Statut d'abonnement par e-mail",
    ),
    "created_at": ("Created At (UTC+0)", "Created At", "Date de création (UTC+0)"),
    "last_activity": ("Last Activity", "Last Activity Date (UTC+0)", "Dernière activité"),
    "language": ("Language", "Langue"),
}
_CONTACT_NAMES = known_names(_CONTACT_ALIASES)


def _contacts_strength(header: Header) -> int:
    """How many columns agree; 0 when the file isn't a Contacts export."""
    columns = Columns(header, _CONTACT_ALIASES)
    named = columns.has("email") and (columns.has("first_name") or columns.has("last_name"))
    numbered = header.has("email 1") or header.has("e mail 1")
    signs = sum(columns.has(f) for f in ("labels", "subscribed", "country", "city", "created_at"))
    return (
        header.count(_CONTACT_NAMES) if named and (numbered or signs > _ENOUGH - 1) and signs else 0
    )


class WixContacts:
    """Reads customers; a contact without e-mail is known by its phone number."""

    def __init__(self, header: Header) -> None:
        self._columns = Columns(header, _CONTACT_ALIASES)
        self._columns.day_first = False

    def draft(self, row: Row) -> CustomerDraft:
        entry = self._columns.entry(row)
        ref = entry.plain("ref") or ("" if entry.filled("email") else entry.plain("phone"))
        if not ref and not entry.filled("email"):
            raise no_customer_key(entry.line, entry.column("email"))
        subscribed = fold(entry.raw("subscribed")) in ("subscribed", "abonne")
        return person(entry, ref=ref)._replace(accepts_marketing=subscribed)
