"""One order of the shop is one order here: whatever became of its key, in whatever file order."""

import os
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from customers.models import Customer
from ftp_ingest.services import IngestReport, ingest_paths
from inventory.models import Product
from sales.models import Order
from sphinx.core.clock import PARIS
from sphinx.core.models import Shop
from tests.support.exports import SHOPIFY_HEADER, shopify_csv, shopify_item, shopify_order

Bring = Callable[..., IngestReport]
pytestmark = pytest.mark.django_db
WITHOUT_ID = [name for name in SHOPIFY_HEADER if name != "Id"]
PIVOT = (
    "order_number;placed_at;status;sku;quantity;unit_price_incl_tax;tax_rate;total_incl_tax;email;"
    "changed_at\n"
)


def codes(report: IngestReport) -> list[tuple[int, str]]:
    return [(fault.line, fault.code) for _name, fault in report.counts.faults]


def numbers() -> list[str]:
    return list(Order.objects.order_by("number").values_list("number", flat=True))


# --- Keys ---------------------------------------------------------------------------------


def test_ids_rounded_by_excel_are_not_believed(bring: Bring) -> None:
    report = bring(
        shopify_csv(
            shopify_order("#9101", key="6,61808E+12"), shopify_order("#9102", key="6,61808E+12")
        )
    )

    assert codes(report) == []
    assert numbers() == ["#9101", "#9102"]


@pytest.mark.parametrize("with_id_first", [True, False])
def test_an_order_read_with_and_without_its_id_is_one(bring: Bring, with_id_first: bool) -> None:
    order = shopify_order("#1001")
    files = [shopify_csv(order), shopify_csv(order, header=WITHOUT_ID)]
    if not with_id_first:
        files.reverse()

    for n, content in enumerate(files):
        assert codes(bring(content, name=f"{n}.csv")) == []

    assert Order.objects.get().external_id == order["Id"]


def test_an_order_found_by_its_number_takes_what_is_new(bring: Bring) -> None:
    bring(shopify_csv(shopify_order("#1001"), header=WITHOUT_ID))

    cancelled = shopify_order("#1001", Cancelled_at="2026-03-13 09:00:00 +0100")
    bring(shopify_csv(cancelled), name="suite.csv")

    assert Order.objects.get().status == Order.Status.CANCELLED


def test_a_second_live_order_of_the_same_number_waits(bring: Bring) -> None:
    bring(shopify_csv(shopify_order("#1001", key="5550000000001")))

    report = bring(shopify_csv(shopify_order("#1001", key="5550000000002")), name="suite.csv")

    assert codes(report) == [(2, "order.same_number")]
    assert Order.objects.count() == 1


def test_the_number_of_another_day_is_another_order(bring: Bring) -> None:
    bring(shopify_csv(shopify_order("#1001")))
    later = shopify_order("#1001", Created_at="2026-06-01 10:00:00 +0200")

    report = bring(shopify_csv(later, header=WITHOUT_ID), name="suite.csv")

    assert codes(report) == [(2, "order.same_number")]


def test_a_cancelled_order_leaves_its_number_free(bring: Bring) -> None:
    cancelled = shopify_order("#1001", Cancelled_at="2026-03-13 09:00:00 +0100")
    bring(shopify_csv(cancelled))

    report = bring(shopify_csv(shopify_order("#1001", key="5550000000002")), name="suite.csv")

    assert codes(report) == []
    assert Order.objects.count() == 2


def test_a_reference_rounded_by_excel_makes_no_article(bring: Bring) -> None:
    report = bring(
        shopify_csv(
            shopify_order("#8001", Lineitem_sku="3,76012E+12"),
            shopify_order("#8002", Lineitem_sku="3.76012e+12"),
            shopify_order("#8003"),
        )
    )

    assert codes(report) == [(2, "line.spoilt_sku"), (3, "line.spoilt_sku")]
    assert list(Product.objects.values_list("sku", flat=True)) == ["LAMPE-12"]
    assert "abîmée par Excel" in report.counts.faults[0][1].message


def test_an_order_number_rounded_by_excel_waits(bring: Bring) -> None:
    report = bring(PIVOT + "1,00012E+11;2026-03-01;paid;A;1;10;20;10;a@exemple.test;\n")

    assert codes(report) == [(2, "order.spoilt_number")]


def test_customers_whose_keys_were_rounded_alike_stay_two(bring: Bring) -> None:
    header = "customer_ref;email;first_name;last_name;postcode\n"
    bring(
        header + "5,9E+12;a@exemple.test;A;B;75001\n5,9E+12;b@exemple.test;C;D;75002\n",
        name="customers.csv",
    )

    assert Customer.objects.count() == 2


# --- Rows without their first row -----------------------------------------------------------


def test_an_order_without_its_first_row_waits(bring: Bring) -> None:
    report = bring(shopify_csv(shopify_item("#9001", "ECH"), shopify_order("#9002")))

    assert codes(report) == [(2, "order.no_beginning")]
    assert "début de la commande absent" in report.counts.faults[0][1].message
    assert numbers() == ["#9002"]


@pytest.mark.parametrize("column", ["Total", "Financial_Status"])
def test_a_blank_cell_is_neither_nought_nor_paid(bring: Bring, column: str) -> None:
    report = bring(shopify_csv(shopify_order("#9001", **{column: ""})))

    assert codes(report) == [(2, "cell.blank")]
    assert numbers() == []


def test_a_blank_state_of_a_home_made_file_is_not_paid(bring: Bring) -> None:
    report = bring(PIVOT + "1;2026-03-01;;A;1;10;20;10;a@exemple.test;\n")

    assert codes(report) == [(2, "order.unknown_status")]


# --- Which is newer -------------------------------------------------------------------------


def row(number: str, status: str, changed_at: str = "") -> str:
    return f"{number};2026-11-28 10:00;{status};A;1;10;20;10;a@exemple.test;{changed_at}\n"


def write(path: Path, content: str, at: str = "2026-11-30 08:00") -> Path:
    path.write_text(PIVOT + content, encoding="utf-8")
    stamp = datetime.fromisoformat(at).replace(tzinfo=PARIS).timestamp()
    os.utime(path, (stamp, stamp))
    return path


def test_files_that_wait_together_are_read_by_age(shop: Shop, tmp_path: Path) -> None:
    write(tmp_path / "a.csv", row("1", "cancelled"), at="2026-12-01 08:00")
    write(tmp_path / "b.csv", row("1", "paid"), at="2026-11-30 08:00")

    ingest_paths(shop=shop, paths=[tmp_path])

    assert Order.objects.get().status == Order.Status.CANCELLED


def test_files_of_one_age_are_read_by_their_own_dates(shop: Shop, tmp_path: Path) -> None:
    write(tmp_path / "a.csv", row("1", "cancelled") + row("2", "paid").replace("28 10", "29 10"))
    write(tmp_path / "b.csv", row("1", "paid"))

    ingest_paths(shop=shop, paths=[tmp_path])

    assert Order.objects.get(number="1").status == Order.Status.CANCELLED


def test_files_of_one_age_and_content_are_read_by_the_date_in_their_name(
    shop: Shop, tmp_path: Path
) -> None:
    write(tmp_path / "orders_01-12-2026.csv", row("1", "cancelled"))
    write(tmp_path / "orders_30-11-2026.csv", row("1", "paid"))

    ingest_paths(shop=shop, paths=[tmp_path])

    assert Order.objects.get().status == Order.Status.CANCELLED


@pytest.mark.parametrize("newer_first", [True, False])
def test_an_older_state_never_overwrites_a_newer_one(bring: Bring, newer_first: bool) -> None:
    states = [
        row("1", "cancelled", "2026-11-29 12:00"),
        row("1", "paid", "2026-11-29 10:00"),
    ]
    if not newer_first:
        states.reverse()

    for n, content in enumerate(states):
        bring(PIVOT + content, name=f"{n}.csv")

    assert Order.objects.get().status == Order.Status.CANCELLED


def test_an_older_state_that_comes_late_is_said(bring: Bring) -> None:
    bring(PIVOT + row("1", "cancelled", "2026-11-29 12:00"))

    report = bring(PIVOT + row("1", "paid", "2026-11-29 10:00"), name="vieux.csv")

    assert report.counts.orders["unchanged"] == 1
    assert [(c.number, c.after) for c in report.counts.changes] == [("1", "29/11/2026 10:00")]


def test_the_date_of_change_is_kept_where_nothing_else_changed(bring: Bring) -> None:
    bring(PIVOT + row("1", "paid", "2026-11-29 10:00"))
    bring(PIVOT + row("1", "paid", "2026-11-29 14:00"), name="b.csv")

    bring(PIVOT + row("1", "cancelled", "2026-11-29 12:00"), name="c.csv")

    assert Order.objects.get().status == Order.Status.CONFIRMED


# --- Pasted exports -------------------------------------------------------------------------


def test_an_order_that_two_pasted_exports_have_is_one(bring: Bring) -> None:
    once = shopify_csv(
        shopify_order("#1001", price="0.00", tax="0.00"), shopify_item("#1001", "CADEAU")
    )

    report = bring(once + once + shopify_csv(shopify_order("#1002")))

    assert codes(report) == []
    assert numbers() == ["#1001", "#1002"]
    pieces = Order.objects.get(number="#1001").lines.values_list("quantity", flat=True)
    assert list(pieces) == [Decimal(1), Decimal(1)]


def test_two_versions_of_an_order_in_one_file_wait(bring: Bring) -> None:
    report = bring(
        shopify_csv(shopify_order("#1001"))
        + shopify_csv(shopify_order("#1001", price="90.00", tax="15.00"))
    )

    assert codes(report) == [(4, "order.contradiction")]


def test_an_export_with_other_columns_pasted_below_is_not_misread(bring: Bring) -> None:
    other = ["Email", *[name for name in SHOPIFY_HEADER if name != "Email"]]

    report = bring(
        shopify_csv(shopify_order("#1001"))
        + shopify_csv(shopify_order("#1002"), shopify_order("#1003"), header=other)
    )

    assert codes(report) == [(3, "row.other_header")]
    assert numbers() == ["#1001"]
