"""Crossing sales: whatever is crossed sums to the page's figure; views are kept and shared."""

from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO

import pytest
from django.utils.html import escape
from openpyxl import load_workbook

from inventory.models import ProductCategory
from invoicing.services import credit_invoice, issue_invoices
from sphinx.dashboard import pivot, rollups
from sphinx.dashboard.figures import EVERYTHING, Chosen
from sphinx.dashboard.models import SavedPivot
from sphinx.dashboard.periods import Period
from sphinx.dashboard.pivot import DIMENSIONS, MEASURES, Pivot, cross
from sphinx.dashboard.statistics import figures_of
from tests.accounting_export.test_vat_returns import BELGIAN
from tests.factories import NOON, ProductFactory, SupplierProductFactory, line, shipped
from tests.invoicing.test_einvoices import BRUGES
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db
D = Decimal
YEAR = Period(date(2026, 1, 1), date(2026, 12, 31))


def crossed(rows: str, columns: str, measure: str, chosen: Chosen = EVERYTHING) -> pivot.Crossed:
    return cross(Pivot(rows, columns, measure, YEAR, chosen))


@pytest.fixture(autouse=True)
def sales() -> None:
    """Two sales in France, one in Belgium to a firm, of two products; a gesture credited."""
    candle = ProductFactory(
        sku="A",
        label="Lampe",
        on_hand=99,
        category=ProductCategory.objects.create(name="Luminaires"),
    )
    SupplierProductFactory(product=candle, is_preferred=True)
    notes = [
        shipped("1", line("A", "60.00"), placed_at=NOON - timedelta(days=40)),
        shipped("2", line("B", "12.00"), shipping_amount=D("6.00")),
        shipped("3", line("A", "90.00", tax_rate=D(0)), billing=BRUGES, shipping=BRUGES,
                customer=BELGIAN),
    ]  # fmt: skip
    first, *_rest = issue_invoices(note_ids=[n.pk for n in notes], at=NOON)
    credit_invoice(invoice_id=first.pk, amount=D("6.00"), reason="Geste", at=NOON)
    rollups.refresh()


def test_every_crossing_sums_to_the_same() -> None:
    """Whatever rows and columns are, the whole is the measure's."""
    for code, measure in MEASURES.items():
        wholes = set()
        fit = [
            d for d, kind in DIMENSIONS.items() if measure.is_of_products or not kind.is_of_products
        ]
        for rows in fit:
            for columns in ["", *fit]:
                if rows == columns:
                    continue
                table = crossed(rows, columns, code)
                wholes.add(table.total)
                assert sum((ln.total for ln in table.lines), D(0)) == table.total
                assert sum(table.totals, D(0)) == table.total
        assert len(wholes) == 1, code


def test_the_whole_is_the_figure_of_the_statistics_page() -> None:
    figures = {f.name: f.value for f in figures_of(YEAR, YEAR.before(), EVERYTHING)}
    for measure, figure in (
        ("turnover", "turnover"),
        ("margin", "margin"),
        ("tax", "tax"),
        ("credited", "credited"),
        ("orders", "orders"),
        ("ordered", "ordered"),
    ):
        assert crossed("month", "shop", measure).total == figures[figure]
    assert crossed("product", "", "goods").total == D("145.00")


def test_names_are_those_of_the_screen_and_time_keeps_its_order() -> None:
    table = crossed("month", "country", "ordered")
    assert [ln.name for ln in table.lines] == ["jan. 2026", "mars 2026"]
    assert table.columns == ["Belgique", "France"]
    assert table.lines[0].values == [None, D("60.00")]
    assert [ln.name for ln in crossed("kind", "", "orders").lines] == [
        "Particuliers",
        "Professionnels",
    ]
    assert [ln.name for ln in crossed("week", "", "orders").lines] == ["S04 2026", "S10 2026"]
    assert [ln.name for ln in crossed("category", "", "goods").lines] == ["Luminaires", "Sans"]
    assert {ln.name for ln in crossed("product", "supplier", "pieces").lines} == {
        "Lampe (A)",
        "Article B (B)",
        "Sans",
    }


def test_of_a_shop_a_country_a_kind() -> None:
    assert crossed("product", "", "goods", Chosen(country="BE")).total == D("90.00")
    assert crossed("month", "", "turnover", Chosen(is_business=True)).total == D("90.00")
    assert crossed("month", "", "turnover", Chosen(shop_id=10**6)).lines == []


def test_what_is_beyond_the_tables_size_is_others_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pivot, "MOST_ROWS", 1)
    monkeypatch.setattr(pivot, "MOST_COLUMNS", 1)
    table = crossed("product", "country", "goods")
    assert [ln.name for ln in table.lines] == ["Lampe (A)", "Autres"]
    assert table.columns == ["Belgique", "Autres"]
    assert table.total == D("145.00")


def test_the_page_shows_the_table_and_refuses_what_cannot_be_crossed() -> None:
    client = signed_in("Gérant")
    when = "start=2026-01-01&end=2026-12-31"
    text = client.get(f"/statistiques/croiser/?rows=country&columns=kind&measure=turnover&{when}")
    assert "Belgique" in text.content.decode()
    refused = client.get(f"/statistiques/croiser/?rows=product&measure=turnover&{when}")
    assert "seules les marchandises se comptent" in refused.content.decode()
    twice = client.get(f"/statistiques/croiser/?rows=month&columns=month&measure=orders&{when}")
    assert escape("Les colonnes sont déjà en lignes") in twice.content.decode()
    for nonsense in ("rows=DROP&measure=turnover", "rows=month&measure=1;--", "rows=month"):
        assert client.get(f"/statistiques/croiser/?{nonsense}&{when}").status_code == 200


def test_taken_away_it_is_the_same_table() -> None:
    client = signed_in("Comptable")
    query = "rows=product&columns=&measure=goods&start=2026-01-01&end=2026-12-31"
    book = load_workbook(BytesIO(client.get(f"/statistiques/croiser/ventes.xlsx?{query}").content))
    assert list(book.active.values)[1:] == [
        ("Lampe (A)", 140),
        ("Article B (B)", 10),
        ("Sans", -5),
        ("Total", 145),
    ]
    text = client.get(f"/statistiques/croiser/ventes.csv?{query}").content.decode("utf-8-sig")
    assert text.splitlines()[1] == "Lampe (A);140,00"


def test_a_view_is_kept_shared_and_forgotten_by_its_owner_only() -> None:
    owner, other = signed_in("Gérant"), signed_in("Comptable")
    query = "rows=month&columns=shop&measure=orders&start=2026-01-01&end=2026-12-31&next=//evil"
    owner.post("/statistiques/croiser/garder/", {"name": "À moi", "query": query})
    owner.post("/statistiques/croiser/garder/", {"name": "À tous", "query": query, "shared": "1"})
    owner.post("/statistiques/croiser/garder/", {"name": "", "query": query})
    assert "evil" not in SavedPivot.objects.get(name="À tous").query
    seen = other.get("/statistiques/croiser/").content.decode()
    assert "À tous" in seen
    assert "À moi" not in seen
    shared = SavedPivot.objects.get(name="À tous")
    assert other.post(f"/statistiques/croiser/oublier/{shared.pk}/").status_code == 404
    owner.post(f"/statistiques/croiser/oublier/{shared.pk}/")
    assert list(SavedPivot.objects.values_list("name", flat=True)) == ["À moi"]
