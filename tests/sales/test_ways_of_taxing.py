"""The VAT that a shop states is kept, in whatever way it taxed the order; else it is argued."""

from decimal import Decimal

import pytest

from sales.drafts import DUTIES, GOODS, LineDraft, OrderDraft, StatedTax
from sales.services import PricedOrder, price_order
from tests.factories import draft, line

D = Decimal


def taxes(priced: PricedOrder) -> dict[D, D]:
    return {t.rate: t.tax for t in priced.taxes if t.tax}


def order(*lines: LineDraft, total: str, stated: dict[str, str], **more: object) -> OrderDraft:
    named = tuple(StatedTax(D(rate), D(amount)) for rate, amount in stated.items())
    return draft("1", *lines, total_incl_tax=D(total), stated_taxes=named, **more)


def goods(price: str, kind: str = GOODS, rate: D | None = None) -> LineDraft:
    return line("A", price, tax_rate=rate)._replace(kind=kind)


def test_untaxed_shipping_beside_prices_incl_tax() -> None:
    priced = price_order(
        order(goods("120.00"), total="130.00", stated={"20": "20.00"}, shipping_amount=D("10.00")),
        {},
    )

    assert (taxes(priced), priced.shipping_tax_rate) == ({D("20"): D("20.00")}, D("0.00"))
    assert priced.stated_tax is None


def test_a_discount_may_bear_on_shipping_too() -> None:
    """39.98 of goods and 5.90 of shipping share 4.22: 0.54 of it come off shipping."""
    priced = price_order(
        order(
            goods("39.98", rate=D("5.5")),
            total="41.66",
            stated={"20": "0.89", "5.5": "1.89"},
            shipping_amount=D("5.90"),
            shipping_tax_rate=D("20"),
            discount=D("4.22"),
        ),
        {},
    )

    assert taxes(priced) == {D("20"): D("0.89"), D("5.5"): D("1.89")}
    assert (priced.discount, priced.lines[0].order_discount) == (D("4.22"), D("3.68"))
    assert priced.stated_tax is None


def test_untaxed_shipping_beside_prices_excl_tax() -> None:
    priced = price_order(
        order(
            goods("100.00"),
            total="130.00",
            stated={"20": "20.00"},
            shipping_amount=D("10.00"),
            prices_include_tax=False,
            charges_include_tax=False,
        ),
        {},
    )

    assert (priced.total_tax, priced.shipping) == (D("20.00"), D("10.00"))


def test_shipping_taxed_alone() -> None:
    priced = price_order(
        order(goods("50.00"), total="56.00", stated={"20": "1.00"}, shipping_amount=D("6.00")), {}
    )

    assert (priced.total_tax, priced.lines[0].tax_rate) == (D("1.00"), D(0))


@pytest.mark.parametrize(
    ("stated", "rate"),
    [({"20.00": "2.67", "5.50": "5.50"}, "20"), ({"20.00": "1.67", "5.50": "5.81"}, "5.5")],
)
def test_shipping_at_one_of_two_rates(stated: dict[str, str], rate: str) -> None:
    lines = (goods("10.00", rate=D("20")), goods("105.50", rate=D("5.5")))

    priced = price_order(
        order(*lines, total="121.50", stated=stated, shipping_amount=D("6.00")), {}
    )

    assert priced.shipping_tax_rate == D(rate)
    assert taxes(priced) == {D(r): D(amount) for r, amount in stated.items()}


def test_duties_taxed_like_the_goods() -> None:
    duties = goods("12.00", kind=DUTIES, rate=D("0.00"))

    priced = price_order(order(goods("120.00"), duties, total="132.00", stated={"20": "22.00"}), {})

    assert priced.total_tax == D("22.00")


@pytest.mark.parametrize(
    ("first", "second", "total"),
    [(("5", "5.00"), ("7", "7.00"), "112.00"), (("5", "5.00"), ("9.98", "9.98"), "114.98")],
)
def test_two_taxes_on_one_base(first: tuple[str, str], second: tuple[str, str], total: str) -> None:
    priced = price_order(
        order(
            goods("100.00"),
            total=total,
            stated=dict((first, second)),
            prices_include_tax=False,
            charges_include_tax=False,
        ),
        {},
    )

    assert priced.total_tax == D(first[1]) + D(second[1])
    assert priced.stated_tax is None


def test_a_voucher_on_one_article_takes_its_vat_off_there() -> None:
    lines = (goods("12.00", rate=D("20")), goods("105.50", rate=D("5.5")))

    priced = price_order(
        order(*lines, total="105.50", stated={"20": "0.00", "5.5": "5.50"}, discount=D("12.00")), {}
    )

    assert taxes(priced) == {D("5.5"): D("5.50")}
    assert [item.order_discount for item in priced.lines] == [D("12.00"), D("0.00")]


def test_vat_rounded_piece_by_piece_is_the_shops() -> None:
    screws = line("VIS", "0.33", "37", tax_rate=D("20"))

    priced = price_order(
        draft("1", screws, total_incl_tax=D("12.21"), stated_taxes=(StatedTax(None, D("1.85")),)),
        {},
    )

    assert (priced.total_tax, priced.stated_tax) == (D("1.85"), None)


def test_what_no_way_gives_is_kept_as_charged_and_said() -> None:
    priced = price_order(order(goods("120.00"), total="120.00", stated={"20": "17.00"}), {})

    assert (priced.total_tax, priced.stated_tax) == (D("20.00"), D("17.00"))


@pytest.mark.parametrize("state", ["cancelled", "confirmed"])
def test_an_order_that_owes_nothing_never_waits_for_a_rate(state: str) -> None:
    free = goods("120.00")._replace(discount=D("120.00"))
    sold = goods("120.00")
    item, total = (sold, "120.00") if state == "cancelled" else (free, "0.00")

    priced = price_order(
        draft(
            "1",
            item,
            goods("0.00"),
            state=state,
            total_incl_tax=D(total),
            stated_taxes=(StatedTax(None, D("0.00")),),
        ),
        {},
    )

    assert sum(item.total for item in priced.lines) == D(total)


def test_a_stated_nought_is_a_statement_of_a_shop_that_states_vat() -> None:
    untaxed = draft(
        "1", goods("100.00"), total_incl_tax=D("100.00"), stated_taxes=(StatedTax(None, D(0)),)
    )

    assert price_order(untaxed, {"a": D("20")}, states_vat=True).total_tax == 0
    assert price_order(untaxed, {"a": D("20")}).total_tax == D("16.67")


def test_a_shop_without_vat_has_the_rate_that_it_said() -> None:
    untaxed = draft(
        "1", goods("120.00"), total_incl_tax=D("120.00"), stated_taxes=(StatedTax(None, D(0)),)
    )

    assert price_order(untaxed, {}, untaxed_rate=D("20")).total_tax == D("20.00")
