"""Reads of the accounts."""

from collections.abc import Collection, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from accounting_export.models import (
    AccountRule,
    ClosedMonth,
    Dispatch,
    EntryQuestion,
    ExportBatch,
    ExportedEntry,
    JournalEntry,
    JournalLine,
    Sending,
)
from invoicing.models import BankLine, Invoice, InvoiceLine, Payment, ProviderTransaction
from invoicing.selectors import orders_off_the_shops_total
from purchasing.models import SupplierInvoice
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
    # invoice, credit_note, purchase, purchase_credit_note, payment, or blank.
    document: str
    entry_id: int

    @property
    def regime(self) -> str:
        """The VAT regime in words."""
        return _regime_label(self.sale_regime, self.country)


def invoices_to_post() -> QuerySet[Invoice]:
    """Issued documents without an entry; one on which nothing at all was charged has none."""
    charged = InvoiceLine.objects.filter(~Q(amount_excl_tax=0), invoice=OuterRef("pk"))
    return Invoice.objects.filter(Exists(charged), entry=None).order_by("chain_index")


def purchases_to_post() -> QuerySet[SupplierInvoice]:
    """Suppliers' invoices good to pay without an entry, in the order of their approval."""
    booked = JournalEntry.objects.filter(supplier_invoice=OuterRef("pk"), is_reversal=False)
    return SupplierInvoice.objects.filter(
        ~Exists(booked), ~Q(total_incl_tax=0), status=SupplierInvoice.Status.APPROVED
    ).order_by("approved_at", "pk")


def purchases_to_reverse() -> QuerySet[SupplierInvoice]:
    """Suppliers' invoices taken back whose entry stands."""
    booked = JournalEntry.objects.filter(supplier_invoice=OuterRef("pk"))
    return SupplierInvoice.objects.filter(
        Exists(booked.filter(is_reversal=False)),
        ~Exists(booked.filter(is_reversal=True)),
        status=SupplierInvoice.Status.CANCELLED,
    ).order_by("cancelled_at", "pk")


def payments_to_post() -> QuerySet[Payment]:
    """Payments without an entry whose invoice has its own, the oldest first."""
    booked = JournalEntry.objects.filter(invoice=OuterRef("invoice"))
    return Payment.objects.filter(Exists(booked), entry=None).order_by("paid_at", "pk")


def payments_of(invoice_ids: Collection[int]) -> list[int]:
    """Payments of some documents."""
    return list(Payment.objects.filter(invoice__in=invoice_ids).values_list("pk", flat=True))


def movements_to_post() -> QuerySet[ProviderTransaction]:
    """Movements of payment providers that are in no entry, the oldest first."""
    return ProviderTransaction.objects.filter(posted=None).order_by("occurred_on", "pk")


def payouts_to_post() -> QuerySet[BankLine]:
    """Lines of the bank that are a provider's payout, without an entry."""
    return BankLine.objects.filter(entry=None).exclude(payout="").order_by("booked_on", "pk")


def first_open_day() -> date | None:
    """The day after the last closed month; None while none is closed."""
    last = ClosedMonth.objects.aggregate(last=Max("month"))["last"]
    return next_month(last) if last else None


def next_month(month: date) -> date:
    """The first day of the month after."""
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1)


def month_to_close() -> date | None:
    """The first day of the month that closes next; None before there is any entry."""
    open_from = first_open_day()
    if open_from:
        return open_from
    first = JournalEntry.objects.aggregate(first=Min("entry_date"))["first"]
    return first.replace(day=1) if first else None


def fiscal_year(day: date, end_month: int) -> tuple[date, date]:
    """First and last day of the fiscal year that `day` is in, years ending with `end_month`."""
    ends = day.year if day.month <= end_month else day.year + 1
    last = next_month(date(ends, end_month, 1)) - timedelta(days=1)
    return next_month(date(ends - 1, end_month, 1)), last


def fiscal_years(end_month: int) -> list[tuple[date, date]]:
    """The fiscal years with entries, the latest first."""
    days = JournalEntry.objects.aggregate(first=Min("entry_date"), last=Max("entry_date"))
    if days["first"] is None:
        return []
    found = [fiscal_year(days["last"], end_month)]
    while found[-1][0] > days["first"]:
        found.append(fiscal_year(found[-1][0] - timedelta(days=1), end_month))
    return found


def month_sums(month: date) -> tuple[int, Decimal, Decimal]:
    """Entries dated in the month that begins on `month`, their debit and credit (EUR)."""
    lines = JournalLine.objects.filter(
        entry__entry_date__gte=month, entry__entry_date__lt=next_month(month)
    ).aggregate(
        count=Count("entry", distinct=True),
        debit=Coalesce(Sum("debit"), ZERO),
        credit=Coalesce(Sum("credit"), ZERO),
    )
    return lines["count"], to_cents(lines["debit"]), to_cents(lines["credit"])


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


def sending_settings() -> Sending:
    """How new entries go to the accountant; not in use until somebody says so."""
    found, _created = Sending.objects.get_or_create(pk=1)
    return found


def stuck_dispatches() -> QuerySet[Dispatch]:
    """Batches that couldn't be sent to the accountant yet."""
    return Dispatch.objects.filter(sent_at=None).exclude(reason="")


def open_questions() -> QuerySet[EntryQuestion]:
    """The accountant's questions that nobody answered, oldest first."""
    return EntryQuestion.objects.filter(answer="").order_by("pk")


def invoices_of_batch(batch: ExportBatch) -> QuerySet[Invoice]:
    """The documents whose entries a batch holds."""
    return Invoice.objects.filter(entry__exports__batch=batch).order_by("chain_index")
