"""PrestaShop: the SQL Manager's export of orders with their details, and customers.

The order list's own export has no articles: it is recognised and refused. A saved query gives
the tables' columns, one row an article; docs/guide/fr/shops/prestashop.md has it ready to paste.
Modules write the same columns under labels.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext as _

from customers.drafts import AddressDraft, CustomerDraft
from ftp_ingest.dialects.amounts import line_of_totals, rate_between, rounding, stated
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
    as_stored,
    currency_of,
    digits,
    no_items,
    person,
    unknown_status,
)
from ftp_ingest.dialects.states import after_refund, states_of
from sales.drafts import FEE, LineDraft, OrderDraft
from sphinx.core.money import HUNDRED, ZERO, to_cents
from sphinx.core.texts import fold


def _address(use: str, *short: str) -> dict[str, tuple[str, ...]]:
    """An address' columns under each prefix that queries give them."""
    prefixes = (f"{use}_", *short)
    fields = {
        "firstname": ("firstname", "prenom"),
        "lastname": ("lastname", "nom"),
        "company": ("company", "societe"),
        "address1": ("address1", "adresse1", "adresse"),
        "address2": ("address2", "adresse2"),
        "postcode": ("postcode", "code_postal"),
        "city": ("city", "ville"),
        "country": ("country_iso", "iso_code", "country", "pays"),
        "phone": ("phone", "phone_mobile", "telephone"),
        "vat_number": ("vat_number", "tva"),
    }
    return {
        f"{use}_{field}": tuple(f"{prefix}{name}" for prefix in prefixes for name in names)
        for field, names in fields.items()
    }


_ALIASES: dict[str, tuple[str, ...]] = {
    "id": ("id_order", "order_id", "ID commande", "Id commande", "ID de commande"),
    "reference": ("reference", "order_reference", "Référence commande", "Référence"),
    "date": ("date_add", "order_date", "Date de commande", "Date"),
    "status": (
        "order_state",
        "state_name",
        "order_state_name",
        "status",
        "current_state_name",
        "etat",
        "statut",
        "current_state",
    ),
    "state_id": ("current_state", "id_order_state"),
    # What the shop's own settings of a state say of it.
    "paid": ("paid", "state_paid"),
    "shipped": ("shipped", "state_shipped"),
    "logable": ("logable", "state_logable"),
    "payment": ("payment", "Paiement", "Mode de paiement"),
    "currency": ("currency", "currency_iso", "currency_iso_code", "Devise"),
    "total": ("total_paid_tax_incl", "total_paid", "Total TTC", "Total payé TTC"),
    "total_net": ("total_paid_tax_excl", "Total HT"),
    # Money received, as the shop recorded it.
    "received": ("total_paid_real",),
    "shipping": ("total_shipping_tax_incl", "total_shipping", "Frais de port TTC"),
    "shipping_net": ("total_shipping_tax_excl", "Frais de port HT"),
    "shipping_rate": ("carrier_tax_rate",),
    # A voucher offers carriage: it is charged, and stands in the discount as a whole.
    "free_shipping": ("free_shipping",),
    "discount_net": ("total_discounts_tax_excl",),
    "discount": ("total_discounts_tax_incl", "total_discounts", "Réduction TTC", "Remise TTC"),
    "wrapping": ("total_wrapping_tax_incl", "total_wrapping"),
    "wrapping_net": ("total_wrapping_tax_excl",),
    "refunded": ("total_refunded_tax_incl", "total_refunded"),
    "invoice_date": ("invoice_date",),
    "changed_at": ("date_upd", "date_update", "Dernière modification"),
    "note": ("message", "note"),
    "customer_id": ("id_customer", "customer_id", "ID client"),
    "is_guest": ("is_guest",),
    "email": ("email", "customer_email", "E-mail", "Adresse e-mail"),
    "firstname": ("firstname", "customer_firstname", "Prénom"),
    "lastname": ("lastname", "customer_lastname", "Nom"),
    "company": ("company", "customer_company", "Société"),
    "siret": ("siret",),
    "vat_number": ("vat_number", "Numéro de TVA", "TVA intracommunautaire"),
    **_address("invoice", "billing_", "inv_", "facturation_", ""),
    **_address("delivery", "shipping_", "del_", "livraison_"),
    "sku": (
        "product_reference",
        "Référence produit",
        "Référence article",
        "sku",
    ),
    "product_id": ("product_id",),
    "combination_id": ("product_attribute_id",),
    "name": ("product_name", "Produit", "Nom du produit", "Désignation"),
    "quantity": ("product_quantity", "Quantité"),
    "quantity_refunded": ("product_quantity_refunded",),
    "quantity_returned": ("product_quantity_return",),
    "line_refunded": ("line_refunded_tax_incl", "total_refunded_line_tax_incl"),
    "shipping_refunded": ("shipping_refunded_tax_incl",),
    "shipped_at": ("shipped_at",),
    "carrier": ("carrier", "carrier_name"),
    "tracking_number": ("tracking_number", "shipping_number"),
    "price": ("unit_price_tax_incl", "Prix unitaire TTC"),
    "price_net": ("unit_price_tax_excl", "Prix unitaire HT"),
    "line": ("total_price_tax_incl", "Total ligne TTC"),
    "line_net": ("total_price_tax_excl", "Total ligne HT"),
    "rate": ("tax_rate", "rate", "Taux de TVA", "Taux TVA"),
}
NAMES = known_names(_ALIASES)
_DETAIL = frozenset(
    fold(n)
    for n in (
        "id_order product_reference product_name product_quantity unit_price_tax_incl "
        "unit_price_tax_excl total_price_tax_incl total_paid_tax_incl total_shipping_tax_incl "
        "id_order_detail total_products_wt current_state"
    ).split()
)
# The list of orders as the back-office shows it.
_LISTS = tuple(
    frozenset(map(fold, names.split(",")))
    for names in (
        "ID,Reference,New client,Delivery,Customer,Total,Payment,Status,Date",
        "ID,Référence,Nouveau client,Livraison,Client,Total,Paiement,État,Date",
    )
)
_ENOUGH_DETAIL, _ENOUGH_LIST = 2, 6
# The states that every installation has, by id.
_STATE_IDS = {
    "1": ("pending", "unpaid"),
    "2": ("confirmed", "paid"),
    "3": ("confirmed", "paid"),
    "4": ("confirmed", "paid"),
    "5": ("confirmed", "paid"),
    "6": ("cancelled", "unpaid"),
    "7": ("confirmed", "refunded"),
    "8": ("cancelled", "unpaid"),
    "10": ("pending", "unpaid"),
}
# Shipped, delivered.
_LEFT_IDS = frozenset(("4", "5"))
# Those that had other numbers before 1.7: believed when nothing else tells.
_LATER_STATE_IDS = {
    "9": ("confirmed", "paid"),
    "11": ("confirmed", "paid"),
    "12": ("pending", "unpaid"),
    "13": ("pending", "unpaid"),
}


@register
class PrestaShop(Dialect):
    code = "prestashop"
    label = "PrestaShop"
    stock_format = StockFormat(";", "Reference", "Quantity")

    def recognise(self, header: Header) -> tuple[str, int]:
        if header.count(_DETAIL) >= _ENOUGH_DETAIL and (
            header.has("id order") or header.has("product reference")
        ):
            return ORDERS, header.count(NAMES)
        if any(header.count(names) >= _ENOUGH_LIST for names in _LISTS):
            return ORDERS, _ENOUGH_LIST
        return (CUSTOMERS, strength) if (strength := _customers_strength(header)) else ("", 0)

    def check_header(self, header: Header, kind: str) -> None:
        if kind != ORDERS:
            return
        if not Columns(header, _ALIASES).has("quantity"):
            raise no_lines(
                self.label,
                _(
                    "la liste des commandes ne détaille pas les articles. Collez la requête de "
                    "l'aide (Relier une boutique › PrestaShop) dans Paramètres avancés › Base de "
                    "données › Gestionnaire SQL, et exportez son résultat"
                ),
            )
        require(
            header,
            self.label,
            _ALIASES["id"],
            _ALIASES["date"],
            _ALIASES["total"],
            (*_ALIASES["price"], *_ALIASES["line"], *_ALIASES["price_net"]),
        )

    def orders(self, header: Header) -> "PrestaShopOrders":
        return PrestaShopOrders(header)

    def customers(self, header: Header) -> "PrestaShopCustomers":
        return PrestaShopCustomers(header)


class PrestaShopOrders(TableOrders):
    """Reads orders; `reference` may be shared by several, the key is `id_order`."""

    def __init__(self, header: Header) -> None:
        super().__init__(header, _ALIASES, key="id", date="date", content=("quantity",))

    def draft(self, rows: Sequence[Row]) -> OrderDraft:
        entries = [self._columns.entry(as_stored(row)) for row in rows]
        entry = entries[0]
        key = entry.plain("id")
        total = entry.amount("total")
        tax = self._tax(entries, total)
        lines = [self._line(e) for e in entries if e.number("quantity") > 0]
        refunded = self._refunded(entries, total)
        state, payment = self._states(entry, refunded, total)
        if not lines and state != "cancelled":
            raise no_items(key, entry, "quantity")
        shipping_refunded = min(entry.size("shipping_refunded"), refunded)
        lines = _as_given_back(lines, refunded - shipping_refunded)
        lines += self._wrapping(entry)
        is_untaxed = tax == 0 and total != 0
        if is_untaxed:
            lines = [line._replace(tax_rate=None) for line in lines]
        invoice, delivery = _read_address(entry, "invoice"), _read_address(entry, "delivery")
        shipping, shipping_rate = self._shipping(entry)
        shipping = self._own_shipping(entries, total, shipping, shipping_rate)
        offered = _shipping_offered(entry, shipping)
        return OrderDraft(
            external_id=key[:80],
            number=(entry.plain("reference") or key)[:80],
            shares_number=True,
            changed_at=entry.maybe_moment("changed_at"),
            placed_at=entry.moment("date"),
            state=state,
            payment_status=payment,
            customer=self._customer(entry, invoice),
            lines=tuple(lines),
            total_incl_tax=total,
            billing=invoice,
            shipping=delivery if delivery.address1 or delivery.city else invoice,
            currency=currency_of(entry),
            prices_include_tax=self._is_gross,
            shipping_amount=shipping - offered,
            shipping_tax_rate=None if is_untaxed else shipping_rate,
            discount=entry.size("discount") - offered,
            refunded=refunded or (total if payment == "refunded" else ZERO),
            stated_taxes=stated({}, tax) if tax is not None else (),
            payment_method=entry.text("payment"),
            note=entry.text("note"),
            line=entry.line,
            tolerance=rounding(len(lines) + 1) + sum(map(self._own_rounding, entries), ZERO),
            is_shipped=self._has_left(entry),
            shipped_at=_moment_or_none(entry, "shipped_at"),
            carrier=entry.text("carrier"),
            tracking_number=entry.plain("tracking_number"),
            shipping_refunded=shipping_refunded,
        )

    def _has_left(self, entry: Entry) -> bool:
        """By the shop's own answer, the platform's numbers, the state's flag, then its words."""
        text = entry.raw("status")
        if fold(text) in self.states:
            return has_left(text, self.states)
        number = entry.text("state_id") or entry.text("status")
        return number in _LEFT_IDS or entry.yes("shipped") or has_left(text)

    def _tax(self, entries: Sequence[Entry], total: Decimal) -> Decimal | None:
        """The order's VAT: its total less the same excl. tax, else the sum of its parts'."""
        entry = entries[0]
        if entry.filled("total_net"):
            return max(total - entry.cents("total_net"), ZERO)
        pairs = (("shipping", "shipping_net"), ("wrapping", "wrapping_net"))
        discount = entry.size("discount")
        parts_are_told = self._columns.has("line", "line_net", "shipping", "shipping_net") and (
            not discount or entry.filled("discount_net")
        )
        if not parts_are_told:
            return None
        goods = sum((e.cents("line") - e.cents("line_net") for e in entries), ZERO)
        charges = sum((entry.cents(gross) - entry.cents(net) for gross, net in pairs), ZERO)
        return max(goods + charges - discount + entry.size("discount_net"), ZERO)

    @property
    def _is_gross(self) -> bool:
        return self._columns.has("price") or self._columns.has("line")

    def _line(self, entry: Entry) -> LineDraft:
        """One article; prices have six decimals and are after the article's own reductions."""
        quantity = entry.quantity("quantity")
        price, price_net = entry.price("price"), entry.price("price_net")
        total = entry.cents("line") if entry.filled("line") else to_cents(quantity * price)
        net = entry.cents("line_net") if entry.filled("line_net") else quantity * price_net
        rate = entry.rate("rate") or None
        if rate is None and net and self._is_gross:
            # The tables keep the rate in another place since 1.7: it is in the two prices.
            rate = rate_between(to_cents(net), total - to_cents(net))
        sku, name = entry.plain("sku"), entry.text("name")
        if not self._is_gross:
            total = net
        draft = line_of_totals(
            sku=sku,
            label=name or sku or _("Article"),
            quantity=quantity,
            total=total,
            before_discount=ZERO,
            rate=rate,
            line=entry.line,
        )
        return draft._replace(
            product_key=_product_key(entry),
            refunded=_pieces_refunded(entry),
            returned=entry.number("quantity_returned"),
            refunded_amount=entry.maybe_size("line_refunded"),
        )

    def _own_rounding(self, entry: Entry) -> Decimal:
        """How far (EUR) a line's VAT is from its rate: prices may be rounded piece by piece."""
        rate = entry.rate("rate")
        if not (rate and entry.filled("line") and entry.filled("line_net")):
            return ZERO
        gross = entry.cents("line_net") * (HUNDRED + rate) / HUNDRED
        return abs(to_cents(gross) - entry.cents("line"))

    def _wrapping(self, entry: Entry) -> list[LineDraft]:
        """Gift wrapping, charged on the order."""
        gross, net = entry.cents("wrapping"), entry.cents("wrapping_net")
        if not gross:
            return []
        rate = rate_between(net, gross - net) if net else None
        label = _("Emballage cadeau")
        return [LineDraft("", label, Decimal(1), gross, rate, line=entry.line, kind=FEE)]

    def _shipping(self, entry: Entry) -> tuple[Decimal, Decimal | None]:
        gross, net = entry.cents("shipping"), entry.cents("shipping_net")
        rate = entry.rate("shipping_rate")
        if not self._columns.has("shipping"):
            return to_cents(net * (HUNDRED + (rate or ZERO)) / HUNDRED), rate
        if not rate and net:
            rate = rate_between(net, gross - net)
        return gross, rate if gross else None

    def _own_shipping(
        self, entries: Sequence[Entry], total: Decimal, shipping: Decimal, rate: Decimal | None
    ) -> Decimal:
        """An order's own carriage (EUR), where it is written with its whole basket's.

        A basket that is split into several orders gives each all of its carriage since 9.1, and
        each total its own part. The totals incl. and excl. tax must leave the same part.
        """
        parts = ("total_net", "line", "line_net", "shipping_net", "discount_net")
        if not self._columns.has(*parts):
            return shipping
        entry = entries[0]
        goods = sum((e.cents("line") for e in entries), ZERO)
        goods_net = sum((e.cents("line_net") for e in entries), ZERO)
        own = total - goods - entry.cents("wrapping") + entry.size("discount")
        own_net = entry.cents("total_net") - goods_net - entry.cents("wrapping_net")
        own_net += entry.size("discount_net")
        explained = to_cents(own_net * (HUNDRED + (rate or ZERO)) / HUNDRED)
        is_part = 0 < own < shipping and abs(own - explained) <= rounding(len(entries))
        return own if is_part else shipping

    def _refunded(self, entries: Sequence[Entry], total: Decimal) -> Decimal:
        """What was given back, as stated, else by the pieces refunded (EUR incl. tax)."""
        stated_amount = entries[0].size("refunded")
        if stated_amount:
            # Slips may forget the order's discount: no more went back than was charged.
            return min(stated_amount, total)
        sold = [e for e in entries if e.number("quantity") > 0]
        pieces = sum((_pieces_refunded(e) * _gross_price(e) for e in sold), Decimal(0))
        return min(to_cents(pieces), total)

    def _states(self, entry: Entry, refunded: Decimal, total: Decimal) -> tuple[str, str]:
        """By the shop's own answer, the platform's numbers and flags, then whole phrases."""
        text = entry.raw("status")
        number = entry.text("state_id") or entry.text("status")
        own = states_of(text, self.states) if fold(text) in self.states else None
        found = (
            own
            or _STATE_IDS.get(number)
            or _by_flags(entry, states_of(text))
            or states_of(text)
            or _LATER_STATE_IDS.get(number)
        )
        if found is None:
            hint = _("Exportez le libellé d'un état standard (Paiement accepté, Expédié, Annulé…).")
            raise unknown_status(entry, hint)
        return after_refund(_with_money(found, entry, total), refunded, total)

    def _customer(self, entry: Entry, invoice: AddressDraft) -> CustomerDraft:
        company = entry.text("company") or invoice.company
        ref = entry.plain("customer_id")
        return CustomerDraft(
            ref="" if ref == "0" or entry.yes("is_guest") else ref[:80],
            email=entry.text("email"),
            first_name=entry.text("firstname"),
            last_name=entry.text("lastname"),
            company=company,
            vat_number=entry.text("vat_number") or entry.text("invoice_vat_number"),
            siret=digits(entry.raw("siret")),
            phone=invoice.phone,
            is_business=bool(company),
            address=invoice,
            line=entry.line,
        )


def _by_flags(entry: Entry, said: tuple[str, str] | None) -> tuple[str, str] | None:
    """What the settings of a state tell; None when they leave it open.

    `said` is what the state says of itself: money that went back and an order that is off
    don't show in the flags.
    """
    if entry.yes("paid") or entry.yes("shipped"):
        if said is None or said[0] == "pending":
            return "confirmed", "paid"
        return said if said[0] == "confirmed" else (said[0], "paid")
    return ("confirmed", "unpaid") if said is None and entry.yes("logable") else None


def _with_money(states: tuple[str, str], entry: Entry, total: Decimal) -> tuple[str, str]:
    """The same where all the money came in, though the state an order is in now doesn't say so.

    A cancelled order may have been paid, a house state may follow payment; an order that still
    waits is believed.
    """
    state, payment = states
    if state != "pending" and payment == "unpaid" and 0 < total <= entry.cents("received"):
        payment = "paid"
    return state, payment


def _as_given_back(lines: list[LineDraft], goods: Decimal) -> list[LineDraft]:
    """The lines without what went back on each, where that is more than `goods`, what went back.

    A slip tells its articles' prices, though a smaller amount was chosen or the order's voucher
    was kept: nobody knows then which line bears the rest.
    """
    told = sum((line.refunded_amount or ZERO for line in lines), ZERO)
    return [line._replace(refunded_amount=None) for line in lines] if told > goods else lines


def _shipping_offered(entry: Entry, shipping: Decimal) -> Decimal:
    """The carriage that a voucher gives back: all of it (EUR), or nothing."""
    is_offered = entry.yes("free_shipping") and shipping <= entry.size("discount")
    return shipping if is_offered else ZERO


def _product_key(entry: Entry) -> str:
    """The shop's own key of an article: its id, and its combination's where it has some."""
    product, combination = entry.plain("product_id"), entry.plain("combination_id")
    if not product.strip("0"):
        return ""
    return f"{product}-{combination}" if combination.strip("0") else product


def _pieces_refunded(entry: Entry) -> Decimal:
    """Pieces whose money went back: refunded before they left, or returned after."""
    pieces = entry.number("quantity_refunded") + entry.number("quantity_returned")
    return min(pieces, entry.number("quantity"))


def _gross_price(entry: Entry) -> Decimal:
    """A piece's price incl. tax, with the file's decimals."""
    if entry.filled("price") or not entry.filled("line"):
        return entry.price("price")
    return entry.price("line") / entry.quantity("quantity")


def _moment_or_none(entry: Entry, field: str) -> datetime | None:
    """None for the day 0 that MySQL keeps where nothing happened."""
    return None if entry.raw(field).startswith("0000") else entry.maybe_moment(field)


def _read_address(entry: Entry, use: str) -> AddressDraft:
    first, last = entry.text(f"{use}_firstname"), entry.text(f"{use}_lastname")
    return AddressDraft(
        name=f"{first} {last}".strip(),
        company=entry.text(f"{use}_company"),
        address1=entry.text(f"{use}_address1"),
        address2=entry.text(f"{use}_address2"),
        postcode=entry.plain(f"{use}_postcode"),
        city=entry.text(f"{use}_city"),
        country=entry.country(f"{use}_country"),
        phone=entry.plain(f"{use}_phone"),
    )


_CUSTOMER_ALIASES: dict[str, tuple[str, ...]] = {
    "ref": ("id_customer", "ID", "customer_id"),
    "email": ("email", "Email address", "Adresse e-mail", "E-mail", "Email"),
    "first_name": ("firstname", "First name", "Prénom"),
    "last_name": ("lastname", "Last name", "Nom"),
    "company": ("company", "Company", "Société"),
    "siret": ("siret",),
    "vat_number": ("vat_number", "Numéro de TVA"),
    "is_guest": ("is_guest",),
    "newsletter": ("newsletter", "Newsletter", "optin", "Partner offers"),
    "created_at": ("date_add", "Registration", "Inscription", "Date d'inscription"),
    "note": ("note",),
    "title": ("Social title", "Titre de civilité", "Titre", "Civilité", "id_gender"),
    "active": ("active", "Enabled", "Activé", "Sales", "Ventes"),
    **{
        field: _address("address", "")[f"address_{field}"]
        for field in ("address1", "address2", "postcode", "city", "country", "phone")
    },
}
_CUSTOMER_NAMES = known_names(_CUSTOMER_ALIASES)
_ENOUGH_CUSTOMER = 4


def _customers_strength(header: Header) -> int:
    """How many columns agree; 0 when the file isn't PrestaShop's customers."""
    columns = Columns(header, _CUSTOMER_ALIASES)
    own_query = header.has("id customer", "email")
    own_list = header.has("id") and columns.has("title", "email", "last_name")
    found = header.count(_CUSTOMER_NAMES)
    return found + 1 if (own_query or own_list) and found >= _ENOUGH_CUSTOMER else 0


class PrestaShopCustomers:
    """Reads customers."""

    def __init__(self, header: Header) -> None:
        self._columns = Columns(header, _CUSTOMER_ALIASES)

    def draft(self, row: Row) -> CustomerDraft:
        entry = self._columns.entry(as_stored(row))
        ref = entry.plain("ref")
        if not ref and not entry.filled("email"):
            raise no_customer_key(entry.line, entry.column("email"))
        if entry.yes("is_guest") and entry.filled("email"):
            # Every order of a guest has an account of its own: the e-mail knows the person.
            ref = ""
        return person(entry, ref=ref)._replace(accepts_marketing=entry.yes("newsletter"))
