"""WebToffee's and SkyVerge's orders: lower-case names, amounts excl. tax with their tax beside.

One row an order, its lines in `line_item_1`, `line_item_2`… or `line_items`; or one row an
item (`item_sku`, `item_total`…), the order's columns repeated.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from ftp_ingest.dialects.amounts import (
    line_of_totals,
    rate_between,
    rounding,
    sorted_out,
    stated,
    untaxed_rates_are_open,
)
from ftp_ingest.dialects.base import Header, Row
from ftp_ingest.dialects.columns import Entry, known_names
from ftp_ingest.dialects.readers import (
    TableOrders,
    currency_of,
    no_items,
    payment_references,
)
from ftp_ingest.dialects.woocommerce import shared
from ftp_ingest.dialects.woocommerce.items import Item, item_of, items_of
from sales.drafts import FEE, LineDraft, OrderDraft
from sphinx.core import cells
from sphinx.core.money import CENT, HUNDRED, ZERO, to_cents
from sphinx.core.vat import FRENCH_RATES

_ADDRESS = "first_name last_name full_name company address_1 address_2 postcode city country phone"
_ALIASES: dict[str, tuple[str, ...]] = {
    "id": ("order_id",),
    "number": ("order_number_formatted", "order_number"),
    "plain_number": ("order_number",),
    "date": ("order_date", "date"),
    "paid_at": ("paid_date", "date_paid"),
    "status": ("status", "order_status"),
    "shipping": ("shipping_total",),
    "shipping_tax": ("shipping_tax_total",),
    "fee": ("fee_total",),
    "fee_tax": ("fee_tax_total",),
    "tax": ("tax_total",),
    "discount": ("discount_total", "cart_discount", "order_discount"),
    "total": ("order_total",),
    "refunded": ("refunded_total",),
    "currency": ("order_currency",),
    "payment": ("payment_method_title", "payment_method"),
    "payment_reference": ("transaction_id", "meta:_transaction_id"),
    "customer_id": ("customer_id", "customer_user"),
    "email": ("billing_email",),
    "account_email": ("customer_email",),
    "vat_number": (
        "vat_number",
        "meta:_billing_vat_number",
        "meta:_vat_number",
        "meta:vat_number",
        "meta:_billing_eu_vat_number",
        "billing_vat_number",
    ),
    "note": ("customer_note",),
    "fee_items": ("fee_items",),
    "tax_items": ("tax_items",),
    "shipments": ("meta:_wc_shipment_tracking_items", "wc_shipment_tracking_items"),
    "refund_items": ("refund_items", "refunds"),
    "line_items": ("line_items",),
    "item_name": ("item_name",),
    "item_sku": ("item_sku",),
    "item_product": ("item_product_id",),
    "item_variation": ("item_variation_id",),
    "item_quantity": ("item_quantity",),
    "item_subtotal": ("item_subtotal",),
    "item_subtotal_tax": ("item_subtotal_tax",),
    "item_total": ("item_total",),
    "item_total_tax": ("item_total_tax", "item_tax"),
    "item_refunded": ("item_refunded",),
    "item_refunded_qty": ("item_refunded_qty",),
    **{f"{use}_{n}": (f"{use}_{n}",) for use in ("billing", "shipping") for n in _ADDRESS.split()},
    "billing_address": ("billing_address",),
    "shipping_address": ("shipping_address",),
}
NAMES = known_names(_ALIASES)
_LINE_COLUMN = re.compile(r"line item (\d+)")
_RATE_IN_TEXT = re.compile(r"(\d+(?:[.,]\d+)?)\s*%")


def is_ours(header: Header) -> bool:
    """True for a header of lower-case names with an order's key and total."""
    keyed = header.has("order id") or header.has("order number")
    signed = header.has("order currency") or header.has("billing first name")
    return header.has("order total") and keyed and signed


def has_lines(header: Header) -> bool:
    """True when the export holds the orders' lines in one of its ways."""
    return (
        header.has("item quantity")
        or header.has("line items")
        or any(_LINE_COLUMN.fullmatch(name) for name in header.folded)
    )


def _amount(item: Item, line: int, *keys: str) -> Decimal:
    """A signed amount in EUR of an item, by the first of its keys that says something."""
    text = next((item[key] for key in keys if item.get(key)), "")
    return to_cents(cells.number(text, line, f"line_item ({keys[0]})"))


def _names_every_rate(rates: Collection[Decimal], taxed: Iterable[tuple[Decimal, Decimal]]) -> bool:
    """False where `tax_items` gives one rate to the VAT of several.

    WooCommerce adds up the taxes of one name and priority, and the module writes the last one's
    rate: a shop whose rates are all called "TVA" has them in one item.
    """
    return not rates or all(
        any(abs(net * rate / HUNDRED - tax) <= CENT for rate in rates)
        or rate_between(net, tax) is None
        for net, tax in taxed
        if tax
    )


class Orders(TableOrders):
    """Reads orders; columns are looked up once a file."""

    def __init__(self, header: Header) -> None:
        key = "id" if header.has("order id") else "plain_number"
        super().__init__(header, _ALIASES, key=key, date="date", content=("date",))
        places = (
            (int(match[1]), place)
            for place, name in enumerate(header.folded)
            if (match := _LINE_COLUMN.fullmatch(name))
        )
        self._line_places = [place for _number, place in sorted(places)]

    def draft(self, rows: Sequence[Row]) -> OrderDraft:
        entry = self._columns.entry(rows[0])
        number = entry.text("number") or entry.text("plain_number") or entry.text("id")
        total, tax = entry.amount("total"), entry.cents("tax")
        items = list(self._items(rows))
        taxes = self._taxes(entry)
        if not _names_every_rate(taxes, self._taxed(entry, items)):
            taxes = {}
        lines = [self._line(entry, *found, list(taxes)) for found in items]
        lines += self._fees(entry, list(taxes))
        credit = sum((d.unit_price for d in lines if d.unit_price < 0), ZERO)
        lines = [d for d in lines if d.unit_price >= 0]
        if not lines:
            raise no_items(number, entry, "total")
        shipping, shipping_tax = entry.cents("shipping"), entry.cents("shipping_tax")
        # Some versions leave the lines' tax out: prices are then excl. tax, rates to be found.
        taxed_lines = not tax or any(line.tax_rate for line in lines)
        discount = -credit
        if taxed_lines:
            charged = sum((d.quantity * d.unit_price - d.discount for d in lines), ZERO)
            gap = to_cents(charged) + shipping + shipping_tax - discount - total
            discount += self._left_out(entry, gap)
        refunded = self._refunded(entry) or self._refunded_by_line(rows)
        state, payment = shared.states(entry, refunded, total, self.states)
        billing = shared.address(entry, "billing")
        return OrderDraft(
            external_id=(entry.plain("id") or number)[:80],
            number=number[:80],
            placed_at=entry.moment("date"),
            state=state,
            payment_status=payment,
            customer=shared.customer(entry, billing),
            lines=tuple(lines if tax and taxed_lines else untaxed_rates_are_open(lines)),
            total_incl_tax=total,
            prices_include_tax=taxed_lines,
            billing=billing,
            shipping=shared.goes_somewhere(shared.address(entry, "shipping"), billing),
            currency=currency_of(entry),
            shipping_amount=shipping + shipping_tax,
            shipping_tax_rate=rate_between(shipping, shipping_tax, taxes) if tax else None,
            discount=discount,
            refunded=refunded or (total if payment == "refunded" else ZERO),
            stated_taxes=stated(taxes, tax),
            payment_method=entry.text("payment"),
            paid_at=entry.maybe_moment("paid_at"),
            note=entry.text("note"),
            line=entry.line,
            tolerance=rounding(len(lines) + 1),
            is_shipped=shared.is_shipped(entry, self.states),
            **_parcel(entry),
            payment_references=payment_references([entry], "payment_reference"),
        )

    def _left_out(self, entry: Entry, gap: Decimal) -> Decimal:
        """A discount that the lines don't show, where it explains what they have too much."""
        named = entry.size("discount")
        dearest = named * (HUNDRED + max(FRENCH_RATES)) / HUNDRED
        return gap if named and named - CENT <= gap <= dearest + CENT else ZERO

    def _taxes(self, entry: Entry) -> dict[Decimal, Decimal]:
        """VAT by rate, as `tax_items` states it; nothing where a rate isn't named."""
        taxes: dict[Decimal, Decimal] = {}
        for item in items_of(entry.raw("tax_items")):
            text = item.get("rate_percent", "")
            match = _RATE_IN_TEXT.search(f"{item.get('label', item.get('title', ''))}")
            if not text and not match:
                return {}
            percent = cells.rate(text or (match[1] if match else ""), entry.line, "tax_items")
            if percent is not None:
                amount = to_cents(cells.number(item.get("total", ""), entry.line, "tax_items"))
                taxes[percent] = taxes.get(percent, ZERO) + amount
        return taxes

    def _taxed(
        self, entry: Entry, items: Iterable[tuple[int, Item]]
    ) -> Iterator[tuple[Decimal, Decimal]]:
        """What bears one rate each, excl. tax, with its tax: lines and shipping."""
        for line, item in items:
            yield _amount(item, line, "total"), _amount(item, line, "tax", "total_tax")
        yield entry.cents("shipping"), entry.cents("shipping_tax")

    def _items(self, rows: Sequence[Row]) -> Iterator[tuple[int, Item]]:
        """The order's items with the line of the file, in the keys of WebToffee's cells."""
        if self._columns.has("item_quantity"):
            for row in rows:
                entry = self._columns.entry(row)
                item = {
                    "name": entry.text("item_name"),
                    "sku": entry.plain("item_sku"),
                    "product_id": entry.plain("item_product"),
                    "quantity": entry.raw("item_quantity"),
                    "total": entry.raw("item_total"),
                    "sub_total": entry.raw("item_subtotal"),
                    "tax": entry.raw("item_total_tax"),
                    "refunded": entry.raw("item_refunded"),
                    "refunded_qty": entry.raw("item_refunded_qty"),
                }
                if self._columns.has("item_variation"):
                    item["variation_id"] = entry.plain("item_variation")
                yield row.line, item
            return
        row = rows[0]
        for place in self._line_places:
            if row.cells[place].strip():
                yield row.line, item_of(row.cells[place])
        for item in items_of(self._columns.entry(row).raw("line_items")):
            yield row.line, item

    def _line(self, entry: Entry, line: int, item: Item, named: Sequence[Decimal]) -> LineDraft:
        quantity = cells.quantity(item.get("quantity", ""), line, "line_item (quantity)")
        net, tax = _amount(item, line, "total"), _amount(item, line, "tax", "total_tax")
        net_before = _amount(item, line, "sub_total", "subtotal")
        rate = rate_between(net, tax, named)
        before = net_before + (to_cents(net_before * tax / net) if net else ZERO)
        sku = "" if item.get("sku") == "unknown_product" else cells.unquoted(item.get("sku", ""))
        draft = line_of_totals(
            sku=sku,
            label=cells.clean(item.get("name", "")) or sku or _("Article"),
            quantity=quantity,
            total=net + tax,
            before_discount=before,
            rate=rate,
            line=line,
        )
        variation = item.get("variation_id", item.get("_variation_id"))
        key = shared.product_key(item.get("product_id", ""), variation, draft.label)
        amount = _given_back(item, line)
        draft = draft._replace(
            product_key=key,
            refunded=abs(cells.number(item.get("refunded_qty", ""), line, "refunded_qty")),
            refunded_amount=amount or None,
        )
        return sorted_out(draft, is_taxed=bool(tax))

    def _fees(self, entry: Entry, named: Sequence[Decimal]) -> list[LineDraft]:
        """Fees as lines; a negative one (a discount by hand) shows by its price."""
        whole = entry.cents("fee") + entry.cents("fee_tax")
        fees = []
        for item in items_of(entry.raw("fee_items"), r"\|\||;"):
            net = to_cents(cells.number(item.get("total", ""), entry.line, "fee_items"))
            text = item.get("tax") or item.get("total_tax") or ""
            tax = to_cents(cells.number(text, entry.line, "fee_items"))
            label = cells.clean(item.get("name") or item.get("title") or "") or _("Frais")
            fees.append((label, net, tax))
        if sum((net + tax for _label, net, tax in fees), ZERO) != whole:
            fees = [(_("Frais"), entry.cents("fee"), entry.cents("fee_tax"))]
        return [
            LineDraft(
                sku="",
                label=label[:200],
                quantity=Decimal(1),
                unit_price=net + tax,
                tax_rate=rate_between(net, tax, named),
                line=entry.line,
                kind=FEE,
            )
            for label, net, tax in fees
            if net + tax
        ]

    def _refunded_by_line(self, rows: Sequence[Row]) -> Decimal:
        """What the items say was given back (`refunded:10.75`, excl. tax), incl. tax (EUR)."""
        return sum((_given_back(item, line) for line, item in self._items(rows)), ZERO)

    def _refunded(self, entry: Entry) -> Decimal:
        if self._columns.has("refunded"):
            return entry.size("refunded")
        return sum(
            (
                abs(to_cents(cells.number(item.get("amount", ""), entry.line, "refund_items")))
                for item in items_of(entry.raw("refund_items"))
            ),
            ZERO,
        )


def _given_back(item: Item, line: int) -> Decimal:
    """What an item says was given back (`refunded:10.75`, excl. tax), incl. tax (EUR)."""
    net, total, tax = (
        cells.number(item.get(key) or "", line, f"line_item ({key})")
        for key in ("refunded", "total", "tax")
    )
    return to_cents(abs(net) * (total + tax) / total) if net and total else ZERO


def _parcel(entry: Entry) -> dict[str, Any]:
    """Day, carrier and number of the last parcel, as shipment-tracking plug-ins keep them."""
    parcels = items_of(entry.raw("shipments"))
    if not parcels:
        return {}
    last = parcels[-1]
    stamp = last.get("date_shipped", "")
    return {
        "shipped_at": datetime.fromtimestamp(int(stamp), UTC) if stamp.isdecimal() else None,
        "carrier": last.get("tracking_provider") or last.get("custom_tracking_provider", ""),
        "tracking_number": last.get("tracking_number", ""),
    }
