"""Tasks of purchasing."""

from typing import Any

from celery import shared_task

from purchasing.services import propose_orders
from sphinx.core import clock


@shared_task
def propose_purchase_orders(**_: Any) -> None:
    """Refresh the proposals."""
    propose_orders(on=clock.today())
