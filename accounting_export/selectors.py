"""Reads of the accounts."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounting_export.models import JournalLine
from invoicing.models import Invoice, InvoiceLine


class ExportLine(NamedTuple):
    """A journal line with everything that any accountant's format wants; EUR."""

    journal: str
    journal_label: str
    number: str
    entry_date: date
    account: str
    account_label: str
    auxiliary: str
    auxiliary_label: str
    piece_ref: str
    piece_date: date
    label: str
    debit: Decimal
    credit: Decimal
    validated_on: date
    due_on: date
    tax_rate: Decimal | None
    tax_regime: str
    country: str
    order_number: str
    delivery_note: str
    entry_id: int


def invoices_to_post() -> QuerySet[Invoice]:
    """Issued documents without an entry; one on which nothing at all was charged has none."""
    charged = InvoiceLine.objects.filter(~Q(amount_excl_tax=0), invoice=OuterRef("pk"))
    return Invoice.objects.filter(Exists(charged), entry=None).order_by("chain_index")


def lines_to_export(
    date_from: date, date_to: date, journals: Sequence[str]
) -> Iterator[ExportLine]:
    """Lines of the entries dated in the period, both days included, in the order of entries."""
    rows = (
        JournalLine.objects.filter(
            entry__entry_date__range=(date_from, date_to), entry__journal__code__in=journals
        )
        .order_by("entry__journal__code", "entry_id", "position")
        .values_list(
            "entry__journal__code",
            "entry__journal__label",
            "entry__number",
            "entry__entry_date",
            "account",
            "account_label",
            "auxiliary",
            "auxiliary_label",
            "entry__piece_ref",
            "entry__piece_date",
            "entry__label",
            "debit",
            "credit",
            "entry__validated_on",
            "entry__invoice__due_on",
            "tax_rate",
            "entry__invoice__tax_regime",
            "entry__invoice__country",
            "entry__invoice__order_number",
            "entry__invoice__delivery_note__number",
            "entry_id",
        )
    )
    for row in rows.iterator(chunk_size=5000):
        yield ExportLine(*row)
