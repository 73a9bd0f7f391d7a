"""Sessions in the database, for twelve hours and no longer, whatever the clock did meanwhile."""

from datetime import timedelta
from typing import Any

from django.contrib.sessions.backends.db import SessionStore as InDatabase
from django.contrib.sessions.models import Session
from django.utils import timezone


class SessionStore(InDatabase):
    """Django's own, but one begun by a clock that ran ahead is over once that was set right."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        """Django's table."""
        return Session

    def _get_session_from_db(self) -> Any:
        found = super()._get_session_from_db()  # type: ignore[misc]
        longest = timedelta(seconds=self.get_session_cookie_age())
        if found is not None and found.expire_date > timezone.now() + longest:
            self._session_key = None
            return None
        return found
