"""Who comes back: counted by hand, and the same as the period's figure."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from customers.drafts import CustomerDraft
from sales.models import Order
from sphinx.core import clock
from sphinx.core.clock import PARIS
from sphinx.dashboard import rollups
from sphinx.dashboard.buyers import buyers_in
from sphinx.dashboard.cohorts import CohortRow, buyers_by_month, cohort_rows, measure_cohorts
from sphinx.dashboard.models import Cohort
from sphinx.dashboard.periods import Period
from tests.factories import line, placed
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db
D = Decimal
TODAY = date(2026, 3, 2)


def ordered(number: str, who: str, on: date, price: str = "12.00") -> Order:
    return placed(
        number,
        line("A", price),
        customer=CustomerDraft(ref=who, email=f"{who}@exemple.test"),
        placed_at=datetime(on.year, on.month, on.day, 10, tzinfo=PARIS),
    )


@pytest.fixture
def three_customers() -> None:
    """Léa comes back in February and March, Max never, Zoé is new in February."""
    ordered("1", "lea", date(2026, 1, 5))
    ordered("2", "max", date(2026, 1, 20), "24.00")
    ordered("3", "lea", date(2026, 2, 6))
    ordered("4", "lea", date(2026, 2, 7))
    ordered("5", "zoe", date(2026, 2, 28))
    ordered("6", "lea", date(2026, 3, 1))
    rollups.refresh()
    measure_cohorts()


@pytest.mark.usefixtures("three_customers")
def test_cohorts_by_hand() -> None:
    # 30.00 excl. tax of two people in January; 20.00 more from Léa in February, 10.00 in March.
    assert cohort_rows(TODAY) == [
        CohortRow(
            date(2026, 1, 1),
            2,
            [D("100.0"), D("50.0"), D("50.0")],
            [D("15.00"), D("25.00"), D("30.00")],
        ),
        CohortRow(date(2026, 2, 1), 1, [D("100.0"), D("0.0")], [D("10.00"), D("10.00")]),
    ]


@pytest.mark.usefixtures("three_customers")
def test_a_month_is_the_period_of_its_days() -> None:
    (month,) = (m for m in buyers_by_month(TODAY) if m.month == date(2026, 2, 1))
    figure = buyers_in(Period(date(2026, 2, 1), date(2026, 2, 28)))
    assert (month.new, month.returning) == (figure.new, figure.returning) == (1, 1)


@pytest.mark.usefixtures("three_customers")
def test_the_page_shows_shares_or_money_and_counts_when_nobody_has(
    django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    Cohort.objects.all().delete()
    client = signed_in("Ventes")
    monkeypatch.setattr(clock, "today", lambda: TODAY)
    with django_capture_on_commit_callbacks(execute=True):
        client.get("/statistiques/clients/")
    shares = client.get("/statistiques/clients/").content.decode()
    money = client.get("/statistiques/clients/?mesure=tete").content.decode()
    assert "50 %" in shares.replace("\u202f", " ").replace("\u00a0", " ")
    assert "30 €" in money.replace("\u00a0", " ")
    assert client.get("/statistiques/clients/classeur.xlsx").status_code == 200
    for role in ("Entrepôt", "Achats"):
        assert signed_in(role).get("/statistiques/clients/").status_code == 403
