"""AlgolPlus' Advanced Order Export: one row a line, columns chosen and named by labels.

The labels are translated on French sites. `Item Cost` is what a piece costs after discount,
excl. tax and rounded to the cent: the order's own total rules.
"""

from collections.abc import Sequence
from decimal import Decimal

from django.utils.translation import gettext as _

from ftp_ingest.dialects.amounts import line_of_totals, rate_between, rounding, stated
from ftp_ingest.dialects.base import Header, Row, no_lines, require
from ftp_ingest.dialects.columns import Columns, Entry, known_names
from ftp_ingest.dialects.readers import (
    TableOrders,
    currency_of,
    no_items,
    payment_references,
)
from ftp_ingest.dialects.woocommerce import shared
from ftp_ingest.dialects.woocommerce.refunds import given_back
from sales.drafts import FEE, LineDraft, OrderDraft
from sphinx.core.errors import InputError
from sphinx.core.money import CENT, HUNDRED, ZERO, to_cents
from sphinx.core.vat_rates import CURRENT_RATES


def _of(use: str, *labels: str) -> tuple[str, ...]:
    """A label with its suffix, as English and French sites write it."""
    french = {"Billing": "facturation", "Shipping": "livraison"}[use]
    other = {"Billing": "facturation", "Shipping": "expédition"}[use]
    return tuple(f"{label} ({suffix})" for label in labels for suffix in (use, french, other))


_ADDRESS_LABELS = {
    "first_name": ("First Name", "Prénom"),
    "last_name": ("Last Name", "Nom", "Nom de famille"),
    "full_name": ("Full Name", "Nom complet"),
    "company": ("Company", "Société", "Entreprise", "Nom de l'entreprise"),
    "address": ("Address 1&2", "Address", "Adresse 1&2", "Adresse"),
    "address_1": ("Address 1", "Adresse 1"),
    "address_2": ("Address 2", "Adresse 2"),
    "city": ("City", "Ville"),
    "postcode": ("Postcode", "Zip", "Code postal"),
    "country": (
        "Country Code",
        "Country Name",
        "Country",
        "Code pays",
        "Code du pays",
        "Nom du pays",
        "Pays",
    ),
    "phone": ("Phone", "Téléphone"),
}
_ALIASES: dict[str, tuple[str, ...]] = {
    "id": ("Order ID", "ID de commande", "Identifiant de commande"),
    "number": ("Order Number", "Numéro de commande", "N° de commande"),
    "status": ("Order Status", "État de la commande", "Statut de la commande", "Statut"),
    "date": ("Order Date", "Date de la commande", "Date de commande"),
    "paid_at": ("Paid Date", "Date de paiement"),
    "currency": ("Currency", "Order Currency", "Devise"),
    "note": ("Customer Note", "Note du client"),
    "customer_id": (
        "Customer User ID",
        "Customer User Id",
        "ID utilisateur du client",
        "ID du client",
    ),
    "account_email": ("Customer User Email", "E-mail du client"),
    "email": _of("Billing", "Email", "E-mail", "Adresse e-mail"),
    "vat_number": ("VAT Number", "EU VAT Number", "Numéro de TVA", "_billing_vat_number"),
    "payment": (
        "Payment Method Title",
        "Titre du moyen de paiement",
        "Titre de la méthode de paiement",
        "Moyen de paiement",
    ),
    "payment_reference": (
        "Transaction ID",
        "ID de transaction",
        "ID de la transaction",
        "_transaction_id",
    ),
    "discount": (
        "Cart Discount Amount",
        "Montant de la remise du panier",
        "Montant de la remise panier",
        "Montant de la remise",
    ),
    "subtotal": ("Order Subtotal Amount", "Sous-total de la commande"),
    "shipping": (
        "Order Shipping Amount",
        "Montant de la livraison de la commande",
        "Montant de la livraison",
        "Montant de l'expédition",
    ),
    "shipping_tax": (
        "Order Shipping Tax Amount",
        "Montant de la taxe de livraison",
        "Taxe de livraison de commande",
    ),
    "shipping_gross": ("Order Shipping + Tax Amount", "Livraison + Taxe"),
    "fee": ("Order Total Fee", "Total des frais de la commande", "Total des frais de commande"),
    "refunded": (
        "Order Refund Amount",
        "Montant remboursé",
        "Montant du remboursement",
        "Montant du remboursement de la commande",
    ),
    "total": (
        "Order Total Amount",
        "Montant total de la commande",
        "Total de la commande",
        "Montant total",
    ),
    "tax": (
        "Order Total Tax Amount",
        "Montant total des taxes de la commande",
        "Montant total de la taxe",
        "Montant total des taxes",
    ),
    "sku": ("SKU", "UGS"),
    "product_id": ("Product ID", "ID du produit", "Identifiant du produit"),
    "variation_id": ("Variation ID", "ID de variation", "ID de la variation", "ID variation"),
    "name": (
        "Item Name",
        "Name",
        "Nom de l'élément",
        "Nom de l'article",
        "Product Name",
        "Nom du produit",
    ),
    "quantity": ("Quantity", "Quantité"),
    # What is left of the pieces once those refunded are taken off: the totals aren't reduced.
    "kept": ("Quantity (- Refund)", "Quantité (- Remboursement)"),
    "quantity_refunded": ("Quantity (Refunded)", "Quantité (Remboursée)"),
    "line_refunded": ("Order Line Total Refunded", "Total de la ligne de commande remboursé"),
    "line_tax_refunded": ("Order Line Tax Refunded", "Taxe de ligne de commande remboursée"),
    "shipping_refunded": ("Order Shipping Amount Refunded", "Frais de livraison remboursés"),
    "shipping_tax_refunded": (
        "Order Shipping Tax Refunded",
        "Taxe de livraison de commande remboursée",
    ),
    "completed_at": ("Completed Date", "Date d'achèvement"),
    "cost": ("Item Cost", "Coût de l'article", "Prix de l'article", "Prix du produit"),
    "cost_gross": ("Item Cost (inc. tax)", "Coût de l'article (taxe comprise)"),
    "cost_before": ("Item Cost Before Discount", "Coût de l'article avant remise"),
    "line_net": (
        "Order Line Total",
        "Order Line (w/o tax)",
        "Total de la ligne",
        "Total de la ligne de commande",
        "Ligne de commande (sans taxe)",
    ),
    "line_tax": ("Order Line Tax", "Taxe de la ligne", "Taxe de ligne de commande"),
    "line_gross": (
        "Order Line Total (include tax)",
        "Total de ligne de commande (taxe incluse)",
    ),
    "line_before": (
        "Order Line Subtotal",
        "Sous-total de la ligne",
        "Sous-total de la ligne de commande",
    ),
    "rate": ("Item Tax Rate", "Taux de taxe de l'article"),
    # The rates that the shop applied, as it names them: `20%`; several taxes are a list.
    "rates": ("Tax Rates (exact)",),
    **{
        f"{use.lower()}_{field}": _of(use, *labels)
        for use in ("Billing", "Shipping")
        for field, labels in _ADDRESS_LABELS.items()
    },
}
NAMES = known_names(_ALIASES)


def is_ours(header: Header) -> bool:
    """True for a header of labels with a billing or shipping suffix and an order's total."""
    columns = Columns(header, _ALIASES)
    return (
        columns.has("total")
        and (columns.has("number") or columns.has("id"))
        and (columns.has("email") or columns.has("billing_first_name") or columns.has("status"))
        and not header.has("order currency")
        and header.count(NAMES) >= _ENOUGH
    )


_ENOUGH = 6


def _explains(rate: Decimal | None, net: Decimal, tax: Decimal) -> bool:
    """True when the rate gives the tax, to a cent: a line for nothing bears none at any rate."""
    return rate is not None and abs(net * rate / HUNDRED - tax) <= CENT


def check(header: Header, label: str) -> None:
    """Raises FileRefused: no lines, or columns that a line can't do without."""
    columns = Columns(header, _ALIASES)
    if not (columns.has("quantity") or columns.has("kept")):
        raise no_lines(
            label,
            _(
                "dans Advanced Order Export, gardez les colonnes SKU, Item Name, Quantity et "
                "Item Cost"
            ),
        )
    require(
        header,
        label,
        _ALIASES["date"],
        _ALIASES["status"],
        (*_ALIASES["cost"], *_ALIASES["line_net"], *_ALIASES["line_gross"]),
    )


def _rate_of_fees(net: Decimal, tax: Decimal, lines: Sequence[LineDraft]) -> Decimal | None:
    """The rate of what the order has beyond its lines, which has their cents of rounding in it."""
    rate = rate_between(net, tax)
    known = [ZERO, *{line.tax_rate for line in lines if line.tax_rate is not None}]
    nearest = min(known, key=lambda r: abs(net * r / HUNDRED - tax))
    if rate is None and abs(net * nearest / HUNDRED - tax) <= rounding(len(lines) + 1):
        return nearest
    return rate


class LabelledOrders(TableOrders):
    """Reads orders; order columns may be filled on every row or on the first only."""

    def __init__(self, header: Header) -> None:
        key = "id" if Columns(header, _ALIASES).has("id") else "number"
        super().__init__(header, _ALIASES, key=key, date="date", content=("quantity", "kept"))
        self._quantity = "quantity" if self._columns.has("quantity") else "kept"

    def draft(self, rows: Sequence[Row]) -> OrderDraft:
        entry = self._columns.entry(rows[0])
        number = entry.text("number") or entry.text("id")
        total, tax = entry.amount("total"), entry.cents("tax")
        refunded = entry.size("refunded")
        entries = [e for row in rows if (e := self._columns.entry(row)).filled(self._quantity)]
        ordered = self._ordered(number, entries, refunded)
        lines = [
            self._line(e, pieces)._replace(
                refunded=self._given_back(e, pieces), refunded_amount=self._amount_back(e)
            )
            for e, pieces in zip(entries, ordered, strict=True)
            if pieces
        ]
        fees, discount = self._fees(entry, lines, total)
        lines += fees
        if not lines:
            raise no_items(number, entry, self._quantity)
        state, payment = shared.states(entry, refunded, total, self.states)
        billing = shared.address(entry, "billing")
        pieces = sum((line.quantity for line in lines), Decimal(1))
        return OrderDraft(
            external_id=(entry.plain("id") or number)[:80],
            number=number[:80],
            placed_at=entry.moment("date"),
            state=state,
            payment_status=payment,
            customer=shared.customer(entry, billing),
            lines=tuple(lines if tax else [d._replace(tax_rate=None) for d in lines]),
            total_incl_tax=total,
            billing=billing,
            shipping=shared.goes_somewhere(shared.address(entry, "shipping"), billing),
            currency=currency_of(entry),
            prices_include_tax=self._is_gross,
            charges_include_tax=self._shipping_is_gross or not tax,
            shipping_amount=self._shipping(entry),
            shipping_tax_rate=self._shipping_rate(entry),
            discount=discount,
            refunded=refunded or (total if payment == "refunded" else ZERO),
            stated_taxes=stated({}, tax),
            payment_method=entry.text("payment"),
            paid_at=entry.maybe_moment("paid_at"),
            note=entry.text("note"),
            line=entry.line,
            is_shipped=shared.is_shipped(entry, self.states),
            shipped_at=entry.maybe_moment("completed_at"),
            shipping_refunded=entry.size("shipping_refunded") + entry.size("shipping_tax_refunded"),
            payment_references=payment_references([entry], "payment_reference"),
            # A piece's cost is rounded to the cent before it is multiplied.
            tolerance=rounding(len(lines) + 1) if self._has_totals else rounding(int(pieces)),
        )

    @property
    def _has_totals(self) -> bool:
        return self._columns.has("line_net") or self._columns.has("line_gross")

    @property
    def _is_gross(self) -> bool:
        """True when lines can be read incl. tax."""
        columns = self._columns
        return columns.has("line_gross") or columns.has("line_net", "line_tax")

    @property
    def _shipping_is_gross(self) -> bool:
        return self._columns.has("shipping_gross") or self._columns.has("shipping", "shipping_tax")

    def _shipping(self, entry: Entry) -> Decimal:
        if self._columns.has("shipping_gross"):
            return entry.cents("shipping_gross")
        return entry.cents("shipping") + entry.cents("shipping_tax")

    def _shipping_rate(self, entry: Entry) -> Decimal | None:
        if not self._columns.has("shipping", "shipping_tax"):
            return None
        return rate_between(entry.cents("shipping"), entry.cents("shipping_tax"))

    def _ordered(self, number: str, entries: Sequence[Entry], refunded: Decimal) -> list[Decimal]:
        """The pieces that were bought, line by line.

        Raises:
            InputError: the file tells only those left after a refund, and which were given back
                doesn't show by what is missing to the total.
        """
        kept = [self._pieces(e) for e in entries]
        if self._quantity == "quantity" or not refunded or not entries:
            return kept
        entry = entries[0]
        costs = [e.price("cost") for e in entries]
        worth = sum((k * cost for k, cost in zip(kept, costs, strict=True)), ZERO)
        charges = entry.cents("tax") + entry.cents("shipping") + entry.cents("fee")
        missing = entry.amount("total") - charges - worth
        found = given_back(missing, costs, sum(kept, ZERO))
        if len(found) == 1:
            return [k + more for k, more in zip(kept, found[0], strict=True)]
        raise InputError(
            _(
                "Commande %(number)s : remboursée en partie, et le fichier ne donne que les "
                "quantités qui restent. Ajoutez la colonne « Quantity » à l'export."
            )
            % {"number": number},
            code="order.refunded_pieces",
            line=entry.line,
            column=entry.column("kept"),
        )

    def _given_back(self, entry: Entry, ordered: Decimal) -> Decimal:
        """Pieces refunded: as told, else what was bought less what is left of it."""
        if self._columns.has("quantity_refunded"):
            return min(entry.pieces("quantity_refunded") or ZERO, ordered)
        if not entry.filled("kept"):
            return ZERO
        return max(ordered - (entry.pieces("kept") or ZERO), ZERO)

    def _amount_back(self, entry: Entry) -> Decimal | None:
        """What was given back on a line, incl. tax; None where the export lacks a part of it."""
        if not self._columns.has("line_refunded", "line_tax_refunded"):
            return None
        return entry.size("line_refunded") + entry.size("line_tax_refunded") or None

    def _pieces(self, entry: Entry) -> Decimal:
        """A line's quantity; 0 where nothing is left of it."""
        nothing = entry.raw(self._quantity).strip() == "0"
        return ZERO if nothing else entry.quantity(self._quantity)

    def _line(self, entry: Entry, quantity: Decimal) -> LineDraft:
        sku = entry.plain("sku")
        net, tax = entry.cents("line_net"), entry.cents("line_tax")
        before = entry.cents("line_before")
        rate = entry.rate("rate") if entry.filled("rate") else self._rate_applied(entry)
        if self._is_gross:
            total = entry.cents("line_gross") if self._columns.has("line_gross") else net + tax
            if self._columns.has("line_tax") and not _explains(rate, total - tax, tax):
                rate = rate_between(total - tax, tax)
            before = to_cents(before * (HUNDRED + rate) / HUNDRED) if rate else before
        elif self._columns.has("line_net"):
            total = net
        else:
            total = quantity * entry.price("cost")
            before = quantity * entry.price("cost_before")
        label = entry.text("name") or sku or _("Article")
        variation = entry.plain("variation_id") if self._columns.has("variation_id") else None
        draft = line_of_totals(
            sku=sku,
            label=label,
            quantity=quantity,
            total=total,
            before_discount=before,
            rate=rate,
            line=entry.line,
        )
        key = shared.product_key(entry.plain("product_id"), variation, label)
        return draft._replace(product_key=key)

    def _rate_applied(self, entry: Entry) -> Decimal | None:
        """The line's rate as the shop names it; None where it names none, or several."""
        return None if "," in entry.raw("rates") else entry.rate("rates")

    def _fees(
        self, entry: Entry, lines: Sequence[LineDraft], total: Decimal
    ) -> tuple[list[LineDraft], Decimal]:
        """The order's fees as a line; where they come to less than nothing, as a discount.

        The file has their sum excl. tax alone: their tax is what the order's total has beyond it.
        """
        fee = entry.cents("fee")
        if not fee:
            return [], ZERO
        tax = self._tax_of_fees(entry, lines, fee, total)
        if fee < 0:
            return [], -fee - (tax or ZERO)
        rates = {line.tax_rate for line in lines}
        rate = rates.pop() if len(rates) == 1 else None
        if tax is not None:
            rate, fee = _rate_of_fees(fee, tax, lines), fee + tax
        elif self._is_gross and rate:
            fee = to_cents(fee * (HUNDRED + rate) / HUNDRED)
        return [LineDraft("", _("Frais"), Decimal(1), fee, rate, line=entry.line, kind=FEE)], ZERO

    def _tax_of_fees(
        self, entry: Entry, lines: Sequence[LineDraft], fee: Decimal, total: Decimal
    ) -> Decimal | None:
        """The VAT of the fees; None where the rest of the order isn't known incl. tax."""
        if not (self._is_gross and self._shipping_is_gross):
            return None
        goods = sum((d.quantity * d.unit_price - d.discount for d in lines), ZERO)
        tax = total - to_cents(goods) - self._shipping(entry) - fee
        dearest = abs(fee) * max(CURRENT_RATES) / HUNDRED
        return tax if abs(tax) <= dearest + CENT and tax * fee >= 0 else None
