"""A size that has no past of its own is bought by its part of what its model is asked for."""

from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory.models import Product, ProductCategory, Style
from inventory.services import (
    Demand,
    StyleDraft,
    change_reservations,
    default_warehouse,
    make_styles,
    open_stock,
)
from purchasing.courses import course_of
from purchasing.models import StockPolicy
from purchasing.planning.curves import Variant, size_curves
from purchasing.planning.forecasting import forecast
from purchasing.planning.series import Series
from purchasing.reasons import explain
from purchasing.services import propose_orders
from tests.factories import NOON, ProductFactory, SupplierProductFactory
from tests.purchasing.test_learning import DAY, policy, sold

D = Decimal
SIZES = {"S": 1, "M": 2, "L": 1}


def variants(
    style: int, sold_of: dict[str, tuple[float, float]], group: str = "tops"
) -> list[Variant]:
    """Variants of one option, size → (pieces, days seen); ids are style × 100 + place."""
    return [
        Variant(style * 100 + n, style, group, ("Taille",), (size,), pieces, days)
        for n, (size, (pieces, days)) in enumerate(sold_of.items())
    ]


# --- The curve, worked by hand -----------------------------------------------------------------


def test_a_size_that_was_never_there_takes_the_part_it_has_in_the_category() -> None:
    # In model 2 XL is asked for half as often as S; model 1 sells S once a day: XL ½ a day,
    # of 1 + 2 + 1 + ½ = 4.5.
    curves = size_curves(
        variants(1, {"S": (100, 100), "M": (200, 100), "L": (100, 100), "XL": (0, 0)})
        + variants(2, {"S": (60, 100), "M": (120, 100), "L": (60, 100), "XL": (30, 100)})
    )

    assert curves[103].per_day == pytest.approx(0.5, rel=0.001)
    assert curves[103].style_per_day == pytest.approx(4.5, rel=0.001)
    assert curves[103].share == pytest.approx(1 / 9, rel=0.001)
    assert curves[103].pieces == 400


def test_days_without_stock_lower_no_share() -> None:
    # M was there 50 days of 100 and sold 100 pieces: 2 a day, as if it had always been there.
    curves = size_curves(variants(1, {"S": (100, 100), "M": (100, 50), "L": (100, 100)}))

    assert [curves[100 + n].share for n in range(3)] == pytest.approx([0.25, 0.5, 0.25])


def test_a_size_that_nobody_knows_follows_the_one_next_to_it() -> None:
    # L sells 0.6 a day and XXL is next to it alone: 0.6 of 1 + 2 + 0.6 + 0.6 = 4.2.
    curves = size_curves(
        variants(1, {"S": (100, 100), "M": (200, 100), "L": (60, 100), "XXL": (0, 0)})
    )

    assert curves[103].per_day == pytest.approx(0.6)
    assert curves[103].share == pytest.approx(0.6 / 4.2)


def test_between_two_sizes_their_mean() -> None:
    # M between S (1 a day) and L (0.5 a day): 0.75.
    curves = size_curves(variants(1, {"S": (100, 100), "M": (0, 0), "L": (50, 100)}))

    assert curves[101].per_day == pytest.approx(0.75)


def test_few_days_on_the_shelf_are_drawn_to_the_size_next_to_it() -> None:
    # XL was there 5 days: L's rate of 1 a day foretold 5 pieces, 1 was asked for:
    # (1 + 10) / (5 + 10) = 0.7333 a day. 401 pieces were asked for, 400 + 5 × 0.7333 = 403.667
    # expected: all are 401 / 403.667 of that.
    curves = size_curves(
        variants(1, {"S": (100, 100), "M": (200, 100), "L": (100, 100), "XL": (1, 5)})
    )

    assert curves[103].per_day == pytest.approx(11 / 15 * 401 / (400 + 5 * 11 / 15))


def test_a_new_colour_is_asked_for_as_the_others_are_on_average() -> None:
    # Blue sells 1 and 2 a day, red half of that; green is new: ¾ of blue, 0.75 and 1.5.
    told = [("S", "Bleu", 100, 100), ("M", "Bleu", 200, 100), ("S", "Rouge", 50, 100),
            ("M", "Rouge", 100, 100), ("S", "Vert", 0, 0), ("M", "Vert", 0, 0)]  # fmt: skip
    names = ("Taille", "Couleur")
    curves = size_curves(
        [Variant(n, 1, "x", names, (s, c), p, d) for n, (s, c, p, d) in enumerate(told)]
    )

    assert [curves[4].per_day, curves[5].per_day] == pytest.approx([0.75, 1.5])


def test_the_models_own_curve_counts_by_what_it_has_sold() -> None:
    # The category is level: half S, half M. Model 1 sold 60 S and 40 M over 100 days each: fitted
    # with model 2 (4,000 and 4,000) S and M are (4,060 : 4,040) of 4,050, so model 1 is expected to
    # sell 50.12 and 49.88. Its own: (60 + 20) / (50.12 + 20) = 1.141.
    curves = size_curves(
        variants(1, {"S": (60, 100), "M": (40, 100)})
        + variants(2, {"S": (4000, 100), "M": (4000, 100)})
    )

    expected = 50 * 4060 / 4050
    assert curves[100].per_day == pytest.approx(expected / 100 * 80 / (expected + 20), rel=1e-4)


def test_a_model_that_hardly_sold_has_no_curve() -> None:
    assert size_curves(variants(1, {"S": (5, 100), "M": (4, 100), "L": (0, 0)})) == {}
    assert size_curves([]) == {}


def test_models_of_other_categories_teach_nothing() -> None:
    curves = size_curves(
        variants(1, {"S": (100, 100), "M": (200, 100), "XL": (0, 0)}, "tops")
        + variants(2, {"S": (100, 100), "M": (200, 100), "XL": (900, 100)}, "shoes")
    )

    # Next to M and nothing else.
    assert curves[102].per_day == pytest.approx(2)


# --- The forecast ------------------------------------------------------------------------------


def foretold(daily: np.ndarray, days: int, share: float) -> tuple[str, float]:
    """The method and the rate of one row whose history began `days` days ago."""
    series = Series(daily[None, :], np.array([daily.size - days]), np.zeros(1))
    found = forecast(series, np.array([9.0]), np.array([share]))
    return found.method[0], float(found.per_day[0])


def test_what_was_never_there_is_foretold_by_its_share() -> None:
    assert foretold(np.zeros(70), 0, 0.5) == ("curve", pytest.approx(0.5))


def test_a_short_past_counts_beside_the_share() -> None:
    # 20 pieces in 20 days and 30 days of ½: (20 + 15) / 50 = 0.7.
    daily = np.zeros(70)
    daily[-20:] = 1

    assert foretold(daily, 20, 0.5) == ("curve", pytest.approx(0.7))


def test_eight_weeks_of_its_own_tell_by_themselves() -> None:
    method, per_day = foretold(np.ones(70), 70, 0.1)

    assert (method, per_day) == ("smoothing", pytest.approx(1))


def test_without_a_model_nothing_changes() -> None:
    daily = np.zeros(70)
    daily[-20:] = 1
    series = Series(daily[None, :], np.array([50]), np.zeros(1))

    assert foretold(daily, 20, np.nan) == ("prior", forecast(series, np.array([9.0])).per_day[0])


# --- In the books ------------------------------------------------------------------------------


@pytest.fixture
def shirt(db: None) -> Style:
    """S, M and L sold 1, 2 and 1 a day for four months, and an XL nobody has seen yet."""
    found = {}
    for size, a_day in SIZES.items():
        product = ProductFactory(sku=f"SHIRT-{size}", on_hand=2000)
        sold(product, a_day=a_day)
        found[product.pk] = [size]
    found[ProductFactory(sku="SHIRT-XL").pk] = ["XL"]
    return make_styles([StyleDraft("Chemise", ["Taille"], found)])[0]


def xl() -> Product:
    return Product.objects.get(sku="SHIRT-XL")


def test_a_new_size_is_bought_by_its_share(shirt: Style) -> None:
    SupplierProductFactory(product=xl(), lead_time_days=10)

    (order,) = propose_orders(on=DAY).orders

    # As L, the size next to it.
    assert policy(xl()).demand_per_day == pytest.approx(D(1), rel=D("0.01"))
    line = order.lines.get(product=xl())
    assert line.quantity > 10
    assert line.reason["method"] == "curve"
    assert line.reason["style_share"] == "20"
    assert line.reason["style_per_day"] == "5"
    assert line.reason["style_pieces"] == "480"


def test_its_reason_tells_of_the_models_curve(shirt: Style) -> None:
    SupplierProductFactory(product=xl())
    (order,) = propose_orders(on=DAY).orders

    told = " ".join(step.text for step in explain(order.lines.get().reason))

    assert "courbe du modèle Chemise" in told
    assert "donne à XL 20 % de ses ventes, soit 1 sur 5 par jour (480 pièces" in told


def test_sizes_with_a_past_keep_their_forecast(shirt: Style) -> None:
    propose_orders(on=DAY)
    in_model = {p.product_id: (p.demand_per_day, p.figures) for p in StockPolicy.objects.all()}
    Product.objects.update(style=None, option1="")
    StockPolicy.objects.all().delete()

    propose_orders(on=DAY)

    alone = {p.product_id: (p.demand_per_day, p.figures) for p in StockPolicy.objects.all()}
    assert in_model.pop(xl().pk) != alone.pop(xl().pk)
    assert in_model == alone


def test_a_week_on_the_shelf_and_sold_out_it_is_not_thought_unwanted(shirt: Style) -> None:
    # Ten XL came 40 days ago and were gone after five days; a closed shelf asks for nothing.
    product = xl()
    came = NOON - timedelta(days=40)
    open_stock(opening={product.pk: (D(10), D(4))}, warehouse=default_warehouse(), at=came)
    change_reservations(
        demands=[Demand(product.pk, D(2), came + timedelta(days=n), f"XL-{n}") for n in range(5)],
        warehouse=default_warehouse(),
    )

    propose_orders(on=DAY)

    # More than the ten of 40 days, and more than what L, the size next to it, is asked for.
    assert policy(product).figures["method"] == "curve"
    assert policy(product).demand_per_day > 1


def test_the_products_page_foretells_the_same(shirt: Style) -> None:
    SupplierProductFactory(product=xl())
    propose_orders(on=DAY)

    course = course_of(xl(), default_warehouse(), on=DAY, levels=(D(0), D(0)))

    # None is there; one a day is missing after a week.
    coming = [week.without for week in course.weeks if week.without is not None]
    assert coming[:2] == pytest.approx([0, -7], abs=0.1)


def test_models_cost_a_fixed_number_of_queries(shirt: Style) -> None:
    counts = []
    for number in (1, 6):
        for n in range(number):
            pair = [ProductFactory(sku=f"P-{number}-{n}-{size}").pk for size in "SM"]
            draft = StyleDraft(f"Pull {number}-{n}", ["Taille"], {pair[0]: ["S"], pair[1]: ["M"]})
            make_styles([draft])
        propose_orders(on=DAY)
        with CaptureQueriesContext(connection) as asked:
            propose_orders(on=DAY)
        counts.append(len(asked))

    assert counts[0] == counts[1]


def test_only_sizes_without_a_past_have_their_category_read(shirt: Style) -> None:
    counts = []
    for product in (xl(), None):
        if product is None:
            Product.objects.filter(sku="SHIRT-XL").update(is_active=False)
        propose_orders(on=DAY)
        with CaptureQueriesContext(connection) as asked:
            propose_orders(on=DAY)
        counts.append(sum("style__" in q["sql"] or "option1_name" in q["sql"] for q in asked))

    # The products of the chunk with their models, and the variants of the models of the XL.
    assert counts == [2, 1]


def test_models_of_a_category_teach_each_other(shirt: Style) -> None:
    tops = ProductCategory.objects.create(name="Hauts")
    Product.objects.update(category=tops)
    polo = {}
    for size, a_day in {"S": 2, "M": 4, "L": 2, "XL": 1}.items():
        product = ProductFactory(sku=f"POLO-{size}", on_hand=2000, category=tops)
        sold(product, a_day=a_day)
        polo[product.pk] = [size]
    make_styles([StyleDraft("Polo", ["taille"], polo)])

    propose_orders(on=DAY)

    # Half of what S is asked for, as with the polo.
    assert policy(xl()).demand_per_day == pytest.approx(D("0.5"), rel=D("0.01"))
