"""Files of payment providers: gross, fee and net of each movement, and the order it is for.

Told by their columns. Stripe: itemized payout reconciliation and balance reports
(balance_transaction_id, reporting_category, gross, fee, net). PayPal: activity download (Gross,
Fee, Net, Transaction ID, Invoice Number), in English or French; its fees are negative. Shopify
Payments: transactions of payouts (Transaction Date, Type, Order, Amount, Fee, Net).
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from django.utils.translation import gettext as _

from invoicing.models import ProviderTransaction
from sphinx.core import cells
from sphinx.core.errors import InputError
from sphinx.core.money import to_cents
from sphinx.core.tables import read_table
from sphinx.core.texts import clean, fold, whole_words

Provider, Kind = ProviderTransaction.Provider, ProviderTransaction.Kind
_CHARGES = frozenset("charge payment paiement vente sale".split())
_REFUNDS = frozenset("refund remboursement refund_failure payment_refund".split())
_ORDER_IN_METADATA = re.compile(r"metadata (order|commande)( (id|number|name))?$")


class Movement(NamedTuple):
    """A row of a provider's file (EUR); a fee above 0 is kept by the provider."""

    provider: str
    reference: str
    kind: str
    occurred_on: date
    order_text: str
    gross: Decimal
    fee: Decimal
    net: Decimal
    payout: str
    description: str = ""
    payment_references: str = ""


class PayoutFile(NamedTuple):
    """The movements of a file, and the rows that it doesn't count, with their reason."""

    movements: list[Movement]
    faults: list[str]


_Row = Mapping[str, str]


def read_payouts(name: str, data: bytes) -> PayoutFile:
    """Read a provider's file.

    Raises:
        InputError: it is none of the three.
    """
    rows = list(read_table(name, data))
    if not rows:
        raise InputError(_("Ce fichier est vide."), code="payout.empty")
    names = [fold(cell) for cell in rows[0].cells]
    reader = next((read for marks, read in _READERS if marks <= set(names)), None)
    if reader is None:
        raise InputError(
            _("%s n'est pas un export de Stripe, de PayPal ni de Shopify Payments reconnu.") % name,
            code="payout.unknown",
        )
    found = PayoutFile([], [])
    for row in rows[1:]:
        cell = dict(zip(names, row.cells, strict=False))
        try:
            movement = reader(cell, row.line)
        except InputError as error:
            found.faults.append(error.message)
            continue
        if movement is None:
            continue
        if movement.net != movement.gross - movement.fee:
            found.faults.append(
                _("Ligne %(line)s : brut, frais et net ne vont pas ensemble.") % {"line": row.line}
            )
            continue
        found.movements.append(movement)
    return found


def _amount(cell: _Row, column: str, line: int) -> Decimal:
    return to_cents(cells.number(cell.get(column, "").lstrip("+"), line, column))


def _reference(text: str, line: int) -> str:
    if not text:
        raise InputError(
            _("Ligne %(line)s : sans référence, laissée de côté.") % {"line": line}, line=line
        )
    return text[:100]


def _euros(cell: _Row, line: int, column: str = "currency") -> None:
    said = cell.get(column, "").strip().upper()
    if said and said != "EUR":
        raise InputError(
            _("Ligne %(line)s : en %(currency)s, laissée de côté.")
            % {"line": line, "currency": said},
            line=line,
        )


def _kind(word: str) -> str:
    folded = fold(word)
    if folded in _CHARGES:
        return Kind.CHARGE
    return Kind.REFUND if folded.replace(" ", "_") in _REFUNDS else Kind.OTHER


_REFERENCE_TXN_FR = ("numero de la transaction de reference", "reference de transaction")


def _cited(cell: _Row, *columns: str) -> str:
    """What else the payment is known by: the charge, its intent, what was given back."""
    return whole_words(" ".join(cell.get(name, "").strip() for name in columns).strip(), 300)


def _stripe(cell: _Row, line: int) -> Movement | None:
    _euros(cell, line)
    written = cell.get("created utc") or cell.get("created") or cell.get("effective at utc", "")
    order = next((text for name, text in cell.items() if _ORDER_IN_METADATA.search(name)), "")
    category, payout = cell.get("reporting category", ""), cell.get("automatic payout id", "")
    is_payout = fold(category) in ("payout", "payout reversal")
    if is_payout and payout:
        # Its movements say so already.
        return None
    return Movement(
        Provider.STRIPE,
        _reference(cell.get("balance transaction id", ""), line),
        Kind.PAYOUT if is_payout else _kind(category),
        cells.moment(written, line, "created").date(),
        clean(order or cell.get("description", ""), 120),
        _amount(cell, "gross", line),
        _amount(cell, "fee", line),
        _amount(cell, "net", line),
        payout[:100],
        clean(cell.get("description", ""), 200),
        _cited(cell, "source id", "charge id", "payment intent id"),
    )


def _paypal(cell: _Row, line: int) -> Movement | None:
    """One row; what isn't done yet is no movement."""

    def either(english: str, french: str) -> str:
        return cell.get(english) or cell.get(french, "")

    state = fold(either("status", "etat"))
    gross = _amount(cell, "gross" if "gross" in cell else "brut", line)
    kind = fold(either("type", "type"))
    if state not in ("completed", "termine", "effectue", ""):
        return None
    _euros(cell, line, "currency" if "currency" in cell else "devise")
    fee = -_amount(cell, "fee" if "fee" in cell else "frais", line)
    is_payout = any(word in kind for word in ("withdrawal", "virement", "transfer"))
    is_refund = "refund" in kind or "remboursement" in kind
    known = Kind.PAYOUT if is_payout else Kind.REFUND if is_refund else Kind.OTHER
    return Movement(
        Provider.PAYPAL,
        _reference(either("transaction id", "numero de transaction"), line),
        Kind.CHARGE if known == Kind.OTHER and gross > 0 else known,
        cells.moment(either("date", "date"), line, "Date").date(),
        clean(either("invoice number", "numero de facture") or cell.get("custom number", ""), 120),
        gross,
        fee,
        _amount(cell, "net", line),
        "",
        clean(either("subject", "objet") or either("item title", "titre de l objet"), 200),
        _cited(cell, "reference txn id", *_REFERENCE_TXN_FR),
    )


def _shopify(cell: _Row, line: int) -> Movement | None:
    _euros(cell, line)
    written, kind = cell.get("transaction date", ""), cell.get("type", "")
    order = clean(cell.get("order", ""), 120)
    gross = _amount(cell, "amount", line)
    # Shopify gives no number of its own: what a row says names it.
    reference = "|".join([written, kind, order, cell.get("checkout", ""), str(gross)])[:100]
    return Movement(
        Provider.SHOPIFY,
        reference,
        _kind(kind),
        cells.moment(written, line, "Transaction Date").date(),
        order,
        gross,
        _amount(cell, "fee", line),
        _amount(cell, "net", line),
        (cell.get("payout id") or cell.get("payout date", ""))[:100],
        payment_references=cell.get("checkout", "").strip().lstrip("#")[:100],
    )


_READERS: tuple[tuple[set[str], Callable[[_Row, int], Movement | None]], ...] = (
    ({"balance transaction id", "reporting category", "gross", "fee", "net"}, _stripe),
    ({"transaction date", "type", "order", "amount", "fee", "net"}, _shopify),
    ({"transaction id", "gross", "fee", "net"}, _paypal),
    ({"numero de transaction", "brut", "frais", "net"}, _paypal),
)
