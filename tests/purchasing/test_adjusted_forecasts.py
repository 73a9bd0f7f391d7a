"""Forecasts changed by people for a time: used beside what was computed, learned or not."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import Group, User
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from inventory.models import Product, ProductCategory
from inventory.services import Demand, change_reservations, default_warehouse
from purchasing.courses import course_of
from purchasing.errors import WrongState
from purchasing.models import DemandAdjustment
from purchasing.planning.adjusting import Adjustment, change_of, days_called_special
from purchasing.reasons import explain, headline
from purchasing.services import (
    adjust_forecast,
    call_exceptional,
    end_adjustment,
    propose_orders,
    withdraw_adjustment,
)
from sphinx.core.errors import InputError
from sphinx.core.models import AuditEvent
from tests.factories import NOON, ProductFactory, SupplierProductFactory
from tests.purchasing.test_learning import DAY, policy, sold

D = Decimal
# Ten pieces a day, whichever day.
AHEAD = np.arange(365.0) * 10
WEEKS = np.arange(53.0) * 70


def change(
    first: int,
    last: int,
    percent: str | None = None,
    weekly: str | None = None,
    rank: tuple[int, int] = (1, 1),
) -> Adjustment:
    """From so many days after the planning day to so many."""
    days = [DAY + timedelta(days=n) for n in (first, last)]
    figures = [None if text is None else D(text) for text in (percent, weekly)]
    return Adjustment(days[0], days[1], figures[0], figures[1], "soldes", "camille", rank)


def more_over(days: float, *adjustments: Adjustment) -> float:
    found = change_of(AHEAD, WEEKS, adjustments, DAY)
    return found.over(days, is_level=True) if found else 0.0


@pytest.mark.parametrize(
    ("days", "more"),
    # 40 % of ten a day on the third, fourth and fifth day.
    [(2, 0), (3, 4), (4.5, 10), (5, 12), (100, 12)],
)
def test_a_percentage_counts_on_its_days_only(days: float, more: float) -> None:
    assert more_over(days, change(2, 4, percent="40")) == pytest.approx(more)


def test_pieces_a_week_stand_in_place_of_the_forecast() -> None:
    # 105 a week are 15 a day: five more on each of seven days.
    assert more_over(30, change(0, 6, weekly="105")) == pytest.approx(35)
    # None a week take all of it off.
    assert more_over(30, change(0, 6, weekly="0")) == pytest.approx(-70)


def test_on_a_day_that_two_want_the_nearer_to_the_article_wins() -> None:
    everything = change(0, 9, percent="100", rank=(1, 9))
    article = change(5, 6, percent="-100", rank=(4, 2))

    # Eight days of ten more, two of ten fewer.
    assert more_over(10, article, everything) == pytest.approx(80 - 20)


def test_what_began_earlier_counts_from_today() -> None:
    assert more_over(30, change(-5, 1, percent="50")) == pytest.approx(10)
    assert change_of(AHEAD, WEEKS, [change(-5, -1, percent="50")], DAY) is None


def test_a_change_keeps_the_weekdays_of_the_forecast() -> None:
    # Fourteen on the first day of each week, none on the others.
    ahead = np.concatenate([[0.0], np.tile([14.0, *[0.0] * 6], 52).cumsum()])
    found = change_of(ahead, np.arange(53.0) * 14, [change(0, 0, percent="50")], DAY)

    assert found is not None
    assert found.over(1, is_level=False) == pytest.approx(7)
    assert found.over(1, is_level=True) == pytest.approx(1)


def test_special_days_are_those_of_the_periods() -> None:
    days = days_called_special(
        [[], [(DAY - timedelta(days=3), DAY + timedelta(days=5))]], before=DAY, weeks=1
    )

    assert days is not None
    assert days.tolist() == [[False] * 7, [False] * 4 + [True] * 3]
    assert days_called_special([[]], before=DAY, weeks=1) is None


@pytest.fixture
def product(db: None) -> Product:
    """Two pieces a day for four months, ten left; ten days of delay."""
    category = ProductCategory.objects.create(name="Lampes")
    found = ProductFactory(sku="LAMPE", on_hand=250, category=category)
    sold(found)
    SupplierProductFactory(product=found, lead_time_days=10)
    return found


def adjusted(first: date = DAY, days: int = 14, **values: Any) -> DemandAdjustment:
    figures = {"percent": D(50)} if "weekly" not in values else {}
    return adjust_forecast(
        **{
            "first_day": first,
            "last_day": first + timedelta(days=days - 1),
            "reason": "soldes",
            "at": NOON,
            **figures,
            **values,
        }
    )


def line_of(product: Product) -> Any:
    (order,) = propose_orders(on=DAY).orders
    return order.lines.get(product=product)


def test_the_order_covers_what_was_added(product: Product) -> None:
    usual = line_of(product)
    before, up_to = policy(product).reorder_point, policy(product).order_up_to

    adjusted(product=product)
    line = line_of(product)

    found = policy(product)
    # Half of two a day more: ten in the ten days of delay; four more in the days of cover after
    # them, which the fourteen days reach.
    assert float(found.figures["adjusted_more"]) == pytest.approx(10, rel=0.02)
    assert float(found.figures["protection_demand"]) == pytest.approx(30, rel=0.02)
    assert found.reorder_point - before >= 10
    cycles = [found.order_up_to - found.reorder_point, up_to - before]
    assert cycles[0] - cycles[1] == 4
    assert line.quantity > usual.quantity
    # Fourteen of the next 28 days are half as high again.
    assert found.demand_per_day == pytest.approx(D("2.5"), rel=D("0.01"))
    assert D(found.figures["demand_per_day"]) == pytest.approx(D(2), rel=D("0.01"))


def test_its_reason_says_what_was_changed_why_and_by_whom(product: Product) -> None:
    adjusted(product=product, actor=User.objects.create_user("camille"))

    reason = line_of(product).reason

    assert headline(reason).endswith("+50 % du 2 au 15 mars 2026 (soldes)")
    (step,) = [step for step in explain(reason) if step.title == "Prévision changée"]
    assert step.text.startswith("+50 % du 2 au 15 mars 2026 (soldes), par camille. ")


@pytest.mark.parametrize("scope", ["category", "supplier", "everything"])
def test_a_category_a_supplier_or_everything_may_be_meant(scope: str, product: Product) -> None:
    other = ProductFactory(sku="AUTRE", on_hand=250)
    sold(other)
    SupplierProductFactory(product=other, lead_time_days=10)
    things = {
        "category": {"category": product.category},
        "supplier": {"supplier": product.sources.get().supplier},
        "everything": {},
    }

    adjusted(**things[scope])
    propose_orders(on=DAY)

    assert "adjusted_per_day" in policy(product).figures
    assert ("adjusted_per_day" in policy(other).figures) == (scope == "everything")


def test_a_new_article_is_bought_for_the_pieces_said(db: None) -> None:
    new = ProductFactory(sku="NEUF")
    SupplierProductFactory(product=new, lead_time_days=10)
    adjusted(product=new, weekly=D(70), days=60)

    line = line_of(new)

    found = policy(new)
    assert found.policy == "learned"
    # Ten a day: a hundred in the ten days of delay, 140 in the fourteen of cover.
    assert found.reorder_point >= 100
    assert found.order_up_to - found.reorder_point == 140
    assert line.quantity == found.order_up_to


def test_nothing_is_foretold_where_somebody_says_so(product: Product) -> None:
    adjusted(product=product, percent=D(-100), days=200)

    assert propose_orders(on=DAY).orders == []
    assert policy(product).policy == "backorders"


def test_what_is_withdrawn_counts_for_nothing(product: Product) -> None:
    usual = line_of(product).quantity
    made = adjusted(product=product)
    withdraw_adjustment(adjustment_id=made.pk, at=NOON)
    withdraw_adjustment(adjustment_id=made.pk, at=NOON)

    assert line_of(product).quantity == usual
    assert AuditEvent.objects.filter(kind="forecast.adjustment_withdrawn").count() == 1
    with pytest.raises(WrongState):
        call_exceptional(adjustment_id=made.pk, is_exceptional=True)


def test_what_is_ended_keeps_its_past_days(product: Product) -> None:
    made = adjusted(DAY - timedelta(days=4), days=30, product=product)

    ended = end_adjustment(adjustment_id=made.pk, at=NOON)

    assert ended.last_day == DAY - timedelta(days=1)
    assert end_adjustment(adjustment_id=made.pk, at=NOON).last_day == ended.last_day
    assert AuditEvent.objects.filter(kind="forecast.adjustment_ended").count() == 1
    with pytest.raises(WrongState):
        end_adjustment(adjustment_id=adjusted(DAY).pk, at=NOON)


def promoted(product: Product) -> None:
    """Twenty more a day on the last seven days."""
    change_reservations(
        demands=[
            Demand(product.pk, D(20), NOON - timedelta(days=n), f"PROMO-{n}") for n in range(1, 8)
        ],
        warehouse=default_warehouse(),
    )


def learned_per_day(product: Product) -> float:
    propose_orders(on=DAY)
    return float(policy(product).figures["demand_per_day"])


def test_a_past_promotion_is_learned_unless_it_is_called_exceptional(product: Product) -> None:
    promoted(product)
    as_ordinary = learned_per_day(product)
    made = adjusted(DAY - timedelta(days=7), days=7, product=product)
    not_said = learned_per_day(product)

    call_exceptional(adjustment_id=made.pk, is_exceptional=True)
    as_exceptional = learned_per_day(product)

    assert not_said == as_ordinary > 2.5
    # The other days tell two a day, however large the rise really was.
    assert as_exceptional == pytest.approx(2, rel=0.01)
    assert policy(product).figures["exceptional_days"] == "7"
    assert policy(product).figures["days_out"] == "0"
    call_exceptional(adjustment_id=made.pk, is_exceptional=False)
    assert learned_per_day(product) == as_ordinary


def test_an_heir_doesn_t_learn_from_its_predecessor_s_exceptional_days(product: Product) -> None:
    promoted(product)
    heir = ProductFactory(sku="LAMPE-2", inherits_from=product)
    SupplierProductFactory(product=heir)
    adjusted(DAY - timedelta(days=7), days=7, product=product, is_exceptional=True)

    assert learned_per_day(heir) == pytest.approx(2, rel=0.01)


def test_both_curves_are_kept(product: Product) -> None:
    adjusted(product=product)
    propose_orders(on=DAY)

    course = course_of(product, default_warehouse(), on=DAY, levels=(D(0), D(0)))

    ahead = [week for week in course.weeks if week.foretold is not None]
    assert course.is_changed
    assert ahead[0].computed == pytest.approx(14, rel=0.02)
    assert [week.foretold / week.computed for week in ahead[:4]] == pytest.approx(  # type: ignore[operator]
        [1.5, 1.5, 1, 1]
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"last_day": DAY - timedelta(days=1)},
        {"last_day": DAY + timedelta(days=366)},
        {"reason": "  "},
        {"percent": None},
        {"percent": D(40), "weekly": D(3)},
        {"percent": None, "weekly": D(3)},
        {"percent": D(-101)},
    ],
)
def test_what_doesn_t_go_together_is_refused_with_a_sentence(
    wrong: dict[str, Any], db: None
) -> None:
    with pytest.raises(InputError):
        adjusted(**wrong)

    assert not DemandAdjustment.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"last_day": DAY - timedelta(days=1)},
        {"percent": D(-101)},
        {"weekly": D(3)},
        {"percent": None, "weekly": D(3)},
    ],
)
def test_the_database_refuses_it_too(wrong: dict[str, Any], db: None) -> None:
    values = {"first_day": DAY, "last_day": DAY, "percent": D(5), "reason": "x", **wrong}

    with pytest.raises(IntegrityError), transaction.atomic():
        DemandAdjustment.objects.create(created_at=NOON, **values)


def test_the_prior_of_a_category_is_what_was_computed(product: Product) -> None:
    adjusted(product=product, percent=D(900))
    propose_orders(on=DAY)
    new = ProductFactory(sku="NEUF", category=product.category, on_hand=1)

    propose_orders(on=DAY + timedelta(days=1))

    assert float(policy(new).figures["prior_per_day"]) == pytest.approx(2, rel=0.01)


def test_changes_cost_no_query_each(product: Product) -> None:
    counts = []
    for number in (1, 5):
        for n in range(number):
            other = ProductFactory(sku=f"P-{number}-{n}", on_hand=10)
            item = SupplierProductFactory(product=other)
            adjusted(product=other)
            adjusted(supplier=item.supplier)
        with CaptureQueriesContext(connection) as asked:
            propose_orders(on=DAY)
        counts.append(len(asked))

    assert counts[1] <= counts[0]


def test_the_page_notes_and_ends_them(product: Product, admin_client: Client) -> None:
    url = reverse("purchasing:adjustments")
    typed = {
        "verb": "add-",
        "sku": "lampe",
        "first_day": "2026-01-01",
        "last_day": "2026-12-31",
        "percent": "40",
        "reason": "presse",
        "is_exceptional": "on",
    }

    admin_client.post(url, typed)

    made = DemandAdjustment.objects.get()
    assert (made.product, made.percent, made.is_exceptional) == (product, 40, True)
    assert made.created_by is not None
    assert AuditEvent.objects.get(kind="forecast.adjusted").actor == made.created_by
    page = admin_client.get(url).content.decode()
    assert "+40" in page
    admin_client.post(url, {"verb": f"ordinary-{made.pk}"})
    admin_client.post(url, {"verb": f"withdraw-{made.pk}"})
    made.refresh_from_db()
    assert made.withdrawn_at is not None
    assert not made.is_exceptional


@pytest.mark.parametrize(
    "typed",
    [
        {"sku": "INCONNU", "percent": "40"},
        {"sku": "", "weekly": "40"},
        {"sku": "", "percent": "beaucoup"},
        {"sku": "", "percent": "40", "first_day": "2026-02-31"},
    ],
)
def test_the_page_says_what_is_wrong(
    typed: dict[str, str], product: Product, admin_client: Client
) -> None:
    known = {"verb": "add-", "first_day": "2026-03-02", "last_day": "2026-03-05", "reason": "x"}

    answer = admin_client.post(reverse("purchasing:adjustments"), {**known, **typed})

    assert answer.status_code == 200
    assert not DemandAdjustment.objects.exists()


def test_who_only_reads_changes_nothing(product: Product, client: Client) -> None:
    reader = User.objects.create_user("lecteur", is_staff=True)
    reader.groups.add(Group.objects.get(name="Entrepôt"))
    client.force_login(reader)
    made = adjusted(product=product)
    url = reverse("purchasing:adjustments")

    assert client.get(url).status_code == 200
    assert client.post(url, {"verb": f"withdraw-{made.pk}"}).status_code == 404
    assert client.post(url, {"verb": "add-"}).status_code == 404
    made.refresh_from_db()
    assert made.withdrawn_at is None
