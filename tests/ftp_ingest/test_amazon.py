"""Amazon's reports: totals that are summed, VAT that is stated or not, buyers without e-mail."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from ftp_ingest.services import IngestReport
from sales.models import Order
from tests.factories import ProductFactory

DATA = Path(__file__).parent.parent / "data/amazon"
ALL = (DATA / "all_orders.txt").read_text("utf-8")
Bring = Callable[..., IngestReport]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def book(db: None) -> None:
    ProductFactory(sku="LIV-2", tax_rate=Decimal("5.5"))


def orders(bring: Bring, text: str = ALL) -> dict[str, Order]:
    report = bring(text, name="amazon.txt")
    assert report.counts.faults == []
    return {order.number[-1]: order for order in Order.objects.all()}


def lines(order: Order) -> list[tuple[str, int, str, str]]:
    return [
        (line.sku, int(line.quantity), f"{line.tax_rate.normalize():f}", str(line.total_incl_tax))
        for line in order.lines.all()
    ]


def test_the_total_is_what_the_buyer_paid_vat_included(bring: Bring) -> None:
    order = orders(bring)["1"]

    assert lines(order) == [("LAMPE-12", 1, "20", "39.90")]
    assert (str(order.total_incl_tax), str(order.total_tax)) == ("44.89", "7.48")


def test_prices_are_a_rows_whole_and_promotions_are_taken_off(bring: Bring) -> None:
    order = orders(bring)["2"]

    assert lines(order) == [("AMP", 3, "20", "9.00"), ("", 1, "20", "3.00")]
    assert (str(order.total_incl_tax), str(order.shipping_incl_tax)) == ("12.00", "0.00")
    assert str(order.total_tax) == "2.00"


def test_a_cancelled_order_comes_without_its_amounts(bring: Bring) -> None:
    order = orders(bring)["3"]

    assert (order.status, str(order.total_incl_tax)) == ("cancelled", "0.00")


def test_an_order_that_is_cancelled_later_is_cancelled_here(bring: Bring) -> None:
    first, second = ALL.splitlines()[0], ALL.splitlines()[1]
    orders(bring, f"{first}\n{second}\n")

    gone = second.replace("Shipped", "Cancelled").replace(
        "\t1\tEUR\t39.90\t6.65\t4.99\t0.83", "\t0\tEUR\t\t\t\t"
    )
    orders(bring, f"{first}\n{gone}\n")

    assert Order.objects.get().status == "cancelled"


def test_a_tax_of_nothing_states_nothing(bring: Bring) -> None:
    order = orders(bring)["4"]

    assert lines(order) == [("LIV-2", 1, "5.5", "21.10")]
    assert str(order.total_tax) == "1.10"


def test_tax_that_amazon_adds_elsewhere_is_not_the_sales(bring: Bring) -> None:
    text = "\n".join(ALL.splitlines()[:2]).replace("Amazon.fr", "Amazon.com")

    order = orders(bring, text.replace("\tFR\t", "\tUS\t"))["1"]

    assert (str(order.total_incl_tax), str(order.total_tax)) == ("44.89", "0.00")


@pytest.mark.parametrize(
    ("was", "becomes", "code"),
    [
        ("\tShipped\tMerchant", "\t\tMerchant", "cell.blank"),
        ("\tShipped\tMerchant", "\tParti\tMerchant", "order.unknown_status"),
        ("\t39.90\t", "\t\t", "cell.blank"),
    ],
)
def test_a_blank_price_or_state_is_refused(bring: Bring, was: str, becomes: str, code: str) -> None:
    text = "\n".join(ALL.splitlines()[:2]) + "\n"

    report = bring(text.replace(was, becomes, 1))

    assert [f.code for _name, f in report.counts.faults] == [code]
    assert not Order.objects.exists()


def test_a_report_without_prices_is_refused_with_the_way_out(bring: Bring) -> None:
    report = bring(
        "order-id\torder-item-id\tpurchase-date\tsku\tquantity-purchased\tship-service-level\n1\t1\t\t\t\t\n"
    )

    fault = report.counts.faults[0][1]
    assert fault.code == "file.no_lines"
    assert "All Orders" in fault.message


def test_buyers_without_e_mail_are_known_again_by_name_and_address(bring: Bring) -> None:
    bring((DATA / "order_report.txt").read_bytes())

    mailed, second, third = Order.objects.order_by("number")
    assert mailed.customer.email == "abc123@marketplace.exemple.test"
    assert second.customer == third.customer != mailed.customer
    assert (second.customer.email, second.customer.last_name) == ("", "Exemple")
    assert second.paid_at is not None
    assert second.shipping_address2 == "Bât. B"
