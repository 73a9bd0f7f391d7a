"""Orders in other currencies: converted at the stated rate, or waiting for one."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from sales.drafts import OrderDraft
from sales.models import Order
from sphinx.core.models import ExchangeRate
from tests.factories import draft, line, put

pytestmark = pytest.mark.django_db
D = Decimal


def dollars(number: str = "1", **values: Any) -> OrderDraft:
    lines = (line("A", "19.99", "3"), line("B", "5.01"))
    return draft(number, *lines, currency="USD", shipping_amount=D("4.95"), **values)


def test_an_order_waits_for_its_rate() -> None:
    (rejection,) = put(dollars()).rejections

    assert rejection.code == "order.foreign_currency"
    assert "USD" in rejection.message


def test_it_comes_in_at_the_rate_of_its_day_and_keeps_what_it_was() -> None:
    ExchangeRate.objects.create(
        currency="USD", valid_from=date(2026, 1, 1), units_per_euro=D("1.10")
    )
    ExchangeRate.objects.create(
        currency="USD", valid_from=date(2026, 6, 1), units_per_euro=D("1.50")
    )

    result = put(dollars())

    assert result.rejections == []
    order = Order.objects.get()
    assert (order.currency, order.original_currency, order.exchange_rate) == (
        "EUR",
        "USD",
        D("1.10"),
    )
    assert order.original_total == D("69.93")
    assert order.total_incl_tax == D("63.57")
    charged = sum((ln.total_incl_tax for ln in order.lines.all()), D(0))
    assert charged + order.shipping_incl_tax - order.discount_incl_tax == order.total_incl_tax


def test_a_rate_given_later_lets_the_same_order_in() -> None:
    put(dollars())
    ExchangeRate.objects.create(currency="USD", valid_from=date(2026, 1, 1), units_per_euro=D("1"))

    assert put(dollars()).created == 1
    assert put(dollars()).unchanged == 1


def test_the_rates_of_a_chunk_cost_one_query(django_assert_max_num_queries: Any) -> None:
    ExchangeRate.objects.create(currency="USD", valid_from=date(2026, 1, 1), units_per_euro=D("1"))
    put(dollars("0"))

    with django_assert_max_num_queries(40):
        put(*(dollars(str(n)) for n in range(1, 30)))
