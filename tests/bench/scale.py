"""Several hands, people who wait, what an order costs: on real workers, a real Redis, a real site.

Each starts from an installation of its own. Feeds lie in folders; a worker is what production
starts (`celery worker`), the site is gunicorn, and staff are locust's users (staff.py).
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection

from accounting_export.services import export_journal
from ftp_ingest.models import Feed, FeedRun
from ftp_ingest.services import ingest_paths
from inventory.models import Product
from inventory.services import default_warehouse, open_stock
from invoicing.models import Invoice
from invoicing.services import render_pdfs
from sales.models import Order
from sphinx.core import clock
from sphinx.core.jobs import start_job
from sphinx.core.models import DeadLetter, Job, Shop
from sphinx.core.proofs import run_proofs
from sphinx.core.texts import sku_key
from tests.bench.documents import deliver, invoice
from tests.bench.shop_files import PRODUCTS, RATES, sku_of, write_orders
from tests.support.machines import celery, free_port, own_redis, send

WORKERS = (1, 2, 4)
SHOPS = 4


# --- Feeds of different shops, by one, two and four workers --------------------------------------


def bench_workers(orders: int) -> dict[str, Any]:
    """Orders a second of four shops' feeds by 1, 2 and 4 worker processes.

    `own`: each shop sells its own products; `shared`: all sell the same, so that they wait for
    the same rows of stock.
    """
    found: dict[str, Any] = {"orders": orders * SHOPS, "cores": os.cpu_count()}
    for name, is_shared in (("own", False), ("shared", True)):
        rates = {n: _rate(n, orders, is_shared) for n in WORKERS}
        found[name] = {
            "orders_per_s": {str(n): round(rate) for n, rate in rates.items()},
            **{f"times_with_{n}": round(rates[n] / rates[1], 2) for n in WORKERS[1:]},
        }
    return found


def _rate(workers: int, orders: int, is_shared: bool) -> float:
    _fresh()
    folder = Path(tempfile.mkdtemp(dir=os.environ["SPHINX_FEED_ROOT"]))
    for n in range(SHOPS):
        prefix = "BENCH" if is_shared else f"S{n}"
        if n == 0 or not is_shared:
            _stock(prefix)
        _feed(folder, n, orders, prefix)
    _analyse()
    with own_redis(folder) as redis:
        environment = _environment(redis.url)
        with _worker(environment, workers):
            for feed in Feed.objects.all():
                send(environment, "ftp_ingest.tasks.pull_feed", feed_id=feed.pk)
            _until(lambda: FeedRun.objects.exclude(finished_at=None).count() == SHOPS)
    runs = list(FeedRun.objects.all())
    if {run.status for run in runs} != {"done"} or Order.objects.count() != orders * SHOPS:
        raise AssertionError([(run.status, run.error) for run in runs])
    started = min(run.started_at for run in runs)
    ended = max(run.finished_at for run in runs if run.finished_at)
    return orders * SHOPS / (ended - started).total_seconds()


# --- Staff on the order pages while a large feed comes in -----------------------------------------


def bench_latency(orders: int) -> dict[str, Any]:
    """What people wait for order pages (ms, p95), idle and while a feed of `orders` comes in."""
    _fresh()
    folder = Path(tempfile.mkdtemp(dir=os.environ["SPHINX_FEED_ROOT"]))
    _stock("BENCH")
    seed = folder / "seed.csv"
    write_orders(seed, 5000)
    ingest_paths(shop=Shop.objects.create(code="seed", name="Seed"), paths=[seed])
    _feed(folder, 0, orders, "BENCH")
    _analyse()
    with own_redis(folder) as redis:
        environment = _environment(redis.url)
        with _site(environment) as url, _worker(environment, 1):
            staff = {**environment, **_signed_in()}
            _load(staff, url, 10)
            idle = _load(staff, url, 30)
            send(environment, "ftp_ingest.tasks.pull_feed", feed_id=Feed.objects.get().pk)
            visits = FeedRun.objects.filter(feed__isnull=False)
            _until(lambda: Order.objects.filter(shop__code="shop0").exists())
            busy = _load(staff, url, 30)
            done = visits.get().status != FeedRun.Status.RUNNING
            _until(lambda: visits.exclude(finished_at=None).exists())
    if visits.get().status != "done":
        raise AssertionError(visits.get().error)
    return {
        "orders": orders,
        "idle_ms": idle,
        "busy_ms": busy,
        "p95_ratio": round(busy["p95"] / idle["p95"], 2),
        "feed_ended_before_the_load": done,
    }


# --- What an order costs -------------------------------------------------------------------------


def bench_cost(orders: int) -> dict[str, Any]:
    """CPU of Sphinx and of PostgreSQL (ms) and bytes kept, an order, from file to journal."""
    _fresh()
    _stock("BENCH")
    _analyse()
    folder = Path(tempfile.mkdtemp(dir=os.environ["SPHINX_FEED_ROOT"]))
    path = folder / "orders.csv"
    write_orders(path, orders)
    shop = Shop.objects.create(code="bench", name="Bench")
    bytes_before, steps = _kept(), {}
    for name, work in {
        "file": lambda: ingest_paths(shop=shop, paths=[path]),
        "deliver": deliver,
        "invoice_and_book": invoice,
        "print": lambda: render_pdfs(list(Invoice.objects.values_list("pk", flat=True))),
        "journal": lambda: export_journal(
            date_from=date(2000, 1, 1), date_to=date(2099, 12, 31), format_code="fec"
        ),
    }.items():
        ours, theirs = _cpu(), _postgres_cpu()
        work()
        steps[name] = {
            "sphinx_ms": round((_cpu() - ours) * 1000 / orders, 2),
            "postgres_ms": round((_postgres_cpu() - theirs) * 1000 / orders, 2),
        }
    after = _kept()
    return {
        "orders": orders,
        "steps": steps,
        "sphinx_ms": round(sum(step["sphinx_ms"] for step in steps.values()), 2),
        "postgres_ms": round(sum(step["postgres_ms"] for step in steps.values()), 2),
        "bytes": {name: round((after[name] - bytes_before[name]) / orders) for name in after},
    }


def _cpu() -> float:
    own, children = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def _postgres_cpu() -> float:
    """Seconds that the server's processes have used: living ones, and those they waited for."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _bracket, rest = stat.read_text().partition(")")
        except OSError:
            continue
        if "(postgres" in name:
            ticks += sum(map(int, rest.split()[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def _kept() -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        database = cursor.fetchone()[0]
    files = sum(p.stat().st_size for p in Path(settings.DATA_DIR).rglob("*") if p.is_file())
    return {"database": database, "files": files}


# --- A shop's year in an hour ---------------------------------------------------------------------


def bench_soak(seconds: int) -> dict[str, Any]:
    """Feeds, deliveries, invoices, exports and staff for so long: proven, flat, without error."""
    _fresh()
    folder = Path(tempfile.mkdtemp(dir=os.environ["SPHINX_FEED_ROOT"]))
    for n in range(SHOPS):
        _stock(f"S{n}")
        _feed(folder, n, 50, f"S{n}", minutes=1)
    _analyse()
    stop, errors = threading.Event(), []
    with own_redis(folder) as redis:
        environment = {**_environment(redis.url), "SPHINX_BEAT_SECONDS": "2"}
        with (
            _site(environment) as url,
            _worker(environment, 2) as worker,
            celery(environment, "beat"),
        ):
            shop = threading.Thread(target=_live, args=(folder, stop, errors))
            shop.start()
            staff = {**environment, **_signed_in()}
            # Everything is loaded and used once before memory is looked at.
            first = _load(staff, url, seconds // 3)
            early = _memory(worker.pid)
            second = _load(staff, url, seconds - seconds // 3)
            late = _memory(worker.pid)
            stop.set()
            shop.join()
            _until(lambda: not Job.objects.filter(status__in=Job.OPEN).exists())
    faults = [p.name for p in run_proofs() if not p.ok]
    return {
        "seconds": seconds,
        "orders": Order.objects.count(),
        "invoices": Invoice.objects.count(),
        "feed_runs": FeedRun.objects.count(),
        "requests": first["requests"] + second["requests"],
        "p95_ms": second["p95"],
        "worker_mb": [round(early), round(late)],
        "memory_ratio": round(late / early, 2),
        "failed_requests": first["failures"] + second["failures"],
        "failed_runs": FeedRun.objects.filter(status="failed").count(),
        "failed_jobs": Job.objects.filter(status="failed").count(),
        "dead_letters": DeadLetter.objects.count(),
        "errors": errors,
        "not_proven": faults,
    }


def _live(folder: Path, stop: threading.Event, errors: list[str]) -> None:
    """The shops drop files, the warehouse ships, the office invoices, prints and exports."""
    number, turn = 1000, 0
    try:
        while not stop.wait(2):
            number, turn = number + 50, turn + 1
            shop = turn % SHOPS
            aside = folder / f"{number}.tmp"
            # Three files a day: a thousand turns are a year.
            day = turn // 3 % 360
            write_orders(aside, 50, prefix=f"S{shop}", first=number, day=day)
            aside.rename(folder / f"shop{shop}" / f"orders-{number}.csv")
            Feed.objects.filter(code=f"feed{shop}").update(next_due_at=None)
            deliver()
            if not Job.objects.filter(status__in=Job.OPEN).exists():
                start_job("invoicing.issue", actor=None)
            if turn % 10 == 0:
                _tidy()
                today = clock.today()
                export_journal(
                    date_from=today - timedelta(days=1), date_to=today, format_code="csv"
                )
                newest = Invoice.objects.order_by("-pk").values_list("pk", flat=True)[:10]
                start_job("invoicing.pdfs", actor=None, ids=list(newest))
    except Exception as error:
        errors.append(repr(error)[:300])
    finally:
        connection.close()


def _memory(pid: int) -> float:
    """Megabytes that a process and its children hold to themselves."""
    total = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            fields = dict(
                line.split(":\t", 1) for line in status.read_text().splitlines() if ":\t" in line
            )
            if pid in (int(fields["Pid"]), int(fields["PPid"])):
                total += int(fields["RssAnon"].split()[0])
        except (OSError, KeyError, ValueError):
            continue
    return total / 1024


# --- What they are made of -----------------------------------------------------------------------


def _fresh() -> None:
    from django.core.management import call_command

    from tests.support.tampering import empty_tables_in_tests

    empty_tables_in_tests()
    call_command("flush", interactive=False, verbosity=0)


def _stock(prefix: str) -> None:
    products = Product.objects.bulk_create(
        Product(sku=sku_of(n, prefix), sku_key=sku_key(sku_of(n, prefix)), tax_rate=RATES[n % 5])
        for n in range(PRODUCTS)
    )
    opening = {p.pk: (100_000, 1) for p in products}
    open_stock(opening=opening, warehouse=default_warehouse(), at=clock.now())


def _feed(folder: Path, n: int, orders: int, prefix: str, minutes: int = 60) -> Feed:
    drop = folder / f"shop{n}"
    drop.mkdir()
    # People of one shop aren't those of another.
    write_orders(drop / "orders.csv", orders, prefix=prefix, first=n * 10_000_000)
    shop = Shop.objects.create(code=f"shop{n}", name=f"Shop {n}")
    return Feed.objects.create(
        code=f"feed{n}", shop=shop, protocol="folder", directory=str(drop),
        interval_minutes=minutes,
    )  # fmt: skip


def _analyse() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _tidy() -> None:
    """What a server does by itself, unless somebody has switched it off."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW autovacuum")
        if cursor.fetchone()[0] == "off":
            cursor.execute("VACUUM (ANALYZE)")


def _environment(redis_url: str) -> dict[str, str]:
    return {**os.environ, "REDIS_URL": redis_url, "SECURE_SSL_REDIRECT": "0"}


@contextmanager
def _worker(environment: dict[str, str], count: int) -> Iterator[subprocess.Popen[bytes]]:
    with celery(environment, "worker", "--concurrency", str(count)) as process:
        ping = [sys.executable, "-m", "celery", "-A", "sphinx", "inspect", "ping"]
        _until(
            lambda: (
                subprocess.run(ping, env=environment, capture_output=True, check=False).returncode
                == 0
            )
        )
        yield process


@contextmanager
def _site(environment: dict[str, str]) -> Iterator[str]:
    port = free_port()
    bind = ["--bind", f"127.0.0.1:{port}", "--workers", "2"]
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "sphinx.wsgi", *bind, "--log-level", "error"],
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    try:
        yield f"http://localhost:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)


def _signed_in() -> dict[str, str]:
    """A session of the owner's, as staff.py shows it."""
    user = User.objects.create_superuser("bench", is_staff=True)
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    ids = Order.objects.order_by("-pk").values_list("pk", flat=True)[:50]
    return {
        "BENCH_SESSION": str(session.session_key),
        "BENCH_ORDERS": ",".join(map(str, ids)),
    }


def _load(environment: dict[str, str], url: str, seconds: int) -> dict[str, Any]:
    """Two people on the order pages for so long: milliseconds and failures."""
    answer = subprocess.run(
        [
            sys.executable, "-m", "locust", "-f", "tests/bench/staff.py", "--headless",
            "--users", "2", "--spawn-rate", "2", "--run-time", f"{seconds}s", "--host", url,
            "--json", "--only-summary", "--loglevel", "ERROR",
        ],
        env=environment, check=False, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    times: list[int] = []
    failures = requests = 0
    for entry in json.loads(answer.stdout):
        requests += entry["num_requests"]
        failures += entry["num_failures"]
        for ms, count in entry["response_times"].items():
            times += [int(float(ms))] * count
    times.sort()
    return {
        "requests": requests,
        "failures": failures,
        "p50": times[len(times) // 2],
        "p95": times[len(times) * 95 // 100],
    }


def _until(condition: Callable[[], Any], seconds: float = 1800) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.2)
