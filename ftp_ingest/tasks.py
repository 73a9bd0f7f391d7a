"""Tasks of the gateway."""

from typing import Any

from celery import shared_task

from ftp_ingest import services


@shared_task
def pull_due_feeds(**_: Any) -> None:
    """Fetch the feeds that are due."""
    services.pull_due_feeds()


@shared_task
def take_over_stale_runs(**_: Any) -> None:
    """Take over from workers that died."""
    services.take_over_stale_runs()
