"""The FEC beside COPY of the same select: time, memory."""

import os
import resource
import statistics
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

from django.db import connection

from accounting_export.fec_check import check_fec
from accounting_export.formats.fec import Fec
from accounting_export.models import Journal, JournalEntry, JournalLine
from accounting_export.selectors import Choice, lines_query, lines_to_export
from accounting_export.services.exporting import at_length
from sphinx.core.services import company

TURNS = 3
PER_ENTRY = 4
YEAR = Choice(("CB", "VE"), date(2026, 1, 1), date(2026, 12, 31), by_validation=True)


def bench_fec(lines: int) -> dict[str, Any]:
    """A year of `lines` lines written as FEC, sent by COPY, and checked."""
    _fill(lines // PER_ENTRY)
    path = Path(tempfile.mkdtemp(prefix="sphinx-bench-fec-")) / "404833048FEC20261231.txt"
    before = _peak_mb()
    ours, floors = [], []
    for _turn in range(TURNS):
        floors.append(_copied())
        ours.append(_written(path))
    peak = _peak_mb()
    started = time.perf_counter()
    with path.open("rb") as stream:
        report = check_fec(path.name, stream)
    checked = time.perf_counter() - started
    assert report.is_accepted, report.faults
    assert report.lines == lines
    written, floor = statistics.median(ours), statistics.median(floors)
    return {
        "lines": lines,
        "ratio_to_copy": round(written / floor, 2),
        "lines_per_s": round(lines / written),
        "check_ratio_to_write": round(checked / written, 2),
        "copy_s": round(floor, 3),
        "write_s": round(written, 3),
        "peak_mb": peak,
        "peak_mb_before": before,
    }


def _written(path: Path) -> float:
    started = time.perf_counter()
    with path.open("wb") as stream:
        Fec().write(at_length(lines_to_export(YEAR), company().account_length), stream)
    return time.perf_counter() - started


def _copied() -> float:
    """The same rows by COPY, thrown away as they come."""
    select, params = lines_query(YEAR).query.sql_with_params()
    started = time.perf_counter()
    with connection.cursor() as cursor, Path(os.devnull).open("wb") as stream:
        bare = cursor.cursor
        statement = bare.mogrify(select, params).decode()
        bare.copy_expert(f"COPY ({statement}) TO STDOUT", stream)
    return time.perf_counter() - started


def _fill(entries: int) -> None:
    """Payments and sales by turns, two lines of each side, from SQL alone."""
    codes = [Journal.objects.get_or_create(code=code)[0].pk for code in YEAR.journals]
    entry, line = JournalEntry._meta.db_table, JournalLine._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {entry} (journal_id, number, entry_date, piece_ref, piece_date, label,"
            "  validated_on, provider, is_reversal) "
            "SELECT CASE n %% 2 WHEN 0 THEN %s ELSE %s END,"
            "  CASE n %% 2 WHEN 0 THEN 'CB' ELSE 'VE' END || to_char((n + 1) / 2, 'FM000000'), day,"
            "  'FA2026-' || to_char(n, 'FM000000'), day, 'Vente de la commande W' || n, day,"
            "  'stripe', FALSE "
            "FROM (SELECT n, date '2026-01-01' + (n * 364 / %s)::int AS day"
            "      FROM generate_series(1, %s) AS n) AS numbered ORDER BY n",
            [*codes, entries, entries],
        )
        cursor.execute(
            f"INSERT INTO {line} (entry_id, position, account, account_label, auxiliary,"
            "  auxiliary_label, debit, credit) "
            "SELECT e.id, p, CASE WHEN p <= 2 THEN '41110000' ELSE '70710000' END,"
            "  'Clients – ventes de marchandises', CASE WHEN p <= 2 THEN 'CDIVERS' ELSE '' END,"
            "  CASE WHEN p <= 2 THEN 'Clients divers' ELSE '' END,"
            "  CASE WHEN p <= 2 THEN 12.34 ELSE 0 END, CASE WHEN p <= 2 THEN 0 ELSE 12.34 END "
            f"FROM {entry} AS e CROSS JOIN generate_series(1, 4) AS p ORDER BY e.id, p"
        )
        cursor.execute("ANALYZE")


def _peak_mb() -> int:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
