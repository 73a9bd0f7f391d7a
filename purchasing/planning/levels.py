"""Reorder point and order-up-to level of a product, with every figure that they come from."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

from purchasing.planning.forecasting import BORROWED, MONTH, PATTERNS, Forecast
from purchasing.planning.ordering import (
    HUNDRED,
    YEAR_DAYS,
    ZERO,
    Costs,
    Levels,
    Terms,
    economic_quantity,
    fewest,
    whole,
)
from purchasing.planning.protection import Learned, Protection, protect
from purchasing.planning.waiting import Waiting
from sphinx.core.money import plain

MONTH_DAYS = 7 * MONTH
# CV of weekly demand: X is steady, Z is not.
X_UNTIL, Y_UNTIL = 0.5, 1.0


class LeadTime(NamedTuple):
    """Days from order to goods, their spread, and the receipts that tell (0: only stated)."""

    days: float
    spread: float
    receipts: int


class Rules(NamedTuple):
    """What the firm wishes: levels of service by class (percent), days, costs."""

    service_levels: dict[str, Decimal]
    review_days: int
    cover_days: int
    max_cover_days: int
    shelf_life_share: Decimal
    costs: Costs


class Plan(NamedTuple):
    """Levels, and the figures of the reason."""

    levels: Levels
    protection: Protection
    figures: dict[str, Any]


def plan_levels(
    forecast: Forecast,
    row: int,
    *,
    lead_time: LeadTime,
    terms: Terms | None,
    rules: Rules,
    abc: str,
    shelf_life_days: int | None,
    handling_days: float = 0.0,
    waiting: Waiting | None = None,
) -> Plan:
    """Levels learned from demand: s covers the protection time, S = s + Q.

    The delay runs from the evening on which needs are worked out to the morning on which the goods
    are there: the day they come is served from them. `handling_days` is what passes before
    the order leaves and after the goods have come; `waiting` what the supplier's order days and
    closures add. Whether anything is due is looked at every
    `review_days`: what is asked of stock meanwhile is the undershoot.

    Q is the largest of the economic quantity (where the cost of an order is given) and the days
    of cover wished; shelf life and the firm's longest cover cap what may lie there.
    """
    service = rules.service_levels.get(abc, rules.service_levels["C"])
    days = max(lead_time.days - 1 + handling_days, 0.0) + (waiting.days if waiting else 0)
    computed, per_day = float(forecast.per_day[row]), forecast.rate(row)
    method = forecast.method[row]
    protection = protect(
        demand=forecast.level(row, days),
        per_day=per_day,
        spread_per_day=float(forecast.spread_per_day[row]),
        days=days,
        lead_spread_days=lead_time.spread,
        service_level=float(service / HUNDRED),
        is_intermittent=method in BORROWED,
        learned=None if method in BORROWED else _learned(forecast, row, days, rules, service),
    )
    rate = Decimal(repr(round(per_day, 6)))

    def over(begin: float, lasting: int | Decimal) -> Decimal:
        """Pieces asked in so many days, the first of them `begin` days ahead: at the mean of the
        next weeks, and what people changed of just these days."""
        if row not in forecast.changes:
            return rate * lasting
        more = forecast.changed(row, begin + float(lasting)) - forecast.changed(row, begin)
        usual = Decimal(repr(round(computed, 6))) * lasting
        return max(usual + Decimal(repr(round(more, 6))), ZERO)

    price = terms.unit_price(terms.minimum_quantity) if terms else ZERO
    yearly = over(0.0, YEAR_DAYS)
    economic = ZERO
    if rules.costs.order_cost is not None:
        holding = rules.costs.holding_rate / HUNDRED * price
        economic = economic_quantity(yearly, rules.costs.order_cost, holding)
    # Not until all of it is sold, but until the next order: pieces a cycle.
    cycle = max(economic, over(days, rules.cover_days))
    covered, beyond = rules.cover_days, 0
    if waiting is not None and per_day > 0:
        covered = max(round(float(cycle) / per_day), covered)
        beyond = waiting.beyond(covered)
        cycle += over(days + covered, beyond)
    point = whole(protection.reorder_point)
    most, most_reason = _most(
        lambda lasting: over(0.0, lasting), rate, point, rules, shelf_life_days
    )
    up_to = max(point + whole(float(cycle)), point)
    levels = Levels(
        "learned" if per_day > 0 else "backorders", point, up_to, rate, most, most_reason
    )
    figures = {
        "pattern": forecast.pattern[row],
        "method": method,
        "demand_per_day": _text(computed),
        "demand_spread": _text(float(forecast.spread_per_day[row])),
        "lead_time_days": _text(lead_time.days),
        "lead_time_spread": _text(lead_time.spread),
        "lead_time_receipts": str(lead_time.receipts),
        "review_days": str(rules.review_days),
        "burst": _text(forecast.calibration.burst_of(PATTERNS.index(forecast.pattern[row]), days)),
        "level_error": _text(100 * float(forecast.level_error[row])),
        "protection_days": _text(protection.days),
        "protection_demand": _text(protection.demand),
        "protection_spread": _text(protection.spread),
        "distribution": protection.distribution,
        "abc": abc,
        "xyz": xyz_class(forecast, row),
        "service_level": plain(service),
        "z": _text(protection.z),
        "undershoot": _text(protection.undershoot),
        "safety_stock": _text(protection.safety_stock),
        "cover_days": str(rules.cover_days),
        "economic_quantity": plain(economic) if economic else "",
        "cycle_quantity": plain(cycle.quantize(Decimal("0.001"))),
        "most": plain(most) if most is not None else "",
        "most_reason": most_reason,
    }
    if row in forecast.changes:
        figures |= {
            "adjusted_per_day": _text(per_day),
            "adjusted_more": _text(forecast.changed(row, days)),
        }
    if waiting is not None:
        figures |= _calendar_figures(waiting, covered, beyond)
    return Plan(levels, protection, figures)


def _calendar_figures(waiting: Waiting, cover_days: int, beyond: int) -> dict[str, Any]:
    """What the supplier's calendar makes of it, with days as texts."""
    calendar = waiting.calendar
    figures: dict[str, Any] = {
        "order_weekdays": str(calendar.order_days),
        "delivery_weekdays": str(calendar.delivery_days),
        "order_on": waiting.order_on.isoformat(),
        "arrives_on": waiting.arrives_on.isoformat(),
        "next_order_on": waiting.next_order_on.isoformat(),
        "days_to_arrival": str((waiting.arrives_on - waiting.on).days),
        "wait_days": str(waiting.days),
    }
    closure = waiting.closure(cover_days)
    if closure is not None:
        figures |= {
            "closed_from": closure.first.isoformat(),
            "closed_until": closure.last.isoformat(),
            "closed_note": closure.note,
            "closed_days": str(waiting.closed_days + beyond),
        }
    return figures


def _learned(forecast: Forecast, row: int, days: float, rules: Rules, service: Decimal) -> Learned:
    kind = PATTERNS.index(forecast.pattern[row])
    found = forecast.calibration
    # Demand of the days between two runs, but for the last, is seen late: half of it on average.
    waited = (rules.review_days - 1) * forecast.rate(row) / 2
    return Learned(
        ratio=float(forecast.ratio[row]),
        level_error=float(forecast.level_error[row]) * (days / MONTH_DAYS) ** 0.5,
        undershoot=float(forecast.undershoot[row]) + waited,
        undershoot_spread=float(forecast.undershoot_spread[row]),
        burst=found.burst_of(kind, days),
        deviations=found.deviations(kind, days, float(service / HUNDRED)),
    )


def _most(
    sold_in: Callable[[int | Decimal], Decimal],
    per_day: Decimal,
    point: Decimal,
    rules: Rules,
    shelf_life_days: int | None,
) -> tuple[Decimal | None, str]:
    """What may lie there at most: sold before it spoils, and within the firm's longest cover."""
    if per_day <= 0:
        return None, ""
    most, reason = max(point, fewest(sold_in(rules.max_cover_days))), "max_cover"
    if shelf_life_days:
        days = Decimal(shelf_life_days) * rules.shelf_life_share / HUNDRED
        spoils = max(fewest(sold_in(days)), Decimal(1))
        if spoils < most:
            return spoils, "shelf_life"
    return most, reason


def xyz_class(forecast: Forecast, row: int) -> str:
    """X, Y or Z by the coefficient of variation of a week's demand; blank without demand."""
    per_week = float(forecast.per_day[row]) * 7
    if per_week <= 0:
        return ""
    variation = float(forecast.spread_per_day[row]) * 7**0.5 / per_week
    return "X" if variation <= X_UNTIL else "Y" if variation <= Y_UNTIL else "Z"


def yearly_cost(plan: Plan, terms: Terms, rules: Rules) -> Decimal:
    """EUR a year that buying from these terms costs: goods, orders, keeping the stock.

    For the choice among suppliers: a slow or unreliable one asks for more safety stock.
    """
    levels = plan.levels
    yearly = levels.per_day * YEAR_DAYS
    cycle = max(levels.order_up_to - levels.reorder_point, terms.minimum_quantity, Decimal(1))
    price = terms.unit_price(cycle)
    kept = Decimal(repr(round(plan.protection.safety_stock, 3))) + cycle / 2
    orders = (rules.costs.order_cost or ZERO) * yearly / cycle
    return yearly * price + orders + rules.costs.holding_rate / HUNDRED * price * kept


def _text(value: float) -> str:
    return plain(Decimal(repr(round(value, 3))))
