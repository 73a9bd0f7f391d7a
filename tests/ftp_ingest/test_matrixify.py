"""Matrixify's sheets: one order over rows of several types, and customers."""

from collections.abc import Callable
from pathlib import Path

import pytest

from customers.models import Customer
from ftp_ingest.services import IngestReport
from sales.models import Order

DATA = Path(__file__).parent.parent / "data/matrixify"
Bring = Callable[..., IngestReport]
pytestmark = pytest.mark.django_db


def orders(bring: Bring, text: str = "") -> dict[str, Order]:
    report = bring(text or (DATA / "orders.csv").read_bytes())
    assert report.counts.faults == []
    return {order.number: order for order in Order.objects.all()}


def lines(order: Order) -> list[tuple[str, int, str, str]]:
    return [
        (line.sku, int(line.quantity), f"{line.tax_rate.normalize():f}", str(line.total_incl_tax))
        for line in order.lines.all()
    ]


def test_rates_are_fractions_and_rows_of_other_types_are_no_articles(bring: Bring) -> None:
    order = orders(bring)["#1001"]

    assert lines(order) == [("LAMPE-12", 1, "20", "100.00"), ("LIV-2", 1, "5.5", "21.10")]
    assert (str(order.total_tax), str(order.shipping_incl_tax)) == ("18.77", "6.00")
    assert order.external_id == "5550000000001"


def test_a_discount_spread_over_the_lines_is_taken_once(bring: Bring) -> None:
    found = orders(bring)

    assert str(found["#1001"].discount_incl_tax) == "0.00"
    # On its own row only, of prices excl. tax.
    assert str(found["#1003"].discount_incl_tax) == "6.00"


def test_refunds_are_counted_by_their_transactions(bring: Bring) -> None:
    order = orders(bring)["#1002"]

    assert lines(order) == [("BOU", 4, "20", "48.00")]
    assert (str(order.refunded_incl_tax), order.payment_status) == ("12.00", "partially_refunded")


def test_a_refund_without_transactions_is_counted_by_its_rows(bring: Bring) -> None:
    text = (DATA / "orders.csv").read_text("utf-8").replace(",refund,", ",void,")

    assert str(orders(bring, text)["#1002"].refunded_incl_tax) == "12.00"


def test_a_date_of_cancellation_cancels(bring: Bring) -> None:
    assert orders(bring)["#1003"].status == "cancelled"


def test_the_delivery_goes_elsewhere_than_the_bill(bring: Bring) -> None:
    order = orders(bring)["#1001"]

    assert (order.billing_postcode, order.shipping_postcode) == ("06000", "75002")


@pytest.mark.parametrize(
    ("was", "column"), [(",paid,", "Payment: Status"), (",127.10,6.00", "Price: Total")]
)
def test_a_blank_state_or_total_is_refused(bring: Bring, was: str, column: str) -> None:
    text = (DATA / "orders.csv").read_text("utf-8")

    report = bring(text.replace(was, ",," if was == ",paid," else ",,6.00", 1))

    fault = report.counts.faults[0][1]
    assert (fault.code, fault.column) == ("cell.blank", column)


def test_what_doesnt_add_up_waits(bring: Bring) -> None:
    text = (DATA / "orders.csv").read_text("utf-8").replace(",127.10,6.00", ",128.10,6.00")

    report = bring(text)

    assert [f.code for _name, f in report.counts.faults] == ["order.total_mismatch"]


def test_orders_without_their_lines_are_refused(bring: Bring) -> None:
    report = bring("ID,Name,Created At,Payment: Status,Price: Total,Line: Type\n1,#1,,,,\n")

    assert report.counts.faults[0][1].code == "file.no_lines"


def test_a_second_address_is_no_second_customer(bring: Bring) -> None:
    report = bring((DATA / "customers.csv").read_bytes(), name="customers.csv")

    assert (report.files[0].kind, report.files[0].dialect) == ("customers", "matrixify")
    customer = Customer.objects.get()
    assert (customer.email, customer.name) == ("lou@exemple.test", "Lou Exemple")
