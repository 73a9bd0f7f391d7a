from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sales.drafts import StatedTax
from sales.errors import TaxUndecided, TotalMismatch
from sales.services import price_order
from tests.factories import draft, line

D = Decimal
prices = st.decimals(min_value="0.01", max_value=500, places=2)
lines = st.lists(
    st.builds(
        lambda price, quantity, rate: line("A", str(price), str(quantity), tax_rate=D(rate)),
        prices,
        st.integers(1, 5),
        st.sampled_from(["20", "10", "5.5"]),
    ),
    min_size=1,
    max_size=6,
)


def test_the_parts_must_make_the_total_to_the_cent() -> None:
    with pytest.raises(TotalMismatch) as caught:
        price_order(draft("1", line("A", "10.00"), total_incl_tax=D("10.01")), {})

    assert caught.value.code == "order.total_mismatch"
    assert caught.value.column == "total_incl_tax"


def test_a_missing_rate_is_the_products() -> None:
    priced = price_order(draft("1", line("a", tax_rate=None)), {"a": D("5.5")})

    assert priced.lines[0].tax_rate == D("5.5")


def test_an_unknown_rate_sets_the_order_aside() -> None:
    with pytest.raises(TaxUndecided):
        price_order(draft("1", line("A", tax_rate=None)), {"a": None})


def test_the_only_stated_rate_is_every_lines() -> None:
    order = draft("1", line("A", tax_rate=None), stated_taxes=(StatedTax(D("20"), D("1.67")),))

    assert price_order(order, {}).lines[0].tax_rate == 20


def test_several_stated_rates_are_split_by_their_amounts() -> None:
    order = draft(
        "1",
        line("A", "24.00", tax_rate=None),
        line("B", "10.55", tax_rate=None),
        stated_taxes=(StatedTax(D("20"), D("4.00")), StatedTax(D("5.5"), D("0.55"))),
    )

    assert [item.tax_rate for item in price_order(order, {}).lines] == [D("20"), D("5.5")]


def test_two_possible_splits_wait_for_a_human() -> None:
    order = draft(
        "1",
        line("A", "10.00", tax_rate=None),
        line("B", "10.00", tax_rate=None),
        stated_taxes=(StatedTax(D("20"), D("1.67")), StatedTax(D("5.5"), D("0.52"))),
    )

    with pytest.raises(TaxUndecided):
        price_order(order, {})


def test_a_vat_stated_without_a_rate_is_told_by_its_amount() -> None:
    order = draft(
        "1", line("A", "10.55", tax_rate=None), stated_taxes=(StatedTax(None, D("0.55")),)
    )

    assert price_order(order, {"a": None}).lines[0].tax_rate == D("5.5")


def test_prices_without_tax_meet_the_shops_total_however_it_rounds() -> None:
    # 3 × 3.33 = 9.99 net, 11.988 with tax: the shop charged 11.99.
    order = draft("1", line("A", "3.33", "3"), prices_include_tax=False, total_incl_tax=D("11.99"))

    priced = price_order(order, {})

    assert priced.lines[0].total == D("11.99")
    assert priced.total_tax == D("2.00")


def test_the_shops_own_vat_is_kept_when_it_rounds_otherwise() -> None:
    order = draft("1", line("A", "10.00"), stated_taxes=(StatedTax(D("20"), D("1.66")),))

    assert price_order(order, {}).total_tax == D("1.66")


def test_a_vat_that_is_no_rounding_is_not_believed() -> None:
    order = draft("1", line("A", "10.00"), stated_taxes=(StatedTax(D("20"), D("3.00")),))

    assert price_order(order, {}).total_tax == D("1.67")


def test_shipping_follows_the_goods_when_the_shop_names_no_rate() -> None:
    order = draft(
        "1",
        line("A", "36.00"),
        line("B", "21.10", tax_rate=D("5.5")),
        shipping_amount=D("6.90"),
    )

    taxes = {t.rate: (t.total, t.tax) for t in price_order(order, {}).taxes}

    assert taxes == {D("20"): (D("40.35"), D("6.73")), D("5.5"): (D("23.65"), D("1.23"))}


@given(items=lines, shipping=prices, share=st.integers(0, 100))
def test_whatever_the_order_its_parts_make_its_total(
    items: list, shipping: Decimal, share: int
) -> None:
    goods = sum(item.quantity * item.unit_price for item in items)
    discount = (goods * share / 100).quantize(D("0.01"))

    priced = price_order(draft("1", *items, shipping_amount=shipping, discount=discount), {})

    total = goods + shipping - discount
    assert sum(item.total for item in priced.lines) + priced.shipping - priced.discount == total
    assert sum(t.total for t in priced.taxes) == total
    assert 0 <= priced.total_tax <= total


def test_a_discount_larger_than_the_goods_eats_into_shipping() -> None:
    order = draft("1", line("A", "5.00"), shipping_amount=D("4.90"), discount=D("7.00"))

    priced = price_order(order, {})

    assert priced.lines[0].order_discount == D("5.00")
    assert sum(t.total for t in priced.taxes) == D("2.90")


def test_an_order_of_free_items_is_worth_nothing_and_passes() -> None:
    priced = price_order(draft("1", line("A", "0.00")), {})

    assert priced.total_tax == 0
