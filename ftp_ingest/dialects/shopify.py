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
from ftp_ingest.dialects.base import CUSTOMERS, ORDERS, Header, Row, register
from ftp_ingest.dialects.states import MEANINGS, States
from ftp_ingest.errors import FileRefused
from sales.drafts import DUTIES, TIP, LineDraft, OrderDraft, StatedTax
from sales.errors import TotalMismatch
from sphinx.core.cells import (
    amount,
    clean,
    country,
    maybe_moment,
    moment,
    number,
    price,
    quantity,
    unquoted,
    yes,
)
from sphinx.core.errors import InputError
from sphinx.core.money import ZERO, to_cents
from sphinx.core.texts import fold, said

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
class Shopify:
    code = "shopify"
    label = "Shopify"

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


class ShopifyOrders:
    """Reads orders; a column's place is looked up once a file."""

    def __init__(self, header: Header) -> None:
        at = header.place
        self.states: States = {}
        self._name, self._id = at("name"), at("id")
        self._email, self._phone = at("email"), at("phone")
        self._status, self._paid_at = at("financial status"), at("paid at")
        self._created_at, self._cancelled_at = at("created at"), at("cancelled at")
        self._currency, self._payment = at("currency"), at("payment method")
        self._subtotal, self._shipping_amount = at("subtotal"), at("shipping")
        self._taxes, self._total = at("taxes"), at("total")
        self._discount, self._refunded = at("discount amount"), at("refunded amount")
        self._duties, self._notes = at("duties"), at("notes")
        self._outstanding = at("outstanding balance")
        self._tax_columns = [(at(f"tax {n} name"), at(f"tax {n} value")) for n in range(1, 6)]
        self._item = {
            name: at(f"lineitem {name}")
            for name in ("quantity", "name", "price", "sku", "discount", "taxable")
        }
        self._billing = _address_places(header, "billing")
        self._shipping = _address_places(header, "shipping")
        self.date_places: tuple[int, ...] = (self._created_at,)
        self.first_row: tuple[int, ...] = (self._total, self._status)
        self._day_first: bool | None = True

    def read_dates(self, *, day_first: bool | None) -> None:
        self._day_first = day_first

    def key(self, cells: list[str]) -> str:
        return cells[self._name].strip()

    def is_total(self, cells: list[str]) -> bool:
        return not cells[self._name].strip() and not cells[self._item["quantity"]].strip()

    def draft(self, rows: Sequence[Row]) -> OrderDraft:
        line, cells = rows[0]
        name = clean(cells[self._name])
        stated = self._stated_taxes(line, cells)
        lines = [self._line(row, stated) for row in rows if self._has_item(row)]
        if not lines:
            raise InputError(
                _("Commande %(number)s : aucune ligne d'article.") % {"number": name},
                code="order.no_lines",
                line=line,
                column="Lineitem quantity",
            )
        tips = sum((d.quantity * d.unit_price for d in lines if d.kind == TIP), ZERO)
        money = self._money(line, cells, tips)
        lines, discount = self._discounts(line, cells, lines, money)
        lines += self._extra_lines(money, line)
        state, payment_status = self._states(line, cells)
        billing = _address(cells, self._billing)
        shipping = _address(cells, self._shipping)
        return OrderDraft(
            # A key that isn't all digits was spoilt by a spreadsheet: 5,93536E+12.
            external_id=(key if (key := unquoted(cells[self._id])).isdecimal() else name)[:80],
            number=name[:80],
            placed_at=moment(
                cells[self._created_at], line, "Created at", day_first=self._day_first
            ),
            state=state,
            payment_status=payment_status,
            customer=self._customer(line, cells, billing, shipping),
            lines=tuple(lines),
            total_incl_tax=money.total,
            billing=billing if any(billing) else shipping,
            shipping=shipping if any(shipping) else billing,
            currency=cells[self._currency].strip().upper()[:3],
            prices_include_tax=money.includes_tax,
            charges_include_tax=money.includes_tax,
            shipping_amount=money.shipping,
            discount=discount,
            refunded=amount(cells[self._refunded], line, "Refunded Amount"),
            stated_taxes=stated,
            payment_method=clean(cells[self._payment]),
            paid_at=maybe_moment(cells[self._paid_at], line, "Paid at"),
            cancelled_at=maybe_moment(cells[self._cancelled_at], line, "Cancelled at"),
            note=clean(cells[self._notes]),
            line=line,
        )

    def _has_item(self, row: Row) -> bool:
        """An item taken off the order by hand stays in the export with quantity 0."""
        return row.cells[self._item["quantity"]].strip() not in ("", "0")

    def _states(self, line: int, cells: list[str]) -> tuple[str, str]:
        status = cells[self._status].strip().casefold().replace(" ", "_")
        found = MEANINGS.get(self.states.get(fold(status), "")) or _PAYMENTS.get(status)
        if found is None:
            raise InputError(
                _("Ligne %(line)s, colonne Financial Status : « %(status)s » est inconnu.")
                % {"line": line, "status": status[:40]},
                code="order.unknown_status",
                line=line,
                column="Financial Status",
                status=cells[self._status].strip(),
            )
        state, payment = found
        return ("cancelled" if cells[self._cancelled_at].strip() else state), payment

    def _money(self, line: int, cells: list[str], tips: Decimal) -> _Money:
        """Prices include tax when Subtotal + Shipping = Total, else tax is added to them.

        Duties and tips may stand between; a tip is a line too, inside the subtotal or not.
        """
        total = amount(cells[self._total], line, "Total")
        taxes = amount(cells[self._taxes], line, "Taxes")
        shipping = amount(cells[self._shipping_amount], line, "Shipping")
        duties = amount(cells[self._duties], line, "Duties")
        subtotal = amount(cells[self._subtotal], line, "Subtotal")
        if not cells[self._subtotal].strip():
            subtotal = total - shipping - duties
        for extra, tip in dict.fromkeys(
            ((ZERO, ZERO), (duties, ZERO), (ZERO, tips), (duties, tips))
        ):
            goods = subtotal + tip
            if goods + shipping + extra == total:
                return _Money(goods, shipping, taxes, total, extra, includes_tax=True)
            if goods + shipping + taxes + extra == total:
                return _Money(goods, shipping, taxes, total, extra, includes_tax=False)
        # A free-shipping code: shipping is written before its discount.
        discount = amount(cells[self._discount], line, "Discount Amount")
        for is_included, tax in ((True, ZERO), (False, taxes)):
            if subtotal + shipping - discount + tax + duties == total:
                net = shipping - discount
                return _Money(subtotal, net, taxes, total, duties, includes_tax=is_included)
        raise self._mismatch(
            line,
            cells,
            {"subtotal": subtotal, "shipping": shipping, "taxes": taxes, "total": total},
        )

    def _mismatch(self, line: int, cells: list[str], amounts: dict[str, Decimal]) -> TotalMismatch:
        """The refusal of parts that don't make the total; says what is still due after an edit."""
        text = _(
            "Commande %(number)s : sous-total %(subtotal)s + port %(shipping)s (+ taxes "
            "%(taxes)s) ne font pas le total %(total)s."
        )
        due = number(cells[self._outstanding], line, "Outstanding Balance")
        if due:
            text += " " + _(
                "Elle a été modifiée après paiement : il reste %(due)s à encaisser (Outstanding "
                "Balance). Encaissez ou annulez ce reste à la boutique."
            )
        own = {"number": clean(cells[self._name]), "due": due, **amounts}
        return TotalMismatch(text % said(own), line=line, column="Total")

    def _discounts(
        self, line: int, cells: list[str], lines: list[LineDraft], money: _Money
    ) -> tuple[list[LineDraft], Decimal]:
        """Line discounts and the order's, such that lines − discounts = Subtotal.

        "Discount Amount" is at times the order's alone, at times the sum of all.
        """
        gross = to_cents(sum((d.quantity * d.unit_price for d in lines), ZERO))
        own = sum((d.discount for d in lines), ZERO)
        if gross - own == money.subtotal:
            return lines, ZERO
        stated = amount(cells[self._discount], line, "Discount Amount")
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
                "number": clean(cells[self._name]),
                "gross": gross,
                "discount": max(own, stated),
                "subtotal": money.subtotal,
            },
            line=line,
            column="Subtotal",
        )

    @staticmethod
    def _extra_lines(money: _Money, line: int) -> list[LineDraft]:
        if not money.extra:
            return []
        label = _("Droits de douane")
        rate = Decimal("0.00")
        return [LineDraft("", label, Decimal(1), money.extra, rate, line=line, kind=DUTIES)]

    def _stated_taxes(self, line: int, cells: list[str]) -> tuple[StatedTax, ...]:
        """Each tax that is named, even two of one rate: they may lie on one base (CGST, SGST)."""
        sums: dict[tuple[str, Decimal], Decimal] = {}
        for name_place, value_place in self._tax_columns:
            name = cells[name_place].strip()
            match = _RATE_IN_LABEL.search(name)
            if match:
                tax = (name, to_cents(Decimal(match[1].replace(",", "."))))
                value = amount(cells[value_place], line, "Tax Value")
                sums[tax] = sums.get(tax, ZERO) + value
        if sums:
            return tuple(StatedTax(percent, value) for (_name, percent), value in sums.items())
        if not cells[self._taxes].strip():
            return ()
        # No tax is named: the sum alone is stated, 0 for a shop without tax set up.
        return (StatedTax(None, amount(cells[self._taxes], line, "Taxes")),)

    def _line(self, row: Row, stated: tuple[StatedTax, ...]) -> LineDraft:
        line, cells = row
        item = self._item
        sku, name = unquoted(cells[item["sku"]]), clean(cells[item["name"]])
        names_rates = any(tax.rate is not None for tax in stated)
        untaxed = names_rates and cells[item["taxable"]].strip().casefold() == "false"
        line_draft = LineDraft(
            sku=sku[:80],
            label=(name or sku or _("Article"))[:200],
            quantity=quantity(cells[item["quantity"]], line, "Lineitem quantity"),
            unit_price=price(cells[item["price"]], line, "Lineitem price"),
            tax_rate=Decimal("0.00") if untaxed else None,
            discount=amount(cells[item["discount"]], line, "Lineitem discount"),
            line=line,
        )
        is_taxed = cells[item["taxable"]].strip().casefold() != "false"
        return sorted_out(line_draft, is_taxed=is_taxed)

    def _customer(
        self, line: int, cells: list[str], billing: AddressDraft, shipping: AddressDraft
    ) -> CustomerDraft:
        address = billing if any(billing) else shipping
        first, _space, last = address.name.partition(" ")
        return CustomerDraft(
            email=clean(cells[self._email]),
            first_name=first,
            last_name=last,
            company=address.company,
            phone=unquoted(cells[self._phone]) or address.phone,
            is_business=bool(address.company),
            address=address,
            line=line,
        )


def _address_places(header: Header, use: str) -> dict[str, int]:
    names = ("name", "company", "address1", "address2", "street", "zip", "city", "country", "phone")
    return {name: header.place(f"{use} {name}") for name in names}


def _address(cells: list[str], places: dict[str, int]) -> AddressDraft:
    return AddressDraft(
        name=clean(cells[places["name"]]),
        company=clean(cells[places["company"]]),
        address1=clean(cells[places["address1"]]) or clean(cells[places["street"]]),
        address2=clean(cells[places["address2"]]),
        postcode=unquoted(cells[places["zip"]]),
        city=clean(cells[places["city"]]),
        country=country(cells[places["country"]]),
        phone=unquoted(cells[places["phone"]]),
    )


class ShopifyCustomers:
    """Reads customers, of the present and the older export."""

    def __init__(self, header: Header) -> None:
        at = header.place
        self._ref = at("customer id")
        self._first, self._last, self._email = at("first name"), at("last name"), at("email")
        self._phone = at("phone")
        self._address_phone = at("default address phone")
        self._company = at("default address company", "company")
        self._address1 = at("default address address1", "address1")
        self._address2 = at("default address address2", "address2")
        self._zip = at("default address zip", "zip")
        self._city = at("default address city", "city")
        self._country = at("default address country code", "country code")
        self._marketing = at("accepts email marketing", "accepts marketing")
        self._note = at("note")

    def draft(self, row: Row) -> CustomerDraft:
        line, cells = row
        email, phone = clean(cells[self._email]), unquoted(cells[self._phone])
        ref = unquoted(cells[self._ref]) or ("" if email else phone)
        if not ref and not email:
            raise InputError(
                _("Ligne %(line)s : ni Customer ID, ni Email, ni Phone.") % {"line": line},
                code="customer.no_key",
                line=line,
                column="Email",
            )
        first, last = clean(cells[self._first]), clean(cells[self._last])
        company = clean(cells[self._company])
        return CustomerDraft(
            ref=ref[:80],
            email=email,
            first_name=first,
            last_name=last,
            company=company,
            phone=phone or unquoted(cells[self._address_phone]),
            is_business=bool(company),
            accepts_marketing=yes(cells[self._marketing]),
            note=clean(cells[self._note]),
            address=AddressDraft(
                name=clean(f"{first} {last}"),
                company=company,
                address1=clean(cells[self._address1]),
                address2=clean(cells[self._address2]),
                postcode=unquoted(cells[self._zip]),
                city=clean(cells[self._city]),
                country=country(cells[self._country]),
            ),
            line=line,
        )
