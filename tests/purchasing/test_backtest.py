from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from inventory.models import Product
from inventory.services import Demand, change_reservations, default_warehouse
from purchasing.errors import WrongState
from purchasing.models import Backtest
from purchasing.planning.backtest import History, given_policy, simulate
from purchasing.services import replay_past, run_backtest, sample_backtest, start_backtest
from sphinx.core import clock
from sphinx.core.errors import InputError
from tests.factories import NOON, ProductFactory, SupplierProductFactory

pytestmark = pytest.mark.django_db


def test_learned_levels_beat_a_fixed_minimum_on_service_and_on_stock() -> None:
    found = {line["name"]: line for line in sample_backtest(products=80)["all"]}

    learned, fixed = found["learned"], found["fixed"]
    assert Decimal(learned["fill_rate"]) > Decimal(fixed["fill_rate"])
    assert Decimal(learned["average_stock"]) < Decimal(fixed["average_stock"])


def test_a_short_history_is_said_to_be_too_short() -> None:
    with pytest.raises(InputError):
        run_backtest(until=date(2026, 3, 2))


@pytest.fixture
def past() -> Product:
    """A year in which two pieces a day were asked."""
    product = ProductFactory(on_hand=20)
    SupplierProductFactory(product=product, lead_time_days=7)
    draw = np.random.default_rng(5)
    change_reservations(
        demands=[
            Demand(product.pk, Decimal(int(pieces)), NOON - timedelta(days=day), str(day))
            for day, pieces in enumerate(draw.poisson(2, 364))
            if pieces
        ],
        warehouse=default_warehouse(),
    )
    return product


def test_the_firms_own_past_is_replayed(past: Product) -> None:
    kept = run_backtest(until=NOON.date(), days=150)

    found = {line["name"]: line for line in kept.outcomes}
    # Nothing was really bought: nearly nobody was served at once.
    assert Decimal(found["real"]["fill_rate"]) < 20
    assert Decimal(found["learned"]["fill_rate"]) > 90
    assert int(found["learned"]["orders"]) > 0


def test_one_back_test_runs_at_a_time_and_a_dead_one_makes_room(past: Product) -> None:
    started = start_backtest(until=NOON.date())
    with pytest.raises(WrongState):
        start_backtest(until=NOON.date())

    Backtest.objects.update(computed_at=clock.now() - timedelta(hours=1))
    again = start_backtest(until=NOON.date())
    replay_past(backtest_id=again.pk, days=150)

    started.refresh_from_db()
    again.refresh_from_db()
    assert (started.status, again.status, again.products_done) == ("failed", "done", 1)


def test_a_back_test_given_up_for_dead_is_not_finished(past: Product) -> None:
    started = start_backtest(until=NOON.date())
    Backtest.objects.update(status="failed")

    assert replay_past(backtest_id=started.pk, days=150).status == "failed"


def test_the_service_level_asked_is_shown_beside_the_one_achieved(
    past: Product, admin_client: Client
) -> None:
    kept = run_backtest(until=NOON.date(), days=150)

    (found,) = kept.outcomes[0]["classes"]
    assert (found["abc"], found["asked"]) == ("A", "98")
    assert int(found["orders"]) >= 5
    assert 80 <= Decimal(found["achieved"]) <= 100
    page = admin_client.get(reverse("purchasing:backtest")).content.decode()
    assert "Taux de service demandé et tenu" in page


def test_an_arrival_before_which_something_was_missing_is_counted() -> None:
    """Four a day, ten in stock, ten come ten days after each order: 10 lasts two days and a half;
    nothing more is ordered, since the level is zero."""
    history = History(
        daily=np.full((1, 40), 4.0),
        opening=np.array([10.0]),
        lead_days=np.array([10.0]),
        lead_spread=np.zeros(1),
        pack=np.ones(1),
        terms=[None],
        abc=["A"],
        shelf_life=[None],
    )

    short = simulate("s", history, given_policy(np.zeros(1), np.full(1, 10.0)), start=0)
    enough = simulate("e", history, given_policy(np.full(1, 50.0), np.full(1, 60.0)), start=0)

    assert short.short[0] == short.arrivals[0] > 0
    # The first order came too late; later ones found some left.
    assert enough.short[0] < enough.arrivals[0]
