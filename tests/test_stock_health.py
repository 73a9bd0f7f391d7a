"""The stock's health: each figure worked out by hand."""

from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from inventory.models import Product
from inventory.selectors import stock_value
from invoicing.services import issue_invoices
from sphinx.core import clock
from sphinx.dashboard import rollups
from sphinx.dashboard.models import ProductHealth, StockHealth
from sphinx.dashboard.periods import Period
from sphinx.dashboard.stock_health import Course, Ledger, measure_stock, ruptures, value_by_day
from sphinx.dashboard.stock_statistics import stock_figures
from tests.factories import NOON, ProductFactory, line, shipped
from tests.test_stock_pages import signed_in

D = Decimal
TODAY = NOON.date()
TEN = Period(date(2026, 3, 1), date(2026, 3, 10))
LONG_AGO = date(2020, 1, 1)


def day(number: int) -> date:
    return date(2026, 3, number)


def test_days_without_a_piece_and_what_would_have_sold_in_them() -> None:
    """Ten pieces left on the 6th, the last ones; two a day were asked until then, one after."""
    course = Course(moved={day(6): D(-10)}, asked={day(n): D(2) for n in range(1, 6)})
    course.asked[day(8)] = D(1)
    found = ruptures(Ledger(D(0), D(0), LONG_AGO, day(6)), course, TEN)
    # 5 days with stock asked 10, so 2 a day; 5 days without would have asked 10, and 1 was.
    assert (found.watched, found.out, found.lost) == (10, 5, D("9.000"))


def test_what_nobody_asks_for_is_no_rupture_and_a_new_product_has_no_past() -> None:
    assert ruptures(Ledger(D(0), D(0), LONG_AGO, None), Course(), TEN).out == 0
    new = ruptures(Ledger(D(5), D(0), day(8), None), Course(asked={day(9): D(1)}), TEN)
    assert (new.watched, new.out) == (3, 0)


@given(
    level=st.integers(0, 20),
    moved=st.dictionaries(st.integers(1, 10), st.integers(-9, 9)),
    asked=st.dictionaries(st.integers(1, 10), st.integers(1, 9)),
)
def test_ruptures_are_never_more_than_the_days_and_nothing_negative_is_lost(
    level: int, moved: dict[int, int], asked: dict[int, int]
) -> None:
    course = Course(
        {day(n): D(q) for n, q in moved.items()}, {day(n): D(q) for n, q in asked.items()}
    )
    found = ruptures(Ledger(D(level), D(0), LONG_AGO, None), course, TEN)
    assert 0 <= found.out <= found.watched == 10
    assert found.lost >= 0


@pytest.fixture
def year(db: None) -> None:
    """A: sold and running out. B: opened long before, never sold."""
    ProductFactory(sku="A", on_hand=3, unit_cost=D(4))
    ProductFactory(sku="B", on_hand=10, unit_cost=D(5))
    note = shipped("1", line("A", "12.00", quantity="3"), placed_at=NOON - timedelta(hours=10))
    issue_invoices(note_ids=[note.pk], at=NOON)
    rollups.refresh()


@pytest.mark.usefixtures("year")
def test_the_whole_by_hand() -> None:
    health = measure_stock(TODAY)
    figures = {f.name: f.value for f in stock_figures(health, None)}
    value = sum((v.value for v in stock_value(TODAY)), D(0))
    assert figures["value"] == value == D("50.00")
    assert figures["pieces"] == 10
    # 12.00 left in 90 days: 50 × 90 / 12.
    assert figures["cover"] == D("375.0")
    assert figures["fill_rate"] == D("100.0")
    assert figures["days_to_ship"] == figures["days_to_ship_most"] == D("0.4")


@pytest.mark.usefixtures("year")
def test_what_has_not_sold_for_half_a_year_sleeps() -> None:
    measure_stock(TODAY)
    assert not ProductHealth.objects.filter(is_dead=True, product__sku="A").exists()
    health = measure_stock(TODAY + timedelta(days=200))
    dead = ProductHealth.objects.get(is_dead=True)
    assert (dead.product.sku, dead.value_excl_tax) == ("B", D("50.00"))
    assert (health.dead_products, health.dead_value) == (1, D("50.00"))


@pytest.mark.usefixtures("year")
def test_the_value_of_each_day_is_the_stock_pages() -> None:
    now = sum((v.value for v in stock_value(TODAY)), D(0))
    course = dict(value_by_day(now, Period(TODAY - timedelta(days=3), TODAY)))
    for on, value in course.items():
        assert value == sum((v.value for v in stock_value(on)), D(0)), on


@pytest.mark.usefixtures("year")
def test_measured_twice_a_day_is_once() -> None:
    measure_stock(TODAY)
    measure_stock(TODAY)
    assert StockHealth.objects.count() == 1
    assert ProductHealth.objects.count() == 2


@pytest.mark.usefixtures("year")
def test_the_page_measures_when_nobody_has_today(
    django_capture_on_commit_callbacks: Any, django_assert_max_num_queries: Any
) -> None:
    client = signed_in("Gérant")
    with django_capture_on_commit_callbacks(execute=True):
        first = client.get("/statistiques/stock/")
    assert "Le stock se mesure en ce moment" in first.content.decode()
    assert StockHealth.objects.get().measured_on == clock.today()
    with django_assert_max_num_queries(30):
        page = client.get("/statistiques/stock/").content.decode()
    assert "50,00 €" in page
    assert Product.objects.get(sku="B").label in page
    book = load_workbook(BytesIO(client.get("/statistiques/stock/classeur.xlsx").content))
    assert [row[0] for row in list(book["Articles"].values)[1:]] == ["A", "B"]


@pytest.mark.usefixtures("year")
def test_of_the_stock_only_who_works_with_it() -> None:
    assert signed_in("Entrepôt").get("/statistiques/stock/").status_code == 200
    assert signed_in("Comptable").get("/statistiques/stock/").status_code == 403
