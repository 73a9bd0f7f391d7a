"""Upward messages: a lower app announces, an upper app's receivers.py enqueues a task.

Sent after commit and with ids only. A lost message loses nothing: the beat schedule sweeps
the same selector.
"""

from typing import Any

from django.db import transaction
from django.dispatch import Signal


def announce(signal: Signal, **payload: Any) -> None:
    """Send `signal` with `payload` (ids only) once the current transaction has committed."""
    transaction.on_commit(lambda: signal.send_robust(sender=None, **payload))
