"""Messages become tasks."""

from typing import Any

from django.dispatch import receiver

from sphinx.core.job_events import job_waiting
from sphinx.core.tasks import do_job


@receiver(job_waiting)
def do_soon(job_id: int, **_: Any) -> None:
    """Do it in a worker."""
    do_job.delay(job_id=job_id)
