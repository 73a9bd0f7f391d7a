"""Several hands at once, each with its own connection."""

import threading
from collections.abc import Callable, Iterable

from django.db import connection


def together(works: Iterable[Callable[[], object]]) -> list[Exception]:
    """Run all of `works` at the same time; what they raised."""
    raised: list[Exception] = []

    def run(work: Callable[[], object]) -> None:
        try:
            work()
        except Exception as error:
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised
