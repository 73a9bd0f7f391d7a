"""What isn't learned as demand is shown, and counts when the article or the customer says so."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from customers.drafts import CustomerDraft
from customers.models import Customer
from inventory.models import Product
from inventory.selectors import Asked
from inventory.services import default_warehouse, set_components
from purchasing.courses import course_of
from purchasing.planning.series import build_series
from purchasing.reasons import explain
from purchasing.services import propose_orders
from tests.factories import NOON, ProductFactory, SupplierProductFactory, line, placed
from tests.purchasing.test_learning import DAY, policy, sold

D = Decimal
YESTERDAY = DAY - timedelta(days=1)


def asked(*pieces: int, standing: str = "") -> list[Asked]:
    """Ten lines of two pieces, and these."""
    usual = [Asked(1, YESTERDAY - timedelta(days=n), D(2), 1) for n in range(10)]
    return usual + [Asked(1, YESTERDAY, D(n), 1, standing) for n in pieces]


def series_of(lines: list[Asked], **values: object) -> object:
    first = {1: DAY - timedelta(days=20)}
    return build_series([1], lines, first, before=DAY, weeks=3, **values)  # type: ignore[arg-type]


def test_what_is_cut_is_counted_with_its_share() -> None:
    # All ask two: a line of four times that, eight, is still ordinary; of 88 eighty are left out.
    found = series_of(asked(88))

    assert found.daily.sum() == 20 + 8
    # 80 of 108.
    assert found.left_out(0) == pytest.approx((80, 100 * 80 / 108))
    assert found.fences[0] == 8


def test_an_article_may_count_them_in_full() -> None:
    found = series_of(asked(88), counts_in_full=[1])

    assert found.daily.sum() == 108
    assert found.left_out(0) == (0, 0)


def test_an_ordinary_customer_s_order_counts_in_full() -> None:
    found = series_of(asked(88, standing="ordinary"))

    assert found.daily.sum() == 108
    assert found.left_out(0) == (0, 0)


def test_of_an_exceptional_customer_nothing_counts() -> None:
    found = series_of(asked(3, standing="exceptional"))

    assert found.daily.sum() == found.asked.sum() == 20
    assert found.left_out(0) == pytest.approx((3, 100 * 3 / 23))
    assert found.aside.sum() == 3


@pytest.fixture
def product(db: None) -> Product:
    """Two pieces a day for four months, and 300 at once by a firm, a month ago."""
    found = ProductFactory(sku="TASSE", on_hand=600)
    sold(found)
    SupplierProductFactory(product=found, lead_time_days=10)
    placed(
        "GROSSE",
        line("TASSE", quantity="300"),
        placed_at=NOON - timedelta(days=30),
        customer=CustomerDraft(ref="FIRME", email="achats@firme.test"),
    )
    return found


def per_day(product: Product) -> float:
    propose_orders(on=DAY)
    return float(policy(product).figures["demand_per_day"])


def called(how: str) -> None:
    Customer.objects.filter(email="achats@firme.test").update(orders_count=how)


def test_the_article_s_switch_is_honoured_and_said(product: Product) -> None:
    cut = per_day(product)
    figures = policy(product).figures
    # 240 asked by the piece, 300 at once, of which eight count.
    assert figures["left_out"] == "292"
    assert figures["left_out_share"] == "54.1"

    Product.objects.filter(pk=product.pk).update(bulk_counts=True)

    assert per_day(product) > cut
    found = policy(product)
    assert "left_out" not in found.figures
    assert said(product, "Les grosses commandes comptent")


def said(product: Product, text: str) -> bool:
    found = policy(product)
    reason = {**found.figures, "policy": found.policy, "needed": "1", "forecast": "0"}
    position = dict.fromkeys(["on_hand", "reserved", "incoming", "backordered"], "0")
    levels = {"reorder_point": "1", "order_up_to": "2"}
    return any(text in step.text for step in explain({**reason, **position, **levels}))


def test_it_says_how_much_is_left_out(product: Product) -> None:
    per_day(product)

    assert said(product, "292 pièces (54,1 % de ce qui a été demandé) sont laissées de côté")


def test_the_customer_s_switch_is_honoured(product: Product) -> None:
    cut = per_day(product)

    called("ordinary")
    in_full = per_day(product)
    called("exceptional")
    without = per_day(product)

    assert in_full > cut > without
    assert without == pytest.approx(2, rel=0.01)
    assert policy(product).figures["exceptional_customers"] == "300"
    assert said(product, "Dont 300 de clients dont les commandes sont dites exceptionnelles")


def test_the_parts_of_a_bundle_stand_as_its_customer(product: Product) -> None:
    bundle = ProductFactory(sku="SERVICE")
    set_components(bundle_id=bundle.pk, parts={product.pk: D(6)})
    placed(
        "LOT",
        line("SERVICE", quantity="2"),
        placed_at=NOON - timedelta(days=3),
        customer=CustomerDraft(ref="FIRME", email="achats@firme.test"),
    )
    called("exceptional")

    per_day(product)

    # 300, and two bundles of six.
    assert policy(product).figures["exceptional_customers"] == "312"


def test_the_page_shows_the_pieces_the_share_and_the_orders(
    product: Product, admin_client: Client
) -> None:
    course = course_of(product, default_warehouse(), on=DAY, levels=(D(0), D(0)))

    assert (course.left_out.pieces, course.left_out.share) == (292, D("54.1"))
    (order,) = course.left_out.lines
    assert (order.order, order.pieces, order.day) == (
        "GROSSE",
        300,
        (NOON - timedelta(days=30)).date(),
    )
    # The week shows what was asked, 14 and 300, of which all but the fence are left out.
    week = max(course.weeks, key=lambda w: w.left_out)
    assert (week.asked, week.left_out) == (314, 292)
    page = admin_client.get(reverse("purchasing:product", args=[product.pk])).content.decode()
    assert "Grosses commandes" in page


def test_an_ordinary_customer_s_order_isn_t_listed(product: Product) -> None:
    placed(
        "AUTRE",
        line("TASSE", quantity="200"),
        placed_at=NOON - timedelta(days=20),
        customer=CustomerDraft(ref="C9", email="autre@exemple.test"),
    )
    called("ordinary")

    course = course_of(product, default_warehouse(), on=DAY, levels=(D(0), D(0)))

    assert [found.order for found in course.left_out.lines] == ["AUTRE"]


def test_an_heir_shows_its_predecessor_s(product: Product) -> None:
    heir = ProductFactory(sku="TASSE-2", inherits_from=product)

    course = course_of(heir, default_warehouse(), on=DAY, levels=(D(0), D(0)))

    assert [found.order for found in course.left_out.lines] == ["GROSSE"]


def test_switches_cost_no_query_each(product: Product) -> None:
    counts = []
    for number in (1, 5):
        for n in range(number):
            ProductFactory(sku=f"B-{number}-{n}", bulk_counts=True)
            placed(
                f"N-{number}-{n}",
                line("TASSE"),
                customer=CustomerDraft(ref=f"R{number}{n}", email=f"r{number}{n}@exemple.test"),
            )
        Customer.objects.update(orders_count="exceptional")
        with CaptureQueriesContext(connection) as captured:
            propose_orders(on=DAY)
        counts.append(len(captured))

    assert counts[1] <= counts[0]


def test_both_switches_are_on_their_forms(product: Product, admin_client: Client) -> None:
    customer = Customer.objects.get(email="achats@firme.test")

    for url in (
        reverse("admin:inventory_product_change", args=[product.pk]),
        reverse("admin:customers_customer_change", args=[customer.pk]),
    ):
        page = admin_client.get(url).content.decode()
        assert 'name="bulk_counts"' in page or 'name="orders_count"' in page
