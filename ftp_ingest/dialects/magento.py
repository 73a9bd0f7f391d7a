"""Magento 2 / Adobe Commerce: orders with their items, and customers.

The order grid's own export has no items: it is recognised and refused. Export modules write
the platform's table columns, items one a row, plain (`sku`, `qty_ordered`…) or prefixed
(`item:sku`, Firebear); order columns on the first row or on every row. Checked against
Firebear's published sample files and the platform's tables; see docs/guide/fr/shops/magento.md.
"""

from collections.abc import Sequence
from datetime import UTC
from decimal import Decimal

from django.utils.translation import gettext as _

from customers.drafts import AddressDraft, CustomerDraft
from ftp_ingest.dialects.amounts import (
    line_of_totals,
    rate_between,
    rounding,
    stated,
    untaxed_rates_are_open,
)
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
    currency_of,
    no_items,
    payment_references,
    person,
    unknown_status,
)
from ftp_ingest.dialects.states import after_refund, states_of
from sales.drafts import LineDraft, OrderDraft
from sphinx.core.money import HUNDRED, ZERO, to_cents
from sphinx.core.texts import fold


def _item(*names: str) -> tuple[str, ...]:
    """An item's column: prefixed by Firebear and Amasty, plain elsewhere."""
    return tuple(f"{prefix}{name}" for prefix in ("item:", "item_", "items.", "") for name in names)


def _own_item(*names: str) -> tuple[str, ...]:
    """The same where the order has a column of that name too."""
    return tuple(
        f"{prefix}{name}" for prefix in ("item:", "item_", "items.", "item ") for name in names
    )


_ADDRESS = {
    "firstname": ("firstname", "first_name"),
    "lastname": ("lastname", "last_name"),
    "company": ("company",),
    "street": ("street", "street1", "street_1"),
    "postcode": ("postcode", "zip"),
    "city": ("city",),
    "country": ("country_id", "country"),
    "telephone": ("telephone", "phone"),
    "vat_id": ("vat_id",),
}
_ORDER: dict[str, tuple[str, ...]] = {
    "number": ("increment_id", "order_number", "order_id"),
    "created_at": ("created_at", "order_date", "purchase_date"),
    "status": ("status", "order_status"),
    "state": ("state",),
    "currency": ("order_currency_code", "currency"),
    "total": ("grand_total", "base_grand_total"),
    "shipping": ("shipping_incl_tax", "base_shipping_incl_tax"),
    "shipping_net": ("shipping_amount", "base_shipping_amount"),
    "shipping_tax": ("shipping_tax_amount", "base_shipping_tax_amount"),
    "shipping_discount": ("shipping_discount_amount",),
    "discount": ("discount_amount", "base_discount_amount"),
    "tax": ("tax_amount", "base_tax_amount"),
    "refunded": ("total_refunded", "base_total_refunded"),
    "shipping_refunded": ("shipping_refunded", "base_shipping_refunded"),
    "shipping_tax_refunded": ("shipping_tax_refunded", "base_shipping_tax_refunded"),
    "paid": ("total_paid", "base_total_paid"),
    "gift_cards": ("gift_cards_amount", "base_gift_cards_amount"),
    "store_credit": ("customer_balance_amount",),
    "customer_id": ("customer_id",),
    "email": ("customer_email",),
    "firstname": ("customer_firstname",),
    "lastname": ("customer_lastname",),
    "taxvat": ("customer_taxvat",),
    "note": ("customer_note",),
    "payment": ("payment:method", "payment_method", "method"),
    "payment_reference": ("payment:last_trans_id", "payment_last_trans_id", "last_trans_id"),
    **{
        f"{use}_{field}": tuple(f"{use}_{n}" for n in names)
        + tuple(f"{use}:{n}" for n in names)
        + tuple(f"{use}_address_{n}" for n in names)
        for use in ("billing", "shipping")
        for field, names in _ADDRESS.items()
    },
    "address_type": ("address:address_type",),
    **{f"any_{field}": tuple(f"address:{n}" for n in names) for field, names in _ADDRESS.items()},
}
_ITEMS: dict[str, tuple[str, ...]] = {
    "item_id": _item("item_id"),
    "parent_id": _item("parent_item_id"),
    "type": _item("product_type"),
    "sku": _item("sku"),
    "name": _item("name"),
    "ordered": _item("qty_ordered", "qty"),
    "qty_shipped": _item("qty_shipped"),
    "qty_canceled": _item("qty_canceled"),
    "qty_refunded": _item("qty_refunded"),
    "amount_refunded": _item("amount_refunded"),
    "tax_refunded": _item("tax_refunded"),
    "price": _item("price_incl_tax"),
    "price_net": _item("price"),
    "rate": _item("tax_percent"),
    "item_tax": _own_item("tax_amount"),
    "compensation": _own_item("discount_tax_compensation_amount"),
    "item_discount": _own_item("discount_amount"),
    "row": _item("row_total_incl_tax"),
    "row_net": _item("row_total"),
}
_ALIASES = _ORDER | _ITEMS
_NAMES = known_names(_ALIASES)
_GRID = frozenset(
    fold(name)
    for name in (
        "Purchase Point,Purchase Date,Bill-to Name,Ship-to Name,Grand Total (Base),"
        "Grand Total (Purchased),Shipping and Handling,Total Refunded,Customer Group,"
        "Point d'achat,Date d'achat,Nom de facturation,Nom de livraison,Facturer à,Livrer à,"
        "Total général (base),Total général (achat),Groupe de clients,"
        # Magento 1 and OpenMage.
        "Purchased From (Store),Purchased On,G.T. (Base),G.T. (Purchased)"
    ).split(",")
)
_ENOUGH_GRID_COLUMNS = 3
_STATUSES = {
    "pending": ("pending", "unpaid"),
    "pending payment": ("pending", "unpaid"),
    "pending paypal": ("pending", "unpaid"),
    "payment review": ("pending", "unpaid"),
    "fraud": ("pending", "unpaid"),
    "holded": ("pending", "unpaid"),
    "on hold": ("pending", "unpaid"),
    "new": ("pending", "unpaid"),
    "processing": ("confirmed", "paid"),
    "complete": ("confirmed", "paid"),
    "closed": ("confirmed", "refunded"),
    "canceled": ("cancelled", "unpaid"),
    "cancelled": ("cancelled", "unpaid"),
    "paypal canceled reversal": ("pending", "unpaid"),
    "paypal reversed": ("pending", "unpaid"),
    "en attente": ("pending", "unpaid"),
    "en attente de paiement": ("pending", "unpaid"),
    "en cours de traitement": ("confirmed", "paid"),
    "en traitement": ("confirmed", "paid"),
    "terminee": ("confirmed", "paid"),
    "complet": ("confirmed", "paid"),
    "fermee": ("confirmed", "refunded"),
    "annulee": ("cancelled", "unpaid"),
}

_COMPLETE = frozenset(("complete", "terminee", "complet"))


@register
class Magento(Dialect):
    code = "magento"
    label = "Magento 2"
    stock_format = StockFormat(",", "sku", "qty", "is_in_stock")

    def recognise(self, header: Header) -> tuple[str, int]:
        if header.has("increment id") and (header.has("grand total") or header.has("qty ordered")):
            return ORDERS, header.count(_NAMES)
        if header.count(_GRID) >= _ENOUGH_GRID_COLUMNS:
            return ORDERS, header.count(_GRID)
        return (CUSTOMERS, strength) if (strength := _customers_strength(header)) else ("", 0)

    def check_header(self, header: Header, kind: str) -> None:
        if kind != ORDERS:
            return
        columns = Columns(header, _ALIASES)
        if header.count(_GRID) >= _ENOUGH_GRID_COLUMNS or not columns.has("ordered"):
            raise no_lines(
                self.label,
                _(
                    "la grille des commandes ne détaille pas les articles. Utilisez un module "
                    "d'export (Xtento, Firebear, Amasty, Mageplaza) avec les colonnes des articles "
                    "(sku, qty_ordered, row_total_incl_tax…)"
                ),
            )
        require(header, self.label, _ORDER["created_at"], _ORDER["total"])

    def orders(self, header: Header) -> "MagentoOrders":
        return MagentoOrders(header)

    def customers(self, header: Header) -> "MagentoCustomers":
        return MagentoCustomers(header)


class MagentoOrders(TableOrders):
    """Reads orders; times are UTC."""

    def __init__(self, header: Header) -> None:
        content = ("ordered", "sku", "created_at", "any_lastname")
        super().__init__(header, _ALIASES, key="number", date="created_at", content=content)
        self._columns.zone = UTC
        self._part_order_from_item(header)

    def _part_order_from_item(self, header: Header) -> None:
        """The order and its items have columns of one name: the items' stand after the SKU."""
        place = self._columns.place
        for order_field, item_field in (("tax", "item_tax"), ("discount", "item_discount")):
            if place[item_field] >= 0:
                continue
            places = header.places(fold(_ORDER[order_field][0]))
            place[order_field] = next((p for p in places if p < place["sku"]), -1)
            place[item_field] = next((p for p in places if p > place["sku"]), -1)

    def _tax(self, entry: Entry, items: Sequence[Entry]) -> Decimal:
        """The order's VAT, else the sum of its lines' and of shipping's (EUR)."""
        if self._columns.has("tax"):
            return entry.cents("tax")
        return sum((item.cents("item_tax") for item in items), entry.cents("shipping_tax"))

    def draft(self, rows: Sequence[Row]) -> OrderDraft:
        entry = self._columns.entry(rows[0])
        entries = [self._columns.entry(row) for row in rows]
        number = entry.plain("number")
        items = _counted_once(entries)
        if not items:
            raise no_items(number, entry, "ordered")
        tax = self._tax(entry, items)
        paid_otherwise = entry.size("gift_cards") + entry.size("store_credit")
        total = entry.amount("total") + paid_otherwise
        readings, shipping_rate = self._shipping(entry, items)
        totals, shipping, discount = self._charges(entry, items, total, readings)
        lines = [_line(item, charged) for item, charged in zip(items, totals, strict=True)]
        state, payment = self._states(entry, total)
        billing, delivery = self._addresses(entries)
        return OrderDraft(
            external_id=number[:80],
            number=number[:80],
            placed_at=entry.moment("created_at"),
            state=state,
            payment_status=payment,
            customer=self._customer(entry, billing, entries),
            lines=tuple(lines if tax else untaxed_rates_are_open(lines)),
            total_incl_tax=total,
            billing=billing,
            shipping=delivery,
            currency=currency_of(entry),
            shipping_amount=shipping,
            shipping_tax_rate=shipping_rate if tax else None,
            discount=discount,
            refunded=entry.size("refunded") or (total if payment == "refunded" else ZERO),
            stated_taxes=stated({}, tax),
            payment_method=entry.text("payment"),
            note=entry.text("note"),
            line=entry.line,
            tolerance=rounding(len(lines) + 1),
            is_shipped=self._has_left(entry),
            payment_references=payment_references(entries, "payment_reference"),
            shipping_refunded=entry.size("shipping_refunded") + entry.size("shipping_tax_refunded"),
        )

    def _has_left(self, entry: Entry) -> bool:
        """A complete order has left whole, whatever its items say of it."""
        state = fold(entry.raw("state")) or fold(entry.raw("status"))
        return has_left(state, self.states, _COMPLETE)

    def _shipping(
        self, entry: Entry, items: Sequence[Entry]
    ) -> tuple[list[Decimal], Decimal | None]:
        """What shipping may have cost, incl. tax and after its own discount, and its rate.

        A discount on shipping is taken off before or after tax, as the shop is set.
        """
        net, tax = entry.cents("shipping_net"), entry.cents("shipping_tax")
        gross = entry.cents("shipping") if self._columns.has("shipping") else net + tax
        discount = entry.size("shipping_discount")
        if not self._columns.has("shipping_tax") and self._columns.has("tax", "item_tax"):
            # What of the order's VAT isn't the items' is shipping's.
            tax = entry.cents("tax") - sum((item.cents("item_tax") for item in items), ZERO)
            tax = tax if 0 <= tax <= gross else ZERO
            rate = rate_between(gross - tax, tax) if tax else None
        else:
            rate = rate_between(gross - tax, tax) if self._columns.has("shipping_tax") else None
        readings = [gross - discount, net - discount + tax] if discount else [gross]
        return [max(reading, ZERO) for reading in readings], rate

    def _charges(
        self, entry: Entry, items: Sequence[Entry], total: Decimal, shipping: Sequence[Decimal]
    ) -> tuple[list[Decimal], Decimal, Decimal]:
        """Line totals, shipping and what the order's own discount takes off, all incl. tax.

        Magento keeps row totals before discount; discounts are taken off prices incl. or
        excl. tax, line by line or on the order. The reading that makes the order's total is
        the shop's.
        """
        whole = entry.size("discount")
        readings = [
            ([read(item) for item in items], carriage, discount)
            for read, discount in (
                (_by_row, ZERO),
                (_by_compensation, ZERO),
                (_gross, ZERO),
                (_gross, whole),
            )
            for carriage in shipping
        ]
        return min(readings, key=lambda r: abs(sum(r[0], ZERO) + r[1] - r[2] - total))

    def _states(self, entry: Entry, total: Decimal) -> tuple[str, str]:
        """By status, else (a status the merchant made) by Magento's own state."""
        text, platform = entry.raw("status"), _STATUSES
        by_state = platform.get(fold(entry.raw("state")))
        if by_state and fold(text) not in platform:
            platform = {fold(text): by_state}
        found = states_of(text, self.states, platform)
        if found is None:
            hint = _("Exportez aussi la colonne state, qui garde l'état de Magento.")
            raise unknown_status(entry, hint)
        return after_refund(found, entry.size("refunded"), total)

    def _addresses(self, entries: Sequence[Entry]) -> tuple[AddressDraft, AddressDraft]:
        """Billing and delivery, in columns of their own or on rows of their own (Firebear)."""
        found = {use: _address(entries[0], use) for use in ("billing", "shipping")}
        for entry in entries:
            use = entry.text("address_type").lower()
            if use in found and not any(found[use]):
                found[use] = _address(entry, "any")
        billing, shipping = found["billing"], found["shipping"]
        return (billing if any(billing) else shipping), (shipping if any(shipping) else billing)

    def _customer(
        self, entry: Entry, billing: AddressDraft, entries: Sequence[Entry]
    ) -> CustomerDraft:
        vat = entry.text("taxvat") or entry.text("billing_vat_id")
        if not vat:
            vat = next((v for e in entries if (v := e.text("any_vat_id"))), "")
        first, _space, last = billing.name.partition(" ")
        account = entry.plain("customer_id")
        return CustomerDraft(
            ref="" if account == "0" else account[:80],
            email=entry.text("email"),
            first_name=entry.text("firstname") or first,
            last_name=entry.text("lastname") or last,
            company=billing.company,
            vat_number=vat,
            phone=billing.phone,
            is_business=bool(billing.company),
            address=billing,
            line=entry.line,
        )


def _counted_once(entries: Sequence[Entry]) -> list[Entry]:
    """The rows with an item, each good once.

    A configurable product stands twice, the parent with the price and its simple child
    without: the parent counts. The parts of a bundle priced by its parts have prices of their
    own: they count, their parent doesn't.
    """
    items = [e for e in entries if e.filled("sku") and e.number("ordered") > 0]
    children = [e for e in items if e.text("parent_id").strip("0") or _repeats(e, items)]
    priced = {e.text("parent_id") for e in children if _costs(e)}
    # Without ids a priced part can only be a bundle's.
    parted = [
        e
        for e in items
        if e.text("type") == "bundle" and (e.text("item_id") in priced or not e.filled("item_id"))
        if priced
    ]
    dropped = {id(e) for e in parted}
    for child in children:
        of_bundle = _costs(child) and any(
            parent.text("item_id") in ("", child.text("parent_id")) for parent in parted
        )
        if not of_bundle:
            dropped.add(id(child))
    return [e for e in items if id(e) not in dropped]


def _repeats(item: Entry, items: Sequence[Entry]) -> bool:
    """True for a simple product without price beside a configurable one of the same SKU."""
    return (
        item.text("type") == "simple"
        and not _costs(item)
        and any(
            e.text("type") == "configurable" and e.plain("sku") == item.plain("sku") for e in items
        )
    )


def _costs(item: Entry) -> bool:
    return any(item.number(field) for field in ("row", "row_net", "price", "price_net"))


def _by_row(item: Entry) -> Decimal:
    """Row total incl. tax less a discount incl. tax."""
    return _gross(item) - item.size("item_discount")


def _by_compensation(item: Entry) -> Decimal:
    """Row total excl. tax less its discount, plus the tax that is due on the rest."""
    due = item.cents("item_tax") + item.cents("compensation")
    return item.cents("row_net") + due - item.size("item_discount")


def _gross(item: Entry) -> Decimal:
    if item.filled("row"):
        return item.cents("row")
    if item.filled("price"):
        return to_cents(item.quantity("ordered") * item.price("price"))
    net = item.cents("row_net") or to_cents(item.quantity("ordered") * item.price("price_net"))
    return to_cents(net * (HUNDRED + (item.rate("rate") or ZERO)) / HUNDRED)


def _line(item: Entry, total: Decimal) -> LineDraft:
    sku = item.plain("sku")
    rate = item.rate("rate")
    if rate is None and item.filled("item_tax"):
        rate = rate_between(total - item.cents("item_tax"), item.cents("item_tax"))
    draft = line_of_totals(
        sku=sku,
        label=item.text("name") or sku,
        quantity=item.quantity("ordered"),
        total=max(total, ZERO),
        before_discount=_gross(item),
        rate=rate,
        line=item.line,
    )
    return draft._replace(
        shipped=item.pieces("qty_shipped"),
        cancelled=item.pieces("qty_canceled") or ZERO,
        refunded=item.pieces("qty_refunded") or ZERO,
        refunded_amount=_refunded(item),
    )


def _refunded(item: Entry) -> Decimal | None:
    """What was given back for an item, incl. tax (EUR); None where the export doesn't say."""
    if not item.filled("amount_refunded") or not item.filled("tax_refunded"):
        return None
    return item.size("amount_refunded") + item.size("tax_refunded")


def _address(entry: Entry, use: str) -> AddressDraft:
    street = entry.raw(f"{use}_street").strip()
    first, _break, second = street.replace("\r\n", "\n").partition("\n")
    name = f"{entry.text(f'{use}_firstname')} {entry.text(f'{use}_lastname')}".strip()
    return AddressDraft(
        name=name,
        company=entry.text(f"{use}_company"),
        address1=" ".join(first.split()),
        address2=" ".join(second.split()),
        postcode=entry.plain(f"{use}_postcode"),
        city=entry.text(f"{use}_city"),
        country=entry.country(f"{use}_country"),
        phone=entry.plain(f"{use}_telephone"),
    )


_CUSTOMER_ALIASES: dict[str, tuple[str, ...]] = {
    # The platform's files have the e-mail as their key; ids are those of the database.
    "ref": ("entity_id", "customer_id"),
    "email": ("email", "_email", "Email"),
    "first_name": ("firstname", "First Name"),
    "last_name": ("lastname", "Last Name"),
    "vat_number": ("taxvat", "Tax VAT Number"),
    "created_at": ("created_at",),
    "company": ("_address_company", "company", "billing_company"),
    "street": ("_address_street", "street", "billing_street"),
    "postcode": ("_address_postcode", "postcode", "billing_postcode"),
    "city": ("_address_city", "city", "billing_city"),
    "country": ("_address_country_id", "country_id", "billing_country_id"),
    "phone": ("_address_telephone", "telephone", "billing_telephone"),
    "vat_id": ("_address_vat_id", "vat_id", "billing_vat_id"),
}
_CUSTOMER_NAMES = known_names(_CUSTOMER_ALIASES)
_SIGNATURE = frozenset(
    fold(n)
    for n in (
        "_website _store website_id group_id taxvat rp_token password_hash created_in store_id "
        "_address_street _address_country_id disable_auto_group_change"
    ).split()
)
_ENOUGH_SIGNATURE = 2


def _customers_strength(header: Header) -> int:
    """How many columns agree; 0 for files that aren't Magento's customers."""
    if not header.has("email") or header.count(_SIGNATURE) < _ENOUGH_SIGNATURE:
        return 0
    return header.count(_CUSTOMER_NAMES | _SIGNATURE)


class MagentoCustomers:
    """Reads customers; a second address, on a row without e-mail, is passed over.

    Password hashes and tokens are in the file and are never read.
    """

    def __init__(self, header: Header) -> None:
        self._columns = Columns(header, _CUSTOMER_ALIASES)

    def draft(self, row: Row) -> CustomerDraft | None:
        entry = self._columns.entry(row)
        if not entry.filled("email"):
            if entry.filled("street") or entry.filled("city"):
                return None
            raise no_customer_key(entry.line, "email")
        found = person(entry, ref=entry.plain("ref"))
        address1, _break, address2 = entry.raw("street").strip().partition("\n")
        address = found.address._replace(
            address1=" ".join(address1.split()), address2=" ".join(address2.split())
        )
        number = found.vat_number or entry.text("vat_id")
        return found._replace(address=address, vat_number=number)
