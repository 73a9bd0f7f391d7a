"""What is handed over: lines of the journal, and that nothing is left out."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import Case, Exists, F, OuterRef, QuerySet, Sum, Value, When
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from accounting_export.models import (
    AccountRule,
    ExportBatch,
    ExportedEntry,
    JournalEntry,
    JournalLine,
)
from invoicing.models import Invoice
from invoicing.selectors import orders_off_the_shops_total
from sphinx.core.money import ZERO, to_cents
from sphinx.core.vat import TaxRegime, purchase_regime


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
    due_on: date | None
    tax_rate: Decimal | None
    # A sale's regime as it was decided; None for purchases and money.
    sale_regime: str | None
    country: str | None
    order_number: str | None
    delivery_note: str | None
    lettering: str | None
    lettered_on: date | None
    nature: str
    section: str
    # invoice, credit_note, purchase, purchase_credit_note, payment, supplier_payment, or blank.
    document: str
    entry_id: int
    # Of an amount that was in another currency; blank and None of one in euros.
    currency: str = ""
    currency_amount: Decimal | None = None

    @property
    def regime(self) -> str:
        """The VAT regime in words."""
        return _regime_label(self.sale_regime, self.country)


def _regime_label(sale: str | None, country: str | None) -> str:
    """The VAT regime in words: of a sale as it was decided, of a purchase by its country.

    Money has none.
    """
    if sale is not None:
        return str(TaxRegime(sale).label)
    if country is None:
        return ""
    return {
        TaxRegime.DOMESTIC: str(TaxRegime.DOMESTIC.label),
        TaxRegime.EU_BUSINESS: _("Acquisition intracommunautaire"),
    }.get(purchase_regime(country), _("Importation"))


_DOCUMENT = Case(
    When(entry__invoice__isnull=False, then=F("entry__invoice__kind")),
    When(entry__supplier_invoice__kind="credit_note", then=Value("purchase_credit_note")),
    When(entry__supplier_invoice__isnull=False, then=Value("purchase")),
    When(entry__payment__isnull=False, then=Value("payment")),
    When(entry__supplier_payment__isnull=False, then=Value("supplier_payment")),
    default=Value(""),
)


class Choice(NamedTuple):
    """Which entries to hand over: of these journals, dated in the period (None: of any day)."""

    journals: Sequence[str]
    date_from: date | None = None
    date_to: date | None = None
    only_new: bool = False
    # As they were validated, journals mixed: the order that the law asks of a year's FEC.
    by_validation: bool = False


def entries_to_export(choice: Choice) -> QuerySet[JournalEntry]:
    """The entries of a choice; new are those that no batch has."""
    found = JournalEntry.objects.filter(journal__code__in=choice.journals)
    if choice.date_from:
        found = found.filter(entry_date__gte=choice.date_from)
    if choice.date_to:
        found = found.filter(entry_date__lte=choice.date_to)
    if choice.only_new:
        found = found.filter(~Exists(ExportedEntry.objects.filter(entry=OuterRef("pk"))))
    return found


def lines_query(choice: Choice) -> QuerySet[JournalLine, tuple[Any, ...]]:
    """The lines of a choice in their order, a column for each field of `ExportLine`."""
    order = ["entry__validated_on"] if choice.by_validation else ["entry__journal__code"]
    return (
        JournalLine.objects.filter(entry__in=entries_to_export(choice))
        .order_by(*order, "entry_id", "position")
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
            Coalesce("entry__invoice__due_on", "entry__supplier_invoice__due_on"),
            "tax_rate",
            "entry__invoice__tax_regime",
            Coalesce("entry__invoice__country", "entry__supplier_invoice__supplier__country"),
            "entry__invoice__order_number",
            "entry__invoice__delivery_note__number",
            "lettered__code",
            "lettered__lettered_on",
            "nature",
            "section",
            _DOCUMENT,
            "entry_id",
            "currency",
            "currency_amount",
        )
    )


def lines_to_export(choice: Choice) -> Iterator[ExportLine]:
    """Lines of the entries of a choice, journal by journal in the order of their numbers."""
    return map(ExportLine._make, lines_query(choice).iterator(chunk_size=5000))


class Coverage(NamedTuple):
    """The same sales three times over (EUR incl. tax): documents, journal, batches.

    `differences` counts orders invoiced whole for another amount than their shop charged.
    """

    invoiced: Decimal
    booked: Decimal
    exported: Decimal
    differences: int

    @property
    def left(self) -> Decimal:
        """Booked and not handed over yet."""
        return self.booked - self.exported

    @property
    def is_whole(self) -> bool:
        """Nothing is lost between the shop and the journal."""
        return self.invoiced == self.booked and not self.differences


def coverage(today: date) -> Coverage:
    """Invoices less credit notes, against customers' accounts in the journal and in batches."""
    documents = Invoice.objects.values("kind").annotate(total=Sum("total_incl_tax")).order_by()
    sums = {row["kind"]: to_cents(row["total"]) for row in documents}
    customers = JournalLine.objects.filter(
        entry__invoice__isnull=False, nature=AccountRule.Nature.CUSTOMERS
    )
    sent = customers.filter(Exists(ExportedEntry.objects.filter(entry=OuterRef("entry"))))
    return Coverage(
        sums.get(Invoice.Kind.INVOICE, ZERO) - sums.get(Invoice.Kind.CREDIT_NOTE, ZERO),
        _balance(customers),
        _balance(sent),
        orders_off_the_shops_total(date.min, today).count(),
    )


def _balance(lines: QuerySet[JournalLine]) -> Decimal:
    found = lines.aggregate(debit=Sum("debit"), credit=Sum("credit"))
    return to_cents((found["debit"] or ZERO) - (found["credit"] or ZERO))


def invoices_of_batch(batch: ExportBatch) -> QuerySet[Invoice]:
    """The documents whose entries a batch holds."""
    return Invoice.objects.filter(entry__exports__batch=batch).order_by("chain_index")
