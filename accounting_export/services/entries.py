"""What every journal shares: turns, numbers without gap, lines of one side."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from accounting_export.chart import JOURNALS
from accounting_export.models import Account, Journal, JournalEntry, JournalLine
from accounting_export.selectors import first_open_day
from sphinx.core.money import ZERO
from sphinx.core.sealing import seal_soon
from sphinx.core.services import allocate_numbers, record

SALES_JOURNAL, PURCHASES_JOURNAL = (code for code, _label in JOURNALS[:2])


class Draft(NamedTuple):
    """An entry without its number, and its lines."""

    entry: JournalEntry
    lines: list[JournalLine]


def lock_journal(code: str) -> Journal:
    """The journal, locked: posters take turns, so numbers follow the order of their documents."""
    journal, _created = Journal.objects.get_or_create(
        code=code, defaults={"label": dict(JOURNALS)[code]}
    )
    return Journal.objects.select_for_update(no_key=True).get(pk=journal.pk)


def write_entries(journal: Journal, drafts: Sequence[Draft], on: date) -> list[JournalEntry]:
    """Number the entries in one continuous series a journal, and insert them.

    The journal is locked. What is dated in a closed month is booked on the first day after it,
    and says so.
    """
    open_from = first_open_day()
    for draft in drafts:
        if open_from and draft.entry.entry_date < open_from:
            late = f" (mois clos, du {draft.entry.entry_date:%d/%m/%Y})"
            draft.entry.label = draft.entry.label[: 120 - len(late)] + late
            draft.entry.entry_date = open_from
    numbers = allocate_numbers(series=journal.code, on=on, count=len(drafts), yearly=False)
    for number, draft in zip(numbers, drafts, strict=True):
        draft.entry.journal, draft.entry.number = journal, number
    entries = JournalEntry.objects.bulk_create((d.entry for d in drafts), batch_size=500)
    for entry, draft in zip(entries, drafts, strict=True):
        for line in draft.lines:
            line.entry = entry
    JournalLine.objects.bulk_create((line for d in drafts for line in d.lines), batch_size=1000)
    record("entry.posted", entries)
    seal_soon("entries", "entry_lines")
    return entries


def entry_line(
    position: int,
    account: Account,
    amount: Decimal,
    rate: Decimal | None = None,
    *,
    nature: str = "",
    section: str = "",
    in_currency: tuple[str, Decimal] | None = None,
) -> JournalLine:
    """A debit of a positive amount (EUR), a credit of a negative one.

    `in_currency` is the currency that it was in and how much of it.
    """
    return JournalLine(
        position=position,
        account=account.number,
        account_label=account.label,
        debit=max(amount, ZERO),
        credit=max(-amount, ZERO),
        tax_rate=rate,
        nature=nature,
        section=section,
        currency=in_currency[0] if in_currency else "",
        currency_amount=abs(in_currency[1]) if in_currency else None,
    )
