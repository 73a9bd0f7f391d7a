"""Tasks of suppliers."""

from typing import Any

from celery import shared_task

from sphinx.core import clock
from suppliers.services import apply_due_price_lists


@shared_task
def apply_price_lists(**_: Any) -> None:
    """Take over the price lists whose day has come."""
    apply_due_price_lists(at=clock.now())
