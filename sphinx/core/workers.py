"""Whether somebody takes up the work that is asked for."""

from celery import current_app
from django.conf import settings
from kombu.exceptions import OperationalError

_PATIENCE = 1.0


def workers_run() -> bool:
    """Whether a worker answers; without a broker there is none."""
    if getattr(settings, "CELERY_TASK_ALWAYS_EAGER", False):
        return False
    try:
        return bool(current_app.control.ping(timeout=_PATIENCE))
    except (OperationalError, OSError):
        return False
