"""What a shop already did: pieces that left, that it took out, orders of before its first day."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounting_export.services import post_missing, post_money
from inventory.models import Product, Reservation, StockPosition
from inventory.services import adjust_stock, default_warehouse
from invoicing.models import Invoice
from invoicing.services import credit_refunds, issue_shipped
from sales.drafts import LineDraft, OrderDraft
from sales.errors import RefundUnexplained
from sales.models import DeliveryNote, Order, OrderLine
from sales.selectors import orders_ready_to_deliver, orders_to_take_over, shipped_by_shops
from sales.services import (
    begin_history,
    explain_refund,
    leave_as_history,
    likely_pieces,
    make_history,
    prepare_deliveries,
    prepare_delivery,
    ship_as_shop_did,
    ship_as_shops_did,
    ship_delivery_note,
    ship_delivery_notes,
    take_over,
)
from sphinx.core.errors import BusinessRuleError
from sphinx.core.proofs import run_proofs
from tests.factories import NOON, ProductFactory, ShopFactory, draft, line, placed, put

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture(autouse=True)
def stock(db: None) -> None:
    for sku in ("BOU", "SAV", "LIV"):
        ProductFactory(sku=sku, on_hand=10)


def two(**first: Any) -> tuple[LineDraft, LineDraft]:
    """Two BOU at 24.00 and one SAV at 4.00, 52.00 in all."""
    return line("BOU", "24.00", "2", **first), line("SAV", "4.00")


def again(*lines: LineDraft, **values: Any) -> OrderDraft:
    values.setdefault("payment_status", "partially_refunded")
    return draft("1", *lines, total_incl_tax=D("52.00"), **values)


def free(sku: str) -> tuple[D, D]:
    """On hand and set aside."""
    position = StockPosition.objects.get(product__sku=sku)
    return position.on_hand, position.reserved


def picked(order: Order) -> dict[str, D]:
    """What the note in preparation holds."""
    lines = DeliveryNote.objects.get(order=order, status="draft").lines.all()
    return {x.order_line.sku: x.quantity for x in lines.select_related("order_line")}


def deliver(order: Order) -> None:
    ship_delivery_notes(
        note_ids=[n.pk for n in prepare_deliveries(order_ids=[order.pk], at=NOON)], at=NOON
    )


def failed_proofs() -> list[str]:
    post_missing()
    post_money()
    return [fault for proof in run_proofs() for fault in proof.faults]


# --- Pieces taken out before they leave -------------------------------------------------------


def test_a_piece_refunded_before_leaving_is_neither_set_aside_nor_sent_nor_invoiced() -> None:
    order = placed(
        "1", *two(refunded=D(1)), payment_status="partially_refunded", refunded=D("24.00")
    )
    assert free("BOU") == (10, 1)

    deliver(order)
    invoice = issue_shipped(at=NOON).invoices[0]

    assert free("BOU") == (9, 0)
    assert (invoice.total_incl_tax, invoice.total_tax) == (D("28.00"), D("4.67"))
    assert credit_refunds(at=NOON) == []
    order.refresh_from_db()
    assert order.status == "invoiced"
    assert failed_proofs() == []


def test_a_piece_taken_out_later_comes_off_the_note_that_is_being_picked() -> None:
    order = placed("1", *two())
    prepare_delivery(order_id=order.pk, at=NOON)
    assert picked(order) == {"BOU": 2, "SAV": 1}

    result = put(again(*two(refunded=D(1)), refunded=D("24.00")))

    assert picked(order) == {"BOU": 1, "SAV": 1}
    assert free("BOU") == (10, 1)
    assert [(c.field, c.after) for c in result.changes if "retir" in c.field] == [
        ("pièces retirées", "1 × BOU")
    ]
    assert failed_proofs() == []


def test_a_note_of_which_nothing_is_wanted_any_more_is_undone() -> None:
    order = placed("1", line("BOU", "24.00"), line("GUIDE", "4.00"))
    prepare_delivery(order_id=order.pk, at=NOON)
    assert picked(order) == {"BOU": 1}

    lines = line("BOU", "24.00", refunded=D(1)), line("GUIDE", "4.00")
    put(draft("1", *lines, refunded=D("24.00"), payment_status="partially_refunded"))

    assert DeliveryNote.objects.get().status == "cancelled"
    assert free("BOU") == (10, 0)


def test_what_is_freed_goes_to_who_waits() -> None:
    placed("1", line("BOU", "24.00", "10"))
    waiting = placed("2", line("BOU", "24.00", "2"), placed_at=NOON + timedelta(days=1))
    assert waiting.lines.get().reservation.allocated == 0

    put(
        draft(
            "1",
            line("BOU", "24.00", "10", cancelled=D(2)),
            refunded=D("48.00"),
            payment_status="partially_refunded",
        )
    )

    assert waiting.lines.get().reservation.allocated == 2
    assert failed_proofs() == []


def test_a_refund_that_the_shop_takes_back_sets_the_piece_aside_again() -> None:
    order = placed(
        "1", *two(refunded=D(1)), payment_status="partially_refunded", refunded=D("24.00")
    )

    put(again(*two(), payment_status="paid"))

    assert free("BOU") == (10, 2)
    assert order.lines.get(sku="BOU").quantity_removed == 0
    assert failed_proofs() == []


def test_the_rest_that_is_refunded_ends_an_order_delivered_in_part() -> None:
    Product.objects.filter(sku="SAV").update(sku="SAVON", sku_key="savon")
    order = placed("1", *two())
    deliver(order)
    order.refresh_from_db()
    assert order.status == "partially_delivered"
    issue_shipped(at=NOON)

    lines = two()[0], line("SAV", "4.00", refunded=D(1))
    put(again(*lines, refunded=D("4.00")))
    issue_shipped(at=NOON)

    order.refresh_from_db()
    assert order.status == "invoiced"
    assert credit_refunds(at=NOON) == []
    assert Invoice.objects.get().total_incl_tax == D("48.00")
    assert failed_proofs() == []


def test_what_has_left_is_credited_not_taken_out() -> None:
    order = placed("1", *two())
    deliver(order)
    issue_shipped(at=NOON)

    put(again(*two(refunded=D(1)), refunded=D("24.00")))

    assert order.lines.get(sku="BOU").quantity_removed == 0
    assert [note.total_incl_tax for note in credit_refunds(at=NOON)] == [D("24.00")]
    assert failed_proofs() == []


def test_a_piece_that_came_back_takes_no_other_out() -> None:
    Product.objects.filter(sku="SAV").update(sku="SAVON", sku_key="savon")
    order = placed("1", *two())
    deliver(order)

    put(again(*two(refunded=D(1), returned=D(1)), refunded=D("24.00")))

    assert order.lines.get(sku="SAV").quantity_wanted == 1
    assert order.lines.get(sku="BOU").quantity_removed == 0


def test_a_piece_told_to_have_come_back_before_our_note_is_made_still_leaves() -> None:
    placed(
        "1",
        *two(refunded=D(1), returned=D(1)),
        payment_status="partially_refunded",
        refunded=D("24.00"),
    )

    assert free("BOU") == (10, 2)


def test_a_bundle_taken_out_gives_its_components_back() -> None:
    box = ProductFactory(sku="COFFRET", supply_mode="stocked")
    box.components.create(component=Product.objects.get(sku="BOU"), quantity=D(2))
    placed("1", line("COFFRET", "50.00", "2"))
    assert free("BOU") == (10, 4)

    put(
        draft(
            "1",
            line("COFFRET", "50.00", "2", refunded=D(1)),
            refunded=D("50.00"),
            payment_status="partially_refunded",
        )
    )

    assert free("BOU") == (10, 2)
    assert failed_proofs() == []


def test_replenishment_forgets_what_was_taken_out() -> None:
    placed("1", *two())

    put(again(*two(refunded=D(1)), refunded=D("24.00")))

    assert Reservation.objects.get(product__sku="BOU").asked == 1


# --- A refund without a word on pieces -------------------------------------------------------


def test_a_refund_that_names_no_piece_holds_the_parcel() -> None:
    order = placed(
        "1", line("BOU", "30.00", "2"), refunded=D("12.00"), payment_status="partially_refunded"
    )

    assert order.refund_asked_incl_tax == D("12.00")
    assert not orders_ready_to_deliver().exists()
    assert prepare_deliveries(order_ids=[order.pk], at=NOON) == []


def test_a_note_in_preparation_waits_for_the_answer() -> None:
    order = placed("1", *two())
    note = prepare_delivery(order_id=order.pk, at=NOON)
    assert note is not None

    put(again(*two(), refunded=D("12.00")))

    assert ship_delivery_notes(note_ids=[note.pk], at=NOON) == []
    with pytest.raises(RefundUnexplained):
        ship_delivery_note(note_id=note.pk, at=NOON)


def test_a_refund_of_shipping_alone_holds_nothing() -> None:
    order = placed(
        "1",
        line("BOU", "24.00"),
        shipping_amount=D("4.90"),
        refunded=D("4.90"),
        shipping_refunded=D("4.90"),
        payment_status="partially_refunded",
    )

    assert order.refund_asked_incl_tax == 0
    assert orders_ready_to_deliver().get() == order


def test_less_than_the_piece_costs_is_no_piece_taken_out() -> None:
    order = placed(
        "1",
        *two(refunded=D(1), refunded_amount=D("4.00")),
        refunded=D("4.00"),
        payment_status="partially_refunded",
    )

    assert order.lines.get(sku="BOU").quantity_removed == 0
    assert order.refund_asked_incl_tax == D("4.00")


# --- Shipped by the shop -----------------------------------------------------------------


def test_what_the_shop_shipped_sets_nothing_aside() -> None:
    placed("1", line("BOU", "24.00", "2"), is_shipped=True)

    assert free("BOU") == (10, 0)
    assert not orders_ready_to_deliver().exists()
    assert Reservation.objects.get().asked == 2


def test_of_a_parcel_in_part_the_rest_leaves() -> None:
    order = placed("1", line("BOU", "24.00", shipped=D(1)), line("BOU", "24.00", shipped=D(0)))

    assert free("BOU") == (10, 1)
    deliver(order)
    order.refresh_from_db()
    assert order.status == "delivered"


def test_a_note_of_ours_is_not_undone_by_the_shops_word() -> None:
    order = placed("1", *two())
    prepare_delivery(order_id=order.pk, at=NOON)

    put(again(*two(), payment_status="paid", is_shipped=True))

    assert picked(order) == {"BOU": 2, "SAV": 1}
    assert free("BOU") == (10, 2)


# --- Before the first day here ---------------------------------------------------------------


@pytest.fixture
def reprise(db: None) -> None:
    ShopFactory(history_until=date(2026, 3, 1))


BEFORE = NOON - timedelta(days=30)


@pytest.mark.usefixtures("reprise")
def test_history_makes_customers_and_demand_but_no_stock_nor_papers() -> None:
    order = placed("1", line("BOU", "24.00", "2"), placed_at=BEFORE, is_shipped=True)
    deliver(order)

    assert (order.is_history, order.status) == (True, "invoiced")
    assert free("BOU") == (10, 0)
    assert Reservation.objects.get().asked == 2
    assert not DeliveryNote.objects.exists()
    assert issue_shipped(at=NOON).invoices == []
    assert failed_proofs() == []


@pytest.mark.usefixtures("reprise")
def test_an_open_order_of_before_waits_to_be_taken_over() -> None:
    order = placed("1", line("BOU", "24.00", "2"), placed_at=BEFORE)

    assert (order.is_history, order.status) == (True, "confirmed")
    assert free("BOU") == (10, 0)
    assert not orders_ready_to_deliver().exists()


@pytest.mark.usefixtures("reprise")
def test_the_day_itself_is_history_and_the_next_is_not() -> None:
    last = placed("1", line("BOU"), placed_at=NOON - timedelta(days=1))
    first = placed("2", line("BOU"), placed_at=NOON)

    assert (last.is_history, first.is_history) == (True, False)


@pytest.mark.usefixtures("reprise")
def test_history_follows_its_shop_without_a_quarrel() -> None:
    order = placed("1", line("BOU", "24.00", "2"), placed_at=BEFORE, is_shipped=True)

    result = put(draft("1", line("BOU", "24.00", "3"), placed_at=BEFORE, is_shipped=True))

    assert result.rejections == []
    assert order.lines.get().quantity == 3
    assert sum(Reservation.objects.values_list("asked", flat=True)) == 3
    assert failed_proofs() == []


@pytest.mark.usefixtures("reprise")
def test_a_refund_of_history_makes_no_credit_note() -> None:
    sold = {"placed_at": BEFORE, "is_shipped": True}
    placed("1", line("BOU", "24.00", "2"), **sold)

    put(
        draft(
            "1", line("BOU", "24.00", "2"), refunded=D("48.00"), payment_status="refunded", **sold
        )
    )

    order = Order.objects.get()
    assert (order.status, order.payment_status) == ("invoiced", "refunded")
    assert credit_refunds(at=NOON) == []


def test_the_database_counts_each_piece_once() -> None:
    order = placed("1", *two())
    deliver(order)

    with pytest.raises(IntegrityError), transaction.atomic():
        OrderLine.objects.filter(order=order).update(quantity_removed=1)


# --- Answers ---------------------------------------------------------------------------------


def doubtful(refunded: str = "24.00") -> Order:
    return placed("1", *two(), refunded=D(refunded), payment_status="partially_refunded")


def test_the_likely_answer_is_the_pieces_that_cost_what_was_refunded() -> None:
    order = doubtful()

    assert likely_pieces(order) == {order.lines.get(sku="BOU").pk: D(1)}


def test_an_amount_that_no_piece_costs_is_likely_a_gesture() -> None:
    assert likely_pieces(doubtful("5.00")) == {}


def test_pieces_said_to_be_taken_out_dont_leave_nor_are_invoiced() -> None:
    order = doubtful()
    line_id = order.lines.get(sku="BOU").pk

    explain_refund(order_id=order.pk, pieces={line_id: D(1)}, asked=D("24.00"))
    deliver(order)

    assert issue_shipped(at=NOON).invoices[0].total_incl_tax == D("28.00")
    assert credit_refunds(at=NOON) == []
    assert failed_proofs() == []


def test_a_gesture_lets_everything_leave_and_is_credited() -> None:
    order = doubtful("5.00")

    explain_refund(order_id=order.pk, pieces={}, asked=D("5.00"))
    deliver(order)

    assert issue_shipped(at=NOON).invoices[0].total_incl_tax == D("52.00")
    assert [note.total_incl_tax for note in credit_refunds(at=NOON)] == [D("5.00")]
    assert failed_proofs() == []


def test_the_same_file_again_asks_nothing_twice() -> None:
    order = doubtful()
    line_id = order.lines.get(sku="BOU").pk
    explain_refund(order_id=order.pk, pieces={line_id: D(1)}, asked=D("24.00"))

    put(again(*two(), refunded=D("24.00"), note="Merci"))

    order.refresh_from_db()
    assert order.refund_asked_incl_tax == 0
    assert free("BOU") == (10, 1)


def test_what_is_refunded_beyond_the_answer_is_asked() -> None:
    order = doubtful("5.00")
    explain_refund(order_id=order.pk, pieces={}, asked=D("5.00"))

    put(again(*two(), refunded=D("9.00")))

    order.refresh_from_db()
    assert order.refund_asked_incl_tax == D("4.00")


def test_an_answer_to_an_older_question_is_refused() -> None:
    order = doubtful("5.00")
    put(again(*two(), refunded=D("9.00")))

    with pytest.raises(BusinessRuleError, match="vient d'être expliqué"):
        explain_refund(order_id=order.pk, pieces={}, asked=D("5.00"))


def test_no_more_can_be_taken_out_than_is_there() -> None:
    order = doubtful()
    line_id = order.lines.get(sku="BOU").pk

    with pytest.raises(BusinessRuleError):
        explain_refund(order_id=order.pk, pieces={line_id: D(3)}, asked=D("24.00"))


# --- The shop ships ---------------------------------------------------------------------------


@pytest.fixture
def its_own(db: None) -> None:
    """A shop whose logistician ships."""
    ShopFactory(ships_itself=True)


LATER = NOON + timedelta(days=2)


@pytest.mark.usefixtures("its_own")
def test_what_the_shop_ships_becomes_a_note_of_its_day_carrier_and_number() -> None:
    order = placed("1", *two())
    assert not orders_ready_to_deliver().exists()
    put(
        again(
            *two(),
            payment_status="paid",
            is_shipped=True,
            shipped_at=NOON + timedelta(days=1),
            carrier="Colissimo",
            tracking_number="6A123",
        )
    )

    notes = ship_as_shops_did(at=LATER)

    assert [(n.carrier, n.tracking_number, n.shipped_at) for n in notes] == [
        ("Colissimo", "6A123", NOON + timedelta(days=1))
    ]
    assert free("BOU") == (8, 0)
    assert issue_shipped(at=LATER).invoices[0].total_incl_tax == D("52.00")
    order.refresh_from_db()
    assert order.status == "invoiced"
    assert ship_as_shops_did(at=LATER) == []
    assert failed_proofs() == []


@pytest.mark.usefixtures("its_own")
def test_parcels_in_part_follow_as_they_grow() -> None:
    placed("1", line("BOU", "24.00", "3", shipped=D(1)))
    ship_as_shops_did(at=NOON)

    put(draft("1", line("BOU", "24.00", "3", shipped=D(3))))
    ship_as_shops_did(at=LATER)

    pieces = DeliveryNote.objects.order_by("pk").values_list("lines__quantity", flat=True)
    assert list(pieces) == [1, 2]
    assert Order.objects.get().status == "delivered"
    assert failed_proofs() == []


@pytest.mark.usefixtures("its_own")
def test_what_our_stock_doesnt_cover_waits_for_a_count() -> None:
    order = placed("1", line("BOU", "24.00", "12"), is_shipped=True)

    assert ship_as_shops_did(at=NOON) == []
    assert shipped_by_shops().get() == order

    adjust_stock(
        product=Product.objects.get(sku="BOU"),
        warehouse=default_warehouse(),
        counted=D(12),
        at=NOON,
        number="INV1",
        note="Comptage",
    )
    assert len(ship_as_shops_did(at=NOON)) == 1
    assert free("BOU") == (0, 0)
    assert failed_proofs() == []


@pytest.mark.usefixtures("its_own")
def test_a_refund_of_what_a_shop_ships_itself_is_its_own_affair() -> None:
    assert doubtful().refund_asked_incl_tax == 0


def test_where_we_ship_what_the_shop_shipped_is_a_difference_until_a_note_is_made() -> None:
    order = placed("1", line("BOU", "24.00", "2"), is_shipped=True)
    assert shipped_by_shops().get() == order

    ship_as_shop_did(order_id=order.pk, at=NOON)

    assert not shipped_by_shops().exists()
    assert free("BOU") == (8, 0)
    assert issue_shipped(at=NOON).invoices[0].total_incl_tax == D("48.00")
    assert failed_proofs() == []


def test_or_it_was_handled_elsewhere_altogether() -> None:
    order = placed("1", line("BOU", "24.00", "2"), is_shipped=True)

    make_history(order_id=order.pk)

    order.refresh_from_db()
    assert (order.is_history, order.status) == (True, "invoiced")
    assert not shipped_by_shops().exists()
    assert failed_proofs() == []


# --- Taking over -----------------------------------------------------------------------------


@pytest.mark.usefixtures("reprise")
def test_an_order_taken_over_is_shipped_and_invoiced_from_here() -> None:
    order = placed("1", line("BOU", "24.00", "2"), placed_at=BEFORE)

    take_over(order_id=order.pk, invoiced_elsewhere=False)
    assert free("BOU") == (10, 2)
    deliver(order)

    assert issue_shipped(at=NOON).invoices[0].total_incl_tax == D("48.00")
    assert Reservation.objects.get().asked == 2
    assert failed_proofs() == []


@pytest.mark.usefixtures("reprise")
def test_an_order_invoiced_elsewhere_is_shipped_without_an_invoice() -> None:
    order = placed("1", line("BOU", "24.00", "2"), placed_at=BEFORE)

    take_over(order_id=order.pk, invoiced_elsewhere=True)
    deliver(order)

    assert issue_shipped(at=NOON).invoices == []
    order.refresh_from_db()
    assert order.status == "invoiced"
    assert free("BOU") == (8, 0)
    assert failed_proofs() == []


@pytest.mark.usefixtures("reprise")
def test_an_order_of_before_that_left_elsewhere_is_done_with() -> None:
    order = placed("1", line("BOU", "24.00", "2"), placed_at=BEFORE)

    leave_as_history(order_id=order.pk)

    assert not orders_to_take_over().exists()
    with pytest.raises(BusinessRuleError):
        take_over(order_id=order.pk, invoiced_elsewhere=False)


def test_a_first_day_said_later_frees_what_was_set_aside() -> None:
    order = placed("1", line("BOU", "24.00", "2"), placed_at=BEFORE)
    prepare_delivery(order_id=order.pk, at=NOON)
    assert free("BOU") == (10, 2)

    assert begin_history(shop_id=order.shop_id, until=date(2026, 3, 1)) == 1

    order.refresh_from_db()
    assert (order.is_history, order.status) == (True, "confirmed")
    assert free("BOU") == (10, 0)
    assert DeliveryNote.objects.get().status == "cancelled"
    assert Reservation.objects.get().asked == 2
    assert failed_proofs() == []


def test_what_was_delivered_here_never_becomes_history() -> None:
    order = placed("1", line("BOU", "24.00", "2"), placed_at=BEFORE)
    deliver(order)

    assert begin_history(shop_id=order.shop_id, until=date(2026, 3, 1)) == 0


# --- Proofs ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "sentence"),
    [
        ("quantity_delivered", "livrées"),
        ("quantity_removed", "à expédier"),
        ("removed_incl_tax", "pièces valent"),
    ],
)
def test_verify_finds_a_line_that_was_changed_behind_its_back(column: str, sentence: str) -> None:
    order = placed(
        "1", *two(refunded=D(1)), payment_status="partially_refunded", refunded=D("24.00")
    )
    assert failed_proofs() == []
    value = {"quantity_delivered": 1, "quantity_removed": 2, "removed_incl_tax": 3}[column]
    if column == "quantity_removed":
        OrderLine.objects.filter(order=order, sku="SAV").update(quantity_removed=1)
    else:
        OrderLine.objects.filter(order=order, sku="BOU").update(**{column: value})

    assert any(sentence in fault for fault in failed_proofs())
