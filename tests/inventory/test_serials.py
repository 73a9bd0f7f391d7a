from collections.abc import Sequence
from decimal import Decimal
from functools import partial

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from inventory.errors import SerialRefused
from inventory.models import LotPosition, Product, StockMove, Warehouse
from inventory.services import Entry, default_warehouse, receive_stock, write_off
from purchasing.models import PurchaseOrder, ReceiptLine
from purchasing.services import Arrived, create_order, receive_goods, return_to_supplier
from sales.models import DeliveryNote
from sales.services import (
    Back,
    prepare_delivery,
    return_goods,
    ship_delivery_note,
    ship_delivery_notes,
)
from sphinx.core import clock
from sphinx.core.proofs import run_proofs
from tests.factories import (
    NOON,
    ProductFactory,
    SupplierFactory,
    SupplierProductFactory,
    line,
    placed,
)
from tests.support.threads import together

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def that_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOON)


@pytest.fixture
def phone() -> Product:
    return ProductFactory(sku="PHONE", tracks_lots=True, tracks_serials=True)


def receive(
    product: Product,
    serials: Sequence[str],
    number: str = "BR-1",
    quantity: int = 1,
    warehouse: Warehouse | None = None,
) -> None:
    receive_stock(
        entries=[
            Entry(product.pk, Decimal(quantity), Decimal(200), number, 1, serial)
            for serial in serials
        ],
        warehouse=warehouse or default_warehouse(),
        at=NOON,
        kind=StockMove.Kind.RECEIPT,
        origin_kind="receipt",
    )


def note_of(quantity: int, number: str = "N1") -> DeliveryNote:
    order = placed(number, line("PHONE", quantity=str(quantity)))
    note = prepare_delivery(order_id=order.pk, at=NOON)
    assert note is not None
    return note


def ship(note: DeliveryNote, *serials: str) -> DeliveryNote:
    return ship_delivery_note(note_id=note.pk, at=NOON, serials=serials)


def on_hand() -> set[str]:
    held = LotPosition.objects.filter(on_hand__gt=0)
    return set(held.values_list("lot__number", flat=True))


def faults() -> list[list[str]]:
    return [proof.faults for proof in run_proofs() if not proof.ok]


def test_each_piece_comes_in_under_its_number(phone: Product) -> None:
    receive(phone, ["A1", "A2"])

    assert on_hand() == {"A1", "A2"}
    assert faults() == []


@pytest.mark.parametrize(("serial", "quantity"), [("", 1), ("A1", 2), ("A" * 41, 1)])
def test_a_piece_without_its_own_number_is_refused(
    phone: Product, serial: str, quantity: int
) -> None:
    with pytest.raises(SerialRefused):
        receive(phone, [serial], quantity=quantity)


def test_a_number_in_stock_does_not_come_in_again(phone: Product) -> None:
    receive(phone, ["A1"])

    with pytest.raises(SerialRefused):
        receive(phone, ["A1"], "BR-2")


def test_a_number_in_another_warehouse_does_not_come_in_again(phone: Product) -> None:
    receive(phone, ["A1"])

    with pytest.raises(SerialRefused):
        receive(phone, ["A1"], "BR-2", warehouse=Warehouse.objects.create(code="b", name="B"))


def test_the_database_refuses_a_second_place(phone: Product) -> None:
    receive(phone, ["A1"])
    found = LotPosition.objects.get()
    other = Warehouse.objects.create(code="b", name="B")

    with pytest.raises(IntegrityError), transaction.atomic():
        LotPosition.objects.create(lot=found.lot, warehouse=other, on_hand=1, is_serial=True)


def test_the_database_refuses_two_pieces_of_a_number(phone: Product) -> None:
    receive(phone, ["A1"])

    with pytest.raises(IntegrityError), transaction.atomic():
        LotPosition.objects.update(on_hand=2)


def test_the_scanned_piece_leaves_not_the_oldest(phone: Product) -> None:
    receive(phone, ["A1", "A2", "A3"])
    note = note_of(2)

    assert ship(note, "A3", "A2").status == DeliveryNote.Status.SHIPPED
    assert on_hand() == {"A1"}
    assert faults() == []


@pytest.mark.parametrize("scanned", [(), ("A1",), ("A1", "A1"), ("A1", "A2", "A3"), ("A1", "B9")])
def test_wrong_scans_ship_nothing(phone: Product, scanned: tuple[str, ...]) -> None:
    receive(phone, ["A1", "A2", "A3"])
    note = note_of(2)

    with pytest.raises(SerialRefused):
        ship(note, *scanned)
    assert on_hand() == {"A1", "A2", "A3"}


def test_a_number_of_another_article_is_refused(phone: Product) -> None:
    receive(phone, ["A1"])
    receive(ProductFactory(sku="WATCH", tracks_lots=True, tracks_serials=True), ["W1"], "BR-2")

    with pytest.raises(SerialRefused):
        ship(note_of(1), "W1")


def test_what_has_left_does_not_leave_again(phone: Product) -> None:
    receive(phone, ["A1", "A2"])
    ship(note_of(1), "A1")

    with pytest.raises(SerialRefused):
        ship(note_of(1, "N2"), "A1")


def test_notes_shipped_together_leave_those_with_serials(phone: Product) -> None:
    receive(phone, ["A1"])
    ProductFactory(sku="CASE", on_hand=5)
    waits = note_of(1)
    order = placed("N2", line("CASE"))
    goes = prepare_delivery(order_id=order.pk, at=NOON)
    assert goes is not None

    assert ship_delivery_notes(note_ids=[waits.pk, goes.pk], at=NOON) == [goes]


def test_a_loss_says_which_piece(phone: Product) -> None:
    receive(phone, ["A1", "A2"])
    lot = LotPosition.objects.get(lot__number="A1").lot
    with pytest.raises(SerialRefused), transaction.atomic():
        write_off(product_id=phone.pk, warehouse=default_warehouse(), quantity=Decimal(1),
                  reason="cassé", at=NOON)  # fmt: skip

    write_off(product_id=phone.pk, warehouse=default_warehouse(), quantity=Decimal(1),
              reason="cassé", at=NOON, lot_id=lot.pk)  # fmt: skip

    assert on_hand() == {"A2"}


def test_following_begins_with_nothing_in_stock() -> None:
    product = ProductFactory(sku="OLD", on_hand=1)
    product.tracks_serials = True

    with pytest.raises(ValidationError) as refused:
        product.full_clean()
    assert "tracks_serials" in refused.value.message_dict


def test_serials_are_lots() -> None:
    product = ProductFactory(sku="NEW")
    product.tracks_serials = True

    product.full_clean()

    assert product.tracks_lots


def test_verify_sees_a_piece_without_a_number(phone: Product) -> None:
    receive(phone, ["A1"])
    LotPosition.objects.update(on_hand=0)

    assert any("numéros de série" in fault for found in faults() for fault in found)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_workers_do_not_ship_the_same_piece(phone: Product) -> None:
    receive(phone, ["A1", "A2"])
    notes = [note_of(1, "N1"), note_of(1, "N2")]

    raised = together([partial(ship, note, "A1") for note in notes])

    assert [type(e) for e in raised] == [SerialRefused]
    assert on_hand() == {"A2"}


def test_the_parcel_takes_the_piece_that_is_scanned(phone: Product, admin_client: Client) -> None:
    receive(phone, ["A1", "A2"])
    note = note_of(1)
    url = reverse("sales:parcel", args=[note.pk])

    page = admin_client.post(url, {"verb": "scan", "code": "A2"})
    assert (page.context["serials"], page.context["complete"]) == ("A2", True)
    admin_client.post(url, {"verb": "ship", f"q{phone.pk}": "1", "serials": "A2\r\n"})

    assert on_hand() == {"A1"}


@pytest.mark.parametrize("code", ["PHONE", "A1", "GONE"])
def test_the_parcel_refuses_what_is_not_the_piece(
    phone: Product, admin_client: Client, code: str
) -> None:
    receive(phone, ["A1", "A2", "GONE"])
    ship(note_of(1, "N0"), "GONE")
    note = note_of(2)
    url = reverse("sales:parcel", args=[note.pk])

    page = admin_client.post(
        url, {"verb": "scan", "code": code, "serials": "A1", f"q{phone.pk}": "1"}
    )

    assert page.context["refused"]
    assert page.context["serials"] == "A1"


def test_a_line_that_comes_back_whole_brings_its_numbers(phone: Product) -> None:
    receive(phone, ["A1", "A2"])
    note = ship(note_of(1), "A2")

    return_goods(note_id=note.pk, back=[Back(note.lines.get().pk, Decimal(1))], at=NOON)

    assert on_hand() == {"A1", "A2"}
    assert faults() == []


def test_which_of_several_came_back_is_not_guessed(phone: Product) -> None:
    receive(phone, ["A1", "A2"])
    note = ship(note_of(2), "A1", "A2")

    with pytest.raises(SerialRefused, match="parmi : A1, A2"):
        return_goods(note_id=note.pk, back=[Back(note.lines.get().pk, Decimal(1))], at=NOON)


def test_the_piece_that_is_said_comes_back_and_the_rest_later(phone: Product) -> None:
    receive(phone, ["A1", "A2"])
    note = ship(note_of(2), "A1", "A2")
    line = note.lines.get().pk

    return_goods(note_id=note.pk, back=[Back(line, Decimal(1), serials=["A2"])], at=NOON)
    assert on_hand() == {"A2"}

    # Only one is still out: it needs no number.
    return_goods(note_id=note.pk, back=[Back(line, Decimal(1))], at=NOON)
    assert on_hand() == {"A1", "A2"}
    assert faults() == []


@pytest.mark.parametrize(
    ("serials", "said"),
    [
        (["A3"], "pas parti avec"),
        (["A1", "A2"], "dites les numéros"),
        (["A1", "A1"], ""),
    ],
)
def test_what_did_not_leave_with_the_note_does_not_come_back(
    phone: Product, serials: list[str], said: str
) -> None:
    receive(phone, ["A1", "A2", "A3"])
    note = ship(note_of(2), "A1", "A2")
    back = [Back(note.lines.get().pk, Decimal(1), serials=serials)]

    if not said:
        # Scanned twice is one piece.
        return_goods(note_id=note.pk, back=back, at=NOON)
        assert on_hand() == {"A1", "A3"}
        return
    with pytest.raises(SerialRefused, match=said):
        return_goods(note_id=note.pk, back=back, at=NOON)
    assert on_hand() == {"A3"}


@pytest.mark.parametrize("scrap_first", [True, False])
def test_a_piece_comes_back_once_to_the_shelf_or_to_scrap(
    phone: Product, scrap_first: bool
) -> None:
    receive(phone, ["A1", "A2"])
    note = ship(note_of(2), "A1", "A2")
    line = note.lines.get().pk

    with pytest.raises(SerialRefused):
        return_goods(
            note_id=note.pk,
            back=[
                Back(line, Decimal(1), scrap_first, ["A1"]),
                Back(line, Decimal(1), not scrap_first, ["A1"]),
            ],
            at=NOON,
        )

    assert on_hand() == set()


def test_a_piece_sold_again_comes_back_to_its_last_sale(phone: Product) -> None:
    receive(phone, ["A1", "A2"])
    first = ship(note_of(2, "N1"), "A1", "A2")
    return_goods(
        note_id=first.pk, back=[Back(first.lines.get().pk, Decimal(1), serials=["A1"])], at=NOON
    )
    second = ship(note_of(1, "N2"), "A1")

    with pytest.raises(SerialRefused):
        return_goods(
            note_id=first.pk, back=[Back(first.lines.get().pk, Decimal(1), serials=["A1"])], at=NOON
        )
    return_goods(note_id=second.pk, back=[Back(second.lines.get().pk, Decimal(1))], at=NOON)

    assert on_hand() == {"A1"}


def test_the_pages_of_returns_ask_for_serials(phone: Product, admin_client: Client) -> None:
    receive(phone, ["A1", "A2"])
    note = ship(note_of(2), "A1", "A2")
    line = note.lines.get().pk
    url = reverse("sales:take_back", args=[note.pk])
    assert f'name="serials-{line}"' in admin_client.get(url).content.decode()

    admin_client.post(url, {f"quantity-{line}": "1", f"serials-{line}": "A2\r\n", "returns": "0"})

    assert on_hand() == {"A2"}


@pytest.fixture
def ordered(phone: Product) -> PurchaseOrder:
    supplier = SupplierFactory()
    SupplierProductFactory(product=phone, supplier=supplier, price="200.00")
    return create_order(
        supplier=supplier,
        warehouse=default_warehouse(),
        quantities={phone.pk: Decimal(2)},
        at=NOON,
    )


def test_a_receipt_names_each_piece(phone: Product, ordered: PurchaseOrder) -> None:
    row = ordered.lines.get()

    receive_goods(
        order_id=ordered.pk,
        quantities={row.pk: Arrived(Decimal(2), serials=("A1", "A2"))},
        at=NOON,
    )

    lines = ReceiptLine.objects.order_by("pk").values_list("move__lot__number", "quantity")
    assert list(lines) == [("A1", 1), ("A2", 1)]
    row.refresh_from_db()
    assert row.quantity_received == 2
    assert faults() == []


@pytest.mark.parametrize("serials", [(), ("A1",), ("A1", "A1"), ("A1", "A2", "A3")])
def test_a_receipt_with_wrong_numbers_is_refused(
    ordered: PurchaseOrder, serials: tuple[str, ...]
) -> None:
    with pytest.raises(SerialRefused), transaction.atomic():
        receive_goods(
            order_id=ordered.pk,
            quantities={ordered.lines.get().pk: Arrived(Decimal(2), serials=serials)},
            at=NOON,
        )
    assert on_hand() == set()


def test_one_piece_of_a_receipt_goes_back(ordered: PurchaseOrder) -> None:
    row = ordered.lines.get()
    receipt = receive_goods(
        order_id=ordered.pk,
        quantities={row.pk: Arrived(Decimal(2), serials=("A1", "A2"))},
        at=NOON,
    )
    assert receipt is not None
    first = receipt.lines.get(move__lot__number="A1")

    return_to_supplier(
        receipt_id=receipt.pk, quantities={first.pk: Decimal(1)}, reason="panne", at=NOON
    )

    assert on_hand() == {"A2"}
    assert faults() == []


def test_numbers_are_pasted_one_a_line(ordered: PurchaseOrder, admin_client: Client) -> None:
    row = ordered.lines.get()

    admin_client.post(
        reverse("purchasing:receive", args=[ordered.pk]),
        {"verb": "receive", f"q{row.pk}": "2", f"s{row.pk}": "A1\r\n\r\n A2 ", "receipts": "0"},
    )

    assert on_hand() == {"A1", "A2"}
