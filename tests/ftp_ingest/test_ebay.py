"""eBay's orders report: rows of totals, last lines, tax that eBay collects."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from ftp_ingest.services import IngestReport
from sales.models import Order
from tests.factories import ProductFactory

PATH = Path(__file__).parent.parent / "data/ebay/orders.csv"
TEXT = PATH.read_text("utf-8")
Bring = Callable[..., IngestReport]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def catalogue(db: None) -> None:
    for sku in ("LAMPE-12", "SAV"):
        ProductFactory(sku=sku, tax_rate=Decimal(20))


def orders(bring: Bring, text: str = TEXT) -> dict[str, Order]:
    report = bring(text)
    assert report.counts.faults == []
    return {order.number: order for order in Order.objects.all()}


def fault(bring: Bring, text: str) -> tuple[str, str]:
    """Code and column of the one fault of a file."""
    (found,) = [fault for _name, fault in bring(text).counts.faults]
    return found.code, found.column


def test_prices_are_a_pieces_where_that_makes_the_total(bring: Bring) -> None:
    order = orders(bring)["12-34567-89012"]

    assert [(x.sku, int(x.quantity), str(x.total_incl_tax)) for x in order.lines.all()] == [
        ("LAMPE-12", 2, "79.80")
    ]
    assert (order.currency, order.placed_at.date().isoformat()) == ("EUR", "2025-07-20")


def test_prices_are_a_rows_where_that_makes_the_total(bring: Bring) -> None:
    order = orders(bring, TEXT.replace('"84,79 €"', '"44,89 €"'))["12-34567-89012"]

    assert str(order.lines.get().total_incl_tax) == "39.90"


def test_an_order_of_several_items_has_its_totals_on_a_row_of_their_own(bring: Bring) -> None:
    order = orders(bring)["12-34567-89013"]

    assert [line.sku for line in order.lines.all()] == ["LAMPE-12", "SAV"]
    assert (str(order.total_incl_tax), str(order.shipping_incl_tax)) == ("50.89", "4.99")


def test_tax_that_ebay_collects_is_not_the_sales_and_an_unpaid_order_waits(bring: Bring) -> None:
    order = orders(bring)["12-34567-89014"]

    assert (str(order.total_incl_tax), order.status) == ("6.00", "draft")


def test_the_buyers_account_is_one_customer(bring: Bring) -> None:
    assert len({order.customer_id for order in orders(bring).values()}) == 1


def test_the_british_site_names_columns_otherwise(bring: Bring) -> None:
    text = TEXT.replace("Ship To", "Post to").replace("Zip", "Postcode")
    text = text.replace("Shipping And Handling", "Postage and packaging")

    order = orders(bring, text.replace("€", "EUR"))["12-34567-89012"]

    assert (order.shipping_postcode, order.billing_postcode) == ("75002", "69001")


def test_another_currency_is_told_by_its_sign(bring: Bring) -> None:
    bring("\n".join(TEXT.replace("€", "$").splitlines()[:2]), name="dollars.csv")

    assert Order.objects.get().original_currency == "USD"


def test_what_doesnt_add_up_and_what_is_blank_wait(bring: Bring) -> None:
    assert fault(bring, TEXT.replace('"84,79 €"', '"80,00 €"')) == (
        "order.total_mismatch",
        "Total Price",
    )
    assert fault(bring, TEXT.replace('"84,79 €"', "")) == ("cell.blank", "Total Price")
