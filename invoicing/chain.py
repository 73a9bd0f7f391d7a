"""The hash chain of issued documents: each holds the hash of the one before.

hash = SHA-256(previous hash ‖ canonical form), the canonical form being JSON with sorted keys,
NFC text, decimals as strings with fixed digits, ISO dates and the version of the form. A byte
changed anywhere breaks every later link. Serves CGI art. 286, I-3° bis (inalterability).
"""

import hashlib
import json
import unicodedata
from collections.abc import Iterable
from typing import Any

from invoicing.models import Invoice, InvoiceLine, TaxBreakdown

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


def document_hash(
    invoice: Invoice, lines: Iterable[InvoiceLine], taxes: Iterable[TaxBreakdown]
) -> str:
    """The hash of `invoice` as issued, chained to `invoice.previous_hash`."""
    form = {
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
    text = json.dumps(form, sort_keys=True, ensure_ascii=False, default=_plain)
    text = unicodedata.normalize("NFC", text)
    return hashlib.sha256((invoice.previous_hash + text).encode()).hexdigest()


def _plain(value: Any) -> str:
    return str(value)
