"""What a shop sold before its first day here: summed apart, by order date, never as turnover."""

from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from django.db import connection
from django.db.models import Sum
from openpyxl import load_workbook

from inventory.models import ProductCategory
from invoicing.services import issue_invoice
from sales.models import Order, OrderLine
from sales.services import begin_history, make_history, take_over
from sphinx.core.models import Shop
from sphinx.dashboard import rollups
from sphinx.dashboard.figures import EVERYTHING, Chosen
from sphinx.dashboard.foretelling import weeks_to_come
from sphinx.dashboard.models import ProductDay, ProductMonth, SalesDay, StaleDay
from sphinx.dashboard.periods import Period
from sphinx.dashboard.pivot import Pivot, cross
from sphinx.dashboard.products import least_sold, sold_by
from sphinx.dashboard.rollup_triggers import ensure_triggers
from sphinx.dashboard.statistics import bars, figures_of, parts
from tests.factories import NOON, ProductFactory, ShopFactory, draft, line, placed, put, shipped
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db
D = Decimal
FEBRUARY = Period(date(2026, 2, 1), date(2026, 2, 28))
MARCH = Period(date(2026, 3, 1), date(2026, 3, 31))
YEAR = Period(date(2026, 1, 1), date(2026, 12, 31))
BEFORE = NOON - timedelta(days=20)


@pytest.fixture(autouse=True)
def first_day(db: None) -> None:
    """The shop's first day here is the second of March."""
    ShopFactory(history_until=date(2026, 3, 1))
    for sku in ("BOU", "SAV"):
        ProductFactory(sku=sku, on_hand=50)


def before(number: str = "1", *lines: Any, **values: Any) -> Order:
    """Sold, shipped and invoiced elsewhere."""
    lines = lines or (line("BOU", "24.00", "2"),)
    return placed(number, *lines, **{"placed_at": BEFORE, "is_shipped": True, **values})


def of_days() -> tuple[int, Decimal, Decimal]:
    """Orders of before, their net sales, and the turnover."""
    rollups.refresh()
    sums = SalesDay.objects.aggregate(
        n=Sum("history_orders"), history=Sum("history_excl_tax"), net=Sum("net_excl_tax")
    )
    return sums["n"], sums["history"], sums["net"]


def of_products() -> dict[str, tuple[Decimal, Decimal]]:
    """Net sales and pieces of before by reference."""
    rollups.refresh()
    return {
        sku: (net, pieces)
        for sku, net, pieces in ProductDay.objects.values_list("sku")
        .annotate(Sum("history_excl_tax"), Sum("history_pieces"))
        .order_by("sku")
    }


def wrong() -> list[str]:
    return [d.table for d in rollups.differences() if d.wrong]


def values(period: Period, chosen: Chosen = EVERYTHING) -> dict[str, Decimal | None]:
    rollups.refresh()
    return {f.name: f.value for f in figures_of(period, period.before(), chosen)}


# --- Sums ----------------------------------------------------------------------------------------


def test_an_order_of_before_is_summed_on_its_day_and_is_no_turnover() -> None:
    before()

    assert of_days() == (1, D("40.00"), D(0))
    assert of_products() == {"BOU": (D("40.00"), D(2))}
    assert ProductMonth.objects.get().history_excl_tax == D("40.00")
    assert SalesDay.objects.get().day == BEFORE.date()
    assert wrong() == []


def test_carriage_counts_in_the_order_and_in_no_article() -> None:
    before("1", line("BOU", "24.00"), shipping_amount=D("6.00"))

    assert of_days()[1] == D("25.00")
    assert of_products() == {"BOU": (D("20.00"), D(1))}


def test_an_order_that_nobody_paid_and_a_cancelled_one_are_no_sales() -> None:
    before("1", is_shipped=False, state="pending", payment_status="unpaid")
    before("2", is_shipped=False, state="cancelled")

    assert of_days()[:2] == (0, D(0))
    assert of_products() == {}


def test_what_was_refunded_by_article_comes_off_that_article() -> None:
    before(
        "1",
        line("BOU", "24.00", "2"),
        line("SAV", "12.00", refunded=D(1), refunded_amount=D("12.00")),
        refunded=D("12.00"),
        payment_status="partially_refunded",
    )

    assert of_days()[1] == D("40.00")
    assert of_products() == {"BOU": (D("40.00"), D(2)), "SAV": (D(0), D(0))}


def test_what_was_refunded_without_a_word_is_spread() -> None:
    before(
        "1",
        line("BOU", "24.00", "2"),
        line("SAV", "12.00"),
        refunded=D("6.00"),
        payment_status="partially_refunded",
    )

    assert of_days()[1] == D("45.00")
    assert of_products() == {"BOU": (D("36.00"), D(2)), "SAV": (D("9.00"), D(1))}


def test_a_gesture_leaves_the_pieces_with_the_customer() -> None:
    before(
        "1",
        line("BOU", "24.00", "2", refunded=D(1), refunded_amount=D("4.80")),
        refunded=D("4.80"),
        payment_status="partially_refunded",
    )

    assert of_products() == {"BOU": (D("36.00"), D(2))}


def test_everything_given_back_leaves_nothing() -> None:
    before("1", refunded=D("48.00"), payment_status="refunded")

    assert of_days()[:2] == (1, D(0))
    assert of_products()["BOU"][0] == 0


def test_an_order_of_before_that_is_shipped_from_here_and_invoiced_elsewhere_counts() -> None:
    order = before(is_shipped=False)
    take_over(order_id=order.pk, invoiced_elsewhere=True)
    assert of_days() == (1, D("40.00"), D(0))


def test_one_that_is_to_be_invoiced_here_no_longer_counts() -> None:
    order = before(is_shipped=False)
    assert of_days()[0] == 1
    take_over(order_id=order.pk, invoiced_elsewhere=False)
    assert of_days() == (0, D(0), D(0))


# --- Whatever is said later ----------------------------------------------------------------------


def test_a_first_day_told_late_makes_the_days_anew() -> None:
    placed("1", line("BOU", "24.00", "2"), placed_at=NOON)
    assert of_days()[0] == 0
    begin_history(shop_id=Shop.objects.get().pk, until=date(2026, 3, 31))

    assert of_days() == (1, D("40.00"), D(0))
    assert wrong() == []


def test_one_order_said_to_be_handled_elsewhere_makes_its_day_anew() -> None:
    order = placed("1", line("BOU", "24.00", "2"), is_shipped=True)
    assert of_days()[0] == 0
    make_history(order_id=order.pk)
    assert of_days()[:2] == (1, D("40.00"))
    assert wrong() == []


def test_a_refund_told_later_makes_its_day_anew() -> None:
    before()
    assert of_days()[1] == D("40.00")
    put(
        draft(
            "1",
            line("BOU", "24.00", "2", refunded=D(1), refunded_amount=D("24.00")),
            placed_at=BEFORE,
            is_shipped=True,
            refunded=D("24.00"),
            payment_status="partially_refunded",
        )
    )

    assert of_days()[1] == D("20.00")
    assert of_products() == {"BOU": (D("20.00"), D(1))}
    assert wrong() == []


@pytest.mark.parametrize(
    ("column", "value"),
    [("quantity_refunded", 1), ("sku", "AUTRE"), ("order_discount_incl_tax", 6), ("tax_rate", 10)],
)
def test_a_line_changed_by_itself_makes_its_day_anew(column: str, value: Any) -> None:
    before()
    rollups.refresh()
    OrderLine.objects.update(**{column: value})

    assert StaleDay.objects.exists()
    assert wrong() == []


def test_a_line_added_or_taken_away_by_itself_makes_its_day_anew() -> None:
    order = before("1", line("BOU", "24.00"), line("SAV", "12.00"))
    rollups.refresh()
    second = order.lines.get(sku="SAV")
    second.delete()
    assert of_products().keys() == {"BOU"}
    second.pk, second.reservation = None, None
    second.save()
    assert of_products().keys() == {"BOU", "SAV"}


def test_lines_of_our_own_orders_touch_no_day() -> None:
    placed("1", line("BOU", "24.00"))
    rollups.refresh()
    OrderLine.objects.update(quantity_refunded=1)
    assert rollups.refresh() == 0


def test_an_earlier_releases_trigger_is_replaced_and_the_days_are_made_anew() -> None:
    before()
    rollups.refresh()
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "CREATE OR REPLACE FUNCTION dashboard_order_changed() RETURNS trigger "
                "LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$"
            )
        else:
            cursor.execute("DROP TRIGGER dashboard_order_changed")
            cursor.execute(
                "CREATE TRIGGER dashboard_order_changed AFTER UPDATE ON sales_order BEGIN "
                "SELECT 1; END"
            )
    Order.objects.update(is_history=False)
    assert rollups.refresh() == 0
    ensure_triggers()
    assert of_days()[0] == 0
    Order.objects.update(is_history=True)
    assert of_days()[0] == 1


def test_triggers_that_are_as_they_should_be_are_left_alone() -> None:
    before()
    rollups.refresh()
    ensure_triggers()
    assert not StaleDay.objects.exists()


# --- Screens -------------------------------------------------------------------------------------


def test_figures_say_what_was_sold_before_beside_the_turnover() -> None:
    before()
    issue_invoice(delivery_note_id=shipped("2", line("BOU", "12.00")).pk, at=NOON)

    found = values(YEAR)
    assert (found["turnover"], found["history"], found["sold"]) == (
        D("10.00"), D("40.00"), D("50.00"),
    )  # fmt: skip
    assert found["history_orders"] == 1
    assert found["orders"] == 2


def test_a_firm_without_any_sees_no_figure_of_it() -> None:
    placed("1", line("BOU", "24.00"))
    assert not {"history", "sold", "history_orders"} & values(YEAR).keys()


def test_the_figure_stays_where_only_the_period_before_has_some() -> None:
    before()
    assert values(MARCH)["history"] == 0


def test_of_a_category_the_lines_of_its_articles_count() -> None:
    candles = ProductCategory.objects.create(name="Bougies")
    ProductFactory._meta.model.objects.filter(sku="BOU").update(category=candles)
    before("1", line("BOU", "24.00", "2"), line("SAV", "12.00"))

    found = values(YEAR, Chosen(category_id=candles.pk))
    assert (found["turnover"], found["history"], found["history_pieces"]) == (
        D(0), D("40.00"), D(2),
    )  # fmt: skip


def test_the_documents_behind_are_the_orders_that_make_it() -> None:
    before("1")
    taken = before("2", is_shipped=False)
    take_over(order_id=taken.pk, invoiced_elsewhere=True)
    before("3", is_shipped=False, state="cancelled")
    placed("4", line("SAV"))
    rollups.refresh()
    figures = {f.name: f for f in figures_of(FEBRUARY, FEBRUARY.before(), EVERYTHING)}

    listed = signed_in("Gérant").get(figures["history"].url)
    assert listed.context["cl"].result_count == figures["history_orders"].value == 2


def test_bars_tell_the_part_of_before_apart() -> None:
    before()
    issue_invoice(delivery_note_id=shipped("2", line("BOU", "12.00")).pk, at=NOON)
    rollups.refresh()
    shown = {b.day: b for b in bars(YEAR, YEAR.year_before(), EVERYTHING)}
    assert (shown[FEBRUARY.start].value, shown[FEBRUARY.start].history) == (0, D("40.00"))
    assert (shown[MARCH.start].value, shown[MARCH.start].history) == (D("10.00"), 0)
    later = Period(date(2027, 2, 1), date(2027, 2, 28))
    assert sum(b.history_before for b in bars(later, later.year_before(), EVERYTHING)) == 40


def test_the_best_sold_know_the_pieces_of_before() -> None:
    before("1", line("SAV", "120.00", "3"))
    issue_invoice(delivery_note_id=shipped("2", line("BOU", "12.00")).pk, at=NOON)
    rollups.refresh()
    found = [(s.key, s.net, s.pieces, s.history, s.history_pieces) for s in sold_by("sku", YEAR)]
    assert found == [
        ("SAV", D(0), D(0), D("300.00"), D(3)),
        ("BOU", D("10.00"), D(1), D(0), D(0)),
    ]
    assert [s.share for s in sold_by("sku", YEAR)] == [96, 3]
    assert [s.key for s in least_sold(YEAR)] == ["BOU", "SAV"]


def test_parts_tell_it_too() -> None:
    before()
    rollups.refresh()
    (shop,) = parts(YEAR, EVERYTHING)["Par boutique"]
    assert (shop.value, shop.history) == (D(0), D("40.00"))


@pytest.mark.parametrize(
    ("measure", "rows", "total"),
    [("history", "month", "45.00"), ("history_orders", "shop", "1"),
     ("history_goods", "product", "40.00"), ("history_pieces", "product", "2")],
)  # fmt: skip
def test_it_can_be_crossed(measure: str, rows: str, total: str) -> None:
    before("1", line("BOU", "24.00", "2"), shipping_amount=D("6.00"))
    rollups.refresh()
    assert cross(Pivot(rows, "", measure, YEAR, EVERYTHING)).total == D(total)


def test_the_page_and_its_workbook_show_it() -> None:
    before()
    client, asked = signed_in("Gérant"), "?start=2026-02-01&end=2026-02-28"
    text = client.get(f"/statistiques/{asked}").content.decode()
    assert "Repris HT" in text
    assert "40,00 €" in text
    book = load_workbook(BytesIO(client.get(f"/statistiques/classeur.xlsx{asked}").content))
    rows = {row[0]: row[1] for row in book["Chiffres"].values}
    assert (rows["Chiffre d'affaires HT"], rows["Repris HT"]) == (0, 40)
    assert sum(row[3] or 0 for row in list(book["Dans le temps"].values)[1:]) == 40
    assert [list(row)[-2:] for row in book["Articles"].values][1:] == [[40, 2]]


def test_what_was_sold_before_teaches_the_weeks_to_come() -> None:
    """A shop of a day, with a year of history."""
    for week in range(1, 53):
        before(f"A{week}", placed_at=NOON - timedelta(days=7 * week))
    rollups.refresh()
    told = weeks_to_come(NOON.date(), EVERYTHING)
    assert [w.ordered for w in told if w.ordered is not None] == [D("48.00")] * 12
    assert all(40 < w.foretold[0] < 60 for w in told if w.foretold[0] is not None)
