"""Orders in other currencies: converted at the rate of their day, or waiting for one."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sales.drafts import OrderDraft
from sales.models import Order
from sphinx.core import ecb
from sphinx.core.models import ExchangeRate
from sphinx.core.services import company
from tests.factories import NOON, draft, line, placed, put, shipped

pytestmark = pytest.mark.django_db
D = Decimal
# The ECB's own, as published: 2 March 2026 was a Monday.
MONDAY, FRIDAY = D("1.1698"), D("1.1805")


def dollars(number: str = "1", **values: Any) -> OrderDraft:
    lines = (line("A", "19.99", "3"), line("B", "5.01"))
    return draft(number, *lines, **{"currency": "USD", "shipping_amount": D("4.95"), **values})


def typed(units: str, since: date = date(2026, 1, 1), currency: str = "USD") -> ExchangeRate:
    return ExchangeRate.objects.create(currency=currency, valid_from=since, units_per_euro=D(units))


def fetched(units: str, day: date, currency: str = "USD") -> ExchangeRate:
    return ExchangeRate.objects.create(
        currency=currency, valid_from=day, units_per_euro=D(units), source="ecb"
    )


def at(year: int, month: int, day: int, hour: int = 12) -> datetime:
    return datetime(year, month, day, hour, tzinfo=UTC)


def rate_of(order: Order) -> tuple[Decimal | None, date | None, str]:
    order.refresh_from_db()
    return order.exchange_rate, order.exchange_rate_on, order.exchange_rate_source


def came_in(**values: Any) -> tuple[Decimal | None, date | None, str]:
    result = put(dollars(**values), at=values.get("placed_at", NOON))
    assert not result.rejections, result.rejections
    return rate_of(Order.objects.get())


# --- The ECB's rates ----------------------------------------------------------------------


def test_an_order_comes_in_at_the_ecbs_rate_of_its_day_and_keeps_what_it_was() -> None:
    assert came_in() == (MONDAY, date(2026, 3, 2), "ecb")

    order = Order.objects.get()
    assert (order.currency, order.original_currency) == ("EUR", "USD")
    assert order.original_total == D("69.93")
    assert order.total_incl_tax == D("59.78")
    charged = sum((ln.total_incl_tax for ln in order.lines.all()), D(0))
    assert charged + order.shipping_incl_tax - order.discount_incl_tax == order.total_incl_tax


@pytest.mark.parametrize(
    ("placed_at", "day"),
    [
        (at(2026, 3, 1), date(2026, 2, 27)),  # a Sunday
        (at(2025, 4, 21), date(2025, 4, 17)),  # Easter Monday, after Good Friday
        (at(2026, 3, 1, 23), date(2026, 3, 2)),  # Sunday in London, Monday in Paris
    ],
)
def test_a_day_without_a_rate_has_the_last_before_it(placed_at: datetime, day: date) -> None:
    assert came_in(placed_at=placed_at)[1] == day


@pytest.mark.parametrize(
    ("currency", "placed_at"),
    [
        ("XPF", NOON),  # never quoted
        ("RUB", at(2022, 3, 12)),  # suspended since the 2nd
        ("BGN", at(2026, 1, 11)),  # the euro since the 1st
        ("USD", at(1998, 12, 31)),  # before the euro
        ("???", NOON),
    ],
)
def test_what_the_ecb_does_not_quote_waits_for_a_rate_by_hand(
    currency: str, placed_at: datetime
) -> None:
    (rejection,) = put(dollars(currency=currency, placed_at=placed_at)).rejections

    assert rejection.code == "order.foreign_currency"
    assert "ne donne pas de cours" in rejection.message
    assert f"{placed_at:%d/%m/%Y}" in rejection.message
    assert not Order.objects.exists()


def test_a_suspended_currency_has_its_last_rate_for_ten_days() -> None:
    assert came_in(currency="RUB", placed_at=at(2022, 3, 11))[1] == date(2022, 3, 1)


def test_an_order_after_the_rates_that_are_known_waits_and_says_until_when() -> None:
    last = ecb.shipped_until()
    late = at(last.year + 1, 1, 15)

    (rejection,) = put(dollars(placed_at=late), at=late).rejections

    assert f"s'arrêtent au {last:%d/%m/%Y}" in rejection.message
    assert f"15/01/{last.year + 1}" in rejection.message


def test_rates_fetched_since_go_on_after_the_shipped_ones() -> None:
    last = ecb.shipped_until()
    day = date(last.year + 1, 1, 15)
    fetched("1.25", day)
    fetched("9.99", day.replace(day=17))  # of a later day: never used

    late = at(day.year, 1, 16)
    assert came_in(placed_at=late) == (D("1.25"), day, "ecb")
    too_late = at(day.year, 1, 28)
    (rejection,) = put(dollars("2", placed_at=too_late), at=too_late).rejections
    assert f"s'arrêtent au 17/01/{day.year}" in rejection.message


def test_a_rate_that_was_fetched_goes_before_the_shipped_one_of_that_day() -> None:
    fetched("1.2000", date(2026, 3, 2))

    assert came_in()[0] == D("1.2")


def test_orders_in_euros_never_load_the_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    def load() -> None:
        raise AssertionError("loaded for nothing")

    monkeypatch.setattr(ecb, "_shipped", load)

    assert placed("1").exchange_rate is None


# --- Rates by hand ------------------------------------------------------------------------


def test_a_rate_by_hand_goes_before_the_ecbs() -> None:
    typed("1.10")
    typed("1.50", since=date(2026, 6, 1))
    fetched("1.2000", date(2026, 3, 2))

    assert came_in() == (D("1.10"), date(2026, 1, 1), "manual")


def test_before_its_first_day_a_rate_by_hand_says_nothing() -> None:
    typed("1.10", since=date(2026, 3, 3))

    assert came_in() == (MONDAY, date(2026, 3, 2), "ecb")


def test_a_rate_given_later_lets_the_same_order_in() -> None:
    put(dollars(currency="XPF"))
    typed("119.3317", currency="XPF")

    assert put(dollars(currency="XPF")).created == 1
    assert put(dollars(currency="XPF")).unchanged == 1


# --- Once in ------------------------------------------------------------------------------


def test_an_order_keeps_the_ecbs_rate_that_it_came_in_at() -> None:
    placed_at = at(2026, 3, 1)
    put(dollars(placed_at=placed_at))
    fetched("1.3", date(2026, 3, 1))

    put(dollars(placed_at=placed_at, note="Sonner deux fois"))

    order = Order.objects.get()
    assert order.note == "Sonner deux fois"
    assert rate_of(order) == (FRIDAY, date(2026, 2, 27), "ecb")


def test_until_it_has_left_a_rate_by_hand_goes_before_the_one_it_came_in_at() -> None:
    put(dollars())
    typed("1.10")

    put(dollars(note="Sonner deux fois"))

    assert rate_of(Order.objects.get()) == (D("1.10"), date(2026, 1, 1), "manual")


def test_what_has_left_is_refunded_at_the_rate_it_was_sold_at() -> None:
    order = shipped("1", line("A", "117.00"), currency="USD").order
    typed("2.00")

    refund = {"refunded": D("117.00"), "payment_status": "refunded"}
    put(draft("1", line("A", "117.00"), currency="USD", **refund))

    assert rate_of(order) == (MONDAY, date(2026, 3, 2), "ecb")
    assert order.refunded_incl_tax == order.total_incl_tax == D("100.02")


def test_an_order_of_another_day_takes_the_rate_of_that_day() -> None:
    put(dollars())

    put(dollars(placed_at=at(2026, 2, 27)))

    assert rate_of(Order.objects.get())[1] == date(2026, 2, 27)


def test_an_exempt_firm_sells_in_dollars_too() -> None:
    firm = company()
    firm.is_tax_exempt = True
    firm.save()
    untaxed = line("A", "117.00", tax_rate=D(0))

    put(draft("1", untaxed, currency="USD"))

    order = Order.objects.get()
    assert (order.total_incl_tax, order.total_tax) == (D("100.02"), D(0))


# --- On the whole -------------------------------------------------------------------------


def test_the_rates_of_a_chunk_cost_one_query(django_assert_max_num_queries: Any) -> None:
    put(dollars("0"))

    with django_assert_max_num_queries(40):
        put(*(dollars(str(n)) for n in range(1, 30)))


def test_orders_that_wait_cost_no_query_each(django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(25):
        result = put(*(dollars(str(n), currency="XPF") for n in range(30)))

    assert len(result.rejections) == 30


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    prices=st.lists(st.decimals("0.01", "900", places=2), min_size=1, max_size=6),
    shipping=st.decimals("0", "40", places=2),
    currency=st.sampled_from(["USD", "GBP", "JPY", "HUF", "CHF"]),
)
def test_amounts_in_euros_add_up_to_the_total(
    prices: list[Decimal], shipping: Decimal, currency: str
) -> None:
    lines = [line(f"P{n}", str(price)) for n, price in enumerate(prices)]

    number = str(Order.objects.count())

    result = put(draft(number, *lines, currency=currency, shipping_amount=shipping))

    assert result.rejections == []
    order = Order.objects.get(number=number)
    charged = sum((ln.total_incl_tax for ln in order.lines.all()), D(0))
    assert charged + order.shipping_incl_tax - order.discount_incl_tax == order.total_incl_tax
    assert order.original_total == sum(prices, shipping)


def test_its_page_says_the_rate_its_day_and_who_gives_it(admin_client: Client) -> None:
    put(dollars())

    order = Order.objects.get()
    page = admin_client.get(f"/admin/sales/order/{order.pk}/change/").content.decode()

    assert "1 € = 1,1698 USD (BCE, 02/03/2026)" in page
