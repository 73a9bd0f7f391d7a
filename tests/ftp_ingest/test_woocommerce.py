"""WooCommerce's modules as real sites run them: plus signs, refunds in part, entities."""

import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from ftp_ingest.dialects.base import Header
from ftp_ingest.dialects.woocommerce.refunds import given_back
from ftp_ingest.services import IngestReport
from sales.models import Order
from tests.factories import ProductFactory

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests/data/woocommerce"
Bring = Callable[..., IngestReport]
pytestmark = pytest.mark.django_db
# What "Export now" writes before anybody chose columns.
DEFAULTS = (
    "Order Number,Order Status,Order Date,Customer Note,First Name (Billing),Last Name (Billing),"
    "Email (Billing),Country Code (Billing),Order Shipping Amount,Order Refund Amount,"
    "Order Total Amount,Order Total Tax Amount,SKU,Item #,Item Name,Quantity (- Refund),Item Cost"
)


def lines(order: Order) -> list[tuple[str, str, str]]:
    return [
        (line.sku, f"{line.quantity.normalize():f}", str(line.total_incl_tax))
        for line in order.lines.all()
    ]


def recommended() -> list[str]:
    """The columns that the guide asks for, beyond the module's own choice."""
    page = (ROOT / "docs/guide/fr/shops/woocommerce.md").read_text("utf-8")
    row = next(line for line in page.splitlines() if "Advanced Order Export" in line)
    return re.findall(r"\*([^*]+)\*", row.split("|")[2])


def test_the_columns_that_the_guide_recommends_go_in_to_the_cent(bring: Bring) -> None:
    columns = recommended()
    assert len(columns) > 4
    given = {
        "Order ID": "61",
        "Order Shipping Tax Amount": "0.98",
        "Order Shipping + Tax Amount": "5.90",
        "Order Line Total": "18.947867",
        "Order Line Tax": "1.04",
        "Quantity": "1",
        "Currency": "EUR",
        "Order Line Subtotal": "18.947867",
        "Tax Rates (exact)": "5.5%",
        "Order Total Fee": "0",
        "Company (Shipping)": "",
        "Customer User ID": "0",
        "Product Id": "11",
        "Variation Id": "0",
        "Paid Date": "2026-11-27 07:38",
    }
    row = (
        "61,Processing,2026-11-27 07:36,,Zoé,Exemple,zoe@exemple.test,FR,4.92,0,25.89,2.02,"
        "LIV-2,1,Livre,1,18.95"
    )

    report = bring(
        ",".join([DEFAULTS, *columns])
        + "\n"
        + ",".join([row, *(given[name] for name in columns)])
        + "\n"
    )

    assert report.counts.faults == []
    order = Order.objects.get()
    assert lines(order) == [("LIV-2", "1", "19.99")]
    assert (str(order.shipping_incl_tax), str(order.total_tax)) == ("5.90", "2.02")


def test_a_real_file_with_the_recommended_columns(bring: Bring) -> None:
    report = bring((DATA / "algolplus_recommended.csv").read_bytes())

    assert report.counts.faults == []
    assert {o.number: str(o.total_incl_tax) for o in Order.objects.all()} == {
        "61": "51.60",
        "34": "45.87",
        "28": "31.70",
    }


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Order Shipping + Tax Amount", "Order Shipping Tax Amount"),
        ("Discount Amount + Tax", "Discount Amount Tax"),
    ],
)
def test_a_plus_sign_makes_another_column(one: str, other: str) -> None:
    header = Header([one, other])

    assert header.folded[0] != header.folded[1]


def test_shipping_with_its_tax_in_one_column(bring: Bring) -> None:
    text = (DATA / "algolplus_recommended.csv").read_text("utf-8")
    both = text.replace("Order Shipping Tax Amount", "Order Shipping + Tax Amount")

    report = bring(both.replace(",28,0.98,", ",28,5.90,"))

    assert [f.number for _name, f in report.counts.faults] == ["34"]
    assert str(Order.objects.get(number="28").shipping_incl_tax) == "5.90"


@pytest.fixture
def catalogue(db: None) -> None:
    ProductFactory(sku="MUG-1", tax_rate=Decimal("20"))
    ProductFactory(sku="LIV-2", tax_rate=Decimal("5.5"))


@pytest.mark.usefixtures("catalogue")
def test_pieces_refunded_are_found_by_what_is_missing_to_the_total(bring: Bring) -> None:
    report = bring((DATA / "algolplus_refund.csv").read_bytes())

    assert report.counts.faults == []
    order = Order.objects.get()
    assert lines(order)[0][:2] == ("MUG-1", "3")
    assert (str(order.total_incl_tax), str(order.refunded_incl_tax)) == ("84.58", "12.90")
    assert order.payment_status == "partially_refunded"


def test_pieces_refunded_that_several_lines_explain_are_asked_for(bring: Bring) -> None:
    text = (DATA / "algolplus_refund.csv").read_text("utf-8")

    # Both articles cost the same: the file doesn't tell which of them came back.
    report = bring(text.replace("2,18.95,,,", "2,10.75,,,").replace("84.58", "68.18"))

    fault = report.counts.faults[0][1]
    assert fault.code == "order.refunded_pieces"
    assert "Quantity" in fault.message


@pytest.mark.usefixtures("catalogue")
def test_what_a_line_whole_refunded_cost_is_found_too(bring: Bring) -> None:
    text = (DATA / "algolplus_refund.csv").read_text("utf-8")

    bring(
        text.replace(",12.9,84.58,9.51,", ",38.70,84.58,9.51,").replace(
            "émaillée,2,", "émaillée,0,"
        )
    )

    assert lines(Order.objects.get())[0][:2] == ("MUG-1", "3")


def test_given_back_says_nothing_when_nothing_fits() -> None:
    costs = [Decimal("10.75"), Decimal("18.95")]

    assert given_back(Decimal("5.00"), costs, Decimal(4)) == []
    assert given_back(Decimal("29.70"), costs, Decimal(4)) == [(1, 1)]
    assert given_back(Decimal("0.00"), costs, Decimal(4)) == [(0, 0)]


def test_entities_of_names_are_read(bring: Bring) -> None:
    text = (DATA / "webtoffee_refund.csv").read_text("utf-8")

    bring(
        text.replace(
            "name:Tasse émaillée|product_id", "name:Tasse&nbsp;émaillée &amp; bol|product_id"
        )
    )

    assert Order.objects.get().lines.first().label == "Tasse émaillée & bol"  # type: ignore[union-attr]


def test_a_refund_that_only_the_lines_tell(bring: Bring) -> None:
    text = (DATA / "webtoffee_refund.csv").read_text("utf-8")

    bring(text.replace("amount:12.9|reason:retour|date:2026-11-30 06:26:12", ""))

    order = Order.objects.get()
    assert (str(order.refunded_incl_tax), order.payment_status) == ("12.90", "partially_refunded")
