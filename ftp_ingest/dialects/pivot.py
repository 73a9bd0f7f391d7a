"""Home-made shops: the pivot format, described in docs/guide/fr/shops/pivot.md.

One row an order line, order columns repeated or left blank after the first row. Prices incl.
tax, or excl. tax when the file has `unit_price_excl_tax`.
"""

from collections.abc import Sequence
from decimal import Decimal

from django.utils.translation import gettext as _

from customers.drafts import AddressDraft, CustomerDraft
from ftp_ingest.dialects.base import CUSTOMERS, ORDERS, Header, Row, register, require
from ftp_ingest.dialects.columns import Columns
from ftp_ingest.dialects.states import States, states_of
from ftp_ingest.dialects.vocabulary import VOCABULARY
from sales.drafts import LineDraft, OrderDraft
from sphinx.core.cells import (
    amount,
    clean,
    country,
    maybe_moment,
    moment,
    price,
    quantity,
    rate,
    unquoted,
    yes,
)
from sphinx.core.errors import InputError
from sphinx.core.money import HUNDRED
from sphinx.core.texts import fold, said

_ORDER_NAMES = {field: names.near for field, names in VOCABULARY[ORDERS].items()}
_CUSTOMER_NAMES = {field: names.near for field, names in VOCABULARY[CUSTOMERS].items()}
_ORDER_COLUMNS = frozenset(fold(field) for field in _ORDER_NAMES)
_CUSTOMER_COLUMNS = frozenset(fold(field) for field in _CUSTOMER_NAMES)
# So many of our names, and the file is one of ours.
ENOUGH_ORDER_COLUMNS, ENOUGH_CUSTOMER_COLUMNS = 4, 3
_KNOWN = "pending, paid, shipped, delivered, cancelled, refunded, partially_refunded"
_TOTAL_WORDS = frozenset(("total", "totaux", "somme", "sum"))


@register
class Pivot:
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


class PivotOrders:
    """Reads orders; a column's place is looked up once a file."""

    def __init__(self, header: Header) -> None:
        columns = Columns(header, _ORDER_NAMES)
        # What messages call a column: as the file does.
        self._shown = columns.name

        def at(name: str) -> int:
            return columns.place.get(name, header.place(fold(name)))

        self._number = at("order_number")
        self._placed_at, self._paid_at = at("placed_at"), at("paid_at")
        self._status, self._currency = at("status"), at("currency")
        self._payment_method, self._note = at("payment_method"), at("note")
        self._changed_at = at("changed_at")
        self._customer_ref, self._email = at("customer_ref"), at("email")
        self._first_name, self._last_name = at("first_name"), at("last_name")
        self._company, self._vat_number, self._phone = at("company"), at("vat_number"), at("phone")
        self._billing = [at(f"billing_{n}") for n in _ADDRESS_COLUMNS]
        self._shipping_name, self._shipping_company = at("shipping_name"), at("shipping_company")
        self._shipping = [at(f"shipping_{n}") for n in _ADDRESS_COLUMNS]
        self._sku, self._label, self._quantity = at("sku"), at("label"), at("quantity")
        self._includes_tax = at("unit_price_incl_tax") >= 0
        price = "unit_price_incl_tax" if self._includes_tax else "unit_price_excl_tax"
        self._price, self._price_column = at(price), self._shown[price]
        self._tax_rate, self._product_key = at("tax_rate"), at("shop_product_key")
        self._line_discount = at("line_discount_incl_tax")
        self._shipping_amount = at("shipping_incl_tax")
        self._shipping_rate = at("shipping_tax_rate")
        self._order_discount = at("order_discount_incl_tax")
        self._total, self._refunded = at("total_incl_tax"), at("refunded_incl_tax")
        self.date_places: tuple[int, ...] = (self._placed_at,)
        self.first_row: tuple[int, ...] = (self._total, self._placed_at)
        self._day_first: bool | None = True
        self.states: States = {}

    def read_dates(self, *, day_first: bool | None) -> None:
        self._day_first = day_first

    def key(self, cells: list[str]) -> str:
        return cells[self._number].strip()

    def is_total(self, cells: list[str]) -> bool:
        first = cells[self._number].strip().casefold()
        return (
            (not first or first in _TOTAL_WORDS)
            and not cells[self._sku].strip()
            and not cells[self._placed_at].strip()
        )

    def draft(self, rows: Sequence[Row]) -> OrderDraft:
        line, cells = rows[0]
        external_id = unquoted(cells[self._number])
        state, payment_status = self._states(line, cells)
        total = self._agreed_total(rows)
        paid_at = maybe_moment(
            cells[self._paid_at], line, self._shown["paid_at"], day_first=self._day_first
        )
        if state == "cancelled" and paid_at:
            payment_status = "paid"
        billing = self._billing_address(cells)
        refunded = amount(cells[self._refunded], line, self._shown["refunded_incl_tax"])
        if payment_status == "refunded" and not refunded:
            refunded = total
        return OrderDraft(
            external_id=external_id[:80],
            number=external_id[:80],
            placed_at=moment(
                cells[self._placed_at], line, self._shown["placed_at"], day_first=self._day_first
            ),
            state=state,
            payment_status=payment_status,
            customer=self._customer(line, cells, billing),
            lines=tuple(self._line(row) for row in rows),
            total_incl_tax=total,
            billing=billing,
            shipping=self._shipping_address(cells) or billing,
            currency=cells[self._currency].strip().upper()[:3],
            prices_include_tax=self._includes_tax,
            shipping_amount=amount(
                cells[self._shipping_amount], line, self._shown["shipping_incl_tax"]
            ),
            shipping_tax_rate=rate(
                cells[self._shipping_rate], line, self._shown["shipping_tax_rate"]
            ),
            discount=amount(
                cells[self._order_discount], line, self._shown["order_discount_incl_tax"]
            ),
            refunded=refunded,
            payment_method=clean(cells[self._payment_method]),
            paid_at=paid_at,
            changed_at=maybe_moment(
                cells[self._changed_at],
                line,
                self._shown["changed_at"],
                day_first=self._day_first,
            ),
            note=clean(cells[self._note]),
            line=line,
        )

    def _states(self, line: int, cells: list[str]) -> tuple[str, str]:
        status = cells[self._status].strip()
        if not status and (self._status < 0 or cells[self._paid_at].strip()):
            # No such column: files of orders that were paid; a date of payment says so too.
            status = "paid"
        found = states_of(status, self.states)
        if found is None:
            raise InputError(
                _("Ligne %(line)s, colonne %(column)s : « %(status)s » est inconnu. %(hint)s")
                % {
                    "line": line,
                    "column": self._shown["status"],
                    "status": cells[self._status].strip()[:40],
                    "hint": self._states_hint(),
                },
                code="order.unknown_status",
                line=line,
                column=self._shown["status"],
                status=cells[self._status].strip(),
            )
        return found

    def _states_hint(self) -> str:
        """What a state that nobody knows should have been."""
        return _("Attendu : %(known)s.") % {"known": _KNOWN}

    def _agreed_total(self, rows: Sequence[Row]) -> Decimal:
        line, cells = rows[0]
        if not cells[self._total].strip():
            raise InputError(
                _("Ligne %(line)s, colonne %(column)s : le total de la commande manque.")
                % {"line": line, "column": self._shown["total_incl_tax"]},
                code="order.no_total",
                line=line,
                column=self._shown["total_incl_tax"],
            )
        total = amount(cells[self._total], line, self._shown["total_incl_tax"])
        for other in rows[1:]:
            text = other.cells[self._total]
            if text and text != cells[self._total]:
                again = amount(text, other.line, self._shown["total_incl_tax"])
                if again != total:
                    raise InputError(
                        _(
                            "Ligne %(line)s, colonne %(column)s : %(again)s, mais %(total)s ligne "
                            "%(first)s pour la même commande."
                        )
                        % said(
                            {
                                "line": other.line,
                                "column": self._shown["total_incl_tax"],
                                "again": again,
                                "total": total,
                                "first": line,
                            }
                        ),
                        code="order.contradiction",
                        line=other.line,
                        column=self._shown["total_incl_tax"],
                    )
        return total

    def _customer(self, line: int, cells: list[str], billing: AddressDraft) -> CustomerDraft:
        ref, email = self._key_of_customer(line, cells, billing)
        first, last = self._names(cells)
        company = clean(cells[self._company])
        return CustomerDraft(
            ref=ref[:80],
            email=email,
            first_name=first,
            last_name=last,
            company=company,
            vat_number=clean(cells[self._vat_number]),
            phone=unquoted(cells[self._phone]),
            is_business=bool(company),
            address=billing,
            line=line,
        )

    def _key_of_customer(
        self, line: int, cells: list[str], _billing: AddressDraft
    ) -> tuple[str, str]:
        """The shop's key and the e-mail, of which one is needed."""
        ref, email = unquoted(cells[self._customer_ref]), clean(cells[self._email])
        if not ref and not email:
            raise InputError(
                _("Ligne %(line)s : ni customer_ref ni email, on ne sait pas qui commande.")
                % {"line": line},
                code="order.no_customer",
                line=line,
                column=self._shown["email"],
            )
        return ref, email

    def _names(self, cells: list[str]) -> tuple[str, str]:
        """First and last name."""
        return clean(cells[self._first_name]), clean(cells[self._last_name])

    def _billing_address(self, cells: list[str]) -> AddressDraft:
        name = " ".join(self._names(cells)).strip()
        return _address(cells, self._billing, name, clean(cells[self._company]))

    def _shipping_address(self, cells: list[str]) -> AddressDraft | None:
        name = clean(cells[self._shipping_name])
        address = _address(cells, self._shipping, name, clean(cells[self._shipping_company]))
        return address if address.address1 or address.city or address.country else None

    def _line(self, row: Row) -> LineDraft:
        line, cells = row
        sku, label = unquoted(cells[self._sku]), clean(cells[self._label])
        tax_rate = rate(cells[self._tax_rate], line, self._shown["tax_rate"])
        pieces = quantity(cells[self._quantity], line, self._shown["quantity"])
        discount = self._discount(line, cells, tax_rate)
        return LineDraft(
            sku=sku[:80],
            label=(label or sku or _("Article"))[:200],
            quantity=pieces,
            unit_price=self._unit_price(row, pieces, discount),
            tax_rate=tax_rate,
            discount=discount,
            line=line,
            product_key=unquoted(cells[self._product_key]),
        )

    def _unit_price(self, row: Row, _pieces: Decimal, _discount: Decimal) -> Decimal:
        line, cells = row
        if not cells[self._price].strip():
            raise InputError(
                _("Ligne %(line)s, colonne %(column)s : le prix unitaire manque.")
                % {"line": line, "column": self._price_column},
                code="line.no_price",
                line=line,
                column=self._price_column,
            )
        return price(cells[self._price], line, self._price_column)

    def _discount(self, line: int, cells: list[str], tax_rate: Decimal | None) -> Decimal:
        """The line's discount on the basis of its price."""
        discount = amount(cells[self._line_discount], line, self._shown["line_discount_incl_tax"])
        if self._includes_tax or not discount:
            return discount
        if tax_rate is None:
            raise InputError(
                _(
                    "Ligne %(line)s, colonne %(column)s : obligatoire pour une remise TTC sur un "
                    "prix HT."
                )
                % {"line": line, "column": self._shown["tax_rate"]},
                code="line.no_rate",
                line=line,
                column=self._shown["tax_rate"],
            )
        return discount * HUNDRED / (HUNDRED + tax_rate)


_ADDRESS_COLUMNS = ("address1", "address2", "postcode", "city", "country")


def _address(cells: list[str], places: list[int], name: str, company: str) -> AddressDraft:
    address1, address2, postcode, city, code = places
    return AddressDraft(
        name=name,
        company=company,
        address1=clean(cells[address1]),
        address2=clean(cells[address2]),
        postcode=unquoted(cells[postcode]),
        city=clean(cells[city]),
        country=country(cells[code]),
    )


class PivotCustomers:
    """Reads customers."""

    def __init__(self, header: Header) -> None:
        columns = Columns(header, _CUSTOMER_NAMES)
        self._place = columns.place
        # What messages call a column: as the file does.
        self._shown = columns.name
        self._address = [self._place[name] for name in _ADDRESS_COLUMNS]

    def draft(self, row: Row) -> CustomerDraft:
        line, cells = row
        place = self._place
        ref, email = unquoted(cells[place["customer_ref"]]), clean(cells[place["email"]])
        if not ref and not email:
            raise InputError(
                _("Ligne %(line)s : ni %(ref)s ni %(email)s, ce client ne peut pas être reconnu.")
                % {"line": line, "ref": self._shown["customer_ref"], "email": self._shown["email"]},
                code="customer.no_key",
                line=line,
                column=self._shown["customer_ref"],
            )
        first, last = self._names(cells)
        company = clean(cells[place["company"]])
        return CustomerDraft(
            ref=ref[:80],
            email=email,
            first_name=first,
            last_name=last,
            company=company,
            vat_number=clean(cells[place["vat_number"]]),
            siret="".join(c for c in cells[place["siret"]] if c.isdigit()),
            phone=unquoted(cells[place["phone"]]),
            is_business=yes(cells[place["is_business"]]) or bool(company),
            accepts_marketing=yes(cells[place["accepts_marketing"]]),
            note=clean(cells[place["note"]]),
            created_at=maybe_moment(cells[place["created_at"]], line, self._shown["created_at"]),
            address=_address(cells, self._address, clean(f"{first} {last}"), company),
            line=line,
        )

    def _names(self, cells: list[str]) -> tuple[str, str]:
        """First and last name."""
        place = self._place
        return clean(cells[place["first_name"]]), clean(cells[place["last_name"]])
