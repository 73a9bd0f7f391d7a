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


@shared_task
def pull_feed(*, feed_id: int, **_: Any) -> None:
    """Fetch one feed, now."""
    services.pull_feed_now(feed_id=feed_id)


@shared_task
def watch(**_: Any) -> None:
    """Look for what should have come and didn't."""
    services.watch()


@shared_task
def purge_archive(**_: Any) -> None:
    """Drop received files that are older than their feed keeps them."""
    services.purge_archive()
