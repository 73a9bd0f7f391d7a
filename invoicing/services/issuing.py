"""Shipped delivery notes become invoices: numbered without gap, chained, never changed."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from invoicing.before_number import Lines, Taxes, check_before_number
from invoicing.chain import GENESIS, document_hash
from invoicing.errors import (
    DeliveryNoteNotShipped,
    GroupRefused,
    PeriodClosed,
    StructureRefused,
)
from invoicing.events import invoices_issued
from invoicing.models import Closing, Invoice, InvoicedNote, InvoiceLine, TaxBreakdown
from invoicing.selectors import (
    NOT_INVOICED,
    notes_ready_to_invoice,
    notes_to_invoice,
    orders_to_close,
)
from invoicing.services.building import Builder, group_key
from invoicing.services.explained import require_tax_reason
from invoicing.services.payments import settle_issued
from invoicing.services.structured import check_structured
from sales.locks import lock_notes, lock_orders
from sales.models import DeliveryNote, Order
from sales.services import mark_invoiced
from sphinx.core.clock import PARIS, business_date
from sphinx.core.events import announce
from sphinx.core.services import allocate_numbers, record

BATCH = 200


def issue_invoice(*, delivery_note_id: int, at: datetime, actor: Any = None) -> Invoice:
    """Invoice a shipped delivery note, once: a second call returns the same invoice.

    Raises:
        DeliveryNoteNotShipped: the note is a draft or cancelled.
    """
    issue_invoices(note_ids=[delivery_note_id], at=at, actor=actor)
    found = Invoice.objects.filter(delivery_note_id=delivery_note_id).first()
    if found is None:
        note = DeliveryNote.objects.get(pk=delivery_note_id)
        raise DeliveryNoteNotShipped(
            _("Le bon de livraison %(number)s n'est pas expédié : expédiez-le avant de facturer.")
            % {"number": note.number}
        )
    return found


class Issued(NamedTuple):
    """What a sweep issued, and why it left the rest."""

    invoices: list[Invoice]
    refused: list[StructureRefused]


def issue_shipped(
    *, at: datetime, order_ids: Iterable[int] | None = None, actor: Any = None
) -> Issued:
    """Invoice all that shipped, of some orders when asked, a transaction a batch.

    A note whose invoice is refused doesn't hold the others back.
    """
    notes = notes_ready_to_invoice()
    if order_ids is not None:
        notes = notes.filter(order__in=list(order_ids))
    done = Issued([], [])
    monthly = notes.filter(order__customer__invoiced_each="month")
    # Paid ones are invoiced at once: the customer has nothing to wait for.
    unpaid = Q(order__payment_status=Order.PaymentStatus.UNPAID)
    _issue_groups(monthly.filter(unpaid), at, actor, done)
    ids = list(
        notes.exclude(unpaid, order__customer__invoiced_each="month").values_list("pk", flat=True)
    )
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        try:
            done.invoices.extend(issue_invoices(note_ids=batch, at=at, actor=actor))
        except StructureRefused:
            _issue_one_by_one(batch, at, actor, done)
    _close_orders(order_ids)
    return done


@transaction.atomic
def _close_orders(order_ids: Iterable[int] | None) -> None:
    """Orders of which nothing is left to deliver nor to invoice are done with."""
    orders = orders_to_close()
    if order_ids is not None:
        orders = orders.filter(pk__in=list(order_ids))
    locked = lock_orders(orders.values_list("pk", flat=True))
    mark_invoiced(order_ids=_fully_invoiced(order.pk for order in locked))


# On its last day a month is invoiced in the evening (CGI art. 289, I-3: before it ends); what
# leaves later that day follows at the next sweep.
EVENING = 20


def is_month_due(shipped_at: datetime, at: datetime) -> bool:
    """Whether the month in which goods left is to be invoiced now (Europe/Paris)."""
    left, now = shipped_at.astimezone(PARIS), at.astimezone(PARIS)
    if (left.year, left.month) != (now.year, now.month):
        return now > left
    return (now + timedelta(days=1)).month != now.month and now.hour >= EVENING


def _issue_groups(notes: QuerySet[DeliveryNote], at: datetime, actor: Any, done: Issued) -> None:
    groups: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for note in notes.select_related("order"):
        if note.shipped_at and is_month_due(note.shipped_at, at):
            month = note.shipped_at.astimezone(PARIS).strftime("%Y-%m")
            groups[month, *group_key(note.order)].append(note.pk)
    for ids in groups.values():
        try:
            done.invoices.append(issue_grouped(note_ids=ids, at=at, actor=actor))
        except StructureRefused as error:
            done.refused.append(error)
        except GroupRefused:
            # Somebody invoiced one of them meanwhile: the rest follows at the next sweep.
            continue


@transaction.atomic
def issue_grouped(*, note_ids: Iterable[int], at: datetime, actor: Any = None) -> Invoice:
    """Issue one invoice of several shipped notes of a customer (CGI art. 289, I-3).

    Every order keeps its own amounts and VAT, so that each is invoiced to the cent whatever it
    is invoiced with. One note alone has an ordinary invoice.

    Raises:
        GroupRefused: a note isn't shipped or has its invoice, or they can't share one.
        StructureRefused: a professional's invoice would be no valid e-invoice.
    """
    wanted = sorted(set(note_ids))
    order_ids = DeliveryNote.objects.filter(pk__in=wanted).values_list("order_id", flat=True)
    orders = {o.pk: o for o in lock_orders(order_ids)}
    # Locked whole: a filter that joins could not be.
    notes = list(lock_notes(wanted))
    free = set(notes_to_invoice().filter(pk__in=wanted).values_list("pk", flat=True))
    if not notes or len(free) != len(wanted):
        raise GroupRefused(_("Un des bons n'est pas expédié, ou il est déjà facturé."))
    if len({group_key(order) for order in orders.values()}) > 1:
        raise GroupRefused(
            _(
                "Une facture groupée est d'un seul client, d'une boutique, aux mêmes adresses et "
                "conditions ; une commande payée a la sienne."
            )
        )
    if len(notes) == 1:
        return issue_invoice(delivery_note_id=notes[0].pk, at=at, actor=actor)
    notes.sort(key=lambda note: (note.shipped_at or at, note.pk))
    require_tax_reason(orders)
    builder = Builder(notes, orders, at)
    invoice = builder.group(notes)
    write_documents([invoice], builder.lines, builder.taxes, at)
    for share in builder.shares[0]:
        share.invoice = invoice
    InvoicedNote.objects.bulk_create(builder.shares[0])
    settle_issued([invoice], builder.used)
    mark_invoiced(order_ids=_fully_invoiced(orders))
    record("invoice.issued", [invoice], actor=actor, delivery_notes=[n.number for n in notes])
    announce(invoices_issued, invoice_ids=[invoice.pk])
    return invoice


def _issue_one_by_one(note_ids: Iterable[int], at: datetime, actor: Any, done: Issued) -> None:
    for pk in note_ids:
        try:
            done.invoices.extend(issue_invoices(note_ids=[pk], at=at, actor=actor))
        except StructureRefused as error:
            done.refused.append(error)


@transaction.atomic
def issue_invoices(*, note_ids: Iterable[int], at: datetime, actor: Any = None) -> list[Invoice]:
    """Issue one invoice for each shipped note that has none, in the order of the notes.

    Amounts (EUR) come from the shop incl. tax; VAT is taken out of them, never added, so that
    the invoice equals what the customer paid, to the cent. Number, date, hash and lines are
    written in this transaction; numbering without gap: CGI, ann. II, art. 242 nonies A, I-7°.

    Raises:
        StructureRefused: a professional's invoice would be no valid e-invoice, or an order bears
            no VAT and nothing says why, or the books have no account for it; none is issued.
    """
    wanted = list(note_ids)
    order_ids = DeliveryNote.objects.filter(pk__in=wanted).values_list("order_id", flat=True)
    orders = {o.pk: o for o in lock_orders(order_ids)}
    notes = list(lock_notes(wanted).filter(NOT_INVOICED, status=DeliveryNote.Status.SHIPPED))
    if not notes:
        return []
    require_tax_reason(orders)
    batch = Builder(notes, orders, at)
    invoices = [batch.issue(note) for note in notes]
    write_documents(invoices, batch.lines, batch.taxes, at)
    mark_invoiced(order_ids=_fully_invoiced(orders))
    settle_issued(invoices, batch.used)
    record("invoice.issued", invoices, actor=actor)
    announce(invoices_issued, invoice_ids=[i.pk for i in invoices])
    return invoices


def _fully_invoiced(order_ids: Iterable[int]) -> list[int]:
    order_ids = set(order_ids)
    waiting = DeliveryNote.objects.filter(
        NOT_INVOICED, order__in=order_ids, status=DeliveryNote.Status.SHIPPED
    ).values_list("order_id", flat=True)
    return sorted(order_ids - set(waiting))


def write_documents(
    invoices: Sequence[Invoice],
    lines: Lines,
    taxes: Taxes,
    at: datetime,
) -> None:
    """Number, chain and insert documents of one kind; `lines` and `taxes` by their index.

    The number sequence is locked last and until commit; the chain continues under that lock.

    Raises:
        PeriodClosed: their day is closed.
        StructureRefused: a professional's document would be no valid e-invoice, or the books have
            no account for one.
    """
    check_before_number(invoices, lines, taxes)
    series = "AV" if invoices[0].kind == Invoice.Kind.CREDIT_NOTE else "FA"
    numbers = allocate_numbers(series=series, on=business_date(at), count=len(invoices))
    # One chain for all series: its end is read under a lock of its own.
    allocate_numbers(series="CHAIN", on=business_date(at), count=len(invoices), yearly=False)
    _check_open(invoices[0].issued_on)
    last = Invoice.objects.order_by("-chain_index").first()
    index, previous = (last.chain_index, last.hash) if last else (0, GENESIS)
    for n, invoice in enumerate(invoices):
        index += 1
        invoice.number, invoice.chain_index, invoice.previous_hash = numbers[n], index, previous
        invoice.hash = previous = document_hash(invoice, lines[n], taxes[n])
    Invoice.objects.bulk_create(invoices, batch_size=500)
    for n, invoice in enumerate(invoices):
        for line in lines[n]:
            line.invoice = invoice
        for tax in taxes[n]:
            tax.invoice = invoice
    InvoiceLine.objects.bulk_create(
        (line for n in range(len(invoices)) for line in lines[n]), batch_size=1000
    )
    TaxBreakdown.objects.bulk_create(
        (tax for n in range(len(invoices)) for tax in taxes[n]), batch_size=1000
    )
    check_structured(invoices, lines, taxes)


def _check_open(day: date) -> None:
    if Closing.objects.filter(kind=Closing.Kind.DAY, last_on__gte=day).exists():
        raise PeriodClosed(_("Le %s est clos : rien ne s'y date plus.") % day.strftime("%d/%m/%Y"))
