"""The e-invoicing platform: invoices handed over, states read back, all of it safe to run twice."""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

import structlog
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from invoicing.channels import e_invoices_to_send
from invoicing.errors import PlatformNotReady
from invoicing.models import EInvoiceState, Invoice, PlatformMessage, PlatformSettings, SalesReport
from invoicing.platforms import Message, Platform, find_platform
from invoicing.platforms.base import INVOICES, REPORTS
from invoicing.reading.platform_messages import Said, read_message
from invoicing.receivables import with_balance
from invoicing.selectors import platform_settings
from invoicing.services.documents import render_pdfs
from invoicing.services.reporting import make_due_reports
from sphinx.core.errors import InputError
from sphinx.core.files import here
from sphinx.core.money import NOTHING
from sphinx.core.services import record
from sphinx.core.texts import visible

log = structlog.get_logger(__name__)
State = EInvoiceState.State
BATCH = 100
# What the platform says of a report (objects of flux 10 are 300 and 301; some write 200, 213).
_REPORT_STATES = {
    "300": SalesReport.Status.ACCEPTED,
    "200": SalesReport.Status.ACCEPTED,
    "301": SalesReport.Status.REJECTED,
    "213": SalesReport.Status.REJECTED,
}


class Synced(NamedTuple):
    """What one round did."""

    invoices: int
    reports: int
    states: int
    problems: list[str]


def sync_platform(*, at: datetime, actor: Any = None) -> Synced:
    """Hand over what is due, then read what came back.

    Raises:
        PlatformNotReady: the firm hasn't put the platform to use.
        TransientError: the platform can't be reached; nothing is lost, the next round goes on.
    """
    chosen = platform_settings()
    if not chosen.is_active or chosen.starts_on is None:
        raise PlatformNotReady(
            _("La plateforme n'est pas en service : complétez ses réglages, puis cochez-la.")
        )
    platform = find_platform(chosen.adapter)
    invoices = deposit_invoices(platform, chosen, at=at, actor=actor)
    states, problems = read_messages(platform, at=at)
    mark_paid(at=at)
    try:
        make_due_reports(at=at, actor=actor)
    except (InputError, PlatformNotReady) as error:
        # What invoices need is done; the report is made at the next round, once that is mended.
        problems.append(error.message)
    return Synced(invoices, deposit_reports(platform, actor=actor), states, problems)


def _take_turns() -> None:
    """Rounds that meet wait for one another, until commit."""
    PlatformSettings.objects.select_for_update(no_key=True).get()


def deposit_invoices(
    platform: Platform, chosen: PlatformSettings, *, at: datetime, actor: Any = None
) -> int:
    """Give the platform every e-invoice it hasn't had, a transaction a batch.

    The file goes out inside the transaction that notes it: whoever dies between the two hands
    the same file over again, under the same name.
    """
    assert chosen.starts_on is not None  # noqa: S101
    count = 0
    while batch := list(e_invoices_to_send(chosen.starts_on)[:BATCH]):
        paths = render_pdfs(invoice.pk for invoice in batch)
        with transaction.atomic():
            _take_turns()
            given = list(e_invoices_to_send(chosen.starts_on).filter(pk__in=paths))
            for invoice in given:
                platform.deposit(
                    kind=INVOICES,
                    name=f"{invoice.number}.pdf",
                    data=paths[invoice.pk].read_bytes(),
                )
            EInvoiceState.objects.bulk_create(
                EInvoiceState(invoice=i, state=State.SENT, occurred_at=at) for i in given
            )
            record("einvoice.sent", given, actor=actor)
        count += len(given)
    return count


def deposit_reports(platform: Platform, *, actor: Any = None) -> int:
    """Give the platform the reports that wait."""
    waiting = SalesReport.objects.filter(status=SalesReport.Status.MADE).order_by("pk")
    count = 0
    for pk in waiting.values_list("pk", flat=True):
        with transaction.atomic():
            report = waiting.select_for_update(no_key=True).filter(pk=pk).first()
            if report is None:
                continue
            data = here(settings.DATA_DIR / report.path).read_bytes()
            platform.deposit(kind=REPORTS, name=f"{report.identifier}.xml", data=data)
            report.status = SalesReport.Status.SENT
            report.save(update_fields=["status"])
            record("ereporting.sent", [report], actor=actor)
        count += 1
    return count


def read_messages(platform: Platform, *, at: datetime) -> tuple[int, list[str]]:
    """Read what came back: new states, and sentences about what couldn't be used.

    A message is noted in the transaction that applies it, then put away; one met again is only
    put away. One that can't be read holds no other back.
    """
    states, problems = 0, []
    for message in platform.messages():
        if message.fault:
            problems.append(message.fault)
            platform.put_away(message.name, refused=message.fault)
            continue
        kept = receive_message(message, at=at)
        states += kept.states
        problems += kept.problems
        platform.put_away(message.name, refused=" ".join(kept.problems))
    return states, problems


@transaction.atomic
def receive_message(message: Message, *, at: datetime) -> PlatformMessage:
    """Apply one message, once: the same bytes again change nothing."""
    _take_turns()
    name = visible(message.name)[:200]
    digest = hashlib.sha256(message.data).hexdigest()
    known = PlatformMessage.objects.filter(sha256=digest).first()
    if known is not None:
        return PlatformMessage(name=name, states=0, problems=[])
    kept = PlatformMessage(name=name, sha256=digest, received_at=at, states=0, problems=[])
    try:
        said = read_message(name, message.data)
    except InputError as error:
        kept.problems.append(error.message)
        said = []
    kept.states, more = _apply(said, name, at)
    kept.problems += more
    kept.save()
    for problem in kept.problems:
        log.warning("platform.message_problem", file=name, reason=problem)
    return kept


def _apply(said: Iterable[Said], name: str, at: datetime) -> tuple[int, list[str]]:
    said = list(said)
    wanted = {one.document for one in said}
    invoices = {i.number: i for i in Invoice.objects.filter(number__in=wanted)}
    reports = {r.identifier: r for r in SalesReport.objects.filter(identifier__in=wanted)}
    rows, problems = [], []
    for one in said:
        if one.fault:
            problems.append(f"{name} : {one.fault}")
        elif one.document in invoices and one.state in State.values:
            rows.append(
                EInvoiceState(
                    invoice=invoices[one.document],
                    state=one.state,
                    occurred_at=one.at or at,
                    reason=one.reason,
                    source=name,
                )
            )
        elif one.document in reports and one.state in _REPORT_STATES:
            report = reports[one.document]
            report.status, report.reason = _REPORT_STATES[one.state], one.reason
            report.save(update_fields=["status", "reason"])
        else:
            problems.append(_problem(one, name, invoices.keys() | reports.keys()))
    told = set(
        EInvoiceState.objects.filter(invoice__in=invoices.values()).values_list(
            "invoice_id", "state", "occurred_at"
        )
    )
    fresh = [row for row in rows if (row.invoice_id, row.state, row.occurred_at) not in told]
    EInvoiceState.objects.bulk_create(fresh, ignore_conflicts=True)
    return len(fresh), problems


def _problem(one: Said, name: str, known: Iterable[str]) -> str:
    if one.document in known:
        return _("%(file)s, ligne %(line)s : état « %(state)s » inconnu pour %(document)s.") % {
            "file": name,
            "line": one.line,
            "state": one.state,
            "document": one.document,
        }
    return _(
        "%(file)s, ligne %(line)s : « %(document)s » n'est ni une facture ni une transmission "
        "d'ici."
    ) % {"file": name, "line": one.line, "document": one.document or "?"}


@transaction.atomic
def mark_paid(*, at: datetime) -> int:
    """E-invoices that nothing is owed on any more come to « encaissée »."""
    _take_turns()
    sent = Invoice.objects.filter(states__state=State.SENT).exclude(states__state=State.PAID)
    settled = with_balance(sent).filter(balance__gt=-NOTHING, balance__lt=NOTHING)
    rows = [EInvoiceState(invoice=i, state=State.PAID, occurred_at=at) for i in settled]
    EInvoiceState.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)
