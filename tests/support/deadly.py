"""Tasks that only a test's worker knows: one kills its worker, one notes what its log would say."""

import os
import signal
from typing import Any

from celery import shared_task


@shared_task(label="Mortelle", name="tests.support.deadly.die")
def die(*, place: str, **_extra: Any) -> None:
    """Leave a mark, then take the worker's process along."""
    with open(place, "a") as stream:
        stream.write("begun\n")
    os.kill(os.getpid(), signal.SIGKILL)
