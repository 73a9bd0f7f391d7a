"""The back-test over the firm's own past: ours, the fixed minimum, what was really bought."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from inventory.models import Product, ReorderRule, Reservation, StockMove, StockPosition, Warehouse
from inventory.selectors import asked_by_day, first_days, positions_at
from inventory.services import default_warehouse
from purchasing.demand_files import read_demand
from purchasing.errors import WrongState
from purchasing.models import Backtest
from purchasing.planning.backtest import (
    FIXED_COVER_DAYS,
    History,
    Outcome,
    fixed_policy,
    given_policy,
    learned_policy,
    replay,
    simulate,
)
from purchasing.planning.contest import Trial, contest, patterns, value_at
from purchasing.planning.levels import Rules
from purchasing.planning.ordering import Costs, Terms
from purchasing.planning.sample import KINDS, sample
from purchasing.planning.series import DAYS, MAX_WEEKS, Floats, Series, build_series
from purchasing.selectors import LeadTimes, as_rules, replenishment_rules
from purchasing.services.policies import abc_classes, terms_of
from sphinx.core import clock
from sphinx.core.clock import start_of
from sphinx.core.errors import InputError
from sphinx.core.money import plain, to_cents
from suppliers.selectors import offers_of

Status = Backtest.Status
CHUNK = 250
# A worker that gave no sign of life for so long is dead.
STALE_AFTER = timedelta(minutes=10)
# A history shorter than this teaches nothing that could be tried on the rest.
SHORTEST_DAYS = 26 * DAYS
# What opens the shelves of a brought history: the mean of so many days.
HALF_YEAR_DAYS = 26 * DAYS
ONE = Decimal(1)


@dataclass
class _Sum:
    """One way's results added up over chunks of products."""

    asked: float = 0.0
    served: float = 0.0
    days_out: int = 0
    pieces: float = 0.0
    value: Decimal = Decimal(0)
    orders: int = 0
    # By class: goods that came, and before how many of them something was missing.
    arrivals: dict[str, float] = field(default_factory=dict)
    short: dict[str, float] = field(default_factory=dict)

    def add_classes(self, outcome: Outcome, abc: Sequence[str]) -> None:
        for sums, values in ((self.arrivals, outcome.arrivals), (self.short, outcome.short)):
            for letter, value in zip(abc, values, strict=True):
                sums[letter or "C"] = sums.get(letter or "C", 0.0) + float(value)

    def classes_as_json(self, rules: Rules) -> list[dict[str, str]]:
        """Service level asked beside achieved, by class."""
        return [
            {
                "abc": letter,
                "asked": plain(rules.service_levels[letter]),
                "achieved": f"{100 * (1 - self.short[letter] / arrivals):.1f}",
                "orders": f"{arrivals:.0f}",
            }
            for letter, arrivals in sorted(self.arrivals.items())
            if arrivals
        ]

    def add(self, outcome: Outcome, costs: Sequence[Decimal]) -> None:
        self.asked += float(outcome.asked.sum())
        self.served += float(outcome.served.sum())
        self.days_out += outcome.days_out
        self.pieces += outcome.average_stock
        self.orders += outcome.orders
        for pieces, cost in zip(outcome.stock, costs, strict=True):
            self.value += Decimal(repr(round(float(pieces), 3))) * cost

    def as_json(self, name: str) -> dict[str, Any]:
        rate = self.served / self.asked if self.asked else 1.0
        return {
            "name": name,
            "fill_rate": f"{100 * rate:.2f}",
            "days_out": str(self.days_out),
            "average_stock": f"{self.pieces:.1f}",
            "average_value": str(to_cents(self.value)),
            "orders": str(self.orders),
        }


@dataclass
class _Trial:
    """Products of one chunk, ready to be tried."""

    history: History
    series: Series
    received: Floats
    manual: tuple[Floats, Floats]
    costs: list[Decimal] = field(default_factory=list)


def run_backtest(*, until: date, days: int = 364) -> Backtest:
    """Try the last `days` days before `until` on the history before them; keep the result.

    Raises:
        InputError: the history is too short to learn from.
        WrongState: another is being worked out.
    """
    return replay_past(backtest_id=start_backtest(until=until).pk, days=days)


def start_backtest(*, until: date) -> Backtest:
    """A back-test to be worked out by `replay_past`; there is one at a time.

    Raises:
        InputError: the history is too short to learn from.
        WrongState: another is being worked out.
    """
    products = _products(until, default_warehouse())
    now = clock.now()
    running = Backtest.objects.filter(status=Status.RUNNING)
    running.filter(computed_at__lt=now - STALE_AFTER).update(status=Status.FAILED)
    try:
        with transaction.atomic():
            return Backtest.objects.create(
                status=Status.RUNNING,
                computed_at=now,
                first_day=until,
                last_day=until - timedelta(days=1),
                products=len(products),
            )
    except IntegrityError:
        raise WrongState(_("Une comparaison est déjà en cours.")) from None


def replay_past(*, backtest_id: int, days: int = 364) -> Backtest:
    """Work a started back-test out, a chunk of products at a time. Twice is once."""
    kept = Backtest.objects.get(pk=backtest_id)
    until = kept.last_day + timedelta(days=1)
    warehouse = default_warehouse()
    rules = as_rules(replenishment_rules())
    sums = {name: _Sum() for name in ("learned", "fixed", "real")}
    began, done = until, 0
    mine = Backtest.objects.filter(pk=kept.pk, status=Status.RUNNING)
    for trial in _trials(_products(until, warehouse), warehouse, until):
        start = _start(trial, days)
        began = min(began, until - timedelta(days=trial.history.daily.shape[1] - start))
        for outcome in _outcomes(trial, rules, start):
            sums[outcome.name].add(outcome, trial.costs)
            sums[outcome.name].add_classes(outcome, trial.history.abc)
        done += len(trial.costs)
        if not mine.update(products_done=done, computed_at=clock.now()):
            break
    mine.update(
        status=Status.DONE,
        computed_at=clock.now(),
        first_day=began,
        outcomes=[
            found.as_json(name)
            | ({"classes": found.classes_as_json(rules)} if name == "learned" else {})
            for name, found in sums.items()
        ],
    )
    kept.refresh_from_db()
    return kept


def _start(trial: _Trial, days: int) -> int:
    """The column from which the past is compared: half of it at least is for learning."""
    width = trial.history.daily.shape[1]
    return max(width - days, width // 2)


def _outcomes(trial: _Trial, rules: Rules, start: int) -> tuple[Outcome, ...]:
    by_hand = given_policy(*trial.manual)(0)
    fixed = fixed_policy(trial.history, start)(0)
    # Where somebody set a minimum, that one; elsewhere what a merchant would have set.
    known = by_hand[1] > 0
    levels = tuple(np.where(known, h, f) for h, f in zip(by_hand, fixed, strict=True))
    ours = learned_policy(trial.history, trial.series.first, rules)
    return (
        simulate("learned", trial.history, ours, start=start),
        simulate("fixed", trial.history, given_policy(*levels), start=start),
        replay(trial.history, trial.received, start=start),
    )


def _products(until: date, warehouse: Warehouse) -> list[int]:
    first = until - timedelta(days=MAX_WEEKS * DAYS)
    found = Reservation.objects.filter(
        is_bundle=False,
        asked__gt=0,
        warehouse=warehouse,
        requested_at__gte=start_of(first),
        requested_at__lt=start_of(until),
        product__is_active=True,
    ).order_by("requested_at")
    oldest = found.values_list("requested_at", flat=True).first()
    if oldest is None or (start_of(until) - oldest).days < SHORTEST_DAYS:
        raise InputError(
            _(
                "L'historique est trop court : il faut au moins %(days)s jours de commandes pour "
                "apprendre et pour comparer. Essayez « --sample » en attendant."
            )
            % {"days": SHORTEST_DAYS},
            code="purchasing.short_history",
        )
    return sorted(set(found.order_by().values_list("product_id", flat=True)))


def _trials(products: Sequence[int], warehouse: Warehouse, until: date) -> Iterator[_Trial]:
    lead_times = LeadTimes(until)
    classes = abc_classes(until)
    remaining = iter(products)
    while ids := list(islice(remaining, CHUNK)):
        yield _trial(ids, warehouse, until, lead_times, classes)


def _trial(
    ids: Sequence[int],
    warehouse: Warehouse,
    until: date,
    lead_times: LeadTimes,
    classes: dict[int, str],
) -> _Trial:
    first = until - timedelta(days=MAX_WEEKS * DAYS)
    began = first_days(ids, warehouse)
    oldest = max(min(began.values()), first)
    weeks = (until - oldest).days // DAYS
    asked = asked_by_day(ids, warehouse, first=first, before=until)
    whole = Product.objects.filter(pk__in=ids, bulk_counts=True).values_list("pk", flat=True)
    series = build_series(ids, asked, began, before=until, weeks=weeks, counts_in_full=whole)
    offers = offers_of(ids, on=until)
    best = [offers.get(pk, [None])[0] for pk in ids]
    delays = [
        lead_times.of(o.item.supplier_id, pk, o.lead_time_days) if o else None
        for pk, o in zip(ids, best, strict=True)
    ]
    opening = positions_at(ids, warehouse, until - timedelta(days=weeks * DAYS + 1))
    terms: list[Terms | None] = [terms_of(o) if o else None for o in best]
    positions = {
        p.product_id: p
        for p in StockPosition.objects.filter(
            product_id__in=ids, warehouse=warehouse
        ).select_related("product")
    }
    history = History(
        daily=series.daily,
        opening=np.array([max(float(opening[pk].on_hand), 0.0) for pk in ids]),
        lead_days=np.array([d.days if d else 7.0 for d in delays]),
        lead_spread=np.array([d.spread if d else 0.0 for d in delays]),
        pack=np.array([float(o.item.order_multiple) if o else 1.0 for o in best]),
        terms=terms,
        abc=[classes.get(pk, "C") for pk in ids],
        shelf_life=[
            positions[pk].product.shelf_life_days if pk in positions else None for pk in ids
        ],
    )
    costs = [
        (positions[pk].average_cost or positions[pk].product.unit_cost or ONE)
        if pk in positions
        else ONE
        for pk in ids
    ]
    return _Trial(
        history, series, _received(ids, warehouse, until, weeks), _by_hand(ids, warehouse), costs
    )


def _received(ids: Sequence[int], warehouse: Warehouse, until: date, weeks: int) -> Floats:
    place = {pk: row for row, pk in enumerate(ids)}
    width = weeks * DAYS
    received = np.zeros((len(ids), width))
    moves = StockMove.objects.filter(
        product_id__in=ids,
        warehouse=warehouse,
        kind=StockMove.Kind.RECEIPT,
        at__gte=start_of(until - timedelta(days=width)),
        at__lt=start_of(until),
    ).values_list("product_id", "at", "quantity")
    for product_id, at, quantity in moves.iterator():
        column = width - (until - clock.business_date(at)).days
        if 0 <= column < width:
            received[place[product_id], column] += float(quantity)
    return received


def _by_hand(ids: Sequence[int], warehouse: Warehouse) -> tuple[Floats, Floats]:
    rules = {
        r.product_id: r for r in ReorderRule.objects.filter(product_id__in=ids, warehouse=warehouse)
    }
    minimum = np.array([float(rules[pk].minimum) if pk in rules else 0.0 for pk in ids])
    maximum = np.array([float(rules[pk].maximum) if pk in rules else 0.0 for pk in ids])
    return minimum, maximum


def sample_backtest(*, products: int = 200, seed: int = 7) -> dict[str, Any]:
    """Ours against the fixed minimum on the seeded set, a year after two to learn from.

    Both buy for as many days, so that neither wins by ordering more often.
    """
    found = sample(products, seed=seed)
    history = found.history
    start = history.daily.shape[1] - 52 * DAYS
    fixed = fixed_policy(history, start)
    history = history._replace(opening=fixed(start)[1])
    row = replenishment_rules()
    rules = as_rules(row)._replace(cover_days=FIXED_COVER_DAYS, costs=Costs(None, row.holding_rate))
    first = np.zeros(products, dtype=np.int64)
    outcomes = {
        "learned": simulate("learned", history, learned_policy(history, first, rules), start=start),
        "fixed": simulate("fixed", history, fixed, start=start),
    }
    kinds = np.array(found.kinds)
    report: dict[str, Any] = {"products": products, "days": history.daily.shape[1] - start}
    reached = _Sum()
    reached.add_classes(outcomes["learned"], history.abc)
    report["classes"] = reached.classes_as_json(rules)
    for kind in ("all", *KINDS):
        rows = np.ones(products, dtype=bool) if kind == "all" else kinds == kind
        report[kind] = []
        for name, outcome in outcomes.items():
            total = _Sum()
            total.add(_of(outcome, rows), [ONE] * int(rows.sum()))
            line = total.as_json(name)
            if kind != "all":
                # Counted over all products only.
                line = {k: v for k, v in line.items() if k not in ("days_out", "orders")}
            report[kind].append(line)
    return report


def demand_backtest(*, path: Path, days: int = 364) -> dict[str, Any]:
    """Ours against simple rules over the last `days` days of a file of demand; nothing is kept.

    `asked`: what each service level asked for came to, with the least stock (EUR) that a simple
    rule needs for the same; `patterns` and `delays` the levels achieved, part by part.

    Raises:
        InputError: the file can't be read, or is too short to learn from.
    """
    found = read_demand(path)
    history, first = found.history, found.first
    width = history.daily.shape[1]
    if width < SHORTEST_DAYS:
        raise InputError(
            _("%(name)s : il faut au moins %(days)s jours pour apprendre et pour comparer.")
            % {"name": path.name, "days": SHORTEST_DAYS},
            code="purchasing.short_history",
        )
    start = max(width - days, width // 2)
    rules = as_rules(replenishment_rules())
    rules = rules._replace(costs=Costs(None, rules.costs.holding_rate))
    mean = history.daily[:, max(start - HALF_YEAR_DAYS, 0) : start].mean(axis=1)
    history = history._replace(opening=np.ceil(mean * (history.lead_days + rules.cover_days)))
    trials = contest(history, first, found.costs, rules, start=start)
    ours = [trial for trial in trials if trial.rule == "learned"]
    kinds = np.array(patterns(history, first, start=start))
    return {
        "products": len(history.daily),
        "days": width - start,
        "asked": [_against_others(trial, trials) for trial in ours],
        "patterns": {kind: _achieved(ours, kinds == kind) for kind in sorted(set(kinds))},
        "delays": {
            f"{lead:g}": _achieved(ours, history.lead_days == lead)
            for lead in np.unique(history.lead_days)
        },
    }


def _against_others(trial: Trial, trials: list[Trial]) -> dict[str, str]:
    others = sorted({other.rule for other in trials} - {"learned"})
    least = [(value_at(trials, rule, trial.achieved), rule) for rule in others]
    value, rule = min(((v, r) for v, r in least if v is not None), default=(None, ""))
    return {
        "asked": str(trial.asked),
        "achieved": f"{100 * trial.achieved:.1f}",
        "served": f"{100 * trial.served:.1f}",
        "value": f"{trial.value:.0f}",
        "least_rule": rule,
        "least_value": "" if value is None else f"{value:.0f}",
    }


def _achieved(ours: list[Trial], rows: Any) -> dict[str, str]:
    """By service level asked, the one achieved; blank where nothing came."""
    found = {}
    for trial in ours:
        arrivals = float(trial.outcome.arrivals[rows].sum())
        short = float(trial.outcome.short[rows].sum())
        found[str(trial.asked)] = f"{100 * (1 - short / arrivals):.1f}" if arrivals else ""
    return found


def _of(outcome: Outcome, rows: Any) -> Outcome:
    return outcome.of(rows)._replace(
        stock=outcome.stock[rows], served=outcome.served[rows], asked=outcome.asked[rows]
    )
