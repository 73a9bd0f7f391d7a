"""What a run tells, how set-aside orders are mended, and how a run is taken back."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from ftp_ingest.models import FeedRun, QuarantinedRow, ReceivedFile
from ftp_ingest.services import (
    IngestReport,
    correct_row,
    decide_product,
    decide_rates,
    replay_row,
    undo_run,
)
from ftp_ingest.services.mending import order_text
from inventory.models import Product, ProductAlias, StockPosition
from invoicing.models import Payment, ProviderTransaction
from sales.models import Order
from sales.services import prepare_delivery, ship_delivery_note
from sphinx.core.errors import BusinessRuleError
from sphinx.core.models import AuditEvent, Shop
from tests.factories import NOON, ProductFactory

pytestmark = pytest.mark.django_db
Bring = Callable[..., IngestReport]
HEADER = (
    "order_number;placed_at;status;email;sku;quantity;unit_price_incl_tax;tax_rate;"
    "total_incl_tax;billing_city\n"
)


def row(
    number: str,
    *,
    sku: str = "A",
    quantity: str = "1",
    price: str = "10.00",
    rate: str = "20",
    total: str = "10.00",
    status: str = "paid",
    city: str = "Paris",
) -> str:
    return (
        f"{number};2026-03-01 10:00:00;{status};c{number}@exemple.test;{sku};{quantity};{price};"
        f"{rate};{total};{city}\n"
    )


def the_row() -> QuarantinedRow:
    return QuarantinedRow.objects.get(status="open")


# --- Mending ------------------------------------------------------------------------------


def test_an_order_is_corrected_and_applied_alone(bring: Bring) -> None:
    bring(HEADER + row("1") + row("2", total="11.00"))
    text = order_text(the_row())
    assert (text.lines, text.rows[0][0]) == ([3], "2")

    fixed = [list(cells) for cells in text.rows]
    fixed[0][text.columns.index("total_incl_tax")] = "10.00"
    settled = correct_row(row_id=the_row().pk, rows=fixed)

    order = Order.objects.get(number="2")
    assert (settled.status, order.total_incl_tax) == ("resolved", 10)
    assert order.source_file == "orders.csv (corrigé : 2)"
    assert ReceivedFile.objects.get(sha256=order.source_sha256).name == order.source_file
    assert AuditEvent.objects.filter(kind="quarantine.corrected").exists()


def test_a_correction_that_is_no_better_stays_open_with_the_new_reason(bring: Bring) -> None:
    bring(HEADER + row("2", total="11.00"))
    text = order_text(the_row())
    fixed = [list(cells) for cells in text.rows]
    fixed[0][text.columns.index("total_incl_tax")] = "12.00"

    correct_row(row_id=the_row().pk, rows=fixed)

    assert "12,00" in the_row().message
    assert not Order.objects.exists()


def test_an_order_on_several_rows_is_shown_whole(bring: Bring) -> None:
    bring(HEADER + row("2", total="99.00") + row("1") + row("2", sku="B", total="99.00"))

    assert order_text(the_row()).lines == [2, 4]


def test_a_row_that_cant_be_read_is_corrected_too(bring: Bring) -> None:
    bring(HEADER + row("1") + row("2").rstrip("\n") + ";en trop;encore\n")
    text = order_text(the_row())

    correct_row(row_id=the_row().pk, rows=text.rows)

    assert Order.objects.filter(number="2").exists()


def test_choosing_a_rate_settles_the_order_and_the_product(bring: Bring) -> None:
    bring(HEADER + row("1", sku="LIV", rate=""))
    assert the_row().code == "order.tax_undecided"

    decide_rates(row_id=the_row().pk, rates={"LIV": Decimal("5.5")})

    assert Order.objects.get().lines.get().tax_rate == Decimal("5.50")
    assert Product.objects.get(sku="LIV").tax_rate == Decimal("5.50")
    assert not QuarantinedRow.objects.filter(status="open").exists()


def test_an_unknown_article_waits_where_the_shop_wants_so(bring: Bring, shop: Shop) -> None:
    ProductFactory(sku="TASSE-1", on_hand=5)
    Shop.objects.filter(pk=shop.pk).update(quarantines_unknown_skus=True)
    shop.refresh_from_db()
    bring(HEADER + row("1", sku="tasse 1") + row("2", sku="TASSE-1"))
    assert [r.code for r in QuarantinedRow.objects.all()] == ["order.unknown_sku"]
    assert not Product.objects.filter(sku="tasse 1").exists()

    decide_product(
        row_id=the_row().pk, sku="tasse 1", product_id=Product.objects.get(sku="TASSE-1").pk
    )

    line = Order.objects.get(number="1").lines.get()
    assert (line.product and line.product.sku, line.sku) == ("TASSE-1", "tasse 1")
    assert StockPosition.objects.get(product__sku="TASSE-1").reserved == 2
    bring(HEADER + row("3", sku="Tasse 1"))
    assert Order.objects.filter(number="3").exists()


def test_a_sku_with_stock_of_its_own_names_no_other(bring: Bring) -> None:
    ProductFactory(sku="A", on_hand=1)
    other = ProductFactory(sku="B", on_hand=1)
    bring(HEADER + row("1", total="3.00"))

    with pytest.raises(BusinessRuleError, match="part entière"):
        decide_product(row_id=the_row().pk, sku="A", product_id=other.pk)

    assert not ProductAlias.objects.exists()


def test_a_replay_reads_that_order_alone(bring: Bring) -> None:
    bring(HEADER + row("1", sku="LIV", rate="") + row("2", sku="LIV", rate=""))
    first, second = QuarantinedRow.objects.order_by("line")
    Product.objects.filter(sku="LIV").update(tax_rate=Decimal("5.5"))

    assert replay_row(row_id=first.pk).status == "resolved"

    assert [o.number for o in Order.objects.all()] == ["1"]
    second.refresh_from_db()
    assert second.status == "open"


def test_a_settled_row_is_not_corrected_again(bring: Bring) -> None:
    bring(HEADER + row("2", total="11.00"))
    pk = the_row().pk
    bring(HEADER + row("2"), name="correct.csv")

    with pytest.raises(BusinessRuleError, match="déjà réglée"):
        correct_row(row_id=pk, rows=[[]])


# --- What would change, what changed ------------------------------------------------------


def test_a_dry_run_tells_what_would_change(bring: Bring) -> None:
    bring(HEADER + row("1"))

    report = bring(
        HEADER + row("1", quantity="2", total="20.00", city="Lyon"), name="b.csv", dry_run=True
    )

    told = {(c.field, c.before, c.after) for c in report.counts.changes}
    assert ("total TTC (€)", "10.00", "20.00") in told
    assert ("ville", "Paris", "Lyon") in told
    assert ("articles", "1 × A", "2 × A") in told
    assert Order.objects.get().total_incl_tax == 10


def test_a_run_keeps_what_it_changed(bring: Bring) -> None:
    bring(HEADER + row("1"))
    bring(HEADER + row("1", status="cancelled"), name="b.csv")

    changes = FeedRun.objects.latest("pk").counts["changes"]

    assert {"number": "1", "field": "état", "before": "Confirmée", "after": "Annulée"} in changes


# --- Undoing ------------------------------------------------------------------------------


def test_a_run_is_taken_back_whole(bring: Bring) -> None:
    ProductFactory(sku="A", on_hand=5)
    bring(HEADER + row("1") + row("2", total="11.00"))

    undone = undo_run(run_id=FeedRun.objects.get().pk)

    assert tuple(undone) == (1, 0, 0)
    assert not Order.objects.exists()
    assert StockPosition.objects.get(product__sku="A").reserved == 0
    assert not QuarantinedRow.objects.filter(status="open").exists()
    assert FeedRun.objects.get().status == "undone"


def test_a_run_with_an_order_that_was_paid_ahead_stays(bring: Bring) -> None:
    bring(HEADER + row("1"))
    Payment.objects.create(
        order=Order.objects.get(), amount=Decimal(10), reference="banque:1", paid_at=NOON
    )

    with pytest.raises(BusinessRuleError, match="virement"):
        undo_run(run_id=FeedRun.objects.get().pk)

    assert Order.objects.get().status == "confirmed"


def test_a_providers_movement_waits_again_for_an_order_that_was_taken_back(bring: Bring) -> None:
    bring(HEADER + row("1"))
    movement = ProviderTransaction.objects.create(
        provider="stripe",
        reference="ch_1",
        kind="charge",
        occurred_on=NOON.date(),
        gross=10,
        fee=0,
        net=10,
        order=Order.objects.get(),
        matched_by="reference",
    )

    undo_run(run_id=FeedRun.objects.get().pk)

    movement.refresh_from_db()
    assert (movement.order, movement.matched_by) == (None, "")


def test_a_file_taken_back_can_be_read_again(bring: Bring) -> None:
    bring(HEADER + row("1"))
    undo_run(run_id=FeedRun.objects.get().pk)

    report = bring(HEADER + row("1"))

    assert report.counts.orders["created"] == 1


def test_orders_that_a_run_changed_stand_as_before(bring: Bring) -> None:
    ProductFactory(sku="A", on_hand=5)
    bring(HEADER + row("1") + row("2"))
    bring(HEADER + row("1", quantity="3", total="30.00", city="Lyon"), name="b.csv")
    assert StockPosition.objects.get(product__sku="A").reserved == 4

    undone = undo_run(run_id=FeedRun.objects.latest("pk").pk)

    order = Order.objects.get(number="1")
    assert tuple(undone) == (0, 1, 0)
    assert (order.total_incl_tax, order.billing_city) == (10, "Paris")
    assert order.source_file == "orders.csv"
    assert StockPosition.objects.get(product__sku="A").reserved == 2


def test_an_order_changed_since_stays_as_the_later_file_says(bring: Bring) -> None:
    bring(HEADER + row("1"))
    bring(HEADER + row("1", city="Lyon"), name="b.csv")
    second = FeedRun.objects.latest("pk")
    bring(HEADER + row("1", city="Nice"), name="c.csv")

    undone = undo_run(run_id=second.pk)

    assert tuple(undone) == (0, 0, 1)
    assert Order.objects.get().billing_city == "Nice"


def test_nothing_is_taken_back_once_something_was_delivered(bring: Bring) -> None:
    ProductFactory(sku="A", on_hand=5)
    bring(HEADER + row("1") + row("2"))
    note = prepare_delivery(order_id=Order.objects.get(number="1").pk, at=NOON)
    assert note is not None
    ship_delivery_note(note_id=note.pk, at=NOON)

    with pytest.raises(BusinessRuleError, match="livrées"):
        undo_run(run_id=FeedRun.objects.get().pk)

    assert Order.objects.count() == 2


def test_an_order_being_picked_is_cancelled_rather_than_forgotten(bring: Bring) -> None:
    ProductFactory(sku="A", on_hand=5)
    bring(HEADER + row("1"))
    prepare_delivery(order_id=Order.objects.get().pk, at=NOON)

    undo_run(run_id=FeedRun.objects.get().pk)

    assert Order.objects.get().status == "cancelled"
    assert StockPosition.objects.get(product__sku="A").reserved == 0
    bring(HEADER + row("1"))
    assert Order.objects.get().status == "confirmed"


def test_undoing_twice_is_refused(bring: Bring) -> None:
    bring(HEADER + row("1"))
    run = FeedRun.objects.get()
    undo_run(run_id=run.pk)

    with pytest.raises(BusinessRuleError, match="déjà annulé"):
        undo_run(run_id=run.pk)


# --- In the browser -----------------------------------------------------------------------


def test_the_run_page_tells_everything(bring: Bring, admin_client: Client) -> None:
    bring(HEADER + row("1") + row("2", total="11.00"))
    run = FeedRun.objects.get()

    page = admin_client.get(f"/passerelle/passages/{run.pk}/").content.decode()

    file = ReceivedFile.objects.get()
    assert file.sha256 in page
    assert "2;2026-03-01 10:00:00;paid" in page
    assert "Comparez avec la commande à la boutique" in page
    assert "Annuler tout ce passage" in page


def test_problems_are_exported_without_formulas(bring: Bring, admin_client: Client) -> None:
    bring(HEADER + row("=1+1", total="11.00"), name="=cmd.csv")
    run = FeedRun.objects.get()

    text = admin_client.get(f"/passerelle/passages/{run.pk}/anomalies.csv").content.decode()

    assert "'=cmd.csv;2;total_incl_tax;'=1+1;order.total_mismatch" in text


def test_an_order_is_mended_in_the_browser(bring: Bring, admin_client: Client) -> None:
    bring(HEADER + row("2", total="11.00"))
    url = f"/passerelle/quarantaine/{the_row().pk}/"
    page = admin_client.get(url).content.decode()
    assert 'value="11.00"' in page

    admin_client.post(url, {"correct": "1", "cell_0_8": "10.00"})

    assert Order.objects.get().total_incl_tax == 10


def test_a_rate_is_chosen_in_the_browser(bring: Bring, admin_client: Client) -> None:
    bring(HEADER + row("1", sku="LIV", rate=""))
    url = f"/passerelle/quarantaine/{the_row().pk}/"
    assert 'name="rate_LIV"' in admin_client.get(url).content.decode()

    admin_client.post(url, {"rates": "1", "rate_LIV": "5.5"})

    assert Order.objects.get().total_tax == Decimal("0.52")


def test_a_run_is_undone_in_the_browser(bring: Bring, admin_client: Client) -> None:
    bring(HEADER + row("1"))
    run = FeedRun.objects.get()

    assert admin_client.get(f"/passerelle/passages/{run.pk}/annuler/").status_code == 405
    admin_client.post(f"/passerelle/passages/{run.pk}/annuler/")

    assert not Order.objects.exists()


def test_progress_is_told_to_the_page_that_waits(bring: Bring, admin_client: Client) -> None:
    bring(HEADER + "".join(row(str(n)) for n in range(5)))
    run = FeedRun.objects.get()

    told: dict[str, Any] = admin_client.get(f"/passerelle/passages/{run.pk}/avancement/").json()

    assert told == {"status": "done", "done": 5, "total": 5}


def test_a_days_sum_is_held_against_the_shops(bring: Bring, admin_client: Client) -> None:
    bring(HEADER + row("1") + row("2", total="11.00") + row("3", status="cancelled"))
    run = FeedRun.objects.get()

    assert run.counts["days"] == [
        {"day": "2026-03-01", "file": "21.00", "here": "10.00", "gap": "11.00"}
    ]
    assert "11.00" in admin_client.get(f"/passerelle/passages/{run.pk}/").content.decode()
