"""How every task behaves when something fails: again later, then set aside where a person sees it.

A network, a server or the database that fails is worth another try: five, after waits that
double, drawn at random so that many don't come back at the same second. What fails for good, and
a message that kills its worker each time, becomes a dead letter (dead_letters.py).
"""

import contextlib
from smtplib import SMTPException
from typing import Any

import structlog
from celery import Task
from celery.exceptions import Ignore
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, InterfaceError, OperationalError
from kombu.exceptions import OperationalError as BrokerError

from sphinx.core.errors import TransientError

log = structlog.get_logger(__name__)
# What may be well again in a minute.
PASSING = (
    TransientError,
    OperationalError,
    InterfaceError,
    BrokerError,
    OSError,
    SMTPException,
)
# A message that was begun so often and never ended takes its worker with it.
MOST_BEGINNINGS = 3
_REMEMBERED = 24 * 3600


class ReliableTask(Task):
    """The base of every task; `label` says on the screen what it does."""

    label: Any = ""
    autoretry_for = PASSING
    max_retries = 5
    retry_backoff = settings.RETRY_SECONDS
    retry_backoff_max = 900
    retry_jitter = True

    def retry(self, *args: Any, exc: Any = None, **options: Any) -> Any:
        """Later, in a worker; at once it would only make the person who waits wait longer."""
        if self.request.is_eager and exc is not None:
            raise exc
        return super().retry(*args, exc=exc, **options)

    def before_start(self, task_id: str, args: Any, kwargs: dict[str, Any]) -> None:
        """Set a message aside that killed its worker again and again."""
        if self.request.is_eager or self._beginnings() <= MOST_BEGINNINGS:
            return
        log.error("task.deadly", task=self.name)
        self._bury(kwargs, error="WorkerLostError", place="")
        raise Ignore

    def after_return(self, status: str, *_: Any) -> None:
        """Whatever the end, it was one."""
        if not self.request.is_eager:
            with contextlib.suppress(Exception):
                cache.delete(self._key())

    def on_success(self, retval: Any, task_id: str, args: Any, kwargs: dict[str, Any]) -> None:
        """What failed before and now went well needs nobody any more."""
        from sphinx.core.dead_letters import settle

        with contextlib.suppress(DatabaseError):
            settle(self.name, kwargs)

    def on_failure(
        self, exc: BaseException, task_id: str, args: Any, kwargs: dict[str, Any], einfo: Any
    ) -> None:
        """Set it aside; a person looks."""
        from sphinx.core.dead_letters import place_of

        log.error("task.failed", task=self.name, error=type(exc).__name__)
        self._bury(kwargs, error=type(exc).__name__, place=place_of(exc))

    def _bury(self, kwargs: dict[str, Any], *, error: str, place: str) -> None:
        from sphinx.core.dead_letters import set_aside

        try:
            set_aside(self.name, kwargs, error=error, place=place)
        except DatabaseError:
            # What was to be done is still in the database: the sweeps ask for it again.
            log.error("task.not_kept", task=self.name)

    def _beginnings(self) -> int:
        # Counted where all workers see it; without Redis no message comes back by itself.
        try:
            cache.add(self._key(), 0, _REMEMBERED)
            return int(cache.incr(self._key()))
        except Exception:
            return 1

    def _key(self) -> str:
        return f"task-begun:{self.request.id}:{self.request.retries}"
