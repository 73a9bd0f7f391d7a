"""Home-made shops: the pivot format, described in docs/guide/fr/shops/pivot.md.

One row an order line, order columns repeated or left blank after the first row. Prices incl.
tax, or excl. tax when the file has `unit_price_excl_tax`.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from customers.drafts import AddressDraft, CustomerDraft
from ftp_ingest.dialects.base import CUSTOMERS, ORDERS, Dialect, Header, Row, register, require
from ftp_ingest.dialects.columns import Columns, Entry
from ftp_ingest.dialects.deeds import has_left
from ftp_ingest.dialects.readers import TableOrders, address_of, currency_of, person
from ftp_ingest.dialects.states import states_of
from ftp_ingest.dialects.vocabulary import VOCABULARY
from sales.drafts import LineDraft, OrderDraft
from sphinx.core.errors import InputError
from sphinx.core.money import HUNDRED, ZERO
from sphinx.core.texts import fold, said

_ORDER_NAMES = {field: names.near for field, names in VOCABULARY[ORDERS].items()}
# Read where it stands; no sign of what a file is.
_ORDER_ALIASES = {**_ORDER_NAMES, "shipping_company": ("shipping_company",)}
_CUSTOMER_NAMES = {field: names.near for field, names in VOCABULARY[CUSTOMERS].items()}
_ORDER_COLUMNS = frozenset(fold(field) for field in _ORDER_NAMES)
_CUSTOMER_COLUMNS = frozenset(fold(field) for field in _CUSTOMER_NAMES)
# So many of our names, and the file is one of ours.
ENOUGH_ORDER_COLUMNS, ENOUGH_CUSTOMER_COLUMNS = 4, 3
_KNOWN = "pending, paid, shipped, delivered, cancelled, refunded, partially_refunded"
# What a row of totals has for a number.
_TOTALS = frozenset(("", "total", "totaux", "somme", "sum"))


@register
class Pivot(Dialect):
    code = "pivot"
    label = "Format pivot (boutique maison)"

    def recognise(self, header: Header) -> tuple[str, int]:
        orders = header.count(_ORDER_COLUMNS)
        if header.has("order number") and orders >= ENOUGH_ORDER_COLUMNS:
            return ORDERS, orders
        customers = header.count(_CUSTOMER_COLUMNS)
        named = header.has("customer ref") or header.has("email")
        if named and not header.has("order number") and customers >= ENOUGH_CUSTOMER_COLUMNS:
            return CUSTOMERS, customers
        return self._by_other_names(header)

    @staticmethod
    def _by_other_names(header: Header) -> tuple[str, int]:
        """Home-made files with French or English names of their own: all that matters is there.

        A weak sign: any other dialect that recognises the file is believed first.
        """
        orders = Columns(header, _ORDER_NAMES)
        priced = orders.has("unit_price_incl_tax") or orders.has("unit_price_excl_tax")
        who = orders.has("email") or orders.has("customer_ref")
        if priced and who and orders.has("order_number", "placed_at", "quantity", "total_incl_tax"):
            return ORDERS, 1
        customers = Columns(header, _CUSTOMER_NAMES)
        is_order = orders.has("order_number") or orders.has("quantity")
        if customers.has("email", "last_name", "postcode") and not is_order:
            return CUSTOMERS, 1
        return "", 0

    def check_header(self, header: Header, kind: str) -> None:
        if kind == ORDERS and header.has("order number"):
            require(
                header,
                self.label,
                ("order_number",),
                ("placed_at",),
                ("sku",),
                ("quantity",),
                ("unit_price_incl_tax", "unit_price_excl_tax"),
                ("total_incl_tax",),
                ("email", "customer_ref"),
            )

    def orders(self, header: Header) -> "PivotOrders":
        return PivotOrders(header)

    def customers(self, header: Header) -> "PivotCustomers":
        return PivotCustomers(header)


_DEEDS_OF_ORDER = ("shipped_at", "carrier", "tracking_number", "shipping_refunded_incl_tax")
_DEEDS_OF_LINE = (
    "quantity_shipped",
    "quantity_cancelled",
    "quantity_refunded",
    "line_refunded_incl_tax",
)


class PivotOrders(TableOrders):
    """Reads orders."""

    def __init__(self, header: Header) -> None:
        super().__init__(
            header,
            _ORDER_ALIASES,
            key="order_number",
            date="placed_at",
            content=("sku", "placed_at"),
        )
        place = self._columns.place
        self.first_row = (place["total_incl_tax"], place["placed_at"])
        self._includes_tax = self._columns.has("unit_price_incl_tax")
        self._price = "unit_price_incl_tax" if self._includes_tax else "unit_price_excl_tax"
        # Few files tell what the shop did: their cells are read only where there are any.
        self._tells_lines = self._columns.has_any(*_DEEDS_OF_LINE)
        self._tells_shipping = self._columns.has_any(*_DEEDS_OF_ORDER)

    def is_total(self, cells: list[str]) -> bool:
        return self.key(cells).casefold() in _TOTALS and not self._has_content(cells)

    def draft(self, rows: Sequence[Row]) -> OrderDraft:
        entries = [self._columns.entry(row) for row in rows]
        entry = entries[0]
        number = entry.plain("order_number")[:80]
        state, payment_status = self._states(entry)
        total = self._agreed_total(entries)
        paid_at = entry.maybe_moment("paid_at")
        if state == "cancelled" and paid_at:
            payment_status = "paid"
        billing = self._billing_address(entry)
        refunded = entry.amount("refunded_incl_tax")
        if payment_status == "refunded" and not refunded:
            refunded = total
        return OrderDraft(
            external_id=number,
            number=number,
            placed_at=entry.moment("placed_at"),
            state=state,
            payment_status=payment_status,
            customer=self._customer(entry, billing),
            lines=tuple(self._line(e) for e in entries),
            total_incl_tax=total,
            billing=billing,
            shipping=self._shipping_address(entry) or billing,
            currency=currency_of(entry),
            prices_include_tax=self._includes_tax,
            shipping_amount=entry.amount("shipping_incl_tax"),
            shipping_tax_rate=entry.rate("shipping_tax_rate"),
            discount=entry.amount("order_discount_incl_tax"),
            refunded=refunded,
            payment_method=entry.text("payment_method"),
            paid_at=paid_at,
            changed_at=entry.maybe_moment("changed_at"),
            note=entry.text("note"),
            line=entry.line,
            is_shipped=has_left(entry.raw("status"), self.states),
            **(self._told_of_order(entry) if self._tells_shipping else {}),
        )

    def _told_of_order(self, entry: Entry) -> dict[str, Any]:
        return {
            "shipped_at": entry.maybe_moment("shipped_at"),
            "carrier": entry.text("carrier"),
            "tracking_number": entry.plain("tracking_number"),
            "shipping_refunded": entry.size("shipping_refunded_incl_tax"),
        }

    def _states(self, entry: Entry) -> tuple[str, str]:
        status = entry.raw("status").strip()
        # No such column: files of orders that were paid; a date of payment says so too.
        is_paid = not status and (not self._columns.has("status") or entry.filled("paid_at"))
        found = states_of("paid" if is_paid else status, self.states)
        if found is None:
            column = entry.column("status")
            raise InputError(
                _("Ligne %(line)s, colonne %(column)s : « %(status)s » est inconnu. %(hint)s")
                % {
                    "line": entry.line,
                    "column": column,
                    "status": status[:40],
                    "hint": self._states_hint(),
                },
                code="order.unknown_status",
                line=entry.line,
                column=column,
                status=status,
            )
        return found

    def _states_hint(self) -> str:
        """What a state that nobody knows should have been."""
        return _("Attendu : %(known)s.") % {"known": _KNOWN}

    def _agreed_total(self, entries: Sequence[Entry]) -> Decimal:
        """The order's total (EUR): on its first row, the same or blank on the others."""
        first = entries[0]
        total, text = first.amount("total_incl_tax"), first.raw("total_incl_tax")
        for other in entries[1:]:
            again = other.raw("total_incl_tax")
            if again and again != text and other.amount("total_incl_tax") != total:
                raise _two_totals(first, other)
        return total

    def _customer(self, entry: Entry, billing: AddressDraft) -> CustomerDraft:
        ref, email = self._key_of_customer(entry, billing)
        first, last = self._names(entry)
        company = entry.text("company")
        return CustomerDraft(
            ref=ref[:80],
            email=email,
            first_name=first,
            last_name=last,
            company=company,
            vat_number=entry.text("vat_number"),
            phone=entry.plain("phone"),
            is_business=bool(company),
            address=billing,
            line=entry.line,
        )

    def _key_of_customer(self, entry: Entry, _billing: AddressDraft) -> tuple[str, str]:
        """The shop's key and the e-mail, of which one is needed."""
        ref, email = entry.plain("customer_ref"), entry.text("email")
        if not ref and not email:
            raise InputError(
                _("Ligne %(line)s : ni customer_ref ni email, on ne sait pas qui commande.")
                % {"line": entry.line},
                code="order.no_customer",
                line=entry.line,
                column=entry.column("email"),
            )
        return ref, email

    def _names(self, entry: Entry) -> tuple[str, str]:
        """First and last name."""
        return entry.text("first_name"), entry.text("last_name")

    def _billing_address(self, entry: Entry) -> AddressDraft:
        name = " ".join(self._names(entry)).strip()
        return address_of(entry, "billing", name=name, company=entry.text("company"))

    def _shipping_address(self, entry: Entry) -> AddressDraft | None:
        address = address_of(entry, "shipping")
        return address if address.address1 or address.city or address.country else None

    def _line(self, entry: Entry) -> LineDraft:
        sku, label = entry.plain("sku"), entry.text("label")
        tax_rate = entry.rate("tax_rate")
        pieces = entry.quantity("quantity")
        discount = self._discount(entry, tax_rate)
        return LineDraft(
            sku=sku[:80],
            label=(label or sku or _("Article"))[:200],
            quantity=pieces,
            unit_price=self._unit_price(entry, pieces, discount),
            tax_rate=tax_rate,
            discount=discount,
            line=entry.line,
            product_key=entry.plain("shop_product_key"),
            **(self._told_of_line(entry) if self._tells_lines else {}),
        )

    def _told_of_line(self, entry: Entry) -> dict[str, Any]:
        return {
            "shipped": entry.pieces("quantity_shipped"),
            "cancelled": entry.pieces("quantity_cancelled") or ZERO,
            "refunded": entry.pieces("quantity_refunded") or ZERO,
            "refunded_amount": entry.maybe_size("line_refunded_incl_tax"),
        }

    def _unit_price(self, entry: Entry, _pieces: Decimal, _discount: Decimal) -> Decimal:
        if not entry.filled(self._price):
            column = entry.column(self._price)
            raise InputError(
                _("Ligne %(line)s, colonne %(column)s : le prix unitaire manque.")
                % {"line": entry.line, "column": column},
                code="line.no_price",
                line=entry.line,
                column=column,
            )
        return entry.price(self._price)

    def _discount(self, entry: Entry, tax_rate: Decimal | None) -> Decimal:
        """The line's discount on the basis of its price."""
        discount = entry.amount("line_discount_incl_tax")
        if self._includes_tax or not discount:
            return discount
        if tax_rate is None:
            column = entry.column("tax_rate")
            raise InputError(
                _(
                    "Ligne %(line)s, colonne %(column)s : obligatoire pour une remise TTC sur un "
                    "prix HT."
                )
                % {"line": entry.line, "column": column},
                code="line.no_rate",
                line=entry.line,
                column=column,
            )
        return discount * HUNDRED / (HUNDRED + tax_rate)


def _two_totals(first: Entry, other: Entry) -> InputError:
    """The refusal of an order whose rows disagree about its total."""
    column = other.column("total_incl_tax")
    shown = {
        "line": other.line,
        "column": column,
        "again": other.amount("total_incl_tax"),
        "total": first.amount("total_incl_tax"),
        "first": first.line,
    }
    return InputError(
        _(
            "Ligne %(line)s, colonne %(column)s : %(again)s, mais %(total)s ligne %(first)s pour "
            "la même commande."
        )
        % said(shown),
        code="order.contradiction",
        line=other.line,
        column=column,
    )


class PivotCustomers:
    """Reads customers."""

    def __init__(self, header: Header) -> None:
        self._columns = Columns(header, _CUSTOMER_NAMES)

    def draft(self, row: Row) -> CustomerDraft:
        entry = self._columns.entry(row)
        ref = entry.plain("customer_ref")
        if not ref and not entry.text("email"):
            raise _no_key(entry)
        found = person(entry, ref=ref)
        return found._replace(
            is_business=entry.yes("is_business") or found.is_business,
            accepts_marketing=entry.yes("accepts_marketing"),
        )


def _no_key(entry: Entry) -> InputError:
    """The refusal of a customer that nothing tells from others."""
    ref, email = entry.column("customer_ref"), entry.column("email")
    return InputError(
        _("Ligne %(line)s : ni %(ref)s ni %(email)s, ce client ne peut pas être reconnu.")
        % {"line": entry.line, "ref": ref, "email": email},
        code="customer.no_key",
        line=entry.line,
        column=ref,
    )
