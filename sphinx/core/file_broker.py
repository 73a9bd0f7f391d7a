"""The broker of `make serve` without Redis: kombu's transport by files, made whole.

kombu's own opens a message's file and writes it afterwards, and so its table of queues; a worker
that looks in between reads an empty file and ends (https://github.com/celery/kombu/issues/1551).
"""

import fcntl
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty
from typing import Any

import structlog
from kombu.transport import filesystem
from kombu.utils.json import dumps, loads

logger = structlog.get_logger(__name__)


class Channel(filesystem.Channel):
    # kombu itself has two names for the message.
    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]
        """The message appears under its name when it is whole."""
        name = f"{time.time_ns()}_{uuid.uuid4()}"
        written = Path(self.data_folder_out, f"{name}.part")
        written.write_text(dumps(payload))
        written.rename(written.with_name(f"{name}.{queue}.msg"))

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        """The oldest message that can be read; what can't (the power went) is left aside.

        Raises Empty.
        """
        for file in sorted(Path(self.data_folder_in).iterdir()):
            if file.name.partition(".")[2] != f"{queue}.msg":
                continue
            taken = file.with_name(f"{file.name}.taken")
            try:
                file.rename(taken)
            except FileNotFoundError:  # another worker was first
                continue
            try:
                payload = loads(taken.read_text())
            except ValueError:
                logger.warning("broker_message_unreadable", file=taken.name)
                continue
            taken.unlink()
            return payload
        raise Empty

    def get_table(self, exchange: str) -> Any:
        with self._alone():
            return super().get_table(exchange)

    def _queue_bind(self, *args: Any) -> None:
        with self._alone():
            super()._queue_bind(*args)

    def _delete(self, queue: str, *args: Any, **kwargs: Any) -> None:
        with self._alone():
            super()._delete(queue, *args, **kwargs)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else reads or writes the table of queues meanwhile."""
        with Path(self.control_folder, "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


class Transport(filesystem.Transport):
    Channel = Channel
