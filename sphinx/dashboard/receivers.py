"""Messages become tasks."""

from typing import Any

from django.dispatch import receiver

from sphinx.dashboard.events import measure_wanted
from sphinx.dashboard.tasks import measure_stock_now


@receiver(measure_wanted)
def measure_soon(**_: Any) -> None:
    """Measure the stock in a worker."""
    measure_stock_now.delay()
