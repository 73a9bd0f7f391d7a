"""A process without threads that forks workers which kill themselves at a given statement.

Forking the tests' own process would be unsafe: servers run in its threads. Reads lines
"feed_id statement" and answers each with the signal that ended the worker, or 0.
"""

import os
import signal
import sys
from typing import Any

import django


def main() -> None:
    django.setup()
    from django.db import connection, connections

    from ftp_ingest.models import Feed
    from ftp_ingest.services import pull_feed

    for order in sys.stdin:
        feed_id, dies_at = map(int, order.split())
        child = os.fork()
        if child == 0:
            count = 0

            def count_down(execute: Any, *args: Any) -> Any:
                nonlocal count
                count += 1
                if count == dies_at:  # noqa: B023 (the child's own copy)
                    os.kill(os.getpid(), signal.SIGKILL)
                return execute(*args)

            with connection.execute_wrapper(count_down):
                pull_feed(Feed.objects.select_related("shop").get(pk=feed_id))
            connections.close_all()
            os._exit(0)
        _pid, status = os.waitpid(child, 0)
        print(os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, flush=True)


if __name__ == "__main__":
    main()
