"""Tasks of suppliers."""

from typing import Any

from celery import shared_task
from django.utils.translation import gettext_lazy as _

from sphinx.core import clock
from suppliers.services import apply_due_price_lists


@shared_task(label=_("Appliquer les tarifs du jour"))
def apply_price_lists(**_extra: Any) -> None:
    """Take over the price lists whose day has come."""
    apply_due_price_lists(at=clock.now())
