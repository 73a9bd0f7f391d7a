"""What a shop knows its payments by is kept with the order, whatever the shop calls it."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest

from ftp_ingest.services import IngestReport
from sales.models import Order
from sales.services.fingerprints import content_hash, lines_hash
from tests.factories import draft, placed, put

DATA = Path(__file__).parent.parent / "data"
Bring = Callable[..., IngestReport]


def with_cells(path: str, cells: dict[str, str]) -> bytes:
    """The example file, each of these columns filled on its rows."""
    text = (DATA / path).read_text(encoding="utf-8-sig")
    delimiter = (
        ";" if text.split("\n", 1)[0].count(";") > text.split("\n", 1)[0].count(",") else ","
    )
    rows = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    for name, value in cells.items():
        if name not in rows[0]:
            rows = [[*row, name if n == 0 else ""] for n, row in enumerate(rows)]
        place = rows[0].index(name)
        for row in rows[1:]:
            row[place] = value
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue().encode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "cells", "kept"),
    [
        (
            "shopify/orders_export.csv",
            {
                "Payment Reference": "c77.1",
                "Payment References": "c77.1 + c78.1",
                "Payment ID": "rAb9",
            },
            "c77.1 c78.1 rAb9",
        ),
        ("woocommerce/webtoffee.csv", {"transaction_id": "ch_3Q"}, "ch_3Q"),
        ("woocommerce/algolplus.csv", {"Transaction ID": "ch_4Q"}, "ch_4Q"),
        ("prestashop/orders.csv", {"transaction_id": "9XY12345AB678901C"}, "9XY12345AB678901C"),
        ("magento/orders.csv", {"last_trans_id": "pi_3Q"}, "pi_3Q"),
        ("magento/firebear.csv", {"payment:last_trans_id": "pi_4Q"}, "pi_4Q"),
        ("squarespace/orders.csv", {"Payment Reference": "ch_5Q"}, "ch_5Q"),
    ],
)
def test_each_shops_own_column_is_read(
    bring: Bring, path: str, cells: dict[str, str], kept: str
) -> None:
    bring(with_cells(path, cells))

    assert set(Order.objects.values_list("payment_references", flat=True)) == {kept}


@pytest.mark.django_db
def test_matrixify_tells_them_on_the_rows_of_its_transactions(bring: Bring) -> None:
    bring(
        with_cells(
            "matrixify/orders.csv",
            {"Transaction: ID": "601", "Transaction: Authorization": "ch_6Q"},
        )
    )

    found = set(Order.objects.values_list("payment_references", flat=True))
    assert "ch_6Q 601" in found


@pytest.mark.django_db
def test_what_a_spreadsheet_rounded_is_nobodys_reference(bring: Bring) -> None:
    bring(with_cells("shopify/orders_export.csv", {"Payment ID": "5,93536E+12"}))

    assert "E+12" not in "".join(Order.objects.values_list("payment_references", flat=True))


def test_an_order_without_references_is_known_again_as_before() -> None:
    plain = draft()
    said = plain._replace(payment_references="ch_1")

    assert content_hash(plain, lines_hash(plain)) == "3a58d67334fcbb053c37a75b26d4d9ad"
    assert content_hash(said, lines_hash(said)) != content_hash(plain, lines_hash(plain))


@pytest.mark.django_db
def test_a_file_that_does_not_say_leaves_what_an_earlier_one_said() -> None:
    order = placed("1", payment_references="ch_1")
    put(draft("1", note="rappeler"))

    order.refresh_from_db()
    assert (order.note, order.payment_references) == ("rappeler", "ch_1")


@pytest.mark.django_db
def test_more_than_fits_is_cut_between_two_references() -> None:
    order = placed("1", payment_references=" ".join(["x" * 29] * 11))

    assert order.payment_references == " ".join(["x" * 29] * 10)
