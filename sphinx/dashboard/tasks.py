"""Tasks of the dashboard."""

from typing import Any

from celery import shared_task
from django.utils.translation import gettext_lazy as _

from sphinx.core import clock
from sphinx.dashboard import rollups
from sphinx.dashboard.alerts import mail_alerts_once
from sphinx.dashboard.cohorts import measure_cohorts
from sphinx.dashboard.stock_health import measure_stock
from sphinx.dashboard.weekly import mail_weekly_once


@shared_task(label=_("Envoyer les alertes de stock"))
def mail_stock_alerts(**_extra: Any) -> None:
    """Tell those who asked what is wrong with stock, once a day."""
    mail_alerts_once()


@shared_task(label=_("Tenir les statistiques à jour"))
def refresh_sums(**_extra: Any) -> None:
    """Keep the sums that figures are read from up to date, so that no page has to."""
    rollups.refresh()


@shared_task(label=_("Mesurer la santé du stock"))
def measure_stock_now(**_extra: Any) -> None:
    """Measure the stock's health as of today."""
    rollups.refresh()
    measure_stock(clock.today())


@shared_task(label=_("Compter les clients fidèles"))
def measure_cohorts_now(**_extra: Any) -> None:
    """Count who comes back, month by month."""
    rollups.refresh()
    measure_cohorts()


@shared_task(label=_("Envoyer le bilan de la semaine"))
def mail_weekly_report(**_extra: Any) -> None:
    """Send last week's figures to those who asked, once."""
    mail_weekly_once(clock.today())
