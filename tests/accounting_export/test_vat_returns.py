"""VAT returns: figures worked out by hand, each with the documents behind it."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounting_export.models import JournalLine
from accounting_export.services import post_missing, post_missing_purchases
from accounting_export.vat_returns import (
    ca3,
    documents_behind,
    oss,
    quarter_of,
    sales,
    union_sales,
    whole_euros,
)
from customers.drafts import AddressDraft, CustomerDraft
from invoicing.models import Invoice
from invoicing.services import credit_invoice, issue_invoice
from sphinx.core.services import company
from tests.accounting_export.test_purchases import charged, received
from tests.factories import NOON, PARIS_ADDRESS, line, shipped
from tests.invoicing.test_einvoices import BRUGES
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db
D = Decimal
MARCH = (date(2026, 3, 1), date(2026, 3, 31))
BERLIN = AddressDraft("Ute Schmidt", "", "1 Allee", "", "10115", "Berlin", "DE")
GENEVA = AddressDraft("Jo Favre", "", "1 quai", "", "1201", "Genève", "CH")
BELGIAN = CustomerDraft(
    ref="BE1", email="an@exemple.test", company="Brugse Handel BV", vat_number="BE0428759497"
)


def invoiced(number: str, *lines: Any, to: AddressDraft = PARIS_ADDRESS, **values: Any) -> Invoice:
    note = shipped(number, *lines, billing=to, shipping=to, **values)
    return issue_invoice(delivery_note_id=note.pk, at=NOON)


@pytest.fixture
def with_oss() -> None:
    firm = company()
    firm.uses_oss = True
    firm.save()


def march() -> None:
    """One sale of each kind."""
    invoiced("1", line("A", "120.00"), line("B", "10.55", tax_rate=D("5.5")))
    invoiced("2", line("A", "450.00", tax_rate=D(0)), to=BRUGES, customer=BELGIAN)
    invoiced("3", line("A", "80.00", tax_rate=D(0)), to=GENEVA)
    invoiced("4", line("A", "119.00", tax_rate=D(19)), to=BERLIN)
    post_missing()


def boxes() -> dict[str, tuple[Decimal | None, Decimal | None]]:
    return {box.code: (box.base, box.tax) for box in ca3(*MARCH)}


@pytest.mark.usefixtures("with_oss")
def test_each_sale_is_in_its_box() -> None:
    march()
    assert boxes() == {
        "A1": (D("110.00"), None),
        "E1": (D("80.00"), None),
        "E3": (D("100.00"), None),
        "F2": (D("450.00"), None),
        "08": (D("100.00"), D("20.00")),
        "09": (D("10.00"), D("0.55")),
        "16": (None, D("20.55")),
        "28": (None, D("20.55")),
    }


def test_purchases_are_deducted_and_goods_from_the_union_owed_and_deducted() -> None:
    # 50.00 of goods and 5.00 of carriage at 20 %: from France 11.00 of VAT is on the invoice, from
    # Belgium the buyer owes it.
    charged(received())
    charged(received("BE", code="F00008"), tax="0.00", number="B-1")
    post_missing_purchases()

    assert boxes() == {
        "B2": (D("55.00"), None),
        "08": (D("55.00"), D("11.00")),
        "16": (None, D("11.00")),
        "17": (None, D("11.00")),
        "20": (None, D("22.00")),
        "25": (None, D("11.00")),
    }


def test_a_credit_note_takes_back_what_it_corrects() -> None:
    invoice = invoiced("1", line("A", "120.00"))
    credit_invoice(invoice_id=invoice.pk, amount=D("30.00"), reason="Geste", at=NOON)
    post_missing()
    assert boxes()["08"] == (D("75.00"), D("15.00"))


def test_gift_cards_are_no_sale_yet() -> None:
    invoiced("1", line("", "50.00", tax_rate=D(0), kind="gift_card", label="Carte cadeau"))
    post_missing()
    assert boxes() == {}


def test_the_form_wants_whole_euros_half_up() -> None:
    assert [whole_euros(D(a)) for a in ("20.49", "20.50", "-0.50")] == [20, 21, -1]


@pytest.mark.usefixtures("with_oss")
def test_a_figure_opens_the_documents_that_make_it() -> None:
    march()
    rows = list(documents_behind(*MARCH, regime="domestic", rate=D("5.50")))
    assert [(r["entry__invoice__number"], r["base"], r["tax"]) for r in rows] == [
        ("FA2026-000001", D("10.00"), D("0.55"))
    ]
    (german,) = documents_behind(*MARCH, regime="oss", country="DE")
    assert (german["base"], german["tax"]) == (D("100.00"), D("19.00"))


# --- One-stop shop ---------------------------------------------------------------------------


@pytest.mark.usefixtures("with_oss")
def test_distance_sales_by_country_and_rate() -> None:
    invoiced("1", line("A", "119.00", tax_rate=D(19)), line("B", "10.70", tax_rate=D(7)), to=BERLIN)
    post_missing()
    rows, corrections = oss(*quarter_of(MARCH[0]))
    assert [tuple(row) for row in rows] == [
        ("DE", D("19.00"), True, D("100.00"), D("19.00")),
        ("DE", D("7.00"), False, D("10.00"), D("0.70")),
    ]
    assert corrections == []


@pytest.mark.usefixtures("with_oss")
def test_a_credit_note_of_a_later_quarter_corrects_the_first() -> None:
    invoice = invoiced("1", line("A", "119.00", tax_rate=D(19)), to=BERLIN)
    credit_invoice(
        invoice_id=invoice.pk, amount=D("11.90"), reason="Geste",
        at=datetime(2026, 4, 8, 9, tzinfo=UTC),
    )  # fmt: skip
    post_missing()

    rows, corrections = oss(*quarter_of(date(2026, 5, 1)))

    assert rows == []
    assert [tuple(c) for c in corrections] == [("DE", date(2026, 1, 1), D("-1.90"))]
    assert oss(*quarter_of(MARCH[0]))[0][0].tax == D("19.00")


@pytest.mark.parametrize(
    ("day", "quarter"),
    [
        (date(2026, 1, 1), (date(2026, 1, 1), date(2026, 3, 31))),
        (date(2026, 6, 30), (date(2026, 4, 1), date(2026, 6, 30))),
        (date(2026, 12, 31), (date(2026, 10, 1), date(2026, 12, 31))),
    ],
)
def test_quarters_begin_and_end_on_their_days(day: date, quarter: tuple[date, date]) -> None:
    assert quarter_of(day) == quarter


# --- Professionals of the Union --------------------------------------------------------------


def test_deliveries_to_the_union_by_vat_number_and_what_was_taken_back() -> None:
    first = invoiced("1", line("A", "450.00", tax_rate=D(0)), to=BRUGES, customer=BELGIAN)
    invoiced("2", line("A", "50.00", tax_rate=D(0)), to=BRUGES, customer=BELGIAN)
    credit_invoice(invoice_id=first.pk, amount=D("20.00"), reason="Geste", at=NOON)
    post_missing()
    assert [tuple(s) for s in union_sales(*MARCH)] == [
        ("BE0428759497", "Brugse Handel", "21", D("500.00")),
        ("BE0428759497", "Brugse Handel", "25", D("20.00")),
    ]


# --- The same figures as the journal -----------------------------------------------------------


_ORDERS = st.lists(
    st.tuples(
        st.decimals("1", "500", places=2),
        st.sampled_from(["20.00", "10.00", "5.50", "2.10"]),
        st.decimals("0", "9", places=2),
    ),
    min_size=1,
    max_size=5,
)


@given(orders=_ORDERS)
@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_is_sold_the_return_is_the_journal(orders: list[Any]) -> None:
    with transaction.atomic():
        for n, (price, rate, shipping) in enumerate(orders):
            invoiced(str(n), line("A", str(price), tax_rate=D(rate)), shipping_amount=shipping)
        post_missing()
        tax = sum(
            (ln.credit - ln.debit for ln in JournalLine.objects.filter(account__startswith="4457")),
            D(0),
        )
        assert sum((s.tax for s in sales(*MARCH)), D(0)) == tax
        assert boxes()["16"][1] == tax
        transaction.set_rollback(True)


# --- Pages ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("with_oss")
def test_the_page_and_its_files() -> None:
    march()
    accountant = signed_in("Comptable")
    period = "du=2026-03-01&au=2026-03-31"

    page = accountant.get(f"/comptabilite/tva/?{period}").content.decode()
    assert "Exportations hors UE" in page
    assert "Allemagne" in page
    assert "BE0428759497" in page
    behind = accountant.get(f"/comptabilite/tva/pieces/?{period}&regime=domestic&rate=20.00")
    assert "FA2026-000001" in behind.content.decode()

    got = accountant.get(f"/comptabilite/tva/oss.csv?{period}").content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(got), delimiter=";"))
    assert rows[1] == ["DE", "normal", "19,00", "100,00", "19,00", ""]
    got = accountant.get(f"/comptabilite/tva/etat-recapitulatif.csv?{period}").content.decode()
    assert "BE0428759497;Brugse Handel;21;450" in got


@pytest.mark.parametrize("query", ["regime=x", "regime=domestic&rate=vingt", ""])
def test_a_figure_that_is_none_opens_nothing(query: str) -> None:
    assert signed_in("Comptable").get(f"/comptabilite/tva/pieces/?{query}").status_code == 404


def test_a_period_that_is_none_is_last_month() -> None:
    page = signed_in("Comptable").get("/comptabilite/tva/?du=hier&au=demain")
    assert page.status_code == 200
    assert signed_in("Entrepôt").get("/comptabilite/tva/").status_code == 403
