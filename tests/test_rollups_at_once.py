"""Sums refreshed by many hands while orders come in: none lost, none counted twice."""

from datetime import timedelta
from functools import partial

import pytest

from sphinx.dashboard import rollups
from sphinx.dashboard.models import SalesDay, StaleDay
from tests.factories import NOON, draft, line, put
from tests.support.threads import together

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def test_readers_refresh_at_once_while_orders_come_in() -> None:
    def order(number: int) -> None:
        put(draft(f"W{number}", line("A"), placed_at=NOON - timedelta(days=number % 5)))

    def refresh(_number: int) -> None:
        rollups.refresh()

    put(draft("W99", line("A")))
    raised = together(partial(order if n % 2 else refresh, n) for n in range(12))

    assert raised == []
    assert not any(d.wrong for d in rollups.differences())
    assert sum(day.orders for day in SalesDay.objects.all()) == 7
    assert not StaleDay.objects.exists()
