"""E-reporting: one file a period, made when it has ended, corrected by a later one."""

import hashlib
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from invoicing.channels import abroad_terms, daily_sales
from invoicing.ereporting import Header, report_faults, report_xml
from invoicing.errors import PlatformNotReady
from invoicing.models import PlatformSettings, SalesReport
from invoicing.selectors import platform_settings
from sphinx.core.clock import business_date
from sphinx.core.errors import InputError
from sphinx.core.files import put, whole_file
from sphinx.core.money import ZERO
from sphinx.core.services import company, record

Status = SalesReport.Status
Rhythm = PlatformSettings.Rhythm
_TEN = 10


def end_of_period(day: date, rhythm: str) -> date:
    """The last day of the period that `day` falls in (décret n° 2022-1299 du 7 octobre 2022)."""
    if rhythm == Rhythm.TEN_DAYS and day.day <= 2 * _TEN:
        return day.replace(day=_TEN if day.day <= _TEN else 2 * _TEN)
    month = day.month
    if rhythm == Rhythm.TWO_MONTHS:
        month += month % 2
    following = date(day.year + month // 12, month % 12 + 1, 1)
    return following - timedelta(days=1)


def make_due_reports(*, at: datetime, actor: Any = None) -> list[SalesReport]:
    """The reports of every period that has ended and has none, oldest first."""
    made: list[SalesReport] = []
    platform_settings()  # there is a row to lock
    today = business_date(at)
    while True:
        with transaction.atomic():
            chosen = PlatformSettings.objects.select_for_update(no_key=True).get()
            last = SalesReport.objects.order_by("-last_on").first()
            start = last.last_on + timedelta(days=1) if last else chosen.starts_on
            if start is None or end_of_period(start, chosen.report_every) >= today:
                return made
            end = end_of_period(start, chosen.report_every)
            made.append(_make(start, end, 0, at, actor))


@transaction.atomic
def correct_report(*, report_id: int, at: datetime, actor: Any = None) -> SalesReport:
    """The same period again, as a correction (RE): after a rejection, say.

    Raises:
        InputError: a later one of the period is still under way.
    """
    PlatformSettings.objects.select_for_update(no_key=True).get()
    report = SalesReport.objects.get(pk=report_id)
    last = SalesReport.objects.filter(first_on=report.first_on).latest("correction")
    if last.status in (Status.MADE, Status.SENT) and last.pk != report.pk:
        raise InputError(
            _("Un rectificatif de cette période est déjà en route : attendez sa réponse."),
            code="ereporting.under_way",
        )
    return _make(report.first_on, report.last_on, last.correction + 1, at, actor)


def _make(first: date, last: date, correction: int, at: datetime, actor: Any) -> SalesReport:
    identifier, xml, sums = build_report(first, last, correction=correction, at=at)
    is_empty = not sums.documents
    path = "" if is_empty else f"documents/e-reporting/{identifier}.xml"
    if path:
        target = settings.DATA_DIR / path
        with whole_file(target, durable=True) as stream:
            stream.write(xml)
        put(target)
    report = SalesReport.objects.create(
        identifier=identifier,
        first_on=first,
        last_on=last,
        correction=correction,
        made_at=at,
        documents=sums.documents,
        net=sums.net,
        tax=sums.tax,
        path=path,
        sha256=hashlib.sha256(xml).hexdigest() if path else "",
        status=Status.EMPTY if is_empty else Status.MADE,
    )
    record("ereporting.made", [report], actor=actor, documents=sums.documents)
    return report


class Sums(NamedTuple):
    """What a report tells in all: documents, net and VAT in EUR."""

    documents: int
    net: Decimal
    tax: Decimal


def build_report(
    first: date, last: date, *, at: datetime, correction: int = 0
) -> tuple[str, bytes, Sums]:
    """Identifier, file and sums of the sales of a period, both days included.

    Raises:
        PlatformNotReady: the firm's SIREN or the platform's number is missing.
        InputError: the period is upside down or hasn't ended, or the file would not be valid.
    """
    chosen, firm = platform_settings(), company()
    if not firm.siren or not chosen.platform_id:
        raise PlatformNotReady(
            _("E-reporting : il faut le SIREN de la société et le matricule de la plateforme.")
        )
    if first > last or last >= business_date(at):
        raise InputError(
            _("E-reporting : la période doit finir après son début, et avant aujourd'hui."),
            code="ereporting.bad_period",
        )
    suffix = f"RE{correction}" if correction else "IN"
    identifier = f"ER-{firm.siren}-{first:%Y%m%d}-{last:%Y%m%d}-{suffix}"
    header = Header(
        identifier=identifier,
        created_at=at,
        is_correction=bool(correction),
        platform_id=chosen.platform_id,
        platform_name=chosen.platform_name or chosen.platform_id,
        siren=firm.siren,
        name=firm.name,
        first_on=first,
        last_on=last,
    )
    days, abroad = daily_sales(first, last), list(abroad_terms(first, last))
    xml = report_xml(header, days, abroad)
    faults = report_faults(xml)
    if faults:
        raise InputError(
            _("E-reporting du %(first)s : le fichier ne serait pas valide. %(faults)s")
            % {"first": first.isoformat(), "faults": " ".join(faults[:3])},
            code="ereporting.invalid",
        )
    amounts = [amounts for day in days for amounts in day.rates.values()]
    signs = [-1 if terms["BT-3"] == "381" else 1 for terms in abroad]
    sums = Sums(
        sum(day.documents for day in days) + len(abroad),
        sum((net for net, _tax in amounts), ZERO)
        + sum((s * Decimal(t["BT-109"]) for s, t in zip(signs, abroad, strict=True)), ZERO),
        sum((tax for _net, tax in amounts), ZERO)
        + sum((s * Decimal(t["BT-110"]) for s, t in zip(signs, abroad, strict=True)), ZERO),
    )
    return identifier, xml, sums
