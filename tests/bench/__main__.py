"""`make bench`: prints ratios and writes var/bench.json.

Runs on PostgreSQL, in a database of its own that is dropped afterwards. Each figure is the
median of several turns; the floor is taken in the same turns.
"""

import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

SERVER = os.environ["POSTGRES_SERVER"]
NAME = os.environ.get("BENCH_DATABASE") or f"sphinx_bench_{os.getpid()}"
# Orders and turns; the largest once, it takes minutes.
SIZES = {
    int(size): int(turns)
    for size, turns in (
        part.split(":")
        for part in os.environ.get("BENCH_SIZES", "2000:3,20000:3,200000:1").split(",")
    )
}
PRODUCTS = tuple(int(n) for n in os.environ.get("BENCH_PRODUCTS", "1000,50000").split(","))
INVOICES = int(os.environ.get("BENCH_INVOICES", "10000"))
FEC_LINES = tuple(int(n) for n in os.environ.get("BENCH_FEC", "10000,1000000").split(","))
PAGE_LINES = tuple(int(n) for n in os.environ.get("BENCH_PAGES", "10000,1000000").split(","))
PDFS = int(os.environ.get("BENCH_PDFS", "2000"))
# Orders a shop, of the feed, all the way; seconds. 0 leaves one out.
SCALE = {
    name: int(os.environ.get(f"BENCH_{name.upper()}", size))
    for name, size in (("workers", 20000), ("latency", 200000), ("cost", 1000), ("soak", 300))
}
SAMPLE = 150
ROOT = Path(__file__).resolve().parent.parent.parent


def main() -> None:
    import psycopg2

    if len(sys.argv) > 1:
        # One size in a process of its own, so that its memory is its own.
        _setup(migrate=False)
        print(json.dumps(_alone(*sys.argv[1:])))
        return
    admin = psycopg2.connect(f"{SERVER}/postgres")
    admin.autocommit = True
    admin.cursor().execute(f'CREATE DATABASE "{NAME}"')
    try:
        _setup(migrate=True)
        results = {
            "machine": _machine(),
            **_bench_sizes(),
            **_bench_documents(),
            **_bench_invoices(),
            **_bench_replenishments(),
            **_bench_fecs(),
            **_bench_pages(),
            **{name: _in_own_process(name, size, 1) for name, size in SCALE.items() if size},
        }
    finally:
        _close()
        admin.cursor().execute(f'DROP DATABASE "{NAME}" WITH (FORCE)')
    target = ROOT / "var" / "bench.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(results, indent=2) + "\n")
    print(json.dumps(results, indent=2))
    print(f"→ {target}")


def _bench_sizes() -> dict[str, Any]:
    """Each size in its own process, then how they compare."""
    found: dict[int, dict[str, Any]] = {}
    for size, turns in SIZES.items():
        found[size] = _in_own_process("ingest", size, turns)
    results: dict[str, Any] = {f"ingest_{size}": values for size, values in found.items()}
    if len(found) > 1:
        (large, most), (small, fewer) = [(s, found[s]) for s in sorted(found)[-1:-3:-1]]
        results["ingest_growth"] = {
            "orders": [small, large],
            "time_per_order_ratio": round(
                most["sphinx_s"] / large / (fewer["sphinx_s"] / small), 2
            ),
            "peak_mb_ratio": round(most["peak_mb"] / fewer["peak_mb"], 2),
        }
    return results


def _alone(what: str, size: str, turns: str) -> dict[str, Any]:
    if what == "ingest":
        return _bench_ingest(int(size), int(turns))
    if what == "fec":
        from tests.bench.fec import bench_fec

        return bench_fec(int(size))
    if what == "pages":
        from tests.bench.pages import bench_pages

        return bench_pages(int(size))
    if what in ("workers", "latency", "cost", "soak"):
        from tests.bench import scale

        return dict(getattr(scale, f"bench_{what}")(int(size)))
    if what in ("invoice", "pdf"):
        from tests.bench.invoicing import bench_invoicing, bench_pdfs

        return (bench_invoicing if what == "invoice" else bench_pdfs)(int(size))
    from tests.bench.replenishment import bench_replenishment

    return bench_replenishment(int(size))


def _in_own_process(what: str, size: int, turns: int) -> dict[str, Any]:
    print(f"{what} {size}…", file=sys.stderr, flush=True)
    answer = subprocess.run(
        [sys.executable, "-m", "tests.bench", what, str(size), str(turns)],
        env={**os.environ, "BENCH_DATABASE": NAME},
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    found: dict[str, Any] = json.loads(answer.stdout.strip().splitlines()[-1])
    return found


def _bench_invoices() -> dict[str, Any]:
    """Many invoices issued, then printed in a process of their own."""
    _empty()
    return {
        "issue": _in_own_process("invoice", INVOICES, 1),
        "print": _in_own_process("pdf", PDFS, 1),
    }


def _bench_replenishments() -> dict[str, Any]:
    """The nightly run over few and many products."""
    small, large = (_in_own_process("replenish", size, 1) for size in PRODUCTS)
    return {
        f"replenish_{small['products']}": small,
        f"replenish_{large['products']}": large,
        "replenish_growth": {
            "products": list(PRODUCTS),
            "time_per_product_ratio": round(large["ms_per_product"] / small["ms_per_product"], 2),
            "peak_mb_ratio": round(large["peak_mb"] / small["peak_mb"], 2),
        },
    }


def _bench_fecs() -> dict[str, Any]:
    """A year's FEC, short and long."""
    found = []
    for lines in FEC_LINES:
        _empty()
        found.append(_in_own_process("fec", lines, 1))
    small, large = found
    return {
        f"fec_{small['lines']}": small,
        f"fec_{large['lines']}": large,
        "fec_growth": {
            "lines": list(FEC_LINES),
            "peak_mb_ratio": round(large["peak_mb"] / small["peak_mb"], 2),
        },
    }


def _bench_pages() -> dict[str, Any]:
    """Pages of figures over a short and a long history."""
    found = []
    for lines in PAGE_LINES:
        _empty()
        found.append(_in_own_process("pages", lines, 1))
    small, large = found
    return {
        f"pages_{small['lines']}": small,
        f"pages_{large['lines']}": large,
        "pages_growth": {
            "lines": [small["lines"], large["lines"]],
            **{
                f"{name}_ratio": round(large["ms"][name] / small["ms"][name], 2)
                for name in small["ms"]
            },
        },
    }


def _setup(*, migrate: bool) -> None:
    os.environ["DATABASE_URL"] = f"{SERVER}/{NAME}"
    os.environ["SPHINX_DATA_DIR"] = tempfile.mkdtemp(prefix="sphinx-bench-")
    os.environ["SPHINX_FEED_ROOT"] = tempfile.mkdtemp(prefix="sphinx-bench-in-")
    # As in production: DEBUG would record every statement.
    os.environ["DEBUG"] = "0"
    os.environ["SECRET_KEY"] = "b" * 20 + "enchmark-key-of-no-importance"
    os.environ["DJANGO_SETTINGS_MODULE"] = "sphinx.settings"
    os.environ["LOG_LEVEL"] = "ERROR"
    # Pages are rendered without collectstatic.
    os.environ["HASHED_STATIC"] = "0"
    import django

    django.setup()
    from django.core.management import call_command

    if migrate:
        call_command("migrate", verbosity=0)


def _close() -> None:
    from django.db import connection

    connection.close()


def _machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": platform.platform(),
    }


def _empty() -> None:
    """A new installation with the catalogue loaded."""
    from django.core.management import call_command
    from django.db import connection

    from inventory.models import Product
    from inventory.services import default_warehouse, open_stock
    from sphinx.core import clock
    from sphinx.core.models import Shop
    from sphinx.core.texts import sku_key
    from tests.bench.shop_files import PRODUCTS, RATES, sku_of
    from tests.support.tampering import empty_tables_in_tests

    empty_tables_in_tests()
    call_command("flush", interactive=False, verbosity=0)
    Shop.objects.create(code="bench", name="Bench")
    products = Product.objects.bulk_create(
        Product(sku=sku_of(n), sku_key=sku_key(sku_of(n)), tax_rate=RATES[n % 5])
        for n in range(PRODUCTS)
    )
    open_stock(
        opening={p.pk: (100_000, 1) for p in products},
        warehouse=default_warehouse(),
        at=clock.now(),
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _timed(work: Callable[[], Any]) -> tuple[float, int]:
    """Seconds and SQL statements that `work` takes."""
    from django.db import connection

    count = 0

    def counting(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal count
        count += 1
        return execute(sql, params, many, context)

    with connection.execute_wrapper(counting):
        started = time.perf_counter()
        work()
        return time.perf_counter() - started, count


def _bench_ingest(orders: int, turns: int) -> dict[str, Any]:
    """One size: ours, the floor, the usual ways, the same file again; medians of the turns."""
    from ftp_ingest.services import ingest_paths
    from sphinx.core.models import Shop
    from tests.bench.baselines import by_import_export, by_update_or_create
    from tests.bench.floor import load_bare, load_same_rows
    from tests.bench.shop_files import write_orders

    def ingest(file: Path) -> None:
        """Raises AssertionError: an order was set aside, the figures would mean nothing."""
        if ingest_paths(shop=shop, paths=[file]).has_refusals:
            raise AssertionError(f"refusals in {file}")

    folder = Path(tempfile.mkdtemp(prefix="sphinx-bench-in-"))
    path = folder / "orders.csv"
    lines = write_orders(path, orders)
    bares, floors, firsts, agains, statements, peak = [], [], [], [], 0, 0
    for turn in range(turns):
        _empty()
        bares.append(load_bare(path))
        floors.append(load_same_rows(path))
        _empty()
        shop = Shop.objects.get()
        seconds, statements = _timed(partial(ingest, path))
        firsts.append(seconds)
        # The same orders in another file: nothing changes, and it should cost little.
        other = folder / f"again-{turn}.csv"
        shutil.copyfile(path, other)
        with other.open("ab") as stream:
            stream.write(b"\n")
        agains.append(_timed(partial(ingest, other))[0])
        peak = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        other.unlink()
    _empty()
    imported = by_import_export(path, SAMPLE)
    _empty()
    upserted = by_update_or_create(path, SAMPLE)
    bare, floor, first, again = map(statistics.median, (bares, floors, firsts, agains))
    return {
        "orders": orders,
        "lines": lines,
        "ratio_to_sql": round(first / floor, 2),
        "ratio_to_bare_sql": round(first / bare, 2),
        "times_faster_than_import_export": round(imported * orders / first, 1),
        "times_faster_than_update_or_create": round(upserted * orders / first, 1),
        "unchanged_ratio_to_first": round(again / first, 2),
        "orders_per_s": round(orders / first),
        "floor_s": round(floor, 3),
        "bare_floor_s": round(bare, 3),
        "sphinx_s": round(first, 3),
        "sql_statements": statements,
        "peak_mb": peak,
    }


def _bench_documents() -> dict[str, Any]:
    """Ship, invoice, book and export some orders."""
    from datetime import date

    from accounting_export.services import export_journal
    from ftp_ingest.services import ingest_paths
    from sphinx.core.models import Shop
    from tests.bench.documents import deliver, invoice
    from tests.bench.shop_files import write_orders

    _empty()
    path = Path(tempfile.mkdtemp(prefix="sphinx-bench-in-")) / "orders.csv"
    count = 2000
    write_orders(path, count * 2)
    ingest_paths(shop=Shop.objects.get(), paths=[path])

    def export() -> None:
        export_journal(
            date_from=date(2000, 1, 1),
            date_to=date(2099, 12, 31),
            format_code="fec",
            path=Path(tempfile.mkdtemp()) / "fec.txt",
        )

    shipped, shipped_sql = _timed(lambda: deliver(count))
    invoiced, invoiced_sql = _timed(invoice)
    exported, _sql = _timed(export)
    return {
        "deliver": {
            "orders_per_s": round(count / shipped),
            "sql_per_order": round(shipped_sql / count, 2),
        },
        "invoice_and_book": {
            "invoices_per_s": round(count / invoiced),
            "sql_per_invoice": round(invoiced_sql / count, 2),
        },
        "export_fec": {"entries_per_s": round(count / exported)},
    }


if __name__ == "__main__":
    main()
