"""Tasks of the dashboard."""

from smtplib import SMTPException
from typing import Any

from celery import shared_task
from django.conf import settings
from django.core.mail import send_mail
from django.utils.translation import gettext as _

from sphinx.core import clock
from sphinx.core.models import AuditEvent
from sphinx.core.services import company, record
from sphinx.dashboard.alerts import alerts_text, stock_alerts


@shared_task(autoretry_for=(OSError, SMTPException), retry_backoff=60, max_retries=5)
def mail_stock_alerts(**_: Any) -> None:
    """Tell those who asked what is wrong with stock, once a day."""
    mail_alerts_once()


def mail_alerts_once() -> bool:
    """True when an e-mail went: somebody asked for it, there is something to say, and today's
    has not gone yet."""
    firm = company()
    emails = [part.strip() for part in firm.stock_alert_emails.split(",") if part.strip()]
    today = clock.today().isoformat()
    if not emails or AuditEvent.objects.filter(kind="stock.alerted", details__day=today).exists():
        return False
    alerts = stock_alerts()
    if not alerts:
        return False
    count = sum(alert.total for alert in alerts)
    send_mail(
        _("Stock : %s choses à regarder") % count,
        alerts_text(alerts),
        settings.DEFAULT_FROM_EMAIL,
        emails,
    )
    record("stock.alerted", [firm], day=today, alerts={a.code: a.total for a in alerts})
    return True
