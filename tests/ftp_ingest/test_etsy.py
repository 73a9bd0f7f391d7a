"""Etsy's files: items without total and without e-mail, orders without items."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from ftp_ingest.services import IngestReport
from sales.models import Order
from tests.factories import ProductFactory

PATH = Path(__file__).parent.parent / "data/etsy/order_items.csv"
TEXT = PATH.read_text("utf-8")
Bring = Callable[..., IngestReport]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def catalogue(db: None) -> None:
    for sku in ("TAS-1", "SAV"):
        ProductFactory(sku=sku, tax_rate=Decimal(20))


def orders(bring: Bring, text: str = TEXT) -> dict[str, Order]:
    report = bring(text)
    assert report.counts.faults == []
    return {order.number: order for order in Order.objects.all()}


def fault(bring: Bring, text: str) -> tuple[str, str]:
    """Code and column of the one fault of a file."""
    (found,) = [fault for _name, fault in bring(text).counts.faults]
    return found.code, found.column


def test_the_total_is_the_items_and_shipping_once(bring: Bring) -> None:
    order = orders(bring)["9001"]

    assert (str(order.total_incl_tax), str(order.shipping_incl_tax)) == ("46.50", "4.50")
    assert [line.label for line in order.lines.all()] == ["Tasse, grès (Couleur: bleu)", "Savon"]
    assert order.placed_at.date().isoformat() == "2026-09-13"


def test_discounts_are_taken_off(bring: Bring) -> None:
    found = orders(bring)

    assert str(found["9002"].total_incl_tax) == "20.70"
    assert (str(found["9003"].total_incl_tax), str(found["9003"].shipping_incl_tax)) == (
        "6.00",
        "0.00",
    )


def test_an_order_that_isnt_paid_waits(bring: Bring) -> None:
    found = orders(bring)

    assert (found["9003"].status, found["9003"].payment_status) == ("draft", "unpaid")
    assert found["9002"].status == "confirmed"


def test_the_buyers_account_is_one_customer(bring: Bring) -> None:
    found = orders(bring)

    assert found["9002"].customer == found["9003"].customer != found["9001"].customer
    assert (found["9001"].customer.email, found["9001"].customer.last_name) == ("", "Exemple")


def test_a_percentage_tells_shares_from_the_whole(bring: Bring) -> None:
    shares = TEXT.replace(",,,0,0,4.50,0,36.00", ",DIX,10% off,3.60,0,4.50,0,36.00").replace(
        ",,,0,0,4.50,0,6.00", ",DIX,10% off,0.60,0,4.50,0,6.00", 1
    )
    whole = shares.replace(",3.60,", ",4.20,").replace(",0.60,", ",4.20,")

    assert str(orders(bring, shares)["9001"].total_incl_tax) == "42.30"
    assert str(orders(bring, whole)["9001"].total_incl_tax) == "42.30"


def test_amounts_that_nobody_can_choose_from_wait(bring: Bring) -> None:
    two = TEXT.replace(",,,0,0,4.50,0,36.00", ",X,,3.00,0,4.50,0,36.00").replace(
        ",,,0,0,4.50,0,6.00", ",X,,3.00,0,4.50,0,6.00", 1
    )

    assert fault(bring, two) == ("order.contradiction", "Discount Amount")
    assert fault(bring, TEXT.replace(",4.50,0,36.00", ",5.50,0,36.00")) == (
        "order.contradiction",
        "Order Shipping",
    )


def test_tax_that_etsy_collects_is_not_the_sales(bring: Bring) -> None:
    taxed = TEXT.replace(",4.50,0,36.00", ",4.50,3.00,36.00")

    assert str(orders(bring, taxed)["9001"].total_incl_tax) == "46.50"


def test_a_blank_price_is_refused(bring: Bring) -> None:
    assert fault(bring, TEXT.replace(",2,18.00,", ",2,,").replace(",36.00,", ",,")) == (
        "cell.blank",
        "Price",
    )


def test_the_orders_file_has_no_items(bring: Bring) -> None:
    report = bring((PATH.parent / "grid_orders.csv").read_bytes())

    assert report.counts.faults[0][1].code == "file.no_lines"
    assert "Order Items" in report.counts.faults[0][1].message
