"""Tasks of the dashboard."""

from smtplib import SMTPException
from typing import Any

from celery import shared_task

from sphinx.core import clock
from sphinx.dashboard import rollups
from sphinx.dashboard.alerts import mail_alerts_once
from sphinx.dashboard.cohorts import measure_cohorts
from sphinx.dashboard.stock_health import measure_stock
from sphinx.dashboard.weekly import mail_weekly_once


@shared_task(autoretry_for=(OSError, SMTPException), retry_backoff=60, max_retries=5)
def mail_stock_alerts(**_: Any) -> None:
    """Tell those who asked what is wrong with stock, once a day."""
    mail_alerts_once()


@shared_task
def refresh_sums(**_: Any) -> None:
    """Keep the sums that figures are read from up to date, so that no page has to."""
    rollups.refresh()


@shared_task
def measure_stock_now(**_: Any) -> None:
    """Measure the stock's health as of today."""
    rollups.refresh()
    measure_stock(clock.today())


@shared_task
def measure_cohorts_now(**_: Any) -> None:
    """Count who comes back, month by month."""
    rollups.refresh()
    measure_cohorts()


@shared_task(autoretry_for=(OSError, SMTPException), retry_backoff=60, max_retries=5)
def mail_weekly_report(**_: Any) -> None:
    """Send last week's figures to those who asked, once."""
    mail_weekly_once(clock.today())
