"""The week on a sheet: figures, days, best sellers, what is owed, the stock; as PDF and e-mail."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from sphinx.core.branding import brand
from sphinx.core.models import AuditEvent
from sphinx.core.money import ZERO
from sphinx.core.pdf import Page, render
from sphinx.core.services import company, record
from sphinx.dashboard import rollups
from sphinx.dashboard.figures import EVERYTHING
from sphinx.dashboard.periods import Period
from sphinx.dashboard.products import sold_by
from sphinx.dashboard.statistics import bars, figures_of, standing
from sphinx.dashboard.stock_statistics import last_measured, stock_figures

_SHEET = "weekly.reported"
_BEST = 10


def week_before(today: date) -> Period:
    """The last whole week, Monday to Sunday."""
    monday = today - timedelta(days=today.weekday() + 7)
    return Period(monday, monday + timedelta(days=6))


def weekly_pdf(today: date) -> Path:
    """Print the sheet of the last whole week anew; returns where it lies."""
    rollups.refresh()
    week = week_before(today)
    with translation.override("fr"):
        html = render_to_string("dashboard/weekly.html", {**_context(week, today), **brand()})
    folder: Path = settings.DATA_DIR / "documents" / "bilans" / str(week.start.year)
    path = folder / f"bilan-{week.start:%Y%m%d}.pdf"
    render(Page(html, path))
    return path


def _context(week: Period, today: date) -> dict[str, Any]:
    days = bars(week, week.before(), EVERYTHING)
    highest = max((max(day.value, day.before) for day in days), default=ZERO)
    now, before = last_measured()
    return {
        "firm": company(),
        "week": week,
        "figures": figures_of(week, week.before(), EVERYTHING),
        "standing": standing(today),
        "days": [(day, _share(day.value, highest), _share(day.before, highest)) for day in days],
        "best": sold_by("sku", week, limit=_BEST),
        "stock": stock_figures(now, before) if now else [],
    }


def _share(value: Any, highest: Any) -> int:
    return int(max(value, ZERO) * 100 / highest) if highest > 0 else 0


def mail_weekly_once(today: date) -> bool:
    """True when an e-mail went: somebody asked for it and this week's has not gone yet."""
    firm = company()
    emails = [part.strip() for part in firm.weekly_report_emails.split(",") if part.strip()]
    week = week_before(today)
    said = week.start.isoformat()
    if not emails or AuditEvent.objects.filter(kind=_SHEET, details__week=said).exists():
        return False
    path = weekly_pdf(today)
    with translation.override("fr"):
        subject = _("Votre semaine du %(day)s") % {"day": date_format(week.start, "j F Y")}
        text = _("Les chiffres de la semaine sont joints, comparés à ceux de la semaine d'avant.")
    message = EmailMessage(subject, text, settings.DEFAULT_FROM_EMAIL, emails)
    message.attach(path.name, path.read_bytes(), "application/pdf")
    message.send()
    record(_SHEET, [firm], week=said)
    return True
