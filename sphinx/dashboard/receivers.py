"""Messages become tasks."""

from typing import Any

from django.dispatch import receiver

from sphinx.dashboard.events import cohorts_wanted, measure_wanted
from sphinx.dashboard.tasks import measure_cohorts_now, measure_stock_now


@receiver(measure_wanted)
def measure_soon(**_: Any) -> None:
    """Measure the stock in a worker."""
    measure_stock_now.delay()


@receiver(cohorts_wanted)
def count_soon(**_: Any) -> None:
    """Count who comes back in a worker."""
    measure_cohorts_now.delay()
