"""The hash chains of issued documents and of closings: each link holds the hash before it.

hash = SHA-256(previous hash ‖ canonical form), the canonical form being JSON with sorted keys,
NFC text, decimals as strings with fixed digits, ISO dates and the version of the form. A byte
changed anywhere breaks every later link. Serves CGI art. 286, I-3° bis (inalterability).
"""

import hashlib
import json
import unicodedata
from collections.abc import Iterable
from typing import Any

from invoicing.models import Closing, Invoice, InvoiceLine, TaxBreakdown

FORM_VERSION = 1
GENESIS = "0" * 64
_DOCUMENT = (
    "kind number issued_on delivered_on due_on order_number customer_code customer_name "
    "is_business auxiliary_account currency tax_regime country reason mentions chain_index"
).split()
_TOTALS = "total_excl_tax total_tax total_incl_tax paid_incl_tax".split()
_LINE = "position kind sku label".split()
_LINE_AMOUNTS = (
    "tax_rate amount_incl_tax discount_incl_tax total_incl_tax "
    "amount_excl_tax discount_excl_tax total_excl_tax"
).split()
_TAX = "tax_rate base_excl_tax tax total_incl_tax".split()


_CLOSING = "kind first_on last_on documents chain_index chain_hash details position".split()
_CLOSING_TOTALS = "invoiced_incl_tax credited_incl_tax perpetual_incl_tax".split()


def document_hash(
    invoice: Invoice, lines: Iterable[InvoiceLine], taxes: Iterable[TaxBreakdown]
) -> str:
    """The hash of `invoice` as issued, chained to `invoice.previous_hash`."""
    return link(invoice.previous_hash, document_form(invoice, lines, taxes))


def document_form(
    invoice: Invoice, lines: Iterable[InvoiceLine], taxes: Iterable[TaxBreakdown]
) -> str:
    """The canonical form of a document, all that is printed on it."""
    return _canonical(
        {
            "version": FORM_VERSION,
            "document": {name: getattr(invoice, name) for name in _DOCUMENT}
            | {name: f"{getattr(invoice, name):.2f}" for name in _TOTALS},
            "lines": [
                {name: getattr(line, name) for name in _LINE}
                | {name: f"{getattr(line, name):.2f}" for name in _LINE_AMOUNTS}
                | {
                    "quantity": f"{line.quantity:.3f}",
                    "unit_price_excl_tax": f"{line.unit_price_excl_tax:.6f}",
                }
                for line in lines
            ],
            "taxes": [{name: f"{getattr(tax, name):.2f}" for name in _TAX} for tax in taxes],
        }
    )


def closing_form(closing: Closing) -> str:
    """The canonical form of a closing."""
    return _canonical(
        {"version": FORM_VERSION}
        | {name: getattr(closing, name) for name in _CLOSING}
        | {name: f"{getattr(closing, name):.2f}" for name in _CLOSING_TOTALS}
    )


def link(previous_hash: str, form: str) -> str:
    """The hash of a link: SHA-256 of the hash before it and of its canonical form."""
    return hashlib.sha256((previous_hash + form).encode()).hexdigest()


def _canonical(form: dict[str, Any]) -> str:
    text = json.dumps(form, sort_keys=True, ensure_ascii=False, default=_plain)
    return unicodedata.normalize("NFC", text)


def _plain(value: Any) -> str:
    return str(value)
