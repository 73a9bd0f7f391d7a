"""The 10,000 EUR of distance sales from which other states' VAT is due (CGI, art. 259 D)."""

from datetime import date
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from accounting_export.distance_sales import distance_sales
from accounting_export.services import post_missing
from invoicing.services import credit_invoice
from sphinx.core.month_checks import left_open
from sphinx.core.services import company
from tests.accounting_export.test_vat_returns import BELGIAN, BERLIN, GENEVA, invoiced
from tests.factories import NOON, line
from tests.invoicing.test_einvoices import BRUGES

pytestmark = pytest.mark.django_db
D = Decimal
LAST = date(2026, 3, 31)


def sold(number: str, amount: str, to=BERLIN, **values) -> None:
    invoiced(number, line("A", amount), to=to, **values)
    post_missing()


def answers() -> dict[str, int]:
    return {a.name: a.count for a in left_open(date(2026, 3, 1), LAST)}


def test_only_sales_to_consumers_of_other_states_count() -> None:
    # 1,200.00 incl. 20 % is 1,000.00 excl. tax.
    sold("1", "1200.00")
    sold("2", "600.00", to=BRUGES)
    invoiced("3", line("A", "450.00", tax_rate=D(0)), to=BRUGES, customer=BELGIAN)
    invoiced("4", line("A", "80.00", tax_rate=D(0)), to=GENEVA)
    invoiced("5", line("A", "99.00"))
    post_missing()

    found = distance_sales(LAST)

    assert (found.amount, found.before, found.percent) == (D("1500.00"), 0, 15)
    assert [(c.country, c.amount, c.standard_rate) for c in found.by_country] == [
        ("DE", D("1000.00"), D(19)),
        ("BE", D("500.00"), D(21)),
    ]
    assert (found.is_near, found.is_over) == (False, False)


def test_northern_ireland_is_in_the_union_and_has_its_name() -> None:
    sold("1", "1200.00", to=BERLIN._replace(city="Belfast", postcode="BT1 5GS", country="GB"))

    (found,) = distance_sales(LAST).by_country

    assert (found.country, found.name) == ("XI", "Irlande du Nord")


def test_what_was_given_back_counts_no_more() -> None:
    invoice = invoiced("1", line("A", "1200.00"), to=BERLIN)
    credit_invoice(invoice_id=invoice.pk, amount=D("1200.00"), reason="rendu", at=NOON)
    post_missing()

    assert distance_sales(LAST).amount == 0


@pytest.mark.parametrize(
    ("amount", "near", "over"),
    [
        ("9599.99", False, False),
        ("9600.00", True, False),
        ("12000.00", True, False),
        ("12000.02", False, True),
    ],
)
def test_it_is_warned_from_80_percent_on(amount: str, near: bool, over: bool) -> None:
    sold("1", amount)

    found = distance_sales(LAST)

    assert (found.is_near, found.is_over) == (near, over)
    assert answers()["distance_sales"] == int(near or over)


def test_last_year_above_it_counts_this_year() -> None:
    sold("1", "13000.00")

    found = distance_sales(date(2027, 1, 31))

    assert (found.amount, found.before, found.is_over) == (0, D("10833.33"), True)
    assert not distance_sales(date(2028, 1, 31)).is_over


def test_who_uses_the_one_stop_shop_is_not_warned() -> None:
    firm = company()
    firm.uses_oss = True
    firm.save()
    invoiced("1", line("A", "13000.00", tax_rate=D(19)), to=BERLIN)
    post_missing()

    found = distance_sales(LAST)

    assert found.amount == D("10924.37")
    assert (found.is_near, found.is_over) == (False, False)


def test_the_page_of_returns_says_where_the_firm_stands(admin_client: Client) -> None:
    sold("1", "10800.00")

    page = admin_client.get(f"{reverse('accounting_export:vat')}?du=2026-03-01&au=2026-03-31")

    text = page.content.decode().replace("\u202f", " ").replace("\xa0", " ")
    assert "9 000,00 €" in text
    assert "90 % du seuil de 10 000 €" in text
    assert "Seuil proche" in text
    assert "Encore 1 000,00 € à la TVA française" in text
