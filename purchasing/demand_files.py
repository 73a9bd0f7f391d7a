"""Demand of the past that somebody brings as a CSV, from another program or a public set.

A line is what was asked of an article on a day: `sku`, `day` (YYYY-MM-DD), `quantity`; the
separator is a comma or a semicolon. Also, the first value of an article counts: `unit_cost` (EUR,
1 if none), `lead_time_days` (14) and `pack_size` (1). Days without a line are days without demand.
"""

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np
from django.utils.translation import gettext as _

from purchasing.planning.backtest import History
from purchasing.planning.series import Floats, Ints
from sphinx.core import cells
from sphinx.core.errors import InputError

NEEDED = ("sku", "day", "quantity")
OPTIONAL = ("unit_cost", "lead_time_days", "pack_size")
LEAD_TIME_DAYS, LEAD_TIME_SHARE = 14.0, 0.25
# What fits into memory several times over.
MOST_CELLS = 10_000_000


class Demand(NamedTuple):
    """A history, the first day with demand of each row, and unit costs in EUR."""

    history: History
    first: Ints
    costs: Floats


class _Line(NamedTuple):
    sku: str
    day: date
    quantity: float
    unit_cost: float | None
    lead_time_days: float | None
    pack_size: float | None


def read_demand(path: Path) -> Demand:
    """The file as a history that begins on its first day.

    Raises:
        InputError: it can't be read, a line of it can't, or it holds too much.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            return _as_history(list(_lines(path.name, stream)), path.name)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            _("« %(path)s » ne peut pas être lu : %(reason)s.")
            % {"path": path, "reason": getattr(error, "strerror", None) or error},
            code="file.not_found",
        ) from error


def _lines(name: str, stream: Iterator[str]) -> Iterator[_Line]:
    header = next(stream, "")
    sign = ";" if ";" in header else ","
    columns = [column.strip().strip('"').lower() for column in header.split(sign)]
    if missing := [column for column in NEEDED if column not in columns]:
        raise InputError(
            _("%(name)s, ligne 1 : il manque %(missing)s. Attendu : %(needed)s.")
            % {"name": name, "missing": ", ".join(missing), "needed": ", ".join(NEEDED)},
            code="demand.no_column",
            line=1,
            column=missing[0],
        )
    reader = csv.reader(stream, delimiter=sign)
    for row in reader:
        if any(row):
            yield _line(dict(zip(columns, row, strict=False)), reader.line_num + 1)


def _line(values: dict[str, str], line: int) -> _Line:
    def figure(column: str) -> float | None:
        text = values.get(column, "").strip()
        return float(cells.quantity(text, line, column)) if text else None

    cost = values.get("unit_cost", "").strip()
    return _Line(
        values.get("sku", "").strip(),
        _day(values.get("day", "").strip(), line),
        float(cells.quantity(values.get("quantity", ""), line, "quantity")),
        float(cells.price(cost, line, "unit_cost")) if cost else None,
        figure("lead_time_days"),
        figure("pack_size"),
    )


def _day(text: str, line: int) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(
            _("Ligne %(line)s, colonne day : « %(text)s » n'est pas un jour (AAAA-MM-JJ).")
            % {"line": line, "text": text},
            code="demand.bad_day",
            line=line,
            column="day",
        ) from None


def _as_history(lines: list[_Line], name: str) -> Demand:
    if not lines:
        raise InputError(_("%(name)s : aucune demande.") % {"name": name}, code="demand.empty")
    rows = {sku: row for row, sku in enumerate(dict.fromkeys(line.sku for line in lines))}
    began, ended = min(line.day for line in lines), max(line.day for line in lines)
    days = (ended - began).days + 1
    if len(rows) * days > MOST_CELLS:
        raise InputError(
            _("%(name)s : %(rows)s articles sur %(days)s jours, c'est trop. Découpez le fichier.")
            % {"name": name, "rows": len(rows), "days": days},
            code="demand.too_long",
        )
    daily = np.zeros((len(rows), days))
    kept = {
        name: np.full(len(rows), np.nan) for name in ("unit_cost", "lead_time_days", "pack_size")
    }
    for line in lines:
        row = rows[line.sku]
        daily[row, (line.day - began).days] += line.quantity
        for column, values in kept.items():
            value = getattr(line, column)
            if value is not None and np.isnan(values[row]):
                values[row] = value
    lead = np.nan_to_num(kept["lead_time_days"], nan=LEAD_TIME_DAYS)
    history = History(
        daily=daily,
        opening=np.zeros(len(rows)),
        lead_days=lead,
        lead_spread=lead * LEAD_TIME_SHARE,
        pack=np.nan_to_num(kept["pack_size"], nan=1.0),
        terms=[None] * len(rows),
        abc=["A"] * len(rows),
        shelf_life=[None] * len(rows),
    )
    first = np.argmax(daily > 0, axis=1).astype(np.int64)
    return Demand(history, first, np.nan_to_num(kept["unit_cost"], nan=1.0))
