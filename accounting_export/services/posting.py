"""One balanced entry for each issued document, once."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from accounting_export.accounts import AccountBook, Question
from accounting_export.errors import Unbalanced
from accounting_export.models import Account, AccountRule, JournalEntry, JournalLine
from accounting_export.selectors import invoices_to_post
from accounting_export.services.entries import (
    SALES_JOURNAL,
    Draft,
    entry_line,
    lock_journal,
    write_entries,
)
from accounting_export.services.left_out import Swept, swept
from accounting_export.services.lettering import letter_invoices, root_of
from accounting_export.services.money import sweep_money
from accounting_export.services.sections import Sections
from invoicing.models import Invoice
from sphinx.core.clock import business_date
from sphinx.core.money import ZERO

Nature = AccountRule.Nature
_BATCH = 500


def post_invoice(*, invoice_id: int) -> JournalEntry | None:
    """The entry of one document; made now if it isn't yet, None when nothing is to book."""
    post_invoices(invoice_ids=[invoice_id])
    return JournalEntry.objects.filter(invoice_id=invoice_id).first()


def post_missing() -> int:
    """Sweep: book every issued document and payment that has no entry yet; returns how many were.

    A document that can't be booked doesn't stop the others.

    Raises:
        NoAccount, Unbalanced: the first reason, once all the others are booked.
    """
    return sweep_sales().or_raise()


def sweep_sales() -> Swept:
    """Book every issued document and payment that has no entry yet; what can't be is named."""
    documents = swept(
        list(invoices_to_post().values_list("pk", flat=True)),
        lambda pks: len(post_invoices(invoice_ids=pks)),
        _named,
        _BATCH,
    )
    return documents.plus(sweep_money())


def _named(pks: Iterable[int]) -> dict[int, tuple[str, date]]:
    rows = Invoice.objects.filter(pk__in=pks).values_list("pk", "number", "issued_on")
    return {pk: (number, day) for pk, number, day in rows}


@transaction.atomic
def post_invoices(*, invoice_ids: Iterable[int]) -> list[JournalEntry]:
    """Book the documents that have no entry, in the order of their chain.

    Debit 411 what the customer owes and 7097 the discounts, credit 707 goods, 7085 shipping
    and 4457 VAT, by rate (PCG); a credit note swaps sides, amounts are never negative. Entry
    date is the document's, validated on the day it is issued.

    Raises:
        NoAccount: no rule for an amount; nothing of the batch is booked.
        Unbalanced: debit and credit differ; nothing of the batch is booked.
    """
    journal = lock_journal(SALES_JOURNAL)
    invoices = list(
        invoices_to_post()
        .filter(pk__in=list(invoice_ids))
        .select_related("shop", "credited_invoice")
        .prefetch_related("lines", "taxes")
        .order_by("chain_index")
    )
    if not invoices:
        return []
    book, sections = AccountBook(), Sections(invoices)
    drafts = [
        Draft(
            JournalEntry(
                entry_date=invoice.issued_on,
                piece_ref=invoice.number,
                piece_date=invoice.issued_on,
                label=_label(invoice),
                validated_on=business_date(invoice.issued_at),
                invoice=invoice,
            ),
            _lines(invoice, book, sections),
        )
        for invoice in invoices
    ]
    entries = write_entries(journal, drafts, on=max(i.issued_on for i in invoices))
    letter_invoices({root_of(i) for i in invoices if i.credited_invoice_id})
    return entries


_Key = tuple[str, Decimal | None, Account, str]


def _lines(invoice: Invoice, book: AccountBook, sections: Sections) -> list[JournalLine]:
    """The lines of the entry, the customer first; positive amounts are debits here."""
    amounts: dict[tuple[str, Decimal | None, str], Decimal] = defaultdict(lambda: ZERO)
    for line in invoice.lines.all():
        section = sections.of_line(invoice, line)
        # A line's kind is the nature of its account.
        if sections.firm.books_discounts_apart:
            amounts[Nature(line.kind), line.tax_rate, section] -= line.amount_excl_tax
            amounts[Nature.DISCOUNT, line.tax_rate, section] += line.discount_excl_tax
        else:
            amounts[Nature(line.kind), line.tax_rate, section] -= line.total_excl_tax
    for tax in invoice.taxes.all():
        amounts[Nature.TAX, tax.tax_rate, ""] -= tax.tax
    sums: dict[_Key, Decimal] = defaultdict(lambda: ZERO)
    for (nature, rate, section), amount in amounts.items():
        if amount:
            account = _account(book, invoice, nature, rate)
            sums[nature, rate, account, section] += amount * invoice.sign
    if sum(sums.values(), ZERO) + invoice.total_incl_tax * invoice.sign:
        raise Unbalanced(
            _(
                "L'écriture de %(number)s n'est pas équilibrée ; rien n'est passé. "
                "Lancez « verify » pour trouver la ligne fautive."
            )
            % {"number": invoice.number}
        )
    return _customer_line(book, invoice) + [
        entry_line(position, account, amount, rate, nature=nature, section=section)
        for position, ((nature, rate, account, section), amount) in enumerate(
            sorted(sums.items(), key=_reading_order), start=2
        )
    ]


_ORDER = {
    nature: order
    for order, nature in enumerate(
        (
            Nature.DISCOUNT,
            Nature.GOODS,
            Nature.SHIPPING,
            Nature.FEE,
            Nature.DUTIES,
            Nature.TIP,
            Nature.GIFT_CARD,
            Nature.DEPOSIT,
            Nature.TAX,
        )
    )
}


def _reading_order(item: tuple[_Key, Decimal]) -> tuple[Decimal, int, str, str]:
    (nature, rate, account, section), _amount = item
    return (-(rate or ZERO), _ORDER[Nature(nature)], account.number, section)


def _account(book: AccountBook, invoice: Invoice, nature: str, rate: Decimal | None) -> Account:
    return book.account_for(
        Question(nature, invoice.tax_regime, rate, invoice.country, invoice.shop_id)
    )


def _customer_line(book: AccountBook, invoice: Invoice) -> list[JournalLine]:
    if not invoice.total_incl_tax:
        return []
    account = _account(book, invoice, Nature.CUSTOMERS, None)
    amount = invoice.total_incl_tax * invoice.sign
    line = entry_line(1, account, amount, nature=Nature.CUSTOMERS)
    line.auxiliary = invoice.auxiliary_account
    collective = invoice.auxiliary_account == invoice.shop.consumer_account
    line.auxiliary_label = (
        f"Clients divers {invoice.shop.name}" if collective else invoice.customer_name
    )
    return [line]


def _label(invoice: Invoice) -> str:
    if invoice.corrected:
        return f"Avoir s/{invoice.corrected.number} {invoice.customer_name}"[:120]
    if invoice.is_down_payment:
        return f"Acompte cde {invoice.order_number} {invoice.customer_name}"[:120]
    return f"Cde {invoice.order_number} {invoice.customer_name}"[:120]
