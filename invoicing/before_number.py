"""What a document must pass before it has its number: afterwards it can't be changed.

Apps above invoicing register what they know (`@before_number`), so that a document that they could
not take isn't issued at all.
"""

from collections.abc import Callable, Mapping, Sequence

from invoicing.models import Invoice, InvoiceLine, TaxBreakdown

Lines = Mapping[int, Sequence[InvoiceLine]]
Taxes = Mapping[int, Sequence[TaxBreakdown]]
# Documents without numbers, with their lines and VAT by index. Raises a StructureRefused.
_Check = Callable[[Sequence[Invoice], Lines, Taxes], None]

_checks: list[_Check] = []


def before_number(check: _Check) -> _Check:
    """Register a check; it runs in the transaction of the documents and may not write."""
    _checks.append(check)
    return check


def check_before_number(invoices: Sequence[Invoice], lines: Lines, taxes: Taxes) -> None:
    """Ask all checks.

    Raises:
        StructureRefused: what the first of them refuses; none of the documents is issued.
    """
    for check in _checks:
        check(invoices, lines, taxes)
