import random
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.models import Customer
from ftp_ingest.errors import FileRefused
from ftp_ingest.models import FeedRun, QuarantinedRow, ReceivedFile
from ftp_ingest.services import IngestReport, dismiss_row, ingest_paths, replay_row
from ftp_ingest.services.archive import archive_path
from inventory.models import Product
from sales.models import Order
from sphinx.core.models import Shop

pytestmark = pytest.mark.django_db
DATA = Path(__file__).parent.parent / "data"
Bring = Callable[..., IngestReport]
HEADER = (
    "order_number;placed_at;status;email;sku;quantity;unit_price_incl_tax;tax_rate;"
    "shipping_incl_tax;total_incl_tax;paid_at\n"
)


def row(number: str, sku: str = "A", total: str = "10.00", **cells: str) -> str:
    values = {
        "placed_at": "2026-03-01 10:00:00",
        "status": "paid",
        "email": f"{number}@exemple.test",
        "quantity": "1",
        "price": "10.00",
        "rate": "20",
        "shipping": "0",
        "paid_at": "2026-03-01 10:00:00",
        **cells,
    }
    return (
        ";".join(
            [
                number,
                values["placed_at"],
                values["status"],
                values["email"],
                sku,
                values["quantity"],
                values["price"],
                values["rate"],
                values["shipping"],
                total,
                values["paid_at"],
            ]
        )
        + "\n"
    )


def codes(report: IngestReport) -> list[tuple[int, str]]:
    return [(fault.line, fault.code) for _name, fault in report.counts.faults]


# --- Pivot ----------------------------------------------------------------------------------


def test_the_pivot_sample_comes_in_with_its_broken_order_set_aside(bring: Bring) -> None:
    report = bring((DATA / "pivot/orders.csv").read_bytes())

    assert report.counts.orders == {
        "created": 2,
        "updated": 0,
        "unchanged": 0,
        "cancelled": 1,
        "quarantined": 1,
    }
    assert codes(report) == [(7, "order.total_mismatch")]


def test_an_orders_rows_may_leave_its_own_columns_blank(bring: Bring) -> None:
    bring((DATA / "pivot/orders.csv").read_bytes())

    order = Order.objects.get(number="W1001")
    assert order.total_incl_tax == Decimal("71.36")
    assert [(ln.sku, ln.source_line, ln.tax_rate) for ln in order.lines.all()] == [
        ("BOU-01", 2, 20),
        ("LIV-07", 3, Decimal("5.5")),
    ]
    assert (order.source_file, order.source_line) == ("orders.csv", 2)


def test_unpaid_and_cancelled_orders_come_in_as_such(bring: Bring) -> None:
    bring((DATA / "pivot/orders.csv").read_bytes())

    states = dict(Order.objects.values_list("number", "status"))
    assert states == {"W1001": "confirmed", "W1002": "draft", "W1003": "cancelled"}
    assert Order.objects.get(number="W1002").vat_number == "FR40303265045"


def test_customers_come_in_cleaned_and_one_without_key_is_set_aside(bring: Bring) -> None:
    report = bring((DATA / "pivot/customers.csv").read_bytes(), "customers.csv")

    assert report.counts.customers["created"] == 2
    assert codes(report) == [(4, "customer.no_key")]
    lea = Customer.objects.get(last_name="Martin")
    assert (lea.email, lea.phone, lea.accepts_marketing) == (
        "lea.martin@exemple.test",
        "+33612345678",
        True,
    )


def test_an_orders_customer_is_the_one_of_the_customers_file(bring: Bring) -> None:
    bring((DATA / "pivot/orders.csv").read_bytes())
    before = Customer.objects.count()

    report = bring((DATA / "pivot/customers.csv").read_bytes(), "customers.csv")

    assert report.counts.customers["created"] == 0
    assert Customer.objects.count() == before
    assert Customer.objects.get(last_name="Martin").phone == "+33612345678"


def test_prices_without_tax_meet_the_total_with_tax(bring: Bring) -> None:
    header = HEADER.replace("unit_price_incl_tax", "unit_price_excl_tax")

    report = bring(header + row("1", price="8.333333"))

    assert report.counts.orders["created"] == 1
    assert Order.objects.get().lines.get().total_incl_tax == 10


def test_a_line_of_totals_is_no_order(bring: Bring) -> None:
    report = bring(HEADER + row("1") + "TOTAL;;;;;;;;;10.00;\n\n;;;;;;;;;;\n")

    assert report.counts.orders["created"] == 1
    assert codes(report) == []


# --- Shopify --------------------------------------------------------------------------------


def test_the_shopify_sample_comes_in(bring: Bring) -> None:
    report = bring((DATA / "shopify/orders_export.csv").read_bytes())

    assert codes(report) == []
    assert report.counts.orders["created"] == 4
    assert report.counts.orders["cancelled"] == 1
    order = Order.objects.get(number="#1001")
    assert (order.external_id, order.shipping_postcode, order.total_tax) == (
        "5501001001001",
        "75011",
        Decimal("9.12"),
    )


def test_shopify_rates_are_told_by_the_amounts(bring: Bring) -> None:
    bring((DATA / "shopify/orders_export.csv").read_bytes())

    order = Order.objects.get(number="#1002")
    assert {ln.sku: ln.tax_rate for ln in order.lines.all()} == {
        "BOU-01": 20,
        "LIV-07": Decimal("5.5"),
    }
    assert (order.total_incl_tax, order.discount_incl_tax) == (Decimal("46.90"), 2)


def test_shopify_prices_without_tax_are_told_by_the_arithmetic(bring: Bring) -> None:
    bring((DATA / "shopify/orders_export.csv").read_bytes())

    order = Order.objects.get(number="#1003")
    assert (order.total_incl_tax, order.total_tax) == (Decimal("29.80"), Decimal("4.97"))
    assert order.lines.get().total_incl_tax == Decimal("24.90")


def test_an_item_taken_off_a_shopify_order_is_not_delivered(bring: Bring) -> None:
    text = (DATA / "shopify/orders_export.csv").read_text().splitlines(keepends=True)
    removed = text[1].replace(",2,Bougie figuier,", ",0,Bougie figuier,")

    report = bring("".join([*text[:3], removed, text[2]]))

    assert codes(report) == []
    assert Order.objects.get(number="#1001").lines.count() == 1


def test_shopify_customers_come_in_even_without_mail(bring: Bring) -> None:
    report = bring((DATA / "shopify/customers_export.csv").read_bytes(), "customers.csv")

    assert report.counts.customers["created"] == 3


def test_a_shopify_shop_without_tax_waits_until_the_product_has_a_rate(bring: Bring) -> None:
    text = (DATA / "shopify/orders_export.csv").read_text().splitlines(keepends=True)
    untaxed = (
        (text[0] + "".join(text[1:3])).replace("FR TVA 20%,9.12", ",").replace(",9.12,", ",0.00,")
    )
    report = bring(untaxed)
    assert [code for _line, code in codes(report)] == ["order.tax_undecided"]

    Product.objects.filter(sku="BOU-01").update(tax_rate=20)
    replay_row(row_id=QuarantinedRow.objects.get().pk)

    assert Order.objects.get().total_tax == Decimal("9.12")
    assert QuarantinedRow.objects.get().status == "resolved"


# --- Nothing lost, nothing twice --------------------------------------------------------------


def test_the_same_bytes_under_another_name_do_nothing(bring: Bring) -> None:
    bring(HEADER + row("1"))

    again = bring(HEADER + row("1"), "autre.csv")

    assert [f.status for f in again.files] == ["duplicate"]
    assert sum(again.counts.orders.values()) == 0


def test_the_same_orders_in_a_new_file_do_nothing(bring: Bring) -> None:
    bring(HEADER + row("1") + row("2"))

    again = bring(HEADER + row("2") + row("1") + row("3"))

    assert (again.counts.orders["unchanged"], again.counts.orders["created"]) == (2, 1)


def test_received_bytes_are_archived_before_anything_is_read(bring: Bring) -> None:
    bring(b"%PDF-1.7 facture")

    file = ReceivedFile.objects.get()
    assert file.status == "refused"
    assert archive_path(file.sha256).read_bytes() == b"%PDF-1.7 facture"


def test_a_refused_file_can_be_read_again_once_it_is_understood(bring: Bring) -> None:
    content = HEADER + row("1")
    bring(content, dialect="shopify")
    assert ReceivedFile.objects.get().status == "refused"

    again = bring(content)

    assert again.counts.orders["created"] == 1
    assert QuarantinedRow.objects.get(kind="file").status == "resolved"


def test_a_dry_run_tells_all_and_keeps_nothing(bring: Bring) -> None:
    report = bring(HEADER + row("1") + row("2", total="11.00"), dry_run=True)

    assert (report.counts.orders["created"], len(codes(report))) == (1, 1)
    assert not Order.objects.exists()
    assert not ReceivedFile.objects.exists()
    assert not Product.objects.exists()


def test_a_good_version_settles_what_was_set_aside(bring: Bring) -> None:
    bring(HEADER + row("1", total="11.00"))
    assert QuarantinedRow.objects.get().status == "open"

    bring(HEADER + row("1"))

    assert QuarantinedRow.objects.get().status == "resolved"


def test_an_order_refused_again_and_again_waits_once(bring: Bring) -> None:
    for turn in range(3):
        bring(HEADER + row("1", total="11.00") + row(f"autre-{turn}"))

    assert QuarantinedRow.objects.filter(status="open").count() == 1
    assert QuarantinedRow.objects.count() == 3


@pytest.mark.parametrize("share", [10, 25, 40, 55, 70, 85, 95, 99])
def test_a_file_cut_anywhere_applies_no_half_order_and_the_whole_one_mends_it(
    bring: Bring, share: int
) -> None:
    rows = "".join(row(f"{n}", sku, "20.00") for n in range(1, 6) for sku in ("A", "B"))
    content = (HEADER + rows).encode()

    bring(content[: len(content) * share // 100])
    assert all(order.lines.count() == 2 for order in Order.objects.all())

    bring(content)
    assert Order.objects.count() == 5
    assert not QuarantinedRow.objects.filter(status="open", kind="orders").exists()


def test_what_somebody_dismissed_does_not_come_back(bring: Bring) -> None:
    bring(HEADER + row("1", total="11.00"))
    dismiss_row(row_id=QuarantinedRow.objects.get().pk, reason="Commande d'essai")

    bring(HEADER + row("1", total="11.00") + row("2"))

    assert not QuarantinedRow.objects.filter(status="open").exists()


def test_a_guests_file_again_changes_nothing(bring: Bring) -> None:
    header = "email;first_name;last_name\n"
    bring(header + "zoe@exemple.test;Zoé;Faure\n", "customers.csv")

    again = bring(header + "zoe@exemple.test;Zoé;Faure\n\n", "customers.csv")

    assert (again.counts.customers["updated"], again.counts.customers["unchanged"]) == (0, 1)


def test_rows_of_an_order_may_lie_apart(bring: Bring) -> None:
    content = HEADER + row("1", "A", "20.00") + row("2") + row("1", "B", "20.00") + row("3")

    report = bring(content)

    assert report.counts.orders["created"] == 3
    assert Order.objects.get(number="1").lines.count() == 2


def test_contradictory_totals_set_the_order_aside(bring: Bring) -> None:
    report = bring(HEADER + row("1", "A", "20.00") + row("1", "B", "21.00"))

    assert codes(report) == [(3, "order.contradiction")]


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (row("2", quantity="0"), "cell.bad_quantity"),
        (row("2", quantity="-1"), "cell.bad_quantity"),
        (row("2", quantity="1e9"), "cell.not_a_number"),
        (row("2", price="dix"), "cell.not_a_number"),
        (row("2", price="-10"), "cell.negative"),
        (row("2", placed_at="32/13/2026"), "cell.not_a_date"),
        (row("2", placed_at="2126-01-01"), "order.impossible_date"),
        (row("2", status="peut-être"), "order.unknown_status"),
        (row("2", rate="200"), "cell.bad_rate"),
        (row("2", total=""), "cell.blank"),
        (row("2", email=""), "order.no_customer"),
        (row("2", price=""), "line.no_price"),
        (row("2", total="99999999999.00"), "cell.not_a_number"),
        ("2;2026-03-01;paid\n", "row.cut"),
        (row("2").strip() + ";;surplus\n", "row.ragged"),
        (row("2", email='"jamais refermé'), "row.unbalanced_quotes"),
    ],
)
def test_one_bad_row_is_set_aside_with_its_line_and_the_rest_goes_on(
    bring: Bring, bad: str, code: str
) -> None:
    report = bring(HEADER + row("1") + bad + row("3"))

    assert codes(report) == [(3, code)]
    assert set(Order.objects.values_list("number", flat=True)) == {"1", "3"}
    assert QuarantinedRow.objects.get().line == 3


@pytest.fixture
def big_and_good(tmp_path: Path, settings: Any) -> list[Path]:
    """Two files of which the first is over the limit."""
    big, good = tmp_path / "clients.csv", tmp_path / "commandes.csv"
    good.write_text(HEADER + row("1"), encoding="utf-8")
    settings.INGEST_MAX_FILE_BYTES = good.stat().st_size
    big.write_text("customer_ref;email\n" + "C1;lou@exemple.test\n" * 50, encoding="utf-8")
    return [big, good]


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_file_over_the_limit_is_refused_alone(
    shop: Shop, big_and_good: list[Path], *, dry_run: bool
) -> None:
    report = ingest_paths(shop=shop, paths=big_and_good, dry_run=dry_run)

    assert [(f.name, f.status) for f in report.files] == [
        ("clients.csv", "refused"),
        ("commandes.csv", "applied"),
    ]
    assert [(name, fault.code) for name, fault in report.counts.faults] == [
        ("clients.csv", "file.too_large")
    ]
    assert report.counts.orders["created"] == 1


def test_the_run_says_which_file_was_too_large(shop: Shop, big_and_good: list[Path]) -> None:
    ingest_paths(shop=shop, paths=big_and_good)

    run = FeedRun.objects.get()
    assert run.status == FeedRun.Status.DONE_WITH_PROBLEMS
    assert run.error.startswith("clients.csv : Fichier de 1019 octets")


def test_nothing_but_files_over_the_limit_is_nothing_to_read(
    shop: Shop, big_and_good: list[Path]
) -> None:
    with pytest.raises(FileRefused) as refused:
        ingest_paths(shop=shop, paths=big_and_good[:1])

    assert refused.value.code == "file.too_large"
    assert not FeedRun.objects.exists()


def test_an_undecodable_row_is_set_aside(bring: Bring) -> None:
    good = row("1", email="élodie@exemple.test") + row("4", email="zoé@exemple.test")
    content = (HEADER + good).encode() + row("2").replace("2@", "\udcff@").encode(
        "utf-8", "surrogateescape"
    )

    report = bring(content + row("3").encode())

    assert codes(report) == [(4, "row.undecodable")]
    assert report.counts.orders["created"] == 3


def test_an_order_with_one_unreadable_row_is_not_half_applied(bring: Bring) -> None:
    broken = row("1", "B", "20.00").strip() + ";x;y\n"

    report = bring(HEADER + row("1", "A", "20.00") + broken + row("2"))

    assert codes(report) == [(3, "row.ragged")]
    assert list(Order.objects.values_list("number", flat=True)) == ["2"]


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 10**6))
def test_whatever_the_file_every_order_is_accounted_for(
    seed: int, shop: Shop, tmp_path_factory: Any
) -> None:
    draw = random.Random(seed)
    numbers = [f"{seed}-{n}" for n in range(draw.randint(1, 12))]
    rows = [
        row(
            number,
            draw.choice("ABC"),
            draw.choice(["10.00", "10.00", "12.00"]),
            status=draw.choice(["paid", "cancelled", "pending", "???"]),
            quantity=draw.choice(["1", "1", "0"]),
        )
        for number in numbers
    ]
    draw.shuffle(rows)
    path = tmp_path_factory.mktemp("in") / "orders.csv"
    path.write_text(HEADER + "".join(rows))

    report = ingest_paths(shop=shop, paths=[path])

    assert sum(report.counts.orders.values()) == len(numbers)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1234.56", "1234.56"),
        ("1234,56", "1234.56"),
        ("1 234,56 €", "1234.56"),
        ("1\u202f234,56", "1234.56"),
        ("1.234,56", "1234.56"),
        ("1,234.56", "1234.56"),
        ("€12.00", "12.00"),
    ],
)
def test_amounts_are_read_as_shops_write_them(text: str, value: str) -> None:
    from sphinx.core.cells import amount

    assert amount(text, 1, "total") == Decimal(value)


def test_cells_that_look_like_formulas_are_kept_as_they_are(bring: Bring) -> None:
    bring(HEADER.replace("paid_at", "note") + row("1", paid_at="=1+1"))

    assert Order.objects.get().note == "=1+1"
