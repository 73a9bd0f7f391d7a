"""One balanced entry for each payment of a supplier; another takes it back.

What was owed is on the supplier's account in euros, at the rate of its invoice. What it took to
pay it is another amount where the invoice is in another currency: the difference is a loss or a
gain of exchange, realised on that day, and the account is settled in full (PCG, art. 420-5).
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from functools import partial

from django.db import transaction

from accounting_export.accounts import AccountBook, Question
from accounting_export.means import MeansBook
from accounting_export.models import (
    Account,
    AccountRule,
    JournalEntry,
    JournalLine,
    PaymentMeans,
)
from accounting_export.selectors import supplier_payments_to_post, supplier_payments_to_reverse
from accounting_export.services.entries import Draft, entry_line, lock_journal, write_entries
from accounting_export.services.left_out import Swept, swept
from accounting_export.services.lettering import letter_suppliers
from accounting_export.services.payment_entries import SUNDRIES
from purchasing.models import SupplierPayment, SupplierPaymentPart
from sphinx.core.clock import business_date
from sphinx.core.money import ZERO

Nature = AccountRule.Nature


def sweep_supplier_payments() -> Swept:
    """Book payments of suppliers without an entry, reverse those taken back; what can't be booked
    is named."""
    found = Swept(0, [])
    for is_reversal, missing in (
        (False, supplier_payments_to_post()),
        (True, supplier_payments_to_reverse()),
    ):
        pks = list(missing.values_list("pk", flat=True))
        post = partial(_post_each, is_reversal=is_reversal)
        found = found.plus(swept(pks, post, _named, batch=1))
    return found


def _post_each(pks: Sequence[int], *, is_reversal: bool) -> int:
    return sum(bool(_post(pk, is_reversal=is_reversal)) for pk in pks)


def _named(pks: Iterable[int]) -> dict[int, tuple[str, date]]:
    rows = SupplierPayment.objects.filter(pk__in=pks).values_list("pk", "number", "paid_on")
    return {pk: (number, day) for pk, number, day in rows}


@transaction.atomic
def _post(payment_id: int, *, is_reversal: bool) -> JournalEntry | None:
    """The entry of one payment; None when it has it already.

    Debit 401 what the books hold of each document, credit the bank what left, the difference to
    exchange; what came back, and a reversal, swap sides. Of the day of payment in the bank's
    journal, a reversal of its own day; what moved no money is in the journal of sundries.
    """
    missing = supplier_payments_to_reverse() if is_reversal else supplier_payments_to_post()
    found = missing.filter(pk=payment_id).first()
    if found is None:
        return None
    means = _means(found)
    journal = lock_journal(means.journal.code if means else SUNDRIES)
    # Read again under the lock: somebody may have booked it meanwhile.
    payment = missing.select_related("supplier").filter(pk=payment_id).first()
    if payment is None:
        return None
    day = business_date(payment.cancelled_at or payment.noted_at)
    parts = list(payment.parts.select_related("invoice").order_by("pk"))
    numbers = " ".join(part.invoice.supplier_number for part in parts)
    label = "Annulation règlement" if is_reversal else "Règlement"
    entry = JournalEntry(
        entry_date=day if is_reversal else payment.paid_on,
        piece_ref=payment.number,
        piece_date=payment.paid_on,
        label=f"{label} {payment.supplier} {numbers}"[:120],
        validated_on=day,
        supplier_payment=payment,
        is_reversal=is_reversal,
    )
    lines = _lines(payment, -1 if is_reversal else 1, means.account if means else None)
    (written,) = write_entries(journal, [Draft(entry, lines)], on=day)
    letter_suppliers([part.invoice_id for part in parts])
    return written


def _means(payment: SupplierPayment) -> PaymentMeans | None:
    """Where the money lay, an account in the currency being named by its code; None where none
    moved. Raises NoAccount."""
    if not payment.paid_eur:
        return None
    book = MeansBook()
    return book.of_currency(payment.currency) if payment.exchange_rate else book.bank()


def _lines(payment: SupplierPayment, sign: int, bank: Account | None) -> list[JournalLine]:
    lines = list(_drafted(payment, sign, bank))
    for position, line in enumerate(lines, start=1):
        line.position = position
    return lines


def _drafted(payment: SupplierPayment, sign: int, bank: Account | None) -> Iterator[JournalLine]:
    """The lines but for their places: a line a document that the books hold something of."""
    book, supplier = AccountBook(), payment.supplier

    def account(nature: str) -> Account:
        return book.account_for(Question(nature, "", None, supplier.country, None))

    def stated(amount: Decimal) -> tuple[str, Decimal] | None:
        return (payment.currency, amount) if payment.is_foreign else None

    booked = ZERO
    for part, owed in _owed(payment):
        line = entry_line(
            0,
            Account(number=owed.account, label=owed.account_label),
            part.booked_eur * sign,
            nature=Nature.SUPPLIERS,
            in_currency=stated(part.amount),
        )
        line.auxiliary, line.auxiliary_label = owed.auxiliary, owed.auxiliary_label
        booked += part.booked_eur
        yield line
    if bank and payment.paid_eur:
        # From an account in the currency the bank's line is in both.
        left = stated(payment.amount) if payment.exchange_rate else None
        yield entry_line(0, bank, -payment.paid_eur * sign, in_currency=left)
    gap = payment.paid_eur - booked
    if gap:
        nature = Nature.FX_LOSS if gap > 0 else Nature.FX_GAIN
        yield entry_line(0, account(nature), gap * sign, nature=nature)


def _owed(payment: SupplierPayment) -> list[tuple[SupplierPaymentPart, JournalLine]]:
    """Parts that the books hold something of, each with the supplier's line of its document."""
    parts = list(payment.parts.exclude(booked_eur=0).select_related("invoice").order_by("pk"))
    lines = JournalLine.objects.filter(
        entry__supplier_invoice__in=[part.invoice_id for part in parts],
        entry__is_reversal=False,
        position=1,
    ).select_related("entry")
    by_invoice = {line.entry.supplier_invoice_id: line for line in lines}
    return [(part, by_invoice[part.invoice_id]) for part in parts]
