"""One balanced entry for each supplier's invoice that is good to pay; another takes it back."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from functools import partial
from typing import NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from accounting_export.accounts import AccountBook, Question
from accounting_export.models import Account, AccountRule, JournalEntry, JournalLine
from accounting_export.selectors import purchases_to_post, purchases_to_reverse
from accounting_export.services.entries import (
    PURCHASES_JOURNAL,
    Draft,
    entry_line,
    lock_journal,
    write_entries,
)
from accounting_export.services.left_out import Swept, swept
from accounting_export.services.lettering import letter_suppliers
from accounting_export.services.supplier_payments import sweep_supplier_payments
from purchasing.expense_accounts import is_service, label_of
from purchasing.models import ExpenseLine, SupplierInvoice
from sphinx.core import clock
from sphinx.core.clock import business_date
from sphinx.core.money import HUNDRED, ZERO, settle, spread, to_cents
from sphinx.core.services import company
from sphinx.core.vat import NORMAL_RATE, TaxRegime, purchase_regime

Nature = AccountRule.Nature


def post_missing_purchases() -> int:
    """Sweep: book invoices good to pay without an entry, reverse those taken back; payments too.

    Returns how many entries were made. One that can't be booked doesn't stop the others.

    Raises:
        NoAccount: the first reason, once all the others are booked.
    """
    return sweep_purchases().plus(sweep_supplier_payments()).or_raise()


def sweep_purchases() -> Swept:
    """The same; what can't be booked is named."""
    found = Swept(0, [])
    for is_reversal, missing in ((False, purchases_to_post()), (True, purchases_to_reverse())):
        found = found.plus(
            swept(
                list(missing.values_list("pk", flat=True)),
                partial(_post_each, is_reversal=is_reversal),
                _named,
                batch=1,
            )
        )
    return found


def _post_each(pks: Sequence[int], *, is_reversal: bool) -> int:
    return sum(bool(_post(pk, is_reversal=is_reversal)) for pk in pks)


def _named(pks: Iterable[int]) -> dict[int, tuple[str, date]]:
    rows = SupplierInvoice.objects.filter(pk__in=pks).values_list("pk", "number", "issued_on")
    return {pk: (number, day) for pk, number, day in rows}


@transaction.atomic
def _post(invoice_id: int, *, is_reversal: bool) -> JournalEntry | None:
    """The entry of one invoice; None when it has it already.

    Debit 607 goods, 6241 carriage, each other line's account and 44566 VAT, credit 401 what is owed
    (PCG), what rounding leaves to 658 or 758; a credit note, and a reversal, swap sides. Booked at
    the date of the piece; a reversal at its own day.
    """
    journal = lock_journal(PURCHASES_JOURNAL)
    missing = purchases_to_reverse() if is_reversal else purchases_to_post()
    invoice = missing.select_related("supplier").filter(pk=invoice_id).first()
    if invoice is None:
        return None
    day = business_date(
        (invoice.cancelled_at if is_reversal else invoice.approved_at) or clock.now()
    )
    label = _("Annulation") if is_reversal else invoice.get_kind_display()
    entry = JournalEntry(
        entry_date=day if is_reversal else invoice.issued_on,
        piece_ref=invoice.number,
        piece_date=invoice.issued_on,
        label=f"{label} {invoice.supplier_number} {invoice.supplier}"[:120],
        validated_on=day,
        supplier_invoice=invoice,
        is_reversal=is_reversal,
    )
    lines = _lines(invoice, -invoice.sign if is_reversal else invoice.sign)
    (written,) = write_entries(journal, [Draft(entry, lines)], on=day)
    if is_reversal:
        letter_suppliers([invoice.pk])
    return written


def _lines(invoice: SupplierInvoice, sign: int) -> list[JournalLine]:
    """The lines of the entry, the supplier first; amounts times `sign` are debits here."""
    book = AccountBook()
    country = invoice.supplier.country
    regime = purchase_regime(country)

    def line(amount: _Amount) -> JournalLine:
        question = Question(amount.nature, regime, amount.rate, country, None)
        account = _chosen(amount.account) if amount.account else book.account_for(question)
        known = invoice.is_foreign and amount.stated is not None
        return entry_line(
            0,
            account,
            amount.euros * sign,
            amount.rate,
            nature=amount.nature,
            in_currency=(invoice.currency, amount.stated or ZERO) if known else None,
        )

    first = line(_Amount(Nature.SUPPLIERS, -invoice.euros.total, invoice.total_incl_tax))
    first.auxiliary = invoice.supplier.auxiliary_account or invoice.supplier.code
    first.auxiliary_label = invoice.supplier.name
    lines = [first]
    lines += [line(amount) for amount in _amounts(invoice, regime) if amount.euros]
    for position, made in enumerate(lines, start=1):
        made.position = position
    return lines


def _chosen(number: str) -> Account:
    """The account that whoever entered the invoice chose; one the chart lacks is added to it."""
    account, _made = Account.objects.get_or_create(
        number=number, defaults={"label": label_of(number)}
    )
    return account


class _Amount(NamedTuple):
    """What goes to an account: a debit (EUR), what the invoice states of it in its own currency
    (None: nothing), the VAT rate; the account where a rule doesn't say it."""

    nature: str
    euros: Decimal
    stated: Decimal | None = None
    rate: Decimal | None = None
    account: str = ""


def _amounts(invoice: SupplierInvoice, regime: TaxRegime) -> Iterator[_Amount]:
    """What stands against the supplier."""
    books, lines = invoice.euros, list(invoice.expenses.order_by("position"))
    stated = [
        invoice.goods_excl_tax,
        invoice.carriage_excl_tax,
        *(line.amount_excl_tax for line in lines),
    ]
    euros = [books.goods, books.carriage, *_in_books(books.expenses, stated[2:])]
    exempt = company().is_tax_exempt
    if exempt:
        # A firm that charges no VAT deducts none: it is part of the cost (CGI art. 293 F).
        euros = _with_tax(euros, books.tax)
        stated = _with_tax(stated, invoice.tax)
        kept = kept_stated = ZERO
    else:
        costs = [line.tax_not_deducted for line in lines]
        costs_eur = _in_books(_part(books.tax, sum(costs, ZERO), invoice.tax), costs)
        for place, (cost, cost_eur) in enumerate(zip(costs, costs_eur, strict=True), start=2):
            stated[place] += cost
            euros[place] += cost_eur
        kept, kept_stated = sum(costs_eur, ZERO), sum(costs, ZERO)
    yield _Amount(Nature.PURCHASES, euros[0], stated[0])
    yield _Amount(Nature.CARRIAGE, euros[1], stated[1])
    for line, amount, said in zip(lines, euros[2:], stated[2:], strict=True):
        yield _Amount(Nature.EXPENSE, amount, said, line.tax_rate, line.account)
    rounding = Nature.SHORTFALL if books.rounding > 0 else Nature.SURPLUS
    yield _Amount(rounding, books.rounding, invoice.rounding)
    if exempt:
        return
    yield _Amount(Nature.INPUT_TAX, books.tax - kept, invoice.tax - kept_stated)
    if regime != TaxRegime.DOMESTIC and not invoice.tax:
        is_union = regime == TaxRegime.EU_BUSINESS
        bases = _bases(invoice) if is_union else {NORMAL_RATE: _services(lines, euros[2:])}
        for rate, base in sorted(bases.items(), reverse=True):
            tax = to_cents(base * rate / HUNDRED)
            yield _Amount(Nature.INPUT_TAX, tax, rate=rate)
            yield _Amount(Nature.SELF_TAX, -tax, rate=rate)


def _services(lines: Sequence[ExpenseLine], euros: Sequence[Decimal]) -> Decimal:
    """Services from outside the Union (EUR): the buyer owes their VAT too (CGI, art. 283, 2). Of
    goods customs ask it."""
    return sum(
        (amount for line, amount in zip(lines, euros, strict=True) if is_service(line.account)),
        ZERO,
    )


def _in_books(total: Decimal, stated: Sequence[Decimal]) -> list[Decimal]:
    """What the invoice states, in the books: parts of the total that they are there."""
    whole = sum(stated, ZERO)
    if total == whole or not whole:
        return list(stated)
    return settle(total, [total * part / whole for part in stated])


def _part(total: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """The part of a total in the books, of what is a part of a whole in the invoice's currency."""
    return to_cents(total * part / whole) if whole else ZERO


def _with_tax(amounts: list[Decimal], tax: Decimal) -> list[Decimal]:
    """Goods, carriage and other lines, with their shares of the VAT."""
    if not sum(amounts, ZERO):
        return amounts
    return [amount + more for amount, more in zip(amounts, spread(tax, amounts), strict=True)]


def _bases(invoice: SupplierInvoice) -> dict[Decimal, Decimal]:
    """What the buyer owes VAT on (EUR), by rate of the goods, carriage shared in proportion; other
    lines are under the normal rate."""
    books = invoice.euros
    bases: dict[Decimal, Decimal] = defaultdict(lambda: ZERO)
    for line in invoice.lines.select_related("receipt_line__order_line__product"):
        rate = line.receipt_line.order_line.product.tax_rate
        bases[NORMAL_RATE if rate is None else rate] += line.amount_excl_tax
    if not bases:
        # Nothing but expenses, or the carriage of what others delivered.
        return {NORMAL_RATE: books.carriage + books.expenses}
    if invoice.is_foreign and sum(bases.values(), ZERO):
        bases = dict(zip(bases, spread(books.goods, list(bases.values())), strict=True))
    if sum(bases.values(), ZERO):
        shares = spread(books.carriage, list(bases.values()))
        for rate, share in zip(list(bases), shares, strict=True):
            bases[rate] += share
    if books.expenses:
        bases[NORMAL_RATE] += books.expenses
    return bases
