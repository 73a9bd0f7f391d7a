"""A supplier's order filled up: to its minimum, or to free carriage when that pays.

What is added is what would be bought next anyway, the soonest first. Buying it early costs its
keeping until then; carriage saved must be worth more.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from django.utils.translation import gettext as _

from purchasing.models import StockPolicy
from purchasing.planning.ordering import (
    HUNDRED,
    YEAR_DAYS,
    Levels,
    Purchase,
    purchase_of,
)
from purchasing.services.policies import Candidate, Learning, current_positions, terms_of
from sphinx.core.money import ZERO, to_cents
from suppliers.models import Supplier
from suppliers.selectors import offers_of

# Not bought earlier than this before its turn.
EARLY_DAYS = Decimal(45)


class Completion(NamedTuple):
    """Lines to add to an order, and what to say of it."""

    added: list[tuple[Candidate, Purchase]]
    remark: str


class _Next(NamedTuple):
    candidate: Candidate
    purchase: Purchase
    days_early: Decimal

    @property
    def value(self) -> Decimal:
        return to_cents(self.purchase.quantity * self.purchase.unit_price)


def complete(
    learning: Learning, supplier: Supplier, lines: Sequence[tuple[Candidate, Purchase]]
) -> Completion:
    """Fill an order up, or say what is missing; all of it in euros, what the supplier asks too."""
    total = sum((to_cents(p.quantity * p.unit_price) for _c, p in lines), ZERO)
    units = next((c.offer.units for c, _p in lines if c.offer and c.offer.units), Decimal(1))
    minimum = to_cents(supplier.minimum_order_excl_tax / units)
    free_from = supplier.carriage_free_excl_tax
    if free_from is not None:
        free_from = to_cents(free_from / units)
    is_small = total < minimum
    misses_free = free_from is not None and total < free_from
    if not is_small and not misses_free:
        return Completion([], "")
    taken = {c.product.pk for c, _p in lines}
    coming = _coming(learning, supplier, taken)
    if misses_free and free_from is not None:
        added, reached = _until(coming, total, max(free_from, minimum))
        saved = to_cents(supplier.carriage_excl_tax / units)
        early = _early_cost(added, learning)
        if added and reached >= free_from and saved > early:
            _say(added, "completes_free", free_from)
            remark = _("Complétée au franco : %(saved)s € de port évités, %(early)s € de stock")
            return _done(added, remark % {"saved": saved, "early": early})
    if is_small:
        added, reached = _until(coming, total, minimum)
        if added and reached >= minimum:
            _say(added, "completes_minimum", minimum)
            return _done(added, _("Complétée au minimum de commande de %s € HT") % minimum)
        if _is_critical(lines):
            return Completion([], _("Sous le minimum de commande de %s € HT, urgent") % minimum)
        return Completion(
            [], _("Sous le minimum de commande de %s € HT : rien d'urgent, attendre") % minimum
        )
    missing = (free_from or ZERO) - total
    return Completion([], _("Il manque %s € HT pour le franco de port") % missing)


def _done(added: Sequence[_Next], remark: str) -> Completion:
    return Completion([(n.candidate, n.purchase) for n in added], remark)


def _coming(learning: Learning, supplier: Supplier, taken: set[int]) -> list[_Next]:
    """What the supplier would be asked for next, the soonest first."""
    policies = list(
        StockPolicy.objects.filter(
            supplier=supplier,
            warehouse=learning.warehouse,
            policy="learned",
            demand_per_day__gt=0,
            product__is_active=True,
        )
        .exclude(product_id__in=taken)
        # What isn't out yet is bought for its day.
        .exclude(product__released_on__gt=learning.on)
        .select_related("product")
        .order_by("product_id")
    )
    ids = [p.product_id for p in policies]
    positions = current_positions(ids, learning.warehouse)
    offers = offers_of(ids, on=learning.on)
    found = []
    for policy in policies:
        offer = next(
            (o for o in offers.get(policy.product_id, ()) if o.item.supplier_id == supplier.pk),
            None,
        )
        position = positions[policy.product_id]
        early = (position.forecast - policy.reorder_point) / policy.demand_per_day
        # What would be ordered in its turn.
        raw = policy.order_up_to - policy.reorder_point
        if offer is None or early > EARLY_DAYS or raw <= 0:
            continue
        levels = Levels(
            policy.policy, policy.reorder_point, policy.order_up_to, policy.demand_per_day
        )
        candidate = Candidate(policy.product, levels, offer, position, policy.figures)
        purchase = purchase_of(raw, position, levels, terms_of(offer), learning.rules.costs)
        purchase.reason.update(policy.figures)
        found.append(_Next(candidate, purchase, max(early, Decimal(0))))
    return sorted(found, key=lambda n: (n.days_early, n.candidate.product.pk))


def _until(coming: Sequence[_Next], total: Decimal, target: Decimal) -> tuple[list[_Next], Decimal]:
    added: list[_Next] = []
    for item in coming:
        if total >= target:
            break
        added.append(item)
        total += item.value
    return added, total


def _early_cost(added: Sequence[_Next], learning: Learning) -> Decimal:
    """EUR that keeping goods before their turn costs."""
    rate = learning.rules.costs.holding_rate / HUNDRED / YEAR_DAYS
    return to_cents(sum((n.value * rate * n.days_early for n in added), ZERO))


def _say(added: Sequence[_Next], code: str, target: Decimal) -> None:
    for item in added:
        item.purchase.reason["completes"] = code
        item.purchase.reason["completes_target"] = str(target)
        item.purchase.reason["days_early"] = str(round(item.days_early))


def _is_critical(lines: Sequence[tuple[Candidate, Purchase]]) -> bool:
    """Customers wait, or what is there won't last until goods could come."""
    for candidate, _purchase in lines:
        position = candidate.position
        days = Decimal(candidate.figures.get("lead_time_days") or 0)
        days += Decimal(candidate.figures.get("wait_days") or 0)
        if position.backordered > 0 or position.forecast < candidate.levels.per_day * days:
            return True
    return False
