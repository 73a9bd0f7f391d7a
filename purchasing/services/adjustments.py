"""Forecasts changed by a person for a time, and what of it the next forecasts learn."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from inventory.models import Product, ProductCategory
from purchasing.errors import WrongState
from purchasing.models import DemandAdjustment
from sphinx.core.clock import business_date
from sphinx.core.errors import InputError
from sphinx.core.services import record
from suppliers.models import Supplier

# Nothing sells less than nothing.
LEAST_PERCENT, MOST_PERCENT = Decimal(-100), Decimal("99999.99")
# Longer than that it is no event but the ordinary: a forecast looks a year ahead.
LONGEST_DAYS = 366


@transaction.atomic
def adjust_forecast(
    *,
    first_day: date,
    last_day: date,
    reason: str,
    at: datetime,
    percent: Decimal | None = None,
    weekly: Decimal | None = None,
    product: Product | None = None,
    category: ProductCategory | None = None,
    supplier: Supplier | None = None,
    is_exceptional: bool = False,
    actor: Any = None,
) -> DemandAdjustment:
    """Change forecasts from the first day to the last (both included), by `percent` or, of one
    article, to `weekly` pieces a week. Of one article, category or supplier, else of everything.

    Raises:
        InputError: the days are in disorder or too many, no reason is given, or not exactly one of
            percent and pieces (pieces of one article only).
    """
    _check(first_day, last_day, reason, percent, weekly, product, category, supplier)
    made = DemandAdjustment.objects.create(
        product=product,
        category=category,
        supplier=supplier,
        first_day=first_day,
        last_day=last_day,
        percent=percent,
        weekly=weekly,
        reason=reason.strip()[:200],
        is_exceptional=is_exceptional,
        created_at=at,
        created_by=actor,
    )
    record("forecast.adjusted", [made], actor=actor, about=made.about,
           first_day=first_day.isoformat(), last_day=last_day.isoformat(),
           percent=str(percent or ""), weekly=str(weekly or ""), reason=made.reason,
           is_exceptional=is_exceptional)  # fmt: skip
    return made


@transaction.atomic
def end_adjustment(*, adjustment_id: int, at: datetime, actor: Any = None) -> DemandAdjustment:
    """From today on it no longer counts; the days that passed stay what they were. Twice is once.

    Raises:
        WrongState: it hasn't begun (withdraw it), or it is withdrawn.
    """
    found = _lock(adjustment_id)
    yesterday = business_date(at) - timedelta(days=1)
    if found.first_day > yesterday:
        raise WrongState(_("Il n'a pas encore commencé : retirez-le plutôt."))
    if found.last_day > yesterday:
        before, found.last_day = found.last_day, yesterday
        found.save(update_fields=["last_day"])
        record("forecast.adjustment_ended", [found], actor=actor, last_day=yesterday.isoformat(),
               before=before.isoformat())  # fmt: skip
    return found


@transaction.atomic
def withdraw_adjustment(*, adjustment_id: int, at: datetime, actor: Any = None) -> DemandAdjustment:
    """Taken back as if it had never been: it counts for nothing any more. Twice is once."""
    found = DemandAdjustment.objects.select_for_update(no_key=True).get(pk=adjustment_id)
    if found.withdrawn_at is None:
        found.withdrawn_at = at
        found.save(update_fields=["withdrawn_at"])
        record("forecast.adjustment_withdrawn", [found], actor=actor)
    return found


@transaction.atomic
def call_exceptional(
    *, adjustment_id: int, is_exceptional: bool, actor: Any = None
) -> DemandAdjustment:
    """Say whether its days, once past, teach nothing of ordinary demand. Twice is once.

    Raises:
        WrongState: it is withdrawn.
    """
    found = _lock(adjustment_id)
    if found.is_exceptional != is_exceptional:
        found.is_exceptional = is_exceptional
        found.save(update_fields=["is_exceptional"])
        record("forecast.adjustment_called", [found], actor=actor, is_exceptional=is_exceptional)
    return found


def _lock(adjustment_id: int) -> DemandAdjustment:
    found = DemandAdjustment.objects.select_for_update(no_key=True).get(pk=adjustment_id)
    if found.withdrawn_at is not None:
        raise WrongState(_("Ce changement a été retiré."))
    return found


def _check(
    first_day: date,
    last_day: date,
    reason: str,
    percent: Decimal | None,
    weekly: Decimal | None,
    product: Product | None,
    category: ProductCategory | None,
    supplier: Supplier | None,
) -> None:
    def refuse(message: str) -> None:
        raise InputError(message, code="purchasing.adjustment")

    if first_day > last_day:
        refuse(_("Le premier jour vient après le dernier."))
    if (last_day - first_day).days >= LONGEST_DAYS:
        refuse(_("Un an au plus : au-delà, ce n'est plus un événement."))
    if not reason.strip():
        refuse(_("Dites pourquoi : la proposition le répétera."))
    if sum(thing is not None for thing in (product, category, supplier)) > 1:
        refuse(_("Choisissez un article, une catégorie ou un fournisseur, pas plusieurs."))
    if (percent is None) == (weekly is None):
        refuse(_("Donnez un pourcentage, ou un nombre de pièces par semaine."))
    if percent is not None and not LEAST_PERCENT <= percent <= MOST_PERCENT:
        refuse(_("Le pourcentage va de −100 à 99 999."))
    if weekly is not None and weekly < 0:
        refuse(_("Le nombre de pièces ne peut pas être négatif."))
    if weekly is not None and product is None:
        refuse(_("Un nombre de pièces vaut pour un seul article : choisissez-le."))
