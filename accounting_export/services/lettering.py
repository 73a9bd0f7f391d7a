"""Lettering: an invoice, its credit notes and payments that come to zero are marked together; so
are a supplier's document and what paid it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from accounting_export.models import AccountRule, JournalEntry, JournalLine, LetteredLine
from invoicing.models import Invoice, Payment
from purchasing.models import SupplierPaymentPart
from sphinx.core.models import DocumentSequence
from sphinx.core.money import ZERO

_SERIES = "lettrage"
_LETTERS = 26
_BATCH = 500


def letter_all() -> int:
    """Sweep: letter what is settled and isn't marked; returns how many groups were."""
    open_lines = _customer_lines().filter(entry__invoice__isnull=False)
    roots = open_lines.order_by().values_list(_INVOICE, flat=True).distinct()
    ids, done = sorted(roots), 0
    for start in range(0, len(ids), _BATCH):
        done += letter_invoices(ids[start : start + _BATCH])
    advances = JournalLine.objects.filter(nature=AccountRule.Nature.ADVANCE, lettered=None)
    orders = advances.order_by().values_list("entry__payment__order", flat=True).distinct()
    done += letter_advances([pk for pk in orders if pk is not None])
    paid = _supplier_lines().filter(entry__supplier_payment__isnull=False)
    back = _supplier_lines().filter(entry__is_reversal=True)
    owed = {
        *paid.order_by().values_list("entry__supplier_payment__parts__invoice", flat=True),
        *back.order_by().values_list("entry__supplier_invoice", flat=True),
    }
    ids = sorted(pk for pk in owed if pk is not None)
    for start in range(0, len(ids), _BATCH):
        done += letter_suppliers(ids[start : start + _BATCH])
    return done


@transaction.atomic
def letter_invoices(invoice_ids: Collection[int]) -> int:
    """Mark the customers' lines of these invoices that come to zero; returns how many groups.

    An invoice goes with its credit notes and what was paid for either, account by account. A line
    is marked once: what comes later to a settled invoice is lettered by itself when it comes to
    zero.
    """
    if not invoice_ids:
        return 0
    counter = _locked_counter()
    roots, givers = _entries_of(list(invoice_ids)), _givers_of(list(invoice_ids))
    groups: dict[_Group, list[JournalLine]] = defaultdict(list)
    entries = _customer_lines().filter(entry__in={*roots, *givers})
    for line in entries.select_related("entry__payment").order_by("pk"):
        root = (givers if _gives(line) else roots).get(line.entry_id)
        if root is not None:
            groups[root, line.account, line.auxiliary].append(line)
    return _mark(counter, groups)


@transaction.atomic
def letter_advances(order_ids: Collection[int]) -> int:
    """Mark advances on these orders with what took them, once they come to zero."""
    if not order_ids:
        return 0
    counter = _locked_counter()
    groups: dict[_Group, list[JournalLine]] = defaultdict(list)
    lines = JournalLine.objects.filter(
        nature=AccountRule.Nature.ADVANCE, lettered=None, entry__payment__order__in=order_ids
    )
    for line in lines.select_related("entry__payment").order_by("pk"):
        if line.entry.payment:
            groups[line.entry.payment.order_id, line.account, line.auxiliary].append(line)
    return _mark(counter, groups)


@transaction.atomic
def letter_suppliers(invoice_ids: Collection[int]) -> int:
    """Mark the suppliers' lines of these documents that come to zero; returns how many groups.

    A document goes with the parts of payments that settle it, and with what takes it back: a
    payment has a line a document, in the order of its parts.
    """
    if not invoice_ids:
        return 0
    counter = _locked_counter()
    parts: dict[int, list[int]] = defaultdict(list)
    paying = (
        SupplierPaymentPart.objects.filter(payment__parts__invoice__in=list(invoice_ids))
        .exclude(booked_eur=0)
        .distinct()
    )
    for payment, invoice in paying.order_by("pk").values_list("payment_id", "invoice_id"):
        parts[payment].append(invoice)
    lines = _supplier_lines().filter(
        Q(entry__supplier_invoice__in=list(invoice_ids))
        | Q(entry__supplier_payment__in=list(parts))
    )
    wanted = set(invoice_ids)
    groups: dict[_Group, list[JournalLine]] = defaultdict(list)
    for line in lines.select_related("entry").order_by("pk"):
        paid = line.entry.supplier_payment_id
        document = parts[paid][line.position - 1] if paid else line.entry.supplier_invoice_id
        if document in wanted:
            groups[document, line.account, line.auxiliary].append(line)
    return _mark(counter, groups)


_Group = tuple[int, str, str]


def _mark(counter: DocumentSequence, groups: Mapping[_Group, Sequence[JournalLine]]) -> int:
    marks = []
    for found in groups.values():
        if _comes_to_zero(found):
            counter.last_number += 1
            code = letters(counter.last_number)
            on = max(line.entry.entry_date for line in found)
            marks += [LetteredLine(line=line, code=code, lettered_on=on) for line in found]
    if marks:
        LetteredLine.objects.bulk_create(marks, batch_size=1000)
        counter.save(update_fields=["last_number"])
    return len({mark.code for mark in marks})


def _gives(line: JournalLine) -> bool:
    """A transfer's first line is of the invoice that gives, its second of the one that takes."""
    payment = line.entry.payment
    return line.position == 1 and payment is not None and payment.kind == Payment.Kind.TRANSFER


def root_of(invoice: Invoice) -> int:
    """The invoice that a document is lettered with: itself, or the one that it corrects."""
    return invoice.credited_invoice_id or invoice.pk


def letters(number: int) -> str:
    """1 → AAA, 2 → AAB, …: three letters at least, more when those are used up."""
    number -= 1
    found = ""
    while number or len(found) < 3:  # noqa: PLR2004 (letters)
        number, rest = divmod(number, _LETTERS)
        found = chr(ord("A") + rest) + found
    return found


_INVOICE = Coalesce("entry__invoice__credited_invoice", "entry__invoice")


def _entries_of(invoice_ids: list[int]) -> dict[int, int]:
    """Entries of the invoices, of their credit notes and of the payments of either: id → invoice.

    Four lookups by an index each: together they would be one without.
    """
    found: dict[int, int] = {}
    for path in (
        "invoice",
        "invoice__credited_invoice",
        "payment__invoice",
        "payment__invoice__credited_invoice",
    ):
        rows = JournalEntry.objects.filter(**{f"{path}__in": invoice_ids})
        found |= dict(rows.values_list("pk", path))
    return found


def _givers_of(invoice_ids: list[int]) -> dict[int, int]:
    """Entries of the transfers that take from the invoices or their credit notes: id → invoice."""
    found: dict[int, int] = {}
    for path in (
        "payment__transfer__given__invoice",
        "payment__transfer__given__invoice__credited_invoice",
    ):
        rows = JournalEntry.objects.filter(**{f"{path}__in": invoice_ids})
        found |= dict(rows.values_list("pk", path))
    return found


def _customer_lines() -> QuerySet[Any]:
    return JournalLine.objects.filter(nature=AccountRule.Nature.CUSTOMERS, lettered=None)


def _supplier_lines() -> QuerySet[JournalLine]:
    return JournalLine.objects.filter(nature=AccountRule.Nature.SUPPLIERS, lettered=None)


def _comes_to_zero(lines: Iterable[JournalLine]) -> bool:
    found = list(lines)
    return len(found) > 1 and not sum((ln.debit - ln.credit for ln in found), ZERO)


def _locked_counter() -> DocumentSequence:
    """The counter of codes, locked: letterers take turns."""
    DocumentSequence.objects.get_or_create(series=_SERIES, period="")
    return DocumentSequence.objects.select_for_update(no_key=True).get(series=_SERIES, period="")
