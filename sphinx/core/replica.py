"""Statistics read from a copy of the database, where there is one: a standby that streams.

A copy is some moments late and can't be written to. Only pages of figures read from it, and only
the firm's own rows: who somebody is and what they may do is always asked of the original.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

COPY = "replica"
_reads_copy: ContextVar[bool] = ContextVar("reads_copy", default=False)
# Apps whose rows may come from the copy; not accounts, sessions or what is being typed.
_APPS = frozenset(
    ("core", "customers", "suppliers", "inventory", "purchasing", "sales", "invoicing", "dashboard")
)


def is_reading_copy() -> bool:
    """True while figures are read from the copy."""
    return _reads_copy.get()


def reading_connection() -> BaseDatabaseWrapper:
    """The connection that statements of our own read figures by."""
    return connections[COPY if is_reading_copy() else DEFAULT_DB_ALIAS]


@contextmanager
def reading_copy() -> Iterator[None]:
    """Read the firm's rows from the copy, if the installation has one."""
    token = _reads_copy.set(COPY in settings.DATABASES)
    try:
        yield
    finally:
        _reads_copy.reset(token)


def figures_from_copy(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page of figures: read from the copy, its template too."""

    @wraps(view)
    def shown(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with reading_copy():
            response = view(request, *args, **kwargs)
            if isinstance(response, TemplateResponse):
                response.render()
            return response

    return shown


class ReplicaRouter:
    """Reads of figures go to the copy; everything else, and every write, to the original."""

    def db_for_read(self, model: Any, **_hints: Any) -> str | None:
        """The copy's name while figures are read."""
        return COPY if is_reading_copy() and model._meta.app_label in _APPS else None

    def db_for_write(self, model: Any, **_hints: Any) -> str:
        """Never the copy, wherever the row was read."""
        return DEFAULT_DB_ALIAS

    def allow_relation(self, *_rows: Any, **_hints: Any) -> bool:
        """Both hold the same rows."""
        return True

    def allow_migrate(self, db: str, app_label: str, **_hints: Any) -> bool | None:
        """The copy migrates by itself."""
        return False if db == COPY else None
