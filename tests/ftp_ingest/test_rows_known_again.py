"""A file that comes every hour says the same orders again: their rows are known, not read."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest

from ftp_ingest.dialects.pivot import PivotOrders
from ftp_ingest.models import FeedRun, QuarantinedRow
from ftp_ingest.reading import fingerprints
from ftp_ingest.services import IngestReport
from sales.models import Order
from sales.services import cancel_order, withdraw_orders
from sphinx.core import clock
from sphinx.core.models import ExchangeRate, Shop
from tests.ftp_ingest.test_ingest import HEADER, row

pytestmark = pytest.mark.django_db
Bring = Callable[..., IngestReport]


@pytest.fixture
def unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on no order's rows may be understood."""

    def read(_self: PivotOrders, _rows: object) -> None:
        raise AssertionError("read although known")

    monkeypatch.setattr(PivotOrders, "draft", read)


def outcome(report: IngestReport) -> dict[str, int]:
    return {name: count for name, count in report.counts.orders.items() if count}


def test_rows_that_stand_are_not_read_again(bring: Bring, request: pytest.FixtureRequest) -> None:
    bring(HEADER + row("1") + row("2", status="cancelled"))
    request.getfixturevalue("unreadable")

    again = bring(HEADER + row("2", status="cancelled") + row("1"))

    assert outcome(again) == {"unchanged": 2}


def test_one_cell_that_changed_is_read(bring: Bring) -> None:
    bring(HEADER + row("1") + row("2"))

    again = bring(HEADER + row("1") + row("2", quantity="2", total="20.00"))

    assert outcome(again) == {"unchanged": 1, "updated": 1}
    assert Order.objects.get(number="2").total_incl_tax == Decimal("20.00")


def test_the_same_order_in_other_words_is_known_the_time_after(
    bring: Bring, request: pytest.FixtureRequest
) -> None:
    bring(HEADER + row("1"))
    assert outcome(bring(HEADER + row("1", price="10"))) == {"unchanged": 1}
    request.getfixturevalue("unreadable")

    assert outcome(bring(HEADER + row("1", price="10") + "\n")) == {"unchanged": 1}


def test_the_days_sums_are_those_of_the_first_time(bring: Bring) -> None:
    text = HEADER + row("1") + row("2", total="30.00", quantity="3") + row("3", status="cancelled")
    bring(text)
    bring(text + "\n")

    last, first = (run.counts["days"] for run in FeedRun.objects.order_by("-pk")[:2])
    assert last == first
    assert first == [{"day": "2026-03-01", "file": "40.00", "here": "40.00", "gap": "0.00"}]


def test_an_order_withdrawn_by_hand_comes_back(bring: Bring) -> None:
    bring(HEADER + row("1"))
    withdraw_orders(order_ids=[Order.objects.get().pk])

    assert outcome(bring(HEADER + row("1") + "\n")) == {"created": 1}


def test_a_converted_order_is_read_each_time(bring: Bring) -> None:
    ExchangeRate.objects.create(currency="USD", valid_from=date(2026, 1, 1), units_per_euro="1.25")
    text = HEADER.replace("paid_at", "paid_at;currency") + row("1").strip() + ";USD\n"
    bring(text)

    assert outcome(bring(text + "\n")) == {"unchanged": 1}
    assert Order.objects.get().raw_hash == ""


def test_rows_that_stand_settle_a_worse_version(bring: Bring) -> None:
    bring(HEADER + row("1"))
    bring(HEADER + row("1", total="11.00"))
    assert QuarantinedRow.objects.get().status == "open"

    bring(HEADER + row("1") + "\n")

    assert QuarantinedRow.objects.get().status == "resolved"


def test_code_that_reads_otherwise_reads_every_order_anew(
    bring: Bring, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(HEADER + row("1"))
    monkeypatch.setattr(fingerprints, "_code", lambda: b"a later release")
    read: list[object] = []
    draft = PivotOrders.draft
    monkeypatch.setattr(PivotOrders, "draft", lambda s, rows: read.append(rows) or draft(s, rows))

    assert outcome(bring(HEADER + row("1") + "\n")) == {"unchanged": 1}
    assert len(read) == 1


def test_another_shop_knows_nothing_of_them(bring: Bring, shop: Shop) -> None:
    bring(HEADER + row("1"))
    Order.objects.update(shop=Shop.objects.create(code="autre", name="Autre"))

    assert outcome(bring(HEADER + row("1") + "\n")) == {"created": 1}


def test_an_order_cancelled_here_is_read_each_time_and_stays_cancelled(bring: Bring) -> None:
    bring(HEADER + row("1"))
    cancel_order(order_id=Order.objects.get().pk, at=clock.now())

    assert outcome(bring(HEADER + row("1") + "\n")) == {"unchanged": 1}
    assert (Order.objects.get().status, Order.objects.get().raw_hash) == ("cancelled", "")
