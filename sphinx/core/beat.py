"""Beat: the schedule kept in the database, where the operator changes it; one beat alone at work.

Several may run, on several machines: who holds a lock in Redis sends the tasks, the others stand
by and take over within a minute. If two were at work for an instant, tasks would run twice, which
each bears.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import redis
import structlog
from django.conf import settings
from django.db.models import QuerySet
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler
from redis.exceptions import LockError, RedisError
from redis.lock import Lock

log = structlog.get_logger(__name__)
LOCK = "sphinx:beat"
# Who gives no sign for so long (seconds) has lost the lock.
LOST_AFTER = 60
_STAND_BY = 5.0
# Touched at each round, held or not: what a health check looks at.
ALIVE = "beat.alive"


class LoneScheduler(DatabaseScheduler):
    """Sends what is due while it holds the lock."""

    _lock: Lock | None = None
    _is_held = False

    def update_from_dict(self, mapping: Mapping[str, Any]) -> None:
        """Add the entries that aren't there yet; those there are as the operator left them."""
        known = set(PeriodicTask.objects.values_list("name", flat=True))
        super().update_from_dict({n: entry for n, entry in mapping.items() if n not in known})
        # What an older version asked for and nobody does any more.
        gone = PeriodicTask.objects.filter(enabled=True).exclude(task__in=list(self.app.tasks))
        gone.update(enabled=False)

    def enabled_models_qs(self) -> QuerySet[PeriodicTask]:
        """All of them: what was due while no beat ran is due still, whatever the hour."""
        return PeriodicTask.objects.enabled()

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send what is due, if this one is at work; the seconds until the next round."""
        Path(settings.DATA_DIR, ALIVE).touch()
        if not self._holds():
            return _STAND_BY
        return min(float(super().tick(*args, **kwargs)), LOST_AFTER / 4)

    def close(self) -> None:
        """Let another beat take over at once."""
        super().close()
        if self._is_held and self._lock is not None:
            try:
                self._lock.release()
            except (LockError, RedisError):
                log.info("beat.lock_gone")

    def _holds(self) -> bool:
        if not settings.REDIS_URL:
            return True
        was_held = self._is_held
        try:
            if self._lock is None:
                server = redis.from_url(settings.REDIS_URL, socket_timeout=5)
                self._lock = server.lock(LOCK, timeout=LOST_AFTER, thread_local=False)
            self._is_held = self._renew() or self._lock.acquire(blocking=False)
        except RedisError:
            # Without a broker nothing could be sent either.
            self._is_held = False
        if self._is_held != was_held:
            log.info("beat.at_work" if self._is_held else "beat.stands_by")
        return self._is_held

    def _renew(self) -> bool:
        if not self._is_held or self._lock is None:
            return False
        try:
            return bool(self._lock.reacquire())
        except LockError:
            return False
