"""VAT as files state it, through the gateway: kept, argued, or asked once for the whole shop."""

import html
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.urls import reverse

from ftp_ingest.models import QuarantinedRow
from ftp_ingest.services import IngestReport, dismiss_row
from sales.models import Order
from sphinx.core.models import Shop
from tests.factories import ProductFactory
from tests.support.exports import shopify_csv, shopify_order
from tests.test_stock_pages import signed_in

Bring = Callable[..., IngestReport]
pytestmark = pytest.mark.django_db


def untaxed(number: str, **more: str) -> dict[str, str]:
    return shopify_order(number, tax="0.00", **more)


def codes(report: IngestReport) -> list[str]:
    return [fault.code for _name, fault in report.counts.faults]


def noted(report: IngestReport) -> list[tuple[str, str]]:
    return [(fault.number, fault.code) for _name, fault in report.counts.notes]


def tax_of(number: str) -> Decimal:
    return Order.objects.get(number=number).total_tax


def test_two_taxes_of_one_rate_on_one_base(bring: Bring) -> None:
    order = shopify_order(
        "#2002", price="100.00", tax="18.00", Total="118.00", Tax_1_Name="CGST 9%"
    ) | {"Tax 1 Value": "9.00", "Tax 2 Name": "SGST 9%", "Tax 2 Value": "9.00"}

    report = bring(shopify_csv(order))

    assert codes(report) == []
    assert tax_of("#2002") == Decimal("18.00")


def test_a_vat_that_nothing_explains_is_said_and_the_order_is_in(bring: Bring) -> None:
    report = bring(shopify_csv(shopify_order("#1", Taxes="17.00", Tax_1_Value="17.00")))

    message = report.counts.notes[0][1].message
    assert (codes(report), noted(report)) == ([], [("#1", "order.tax_differs")])
    assert "17,00" in message
    assert "20,00" in message
    assert tax_of("#1") == Decimal("20.00")
    assert report.as_json()["causes"][0]["code"] == "order.tax_differs"


def test_what_is_to_be_looked_at_stands_on_the_orders_page(bring: Bring) -> None:
    report = bring(shopify_csv(shopify_order("#1", Taxes="17.00", Tax_1_Value="17.00")))

    url = reverse("admin:sales_order_change", args=[Order.objects.get().pk])
    page = signed_in("Gérant").get(url).content.decode()

    assert html.escape(report.counts.notes[0][1].message) in page


def test_the_same_file_again_says_it_once(bring: Bring) -> None:
    content = shopify_csv(shopify_order("#1", Taxes="17.00", Tax_1_Value="17.00"))
    bring(content)

    assert noted(bring(content + "\n", name="encore.csv")) == []


def test_a_shop_without_vat_has_one_cause(bring: Bring) -> None:
    report = bring(shopify_csv(untaxed("#1"), untaxed("#2"), untaxed("#3")))

    causes = report.as_json()["causes"]
    assert [(cause["code"], cause["count"]) for cause in causes] == [("order.tax_undecided", 3)]


def test_the_shops_answer_is_the_rate_of_what_comes(bring: Bring, shop: Shop) -> None:
    shop.untaxed_rate = Decimal("20.00")
    shop.save()

    report = bring(shopify_csv(untaxed("#1")))

    assert codes(report) == []
    assert tax_of("#1") == Decimal("20.00")


def test_a_nought_in_a_shop_that_states_vat_is_kept_and_pointed_out(bring: Bring) -> None:
    ProductFactory(sku="LAMPE-12", tax_rate=Decimal(20))
    bring(shopify_csv(shopify_order("#1")))

    report = bring(shopify_csv(untaxed("#2")), name="suite.csv")

    assert noted(report) == [("#2", "order.untaxed")]
    assert tax_of("#2") == 0


def test_a_nought_that_the_country_explains_is_no_matter(bring: Bring) -> None:
    bring(shopify_csv(shopify_order("#1")))

    report = bring(shopify_csv(untaxed("#2", Billing_Country="US")), name="suite.csv")

    assert noted(report) == []


@pytest.mark.parametrize(
    "more",
    [
        {"Cancelled_at": "2026-03-13 09:00:00 +0100"},
        {"Subtotal": "0.00", "Total": "0.00", "Discount_Amount": "120.00"},
    ],
)
def test_what_owes_nothing_never_waits_for_a_rate(bring: Bring, more: dict[str, str]) -> None:
    assert codes(bring(shopify_csv(untaxed("#1", **more)))) == []


def test_what_is_still_due_after_an_edit_is_named(bring: Bring) -> None:
    report = bring(shopify_csv(shopify_order("#1", Total="122.50", Outstanding_Balance="2.50")))

    assert codes(report) == ["order.total_mismatch"]
    assert "2,50" in report.counts.faults[0][1].message


def test_what_is_to_be_looked_at_stays_until_the_order_changes(bring: Bring) -> None:
    odd = shopify_order("#1", Taxes="17.00", Tax_1_Value="17.00")
    bring(shopify_csv(odd))
    bring(shopify_csv(odd, shopify_order("#2")), name="encore.csv")
    noted_now = QuarantinedRow.objects.filter(status=QuarantinedRow.Status.NOTED)
    assert list(noted_now.values_list("number", flat=True)) == ["#1"]

    bring(shopify_csv(shopify_order("#1")), name="corrige.csv")

    assert not noted_now.exists()


def test_a_note_can_be_put_aside(bring: Bring) -> None:
    bring(shopify_csv(shopify_order("#1", Taxes="17.00", Tax_1_Value="17.00")))

    row = dismiss_row(row_id=QuarantinedRow.objects.get().pk, reason="vu")

    assert row.status == QuarantinedRow.Status.DISMISSED
