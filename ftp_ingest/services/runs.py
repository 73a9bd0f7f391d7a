"""A run's life: started once a feed, kept alive by its heartbeat, finished or taken over."""

from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from ftp_ingest.errors import FeedBusy
from ftp_ingest.models import Feed, FeedRun
from sphinx.core import clock
from sphinx.core.errors import ConflictError
from sphinx.core.models import Shop

# A run without a sign of life for so long is dead: its worker was killed.
STALE_AFTER = timedelta(minutes=10)


def start_run(*, shop: Shop, feed: Feed | None) -> FeedRun:
    """Start a run; of a feed there is one at a time.

    Raises:
        FeedBusy: another run of the feed is alive.
    """
    now = clock.now()
    if feed is not None:
        give_up_stale_runs(feed)
    try:
        with transaction.atomic():
            return FeedRun.objects.create(shop=shop, feed=feed, started_at=now, heartbeat_at=now)
    except IntegrityError:
        raise FeedBusy(
            _("Le flux « %s » est déjà en cours de lecture.") % (feed and feed.code)
        ) from None


def give_up_stale_runs(feed: Feed | None = None) -> list[FeedRun]:
    """Mark dead runs as failed, so that others can start; returns them."""
    now = clock.now()
    # A sign of life from later than now was given by a clock that was put back since.
    silent = Q(heartbeat_at__lt=now - STALE_AFTER) | Q(heartbeat_at__gt=now + STALE_AFTER)
    dead = FeedRun.objects.filter(silent, status=FeedRun.Status.RUNNING).select_related(
        "feed__shop"
    )
    if feed is not None:
        dead = dead.filter(feed=feed)
    given_up = []
    for run in dead:
        if finish(run, FeedRun.Status.FAILED, error=_("Interrompu : repris par un autre passage.")):
            given_up.append(run)
    return given_up


def beat(run: FeedRun, done: int = 0, total: int = 0) -> None:
    """Show that the run lives and how far it is; call inside the chunk's transaction.

    Raises:
        ConflictError: the run was given up for dead and another took over: stop at once.
    """
    alive = FeedRun.objects.filter(pk=run.pk, status=FeedRun.Status.RUNNING).update(
        heartbeat_at=clock.now(), rows_done=done, rows_total=total
    )
    if not alive:
        raise ConflictError(_("Ce passage a été repris par un autre : il s'arrête."))


def finish(
    run: FeedRun, status: str, *, error: str = "", counts: dict[str, Any] | None = None
) -> bool:
    """Close a run, once; False when it was closed already."""
    closed = FeedRun.objects.filter(pk=run.pk, status=FeedRun.Status.RUNNING).update(
        status=status, error=error, counts=counts or {}, finished_at=clock.now()
    )
    run.refresh_from_db()
    return bool(closed)
