"""Shopify's and the pivot format's readers, field by field: which column a refusal names, dates."""

from datetime import datetime

import pytest

from ftp_ingest.dialects import find_dialect
from ftp_ingest.dialects.base import Header, Row
from sales.drafts import OrderDraft
from sphinx.core.clock import PARIS
from sphinx.core.errors import InputError

SHOPIFY = {
    "Name": "#1",
    "Email": "lou@exemple.test",
    "Financial Status": "paid",
    "Paid at": "3/4/2026 9:06 PM",
    "Cancelled at": "",
    "Subtotal": "12.00",
    "Shipping": "0.00",
    "Taxes": "2.00",
    "Total": "12.00",
    "Created at": "3/4/2026 9:05 PM",
    "Lineitem quantity": "1",
    "Lineitem name": "Bougie",
    "Lineitem price": "12.00",
    "Tax 1 Name": "FR TVA 20%",
    "Tax 1 Value": "2.00",
}


def shopify(*, day_first: bool = True, **changes: str) -> OrderDraft:
    """The one order of an export."""
    cells = SHOPIFY | {name.replace("_", " "): value for name, value in changes.items()}
    reader = find_dialect("shopify").orders(Header(list(cells)))
    reader.read_dates(day_first=day_first)
    return reader.draft([Row(2, [*cells.values(), ""])])


def test_an_order_was_paid_and_cancelled_in_the_order_of_dates_of_its_file() -> None:
    order = shopify(day_first=False, Cancelled_at="3/5/2026 8:00 AM")

    assert order.placed_at == datetime(2026, 3, 4, 21, 5, tzinfo=PARIS)
    assert order.paid_at == datetime(2026, 3, 4, 21, 6, tzinfo=PARIS)
    assert order.cancelled_at == datetime(2026, 3, 5, 8, 0, tzinfo=PARIS)


@pytest.mark.parametrize(
    "column", ["Tax 1 Value", "Lineitem price", "Total", "Created at", "Financial Status"]
)
def test_a_refusal_names_the_column_as_the_file_does(column: str) -> None:
    with pytest.raises(InputError) as refused:
        shopify(**{column: "?"})

    assert refused.value.column == column
    assert column in refused.value.message


def test_a_company_that_is_a_dash_is_none() -> None:
    header = Header(["customer_ref", "email", "company"])
    reader = find_dialect("pivot").customers(header)

    found = [reader.draft(Row(2, ["C1", "", company, ""])) for company in ("-", "-Pro-")]

    assert [draft and draft.company for draft in found] == ["", "-Pro-"]


def test_a_street_that_is_not_in_parts_is_read_whole() -> None:
    order = shopify(Billing_Street="1 rue des Tests", Billing_City="Lyon")

    assert order.billing.address1 == "1 rue des Tests"


@pytest.mark.parametrize(("sku", "is_total"), [("", True), ("BOU-1", False)])
def test_a_row_of_totals_sells_nothing(sku: str, *, is_total: bool) -> None:
    reader = find_dialect("pivot").orders(Header(["order_number", "placed_at", "sku"]))

    assert reader.is_total(["Total", "", sku, ""]) is is_total


@pytest.mark.parametrize(("account", "ref"), [("lou69", "etsy:lou69"), ("", "adr:")])
def test_a_marketplaces_buyer_is_known_by_the_account_else_by_the_address(
    account: str, ref: str
) -> None:
    cells = {
        "Order ID": "1",
        "Sale Date": "03/04/26",
        "Item Name": "Bougie",
        "Quantity": "1",
        "Price": "12.00",
        "Buyer": account,
        "Ship Name": "Lou Exemple",
        "Ship Address1": "1 rue des Tests",
        "Ship Zipcode": "69001",
    }
    reader = find_dialect("etsy").orders(Header(list(cells)))

    order = reader.draft([Row(2, [*cells.values(), ""])])

    assert order.customer.ref.startswith(ref)
    assert (order.customer.first_name, order.billing.postcode) == ("Lou", "69001")
