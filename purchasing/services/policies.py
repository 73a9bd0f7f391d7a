"""What each product needs, learned from its sales: levels worked out, kept, and what is due.

Products are taken a thousand at a time, with a fixed number of statements each time; nothing is
locked. What is due is decided again under lock when the proposals are written.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from django.db.models import Avg, Case, F, FloatField, Sum, When
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from inventory.models import Product, ReorderRule, Reservation, StockPosition, Warehouse
from inventory.selectors import (
    asked_by_day,
    dated_lots,
    first_days,
    positions_at,
    stock_changes,
)
from inventory.services import classify_products
from purchasing.models import StockPolicy
from purchasing.planning.adjusting import (
    Adjustment,
    change_of,
    days_called_special,
    in_force,
)
from purchasing.planning.ageing import unsellable
from purchasing.planning.curves import CURVE_WEEKS, Share
from purchasing.planning.forecasting import LEAST_DAYS, Forecast, forecast
from purchasing.planning.heirs import began_with_them, seen_before_its_day, with_inherited
from purchasing.planning.levels import LeadTime, Plan, Rules, plan_levels, yearly_cost
from purchasing.planning.ordering import Levels, Position, Terms
from purchasing.planning.series import (
    DAYS,
    MAX_WEEKS,
    Bools,
    Floats,
    Series,
    build_series,
    days_without_stock,
)
from purchasing.planning.waiting import Waiting
from purchasing.selectors import (
    Adjustments,
    LeadTimes,
    as_rules,
    coming_late,
    incoming_at,
    replenishment_rules,
)
from purchasing.services.curves import Group, figures_of, group_of, kept_share, style_curves
from sphinx.core.clock import start_of
from sphinx.core.money import plain
from suppliers.selectors import Offer, calendars_of, offers_of

CHUNK = 1000
# Needs are worked out in the evening, the order is sent in the morning.
HANDLING_DAYS = 1.0
ZERO = Decimal(0)
# ABC by what a year's demand costs: A makes 80 % of it, A and B together 95 %.
A_SHARE, B_SHARE = 0.80, 0.95
# A reason names so many changes of the forecast at most.
MOST_TOLD = 3


class Candidate(NamedTuple):
    """A product with its levels, the offer chosen for it, its position when it was looked at."""

    product: Product
    levels: Levels
    offer: Offer | None
    position: Position
    figures: dict[str, Any]

    @property
    def days_to_come(self) -> int:
        """Days until what the next run orders is here; ahead of a closure, after it."""
        days = math.ceil(float(self.figures.get("lead_time_days") or 0))
        days = max(days + int(self.figures.get("wait_days") or 0), self._days_of_today)
        return days + int(self.figures.get("review_days") or 0)

    @property
    def horizon(self) -> int:
        """Days after which what is coming comes later than an order of today would."""
        return self._days_of_today + int(self.figures.get("review_days") or 0)

    @property
    def _days_of_today(self) -> int:
        days = self.figures.get("days_to_arrival") or self.figures.get("lead_time_days")
        return math.ceil(float(days or 0))

    def is_too_early(self, on: date) -> bool:
        """True while what isn't out yet could be ordered later and still come for its day."""
        day = self.product.released_on
        return day is not None and day > on + timedelta(days=self.days_to_come)

    @property
    def supplier_id(self) -> int | None:
        """The chosen supplier."""
        return self.offer.item.supplier_id if self.offer else None

    @property
    def terms(self) -> Terms | None:
        """How the chosen supplier sells it."""
        return terms_of(self.offer) if self.offer else None


def terms_of(offer: Offer) -> Terms:
    """An offer for the arithmetic, in euros."""
    return Terms(offer.item.minimum_quantity, offer.item.order_multiple, offer.prices_eur)


@dataclass
class Learning:
    """One run over the products of a warehouse, as of a day (what is known before it)."""

    warehouse: Warehouse
    on: date
    is_past: bool = False
    rules: Rules = field(init=False)
    _waits: dict[tuple[int, int], Waiting] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.rules = as_rules(replenishment_rules())
        self.calendars = calendars_of()
        self._lead_times = LeadTimes(self.on, self.calendars)
        self._adjustments = Adjustments(self.on)
        self.classes = abc_classes(self.on)
        self._priors = _priors(self.warehouse, were_adjusted=self._adjustments.is_recent)
        self._curves: dict[int, Share] = {}
        self._curve_groups: set[Group] = set()

    def candidates(self, product_ids: Iterable[int] | None = None) -> Iterator[Candidate]:
        """Every active product with its levels, chunk by chunk, by SKU within a chunk."""
        wanted = iter(self._product_ids() if product_ids is None else product_ids)
        while chunk := list(islice(wanted, CHUNK)):
            yield from self._chunk(chunk)

    def foretell(self, product_id: int) -> tuple[Series, Forecast]:
        """What one product was asked for and what is foretold, for its page."""
        series = self._series([product_id])
        product = Product.objects.get(pk=product_id)
        prior = self._priors.get(product.category_id, 0.0)
        share = np.array([kept_share(product, self.warehouse)])
        found = forecast(series, np.array([prior]), share)
        return series, self._adjusted(found, [product_id], self.adjustments_of([product]))

    def _shares(
        self, products: Mapping[int, Product], series: Series, ids: Sequence[int]
    ) -> Floats:
        """What the size curves give variants that have hardly a past, in the order of `ids`; NaN
        for all else. Only the categories of such variants are read, each once a run."""
        days = series.known_days
        few = {
            pk for row, pk in enumerate(ids)
            if products[pk].style_id is not None and days[row] < LEAST_DAYS
        }  # fmt: skip
        groups = {group_of(products[pk]) for pk in few} - self._curve_groups
        if groups:
            self._curve_groups |= groups
            self._curves |= style_curves(
                groups, lambda those: self._series(those, most_weeks=CURVE_WEEKS)
            )
        told = few & self._curves.keys()
        return np.array([self._curves[pk].per_day if pk in told else math.nan for pk in ids])

    def adjustments_of(self, products: Iterable[Product]) -> dict[int, list[Adjustment]]:
        """What people changed of the forecasts of some products, by product id."""
        return self._adjustments.of({p.pk: p.category_id for p in products})

    def arrives_on(self, offer: Offer) -> date:
        """The day on which goods ordered of an offer now would be here, by its stated delay."""
        return offer.arrives_on(self.on, self.calendars)

    def as_it_will_be(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """With what of their stock will expire before it can be sold, on today's lots, and what
        of their orders comes later than one of today would."""
        if self.is_past:
            return list(candidates)
        coming = coming_late([c.product.pk for c in candidates], self.warehouse, self.on)
        candidates = [
            c._replace(position=_without_late(c, coming[c.product.pk]))
            if c.product.pk in coming
            else c
            for c in candidates
        ]
        dated = dated_lots([c.product.pk for c in candidates if c.product.tracks_lots],
                           self.warehouse)  # fmt: skip
        return [
            c._replace(position=self._aged(c, dated[c.product.pk])) if c.product.pk in dated else c
            for c in candidates
        ]

    def _aged(self, candidate: Candidate, lots: Sequence[tuple[date, Decimal]]) -> Position:
        position = candidate.position
        in_lots = sum((pieces for _limit, pieces in lots), ZERO)
        lost = unsellable(
            lots,
            unnamed=position.on_hand - in_lots,
            owed=position.reserved,
            per_day=candidate.levels.per_day,
            on=self.on,
            until=self.on + timedelta(days=candidate.days_to_come),
        )
        return position._replace(unsellable=max(lost, position.unsellable))

    def _product_ids(self) -> list[int]:
        found = Product.objects.filter(is_active=True, components__isnull=True)
        if not self.warehouse.is_default:
            # Elsewhere only what is kept there.
            found = found.filter(positions__warehouse=self.warehouse)
        return list(found.order_by("sku").values_list("pk", flat=True))

    def _chunk(self, ids: Sequence[int]) -> Iterator[Candidate]:
        products = Product.objects.select_related("inherits_from", "style").in_bulk(ids)
        series = self._series(ids)
        priors = np.array([self._priors.get(products[pk].category_id, 0.0) for pk in ids])
        adjustments = self.adjustments_of(products.values())
        computed = forecast(series, priors, self._shares(products, series, ids))
        foretold = self._adjusted(computed, ids, adjustments)
        positions = self._positions(ids)
        manual = {
            r.product_id: r
            for r in ReorderRule.objects.filter(product_id__in=ids, warehouse=self.warehouse)
        }
        offers = offers_of(ids, on=self.on)
        found = [
            self._candidate(
                products[pk],
                positions[pk],
                manual.get(pk),
                offers.get(pk, []),
                foretold,
                series,
                row,
                float(priors[row]),
                adjustments.get(pk, ()),
            )
            for row, pk in enumerate(ids)
        ]
        yield from self.as_it_will_be(found)

    def _series(self, ids: Sequence[int], most_weeks: int = MAX_WEEKS) -> Series:
        first = self.on - timedelta(days=most_weeks * DAYS)
        kept = list(
            Product.objects.filter(pk__in=ids).values_list(
                "pk", "category_id", "inherits_from_id", "bulk_counts"
            )
        )
        before_them = {pk: other for pk, _c, other, _b in kept if other is not None}
        everybody = list({*ids, *before_them.values()})
        own_asked = asked_by_day(everybody, self.warehouse, first=first, before=self.on)
        own_days = first_days(everybody, self.warehouse)
        asked = with_inherited(own_asked, before_them, own_days)
        began = began_with_them(before_them, own_days)
        # As many weeks as the oldest of them has, so that a young shop costs little.
        oldest = min((began[pk] for pk in ids if pk in began), default=self.on)
        weeks = min(max(-(-(self.on - oldest).days // DAYS), 1), most_weeks)
        here = set(ids)
        theirs = [item for item in own_asked if item.product_id in here]
        changes = stock_changes(ids, self.warehouse, first=first, before=self.on, asked=theirs)
        out = days_without_stock(ids, changes, before=self.on, weeks=weeks)
        out = seen_before_its_day(out, ids, before_them, own_days, before=self.on)
        return build_series(
            ids,
            asked,
            began,
            before=self.on,
            weeks=weeks,
            out=out,
            counts_in_full=[pk for pk, _c, _other, is_whole in kept if is_whole],
            special=self._special(
                {row[0]: row[1] for row in kept}, ids, before_them, own_days, weeks
            ),
        )

    def _special(
        self,
        categories: Mapping[int, int | None],
        ids: Sequence[int],
        before_them: Mapping[int, int],
        own_days: Mapping[int, date],
        weeks: int,
    ) -> Bools | None:
        """Past days that people called exceptional, an heir's being its predecessor's until its own
        first day."""
        if not self._adjustments:
            return None
        found = self._adjustments.of(categories)
        periods: dict[int, list[tuple[date, date]]] = {
            pk: [(a.first, a.last) for a in found.get(pk, ()) if a.is_exceptional] for pk in ids
        }
        for heir, other in before_them.items():
            until = own_days.get(heir, date.max) - timedelta(days=1)
            periods[heir] += [
                (a.first, min(a.last, until))
                for a in self._adjustments.of_product(other)
                if a.is_exceptional and a.first <= until
            ]
        return days_called_special([periods[pk] for pk in ids], before=self.on, weeks=weeks)

    def _adjusted(
        self,
        foretold: Forecast,
        ids: Sequence[int],
        adjustments: Mapping[int, Sequence[Adjustment]],
    ) -> Forecast:
        """With what people changed beside what was computed."""
        changes = {}
        for row, pk in enumerate(ids):
            some = adjustments.get(pk)
            ahead, weeks = foretold.ahead[row], foretold.weeks_ahead[row]
            if some and (change := change_of(ahead, weeks, some, self.on)):
                changes[row] = change
        return replace(foretold, changes=changes) if changes else foretold

    def _positions(self, ids: Sequence[int]) -> dict[int, Position]:
        if not self.is_past:
            return current_positions(ids, self.warehouse)
        coming = incoming_at(ids, self.warehouse, self.on)
        found = {}
        for pk, past in positions_at(ids, self.warehouse, self.on).items():
            reserved = min(max(past.on_hand, ZERO), past.owed)
            incoming = coming.get(pk, ZERO)
            found[pk] = Position(past.on_hand, reserved, incoming, past.owed - reserved)
        return found

    def _candidate(
        self,
        product: Product,
        position: Position,
        manual: ReorderRule | None,
        offers: Sequence[Offer],
        foretold: Forecast,
        series: Series,
        row: int,
        prior: float,
        adjustments: Sequence[Adjustment],
    ) -> Candidate:
        # Until its own sales tell, an heir is of its predecessor's class.
        abc = self.classes.get(product.pk) or self.classes.get(product.inherits_from_id or 0, "")
        choices: Sequence[Offer | None] = offers or [None]
        plans = [(o, self._plan(product, o, foretold, row, abc)) for o in choices]
        offer, plan = min(plans, key=lambda pair: self._rank(*pair))
        figures = plan.figures | {
            "history_days": str(max(series.daily.shape[1] - int(series.first[row]), 0)),
            "capped": plain(Decimal(repr(round(float(series.capped[row]), 3)))),
            "days_out": str(_days_out(series, row)),
            "offers": str(len(offers)),
            "inherits_from": product.inherits_from.sku if product.inherits_from else "",
            "prior_per_day": plain(Decimal(repr(round(prior, 3)))),
        }
        if foretold.method[row] == "curve":
            figures |= figures_of(product, self._curves[product.pk])
        figures |= _left_out(product, series, row)
        if row in foretold.changes:
            days = float(figures["protection_days"]) + self.rules.cover_days
            met = in_force(adjustments, self.on, days)
            figures["adjustments"] = [a.as_json() for a in met[:MOST_TOLD]]
        levels = plan.levels
        if product.supply_mode != Product.SupplyMode.STOCKED:
            levels = levels._replace(policy="just_in_time", reorder_point=ZERO, order_up_to=ZERO)
        elif manual is not None:
            levels = Levels("minimum_maximum", manual.minimum, manual.maximum, plan.levels.per_day)
            figures |= {
                "learned_point": plain(plan.levels.reorder_point),
                "learned_up_to": plain(plan.levels.order_up_to),
                "reorder_minimum": plain(manual.minimum),
                "reorder_maximum": plain(manual.maximum),
            }
        return Candidate(product, levels, offer, position, figures)

    def _plan(
        self, product: Product, offer: Offer | None, foretold: Forecast, row: int, abc: str
    ) -> Plan:
        lead_time, waiting = LeadTime(0.0, 0.0, 0), None
        if offer is not None:
            supplier_id = offer.item.supplier_id
            lead_time = self._lead_times.of(supplier_id, product.pk, offer.lead_time_days)
            if supplier_id in self.calendars:
                waiting = self._waiting(supplier_id, math.ceil(lead_time.days))
        return plan_levels(
            foretold,
            row,
            lead_time=lead_time,
            terms=terms_of(offer) if offer else None,
            rules=self.rules,
            abc=abc,
            shelf_life_days=product.shelf_life_days,
            handling_days=HANDLING_DAYS,
            waiting=waiting,
        )

    def _waiting(self, supplier_id: int, lead_days: int) -> Waiting:
        """Looked at once for all products of a supplier that take as long."""
        known = self._waits.get((supplier_id, lead_days))
        if known is None:
            known = Waiting(self.calendars[supplier_id], self.on, lead_days)
            self._waits[supplier_id, lead_days] = known
        return known

    def _rank(self, offer: Offer | None, plan: Plan) -> tuple[Decimal, Decimal, int]:
        """The cheapest a year, keeping the safety stock that it asks for included; without
        sales the cheapest piece."""
        if offer is None:
            return ZERO, ZERO, 0
        terms = terms_of(offer)
        price = terms.unit_price(terms.minimum_quantity)
        cost = yearly_cost(plan, terms, self.rules) if plan.levels.per_day > 0 else price
        return cost, price, offer.item.pk


def _without_late(candidate: Candidate, coming: Sequence[tuple[int, Decimal]]) -> Position:
    """The position, saying what comes later than an order of today would."""
    horizon = candidate.horizon
    late = [(days, pieces) for days, pieces in coming if days > horizon]
    if not late:
        return candidate.position
    pieces = sum((pieces for _days, pieces in late), ZERO)
    return candidate.position._replace(late=pieces, late_days=late[0][0] - horizon)


def current_positions(product_ids: Sequence[int], warehouse: Warehouse) -> dict[int, Position]:
    """Positions as they are now; nothing where a product has never been."""
    found = {
        p.product_id: Position(p.on_hand, p.reserved, p.incoming, p.backordered, p.expired)
        for p in StockPosition.objects.filter(product_id__in=product_ids, warehouse=warehouse)
    }
    nothing = Position(ZERO, ZERO, ZERO, ZERO)
    return {pk: found.get(pk, nothing) for pk in product_ids}


def abc_classes(on: date) -> dict[int, str]:
    """A, B or C by the cumulated cost of the last year's demand (Pareto); no sales, no class."""
    asked = dict(
        Reservation.objects.filter(
            is_bundle=False,
            asked__gt=0,
            requested_at__gte=start_of(on - timedelta(days=365)),
            requested_at__lt=start_of(on),
        )
        .order_by()
        .values_list("product_id")
        .annotate(n=Sum("asked"))
    )
    costs = dict(
        StockPosition.objects.filter(average_cost__gt=0)
        .order_by()
        .values_list("product_id")
        .annotate(c=Avg("average_cost"))
    )
    known = dict(Product.objects.filter(unit_cost__isnull=False).values_list("pk", "unit_cost"))
    # Without a cost every piece counts the same.
    worth = {
        pk: float(pieces) * float(costs.get(pk) or known.get(pk) or 1)
        for pk, pieces in asked.items()
    }
    whole = sum(worth.values())
    classes, passed = {}, 0.0
    for pk, value in sorted(worth.items(), key=lambda item: (-item[1], item[0])):
        classes[pk] = "A" if passed < A_SHARE * whole else "B" if passed < B_SHARE * whole else "C"
        passed += value
    return classes


def _days_out(series: Series, row: int) -> int:
    """Days that say nothing of demand for want of stock."""
    unseen = ~series.known[row]
    return int((unseen if series.special is None else unseen & ~series.special[row]).sum())


def _left_out(product: Product, series: Series, row: int) -> dict[str, Any]:
    """What isn't learned as demand, and who said what counts; nothing where nobody did."""
    found: dict[str, Any] = {}
    pieces, share = series.left_out(row)
    if pieces:
        found |= {"left_out": _number(pieces), "left_out_share": _number(share, 1)}
    if series.aside is not None and (aside := float(series.aside[row].sum())):
        found["exceptional_customers"] = _number(aside)
    if product.bulk_counts:
        found["bulk_counts"] = True
    if series.special is not None and (days := int(series.special[row].sum())):
        found["exceptional_days"] = str(days)
    return found


def _number(value: float, places: int = 3) -> str:
    return plain(Decimal(repr(round(value, places))))


def _priors(warehouse: Warehouse, *, were_adjusted: bool) -> dict[int | None, float]:
    """Pieces a day that a product of each category sells, as the last run saw it; as computed,
    where people changed what was foretold.

    Of a product without a category nothing is presumed.
    """
    per_day: Any = F("demand_per_day")
    if were_adjusted:
        computed = Cast(KT("figures__demand_per_day"), FloatField())
        per_day = Case(
            When(figures__has_key="adjusted_per_day", then=computed),
            default=Cast("demand_per_day", FloatField()),
        )
    rows = (
        StockPolicy.objects.filter(
            warehouse=warehouse,
            policy__in=("learned", "backorders"),
            product__category__isnull=False,
        )
        .order_by()
        .values_list("product__category_id")
        .annotate(n=Avg(per_day))
    )
    return {category: float(mean) for category, mean in rows}


def keep_policies(candidates: Sequence[Candidate], learning: Learning) -> None:
    """Remember the levels worked out, for lists, alerts and pages; what stayed isn't written."""
    rows = StockPolicy.objects.filter(
        warehouse=learning.warehouse, product_id__in=[c.product.pk for c in candidates]
    ).values_list("product_id", *_LEVELS)
    known = {row[0]: _kept(*row[1:]) for row in rows}
    StockPolicy.objects.bulk_create(
        [
            StockPolicy(
                product=c.product,
                warehouse=learning.warehouse,
                supplier_id=c.supplier_id,
                computed_on=learning.on,
                policy=c.levels.policy,
                demand_per_day=c.levels.per_day,
                reorder_point=c.levels.reorder_point,
                order_up_to=c.levels.order_up_to,
                figures=c.figures,
            )
            for c in candidates
            if known.get(c.product.pk) != _kept(c.supplier_id, *c.levels[:4], c.figures)
        ],
        update_conflicts=True,
        unique_fields=["product", "warehouse"],
        update_fields=[
            "supplier",
            "computed_on",
            "policy",
            "demand_per_day",
            "reorder_point",
            "order_up_to",
            "figures",
        ],
        batch_size=500,
    )


_LEVELS = ("supplier_id", "policy", "reorder_point", "order_up_to", "demand_per_day", "figures")


def _kept(
    supplier_id: int | None,
    policy: str,
    reorder_point: Decimal,
    order_up_to: Decimal,
    per_day: Decimal,
    figures: dict[str, Any],
) -> tuple[Any, ...]:
    """All that was worked out, but for the day and the age of the history, which always change."""
    told = {key: value for key, value in figures.items() if key != "history_days"}
    return supplier_id, policy, reorder_point, order_up_to, per_day, told


def keep_classes(learning: Learning) -> None:
    """Remember each product's ABC class."""
    classes = dict.fromkeys(Product.objects.exclude(abc_class="").values_list("pk", flat=True), "")
    classify_products(classes | learning.classes)
