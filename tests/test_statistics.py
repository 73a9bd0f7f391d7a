"""Statistics: each figure worked out by hand, the same on every page, with its documents behind."""

from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from django.utils.html import escape
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from accounting_export.models import JournalLine
from accounting_export.services import post_missing
from customers.drafts import CustomerDraft
from inventory.models import ProductCategory
from invoicing.models import Invoice
from invoicing.receivables import ageing, open_invoices
from invoicing.services import credit_invoice, issue_invoice
from sphinx.core.models import Shop
from sphinx.dashboard import rollups
from sphinx.dashboard.figures import EVERYTHING, Chosen, sales_of
from sphinx.dashboard.periods import Period
from sphinx.dashboard.products import least_sold, sold_by
from sphinx.dashboard.statistics import bars, figures_of, parts, standing
from suppliers.models import Supplier
from tests.accounting_export.test_vat_returns import BELGIAN, BERLIN
from tests.factories import (
    NOON,
    ProductFactory,
    SupplierFactory,
    SupplierProductFactory,
    line,
    shipped,
)
from tests.invoicing.test_einvoices import BRUGES
from tests.invoicing.test_grouped import UNPAID
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db
D = Decimal
MARCH = Period(date(2026, 3, 1), date(2026, 3, 31))


def sold(number: str, *lines: Any, **values: Any) -> Invoice:
    made = issue_invoice(delivery_note_id=shipped(number, *lines, **values).pk, at=NOON)
    rollups.refresh()
    return made


def values(
    period: Period = MARCH, before: Period | None = None, chosen: Chosen = EVERYTHING
) -> dict[str, Decimal | None]:
    rollups.refresh()
    found = figures_of(period, before or period.before(), chosen)
    return {figure.name: figure.value for figure in found}


def test_every_figure_worked_out_by_hand() -> None:
    one = sold("1", line("A", "12.00", quantity="3"))
    sold("2", line("B", "21.10", tax_rate=D("5.5")))
    credit_invoice(invoice_id=one.pk, amount=D("6.00"), reason="Geste", at=NOON)

    # 30.00 + 20.00 − 5.00 excl. tax; VAT 6.00 + 1.10 − 1.00; four pieces left at a cost of 4.00.
    assert values() == {
        "turnover": D("45.00"),
        "invoiced": D("51.10"),
        "tax": D("6.10"),
        "margin": D("29.00"),
        "margin_rate": D("64.4"),
        "orders": D(2),
        "ordered": D("57.10"),
        "basket": D("28.55"),
        "new": D(1),
        "returning": D(0),
        "credited": D("5.00"),
        "refund_rate": D("11.1"),
    }


def test_of_nothing_there_is_no_rate() -> None:
    found = values()
    assert (found["turnover"], found["margin_rate"], found["refund_rate"]) == (D(0), None, None)


def test_who_comes_back_and_who_is_new() -> None:
    sold("1", line("A"), customer=CustomerDraft(ref="C1", email="a@exemple.test"),
         placed_at=NOON - timedelta(days=60))  # fmt: skip
    sold("2", line("A"), customer=CustomerDraft(ref="C1", email="a@exemple.test"))
    sold("3", line("A"), customer=CustomerDraft(ref="C2", email="b@exemple.test"))
    sold("4", line("A"), customer=CustomerDraft(ref="C2", email="b@exemple.test"))
    found = values()
    assert (found["new"], found["returning"]) == (D(1), D(1))


@pytest.fixture
def all_kinds() -> None:
    sold("1", line("A", "120.00"))
    sold("2", line("A", "450.00", tax_rate=D(0)), billing=BRUGES, shipping=BRUGES,
         customer=BELGIAN)  # fmt: skip
    sold("3", line("A", "119.00", tax_rate=D(19)), billing=BERLIN, shipping=BERLIN)
    post_missing()


@pytest.mark.usefixtures("all_kinds")
def test_the_turnover_is_the_home_pages_the_lists_and_the_journals() -> None:
    turnover = values()["turnover"]
    assert turnover == sales_of(MARCH).turnover_excl_tax == D("650.00")
    net = sum(
        (
            ln.credit - ln.debit
            for ln in JournalLine.objects.filter(
                entry__journal__code="VE", account__startswith="70",
                entry__entry_date__range=MARCH,
            )
        ),
        D(0),
    )  # fmt: skip
    assert net == turnover
    client = signed_in("Gérant")
    for figure in figures_of(MARCH, MARCH.before(), EVERYTHING):
        if figure.url:
            assert client.get(figure.url).status_code == 200
    listed = client.get(figures_of(MARCH, MARCH.before(), EVERYTHING)[0].url)
    assert [total for _label, total in listed.context["list_totals"]] == [
        values()[name] for name in ("turnover", "tax", "invoiced")
    ]


@pytest.mark.usefixtures("all_kinds")
@pytest.mark.parametrize(
    ("chosen", "turnover", "orders"),
    [
        (Chosen(country="FR"), "100.00", 1),
        (Chosen(country="DE"), "100.00", 1),
        (Chosen(is_business=True), "450.00", 1),
        (Chosen(is_business=False), "200.00", 2),
        (Chosen(shop_id=0), "650.00", 3),
        (Chosen(country="IT"), "0", 0),
    ],
)
def test_of_a_country_or_a_kind_of_customer(chosen: Chosen, turnover: str, orders: int) -> None:
    found = values(chosen=chosen)
    assert (found["turnover"], found["orders"]) == (D(turnover), D(orders))
    client = signed_in("Gérant")
    for figure in figures_of(MARCH, MARCH.before(), chosen):
        if figure.name in ("turnover", "orders"):
            answer = client.get(figure.url)
            assert answer.context["cl"].result_count == orders


@pytest.fixture
def two_categories() -> dict[str, ProductCategory]:
    """A of candles, B of soaps, C of neither; A and C of one supplier, B of a second one too."""
    candles, soaps = (ProductCategory.objects.create(name=n) for n in ("Bougies", "Savons"))
    first, second = SupplierFactory(), SupplierFactory()
    for sku, category, suppliers in (
        ("A", candles, [first]),
        ("B", soaps, [second, first]),
        ("C", None, [first]),
    ):
        product = ProductFactory(sku=sku, category=category, on_hand=10)
        for rank, supplier in enumerate(suppliers):
            SupplierProductFactory(product=product, supplier=supplier, is_preferred=rank == 0)
    sold("1", line("A", "12.00", quantity="3"), line("B", "24.00"))
    sold("2", line("C", "60.00"), placed_at=NOON - timedelta(days=1))
    return {"A": candles, "B": soaps}


def test_of_a_category_only_its_lines_count(two_categories: dict[str, ProductCategory]) -> None:
    found = values(chosen=Chosen(category_id=two_categories["A"].pk))
    assert found == {
        "turnover": D("30.00"),
        "margin": D("18.00"),
        "margin_rate": D("60.0"),
        "pieces": D("3.000"),
        "references": D(1),
    }


def test_of_a_supplier_the_products_that_it_is_preferred_for(
    two_categories: dict[str, ProductCategory],
) -> None:
    turnovers = {
        supplier.pk: values(chosen=Chosen(supplier_id=supplier.pk))["turnover"]
        for supplier in Supplier.objects.order_by("pk")
    }
    assert list(turnovers.values()) == [D("80.00"), D("20.00")]


def test_a_category_says_the_same_in_figures_bars_parts_and_lists(
    two_categories: dict[str, ProductCategory],
) -> None:
    for category in two_categories.values():
        chosen = Chosen(category_id=category.pk)
        turnover = values(chosen=chosen)["turnover"]
        assert sum(bar.value for bar in bars(MARCH, MARCH.before(), chosen)) == turnover
        assert sum(s.net for s in sold_by("sku", MARCH, chosen)) == turnover
        for rows in parts(MARCH, chosen).values():
            assert sum(part.value for part in rows) == turnover
        (whole,) = (s for s in sold_by("category", MARCH) if s.key == category.name)
        assert whole.net == turnover


def test_what_sells_least_is_of_the_category(two_categories: dict[str, ProductCategory]) -> None:
    found = least_sold(MARCH, Chosen(category_id=two_categories["B"].pk))
    assert [row.key for row in found] == ["B"]


def test_the_page_of_a_category_leads_to_its_products(
    two_categories: dict[str, ProductCategory],
) -> None:
    category = two_categories["A"]
    shown = (
        signed_in("Gérant")
        .get("/statistiques/", {"start": MARCH.start, "end": MARCH.end, "category": category.pk})
        .content.decode()
    )
    assert f"?category__id__exact={category.pk}" in shown
    assert "30,00" in shown
    assert "Panier moyen" not in shown


@pytest.mark.usefixtures("all_kinds")
def test_of_one_shop() -> None:
    shop = Shop.objects.get()
    other = Shop.objects.create(code="autre", name="Autre")
    assert values(chosen=Chosen(shop_id=shop.pk))["turnover"] == D("650.00")
    assert values(chosen=Chosen(shop_id=other.pk))["turnover"] == D(0)


@pytest.mark.usefixtures("all_kinds")
def test_parts_add_up_to_the_turnover() -> None:
    for rows in parts(MARCH, EVERYTHING).values():
        assert sum((part.value for part in rows), D(0)) == D("650.00")
    assert [(p.label, p.value) for p in parts(MARCH, EVERYTHING)["Par clientèle"]] == [
        ("Professionnels", D("450.00")),
        ("Particuliers", D("200.00")),
    ]


def test_a_period_beside_the_one_before_and_beside_last_year() -> None:
    sold("1", line("A", "60.00"))
    turnover = figures_of(Period(date(2026, 4, 1), date(2026, 4, 30)), MARCH, EVERYTHING)[0]
    assert (turnover.value, turnover.before, turnover.change) == (D(0), D("50.00"), -100)
    year = Period(date(2027, 3, 1), date(2027, 3, 31))
    assert year.year_before() == MARCH
    assert Period(date(2028, 2, 29), date(2028, 2, 29)).year_before().start == date(2027, 2, 28)


def test_days_are_bars_and_long_periods_months() -> None:
    sold("1", line("A", "60.00"))
    days = bars(MARCH, MARCH.before(), EVERYTHING)
    assert len(days) == 31
    assert [(b.day, b.value) for b in days if b.value] == [(NOON.date(), D("50.00"))]
    months = bars(
        Period(date(2026, 1, 15), date(2026, 12, 31)),
        Period(date(2025, 1, 15), date(2025, 12, 31)),
        EVERYTHING,
    )
    assert [(b.day, b.value) for b in months if b.value] == [(date(2026, 3, 1), D("50.00"))]
    assert len(months) == 12


def test_the_best_sold_with_what_was_credited_taken_off() -> None:
    ProductFactory(sku="A", label="Bougie", on_hand=9)
    one = sold("1", line("A", "60.00", quantity="2"))
    sold("2", line("B", "12.00"))
    credit_invoice(invoice_id=one.pk, amount=D("12.00"), reason="Geste", at=NOON)
    rollups.refresh()
    found = {row.label: (row.net, row.pieces) for row in sold_by("sku", MARCH)}
    assert found["Bougie"] == (D("100.00"), D(2))
    assert found["Article B"] == (D("10.00"), D(1))
    assert sum((net for net, _pieces in found.values()), D(0)) == values()["turnover"]


def test_what_is_owed_today_is_what_the_receivables_page_says() -> None:
    sold("1", line("A", "60.00"), **UNPAID)
    sold("2", line("A", "12.00"))
    late = sold("3", line("A", "24.00"), **UNPAID)
    credit_invoice(invoice_id=late.pk, amount=D("4.00"), reason="Geste", at=NOON)
    day_after = late.due_on + timedelta(days=1)
    assert [f.value for f in standing(late.due_on)] == [D("80.00"), D(0)]
    assert [f.value for f in standing(day_after)] == [D("80.00"), D("80.00")]
    assert sum(bucket.amount for bucket in ageing(open_invoices(), day_after)) == D("80.00")


_SALES = st.lists(
    st.tuples(
        st.decimals("1", "500", places=2),
        st.sampled_from(["20.00", "10.00", "5.50", "2.10"]),
        st.decimals("0", "30", places=2),
    ),
    min_size=1,
    max_size=4,
)


@given(sales=_SALES)
@settings(
    deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_is_sold_figures_bars_and_parts_agree(sales: list[Any]) -> None:
    from django.db import transaction

    with transaction.atomic():
        for n, (price, rate, shipping) in enumerate(sales):
            sold(str(n), line("A", str(price), tax_rate=D(rate)), shipping_amount=shipping)
        turnover = values()["turnover"]
        assert sum((b.value for b in bars(MARCH, MARCH.before(), EVERYTHING)), D(0)) == turnover
        for rows in parts(MARCH, EVERYTHING).values():
            assert sum((part.value for part in rows), D(0)) == turnover
        transaction.set_rollback(True)


# --- Pages ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("all_kinds")
def test_the_page_shows_figures_their_meaning_and_their_documents() -> None:
    page = signed_in("Gérant").get("/statistiques/?start=2026-03-01&end=2026-03-31")
    text = page.content.decode()
    assert "650,00 €" in text
    assert escape("Factures moins avoirs, hors taxes, par date d'émission.") in text
    assert "issued_on__gte=2026-03-01" in text
    assert "Allemagne" in text


@pytest.mark.usefixtures("all_kinds")
def test_the_page_asks_a_fixed_number_of_queries(django_assert_max_num_queries: Any) -> None:
    client = signed_in("Gérant")
    url = "/statistiques/?start=2026-01-01&end=2026-12-31&against=year"
    client.get(url)
    with django_assert_max_num_queries(40):
        client.get(url)


@pytest.mark.usefixtures("all_kinds")
def test_the_workbook_has_the_pages_figures() -> None:
    answer = signed_in("Comptable").get(
        "/statistiques/classeur.xlsx?start=2026-03-01&end=2026-03-31"
    )
    book = load_workbook(BytesIO(answer.content))
    rows = {row[0]: row[1] for row in book["Chiffres"].values}
    assert rows["Chiffre d'affaires HT"] == 650
    assert rows["Commandes"] == 3
    assert [row[1] for row in list(book["Par pays de livraison"].values)[1:]] == [450, 100, 100]


@pytest.mark.parametrize(
    ("path", "marked"), [("/", "Tableau de bord"), ("/statistiques/", "Statistiques")]
)
def test_the_side_bar_marks_the_page_that_is_open_and_no_other(path: str, marked: str) -> None:
    groups = signed_in("Gérant").get(path).context["sidebar_navigation"]
    shown = [item["title"] for group in groups for item in group["items"] if item["active"]]
    assert shown == [marked]


@pytest.mark.parametrize("query", ["start=x&end=y", "start=2026-03-31&end=2026-03-01", "shop=99"])
def test_a_question_that_is_none_is_answered_all_the_same(query: str) -> None:
    assert signed_in("Gérant").get(f"/statistiques/?{query}").status_code == 200


@pytest.mark.parametrize("role", ["Entrepôt", "Achats", "Exploitant"])
def test_who_may_not_see_sales_sees_no_statistics(role: str) -> None:
    client = signed_in(role)
    assert client.get("/statistiques/").status_code == 403
    assert client.get("/statistiques/classeur.xlsx").status_code == 403
