"""Several processes at once, each with its own connection to the database."""

import multiprocessing
import os
import traceback
from collections.abc import Callable, Sequence

from django.db import connections


def apart(works: Sequence[Callable[[], object]]) -> list[int]:
    """Run each of `works` in a process of its own, all at once; their exit statuses."""
    # Children must not share the parent's sockets.
    connections.close_all()
    start = multiprocessing.get_context("fork").Event()
    children = []
    for work in works:
        child = os.fork()
        if child == 0:
            status = 1
            try:
                start.wait(30)
                work()
                connections.close_all()
                status = 0
            except BaseException:
                # Into the parent's captured output: it is all that is left of the child.
                os.write(2, traceback.format_exc().encode())
            finally:
                os._exit(status)
        children.append(child)
    start.set()
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
