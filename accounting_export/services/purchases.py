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
from accounting_export.models import AccountRule, JournalEntry, JournalLine
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
from purchasing.models import SupplierInvoice
from sphinx.core import clock
from sphinx.core.clock import business_date
from sphinx.core.money import HUNDRED, ZERO, spread, to_cents
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

    Debit 607 goods, 6241 carriage and 44566 VAT, credit 401 what is owed (PCG); a credit note,
    and a reversal, swap sides. Booked at the date of the piece; a reversal at its own day.
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
        account = book.account_for(Question(amount.nature, regime, amount.rate, country, None))
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


class _Amount(NamedTuple):
    """What goes to an account: a debit (EUR), what the invoice states of it in its own currency
    (None: nothing), the VAT rate."""

    nature: str
    euros: Decimal
    stated: Decimal | None = None
    rate: Decimal | None = None


def _amounts(invoice: SupplierInvoice, regime: TaxRegime) -> Iterator[_Amount]:
    """What stands against the supplier."""
    books = invoice.euros
    goods, carriage = books.goods, books.carriage
    stated = invoice.goods_excl_tax, invoice.carriage_excl_tax
    exempt = company().is_tax_exempt
    if exempt:
        # A firm that charges no VAT deducts none: it is part of the cost (CGI art. 293 F).
        goods, carriage = _with_tax(goods, carriage, books.tax)
        stated = _with_tax(*stated, invoice.tax)
    yield _Amount(Nature.PURCHASES, goods, stated[0])
    yield _Amount(Nature.CARRIAGE, carriage, stated[1])
    if exempt:
        return
    yield _Amount(Nature.INPUT_TAX, books.tax, invoice.tax)
    if regime == TaxRegime.EU_BUSINESS and not invoice.tax:
        for rate, base in sorted(_bases(invoice).items(), reverse=True):
            tax = to_cents(base * rate / HUNDRED)
            yield _Amount(Nature.INPUT_TAX, tax, rate=rate)
            yield _Amount(Nature.SELF_TAX, -tax, rate=rate)


def _with_tax(goods: Decimal, carriage: Decimal, tax: Decimal) -> tuple[Decimal, Decimal]:
    """Goods and carriage with their shares of the VAT."""
    if not goods + carriage:
        return goods, carriage
    more, on_carriage = spread(tax, [goods, carriage])
    return goods + more, carriage + on_carriage


def _bases(invoice: SupplierInvoice) -> dict[Decimal, Decimal]:
    """What the buyer owes VAT on (EUR), by rate of the goods, carriage shared in proportion."""
    books = invoice.euros
    bases: dict[Decimal, Decimal] = defaultdict(lambda: ZERO)
    for line in invoice.lines.select_related("receipt_line__order_line__product"):
        rate = line.receipt_line.order_line.product.tax_rate
        bases[NORMAL_RATE if rate is None else rate] += line.amount_excl_tax
    if not bases:
        # Nothing but the carriage of what others delivered.
        return {NORMAL_RATE: books.carriage}
    if invoice.is_foreign and sum(bases.values(), ZERO):
        bases = dict(zip(bases, spread(books.goods, list(bases.values())), strict=True))
    if sum(bases.values(), ZERO):
        shares = spread(books.carriage, list(bases.values()))
        for rate, share in zip(list(bases), shares, strict=True):
            bases[rate] += share
    return bases
