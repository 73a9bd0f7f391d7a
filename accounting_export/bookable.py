"""A document that the books could not take gets no number."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from django.utils.translation import gettext as _

from accounting_export.accounts import AccountBook, Question
from accounting_export.errors import NoAccount
from accounting_export.models import AccountRule
from invoicing.before_number import Lines, Taxes, before_number
from invoicing.errors import NotBookable
from invoicing.models import Invoice, InvoiceLine, TaxBreakdown
from sphinx.core.services import company

Nature = AccountRule.Nature


@before_number
def accounts_known(invoices: Sequence[Invoice], lines: Lines, taxes: Taxes) -> None:
    """Every amount of every document has its account.

    Raises:
        NotBookable: no rule fits one of them; which, and what to do.
    """
    book, apart = AccountBook(), company().books_discounts_apart
    for number, invoice in enumerate(invoices):
        asked = dict.fromkeys(_natures(invoice, lines[number], taxes[number], apart=apart))
        for nature, rate in asked:
            try:
                book.account_for(
                    Question(nature, invoice.tax_regime, rate, invoice.country, invoice.shop_id)
                )
            except NoAccount as error:
                raise NotBookable(
                    _("Commande %(order)s, pas encore facturée. %(reason)s")
                    % {"order": invoice.order_number, "reason": error.message}
                ) from error


def _natures(
    invoice: Invoice, lines: Sequence[InvoiceLine], taxes: Sequence[TaxBreakdown], *, apart: bool
) -> Iterator[tuple[str, Decimal | None]]:
    """Nature and rate of what the entry books, as posting splits it."""
    if invoice.total_incl_tax:
        yield Nature.CUSTOMERS, None
    for line in lines:
        if line.amount_excl_tax if apart else line.total_excl_tax:
            yield Nature(line.kind), line.tax_rate
        if apart and line.discount_excl_tax:
            yield Nature.DISCOUNT, line.tax_rate
    for tax in taxes:
        if tax.tax:
            yield Nature.TAX, tax.tax_rate
