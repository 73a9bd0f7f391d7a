"""Demand brought as a file: read with care, tried against simple rules."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from purchasing.demand_files import read_demand
from purchasing.planning.backtest import Outcome
from purchasing.planning.contest import Trial, value_at
from purchasing.services import demand_backtest
from sphinx.core.errors import InputError

HEADER = "sku,day,quantity,unit_cost,lead_time_days,pack_size"


def written(folder: Path, *lines: str, header: str = HEADER) -> Path:
    path = folder / "demand.csv"
    path.write_text("\n".join((header, *lines)), encoding="utf-8")
    return path


def test_lines_of_a_day_add_up_and_days_without_a_line_are_zero(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "A,2026-01-01,2,4.50,10,6",
        "A,2026-01-01,1.5,9,99,1",
        "B,2026-01-03,1",
    )

    found = read_demand(path)

    assert found.history.daily.tolist() == [[3.5, 0, 0], [0, 0, 1]]
    assert found.first.tolist() == [0, 2]
    # The first value of an article counts; what no line says is usual.
    assert found.costs.tolist() == [4.5, 1.0]
    assert found.history.lead_days.tolist() == [10, 14]
    assert found.history.pack.tolist() == [6, 1]


def test_a_semicolon_and_a_decimal_comma_are_read(tmp_path: Path) -> None:
    path = written(tmp_path, "A;2026-01-01;2,5;1 234,50", header="SKU;Day;Quantity;Unit_cost")

    found = read_demand(path)

    assert found.history.daily.tolist() == [[2.5]]
    assert found.costs.tolist() == [1234.5]


@pytest.mark.parametrize(
    ("lines", "code", "line"),
    [
        (("A,2026-01-01,1", "A,01/02/2026,1"), "demand.bad_day", 3),
        (("A,2026-01-01,-1",), "cell.bad_quantity", 2),
        ((), "demand.empty", 0),
        (("A,1990-01-01,1", *(f"{n},2026-01-01,1" for n in range(900))), "demand.too_long", 0),
    ],
)
def test_what_cannot_be_read_says_where(
    tmp_path: Path, lines: tuple[str, ...], code: str, line: int
) -> None:
    with pytest.raises(InputError) as refused:
        read_demand(written(tmp_path, *lines))

    assert (refused.value.code, refused.value.line) == (code, line)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="quantity"):
        read_demand(written(tmp_path, header="sku,day"))


@pytest.mark.django_db
def test_a_past_too_short_to_learn_from_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        demand_backtest(path=written(tmp_path, "A,2026-01-01,1", "A,2026-02-01,1"))

    assert refused.value.code == "purchasing.short_history"


@pytest.mark.django_db
def test_steady_demand_holds_as_asked_on_less_stock_than_a_fixed_minimum(tmp_path: Path) -> None:
    draw = np.random.default_rng(8)
    pieces = draw.poisson(1.5, (30, 500))
    path = written(
        tmp_path,
        *(
            f"S{row},{date(2024, 1, 1) + timedelta(days=int(day))},{pieces[row, day]},2,10,1"
            for row, day in zip(*np.nonzero(pieces), strict=True)
        ),
    )

    found = demand_backtest(path=path, days=250)

    assert (found["products"], found["days"]) == (30, 250)
    at = {line["asked"]: line for line in found["asked"]}
    assert 93 <= float(at["95"]["achieved"]) <= 97
    # Nothing that stays the same can be bettered by much: within a tenth of the best simple rule.
    assert float(at["95"]["value"]) < 1.1 * float(at["95"]["least_value"])
    assert set(found["patterns"]) == {"smooth"}
    assert found["delays"]["10"]["95"] == at["95"]["achieved"]


def test_rules_are_compared_at_the_same_service() -> None:
    """Half way between 90 % for 100 EUR and 94 % for 140 EUR; beyond either, nothing is said."""
    none = np.zeros(0)
    outcome = Outcome("fixed", 1.0, 0, 0.0, 0, none, none, none, none, none)
    trials = [
        Trial("fixed", 0, 0.90, 0, 100, outcome),
        Trial("fixed", 7, 0.94, 0, 140, outcome),
    ]

    assert value_at(trials, "fixed", 0.92) == pytest.approx(120)
    assert value_at(trials, "fixed", 0.95) is None
    assert value_at(trials, "normal_91", 0.92) is None
