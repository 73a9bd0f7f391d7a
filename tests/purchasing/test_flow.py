from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core import mail

from accounting_export.services import post_missing_purchases
from inventory.models import Product, StockMove, StockPosition
from inventory.services import default_warehouse
from purchasing.errors import AlreadyEntered, WrongState
from purchasing.models import PurchaseOrder, Receipt, ReceiptLine, SupplierInvoice
from purchasing.scorecards import scorecards
from purchasing.services import (
    Arrived,
    Charged,
    approve_supplier_invoice,
    cancel_supplier_invoice,
    change_order,
    close_order,
    confirm_order,
    create_order,
    enter_supplier_invoice,
    mail_order,
    order_csv,
    receive_goods,
    return_to_supplier,
    send_order,
)
from sphinx.core.proofs import run_proofs
from tests.factories import NOON, ProductFactory, SupplierFactory, SupplierProductFactory

pytestmark = pytest.mark.django_db
D = Decimal
DAY = date(2026, 3, 2)


@pytest.fixture
def product() -> Product:
    return ProductFactory(sku="A", on_hand=10, unit_cost=D(4), barcode="3760001234567")


@pytest.fixture
def order(product: Product) -> PurchaseOrder:
    """Ten pieces at 5 €."""
    supplier = SupplierFactory(name="Atelier", email="ventes@atelier.test")
    SupplierProductFactory(product=product, supplier=supplier, price="5.00", supplier_sku="=AT-1")
    return create_order(
        supplier=supplier,
        warehouse=default_warehouse(),
        quantities={product.pk: D(10)},
        at=NOON,
    )


def position() -> StockPosition:
    return StockPosition.objects.get()


def receive(order: PurchaseOrder, arrived: Arrived, **options: object) -> Receipt:
    receipt = receive_goods(
        order_id=order.pk, quantities={order.lines.get().pk: arrived}, at=NOON, **options
    )
    assert receipt is not None
    return receipt


def test_an_order_by_hand_is_expected_at_the_suppliers_price(order: PurchaseOrder) -> None:
    assert order.total_excl_tax == D("50.00")
    assert position().incoming == 10


def test_what_a_supplier_does_not_sell_is_not_ordered_from_it() -> None:
    with pytest.raises(WrongState):
        create_order(
            supplier=SupplierFactory(),
            warehouse=default_warehouse(),
            quantities={ProductFactory().pk: D(1)},
            at=NOON,
        )


def test_an_order_leaves_by_e_mail_once_with_pdf_and_csv(order: PurchaseOrder) -> None:
    send_order(order_id=order.pk, at=NOON, by_email=True)

    assert mail_order(order_id=order.pk, at=NOON)
    assert not mail_order(order_id=order.pk, at=NOON)

    (message,) = mail.outbox
    assert message.to == ["ventes@atelier.test"]
    names = [attachment[0] for attachment in message.attachments]
    assert names == [f"{order.number}.pdf", f"{order.number}.csv"]
    assert message.attachments[0][1].startswith(b"%PDF")


def test_the_supplier_reads_its_own_language(order: PurchaseOrder) -> None:
    order.supplier.language = "en"
    order.supplier.save()

    mail_order(order_id=order.pk, at=NOON)

    assert mail.outbox[0].subject.startswith("Order ")


def test_the_csv_holds_no_formula(order: PurchaseOrder) -> None:
    assert ";'=AT-1;" in order_csv(order) or "'=AT-1" in order_csv(order)


def test_an_order_without_address_is_not_sent_by_e_mail(order: PurchaseOrder) -> None:
    order.supplier.email = ""
    order.supplier.save()

    with pytest.raises(WrongState):
        send_order(order_id=order.pk, at=NOON, by_email=True)


def test_damaged_goods_stay_out_of_stock_and_expected(order: PurchaseOrder) -> None:
    receive(order, Arrived(D(6), damaged=D(4)))

    assert (position().on_hand, position().incoming) == (16, 4)
    order.refresh_from_db()
    assert order.status == PurchaseOrder.Status.PARTIALLY_RECEIVED


def test_more_than_ordered_comes_in_only_when_accepted(order: PurchaseOrder) -> None:
    with pytest.raises(WrongState):
        receive(order, Arrived(D(12)))

    receive(order, Arrived(D(12)), accepts_more=True)

    assert (position().on_hand, position().incoming) == (22, 0)


def test_another_price_on_the_delivery_note_makes_the_cost(order: PurchaseOrder) -> None:
    receive(order, Arrived(D(10), unit_price=D(6)))

    # Ten at 4 € and ten at 6 €.
    assert position().average_cost == 5


def test_the_rest_of_an_order_is_no_longer_expected_once_closed(order: PurchaseOrder) -> None:
    receive(order, Arrived(D(4)))

    closed = close_order(order_id=order.pk, at=NOON, reason="fin de série")
    close_order(order_id=order.pk, at=NOON)

    assert closed.status == PurchaseOrder.Status.CLOSED
    assert position().incoming == 0


def test_an_order_of_which_nothing_came_is_cancelled(order: PurchaseOrder) -> None:
    assert close_order(order_id=order.pk, at=NOON).status == PurchaseOrder.Status.CANCELLED
    assert position().incoming == 0


def test_goods_go_back_to_the_supplier(order: PurchaseOrder) -> None:
    receipt = receive(order, Arrived(D(10)))
    row = receipt.lines.get()

    return_to_supplier(receipt_id=receipt.pk, quantities={row.pk: D(3)}, reason="défaut", at=NOON)

    assert position().on_hand == 17
    assert StockMove.objects.get(kind="supplier_return").quantity == -3
    with pytest.raises(WrongState):
        return_to_supplier(
            receipt_id=receipt.pk, quantities={row.pk: D(8)}, reason="défaut", at=NOON
        )


# --- Changing before it leaves -----------------------------------------------------------------


def test_an_order_changes_until_it_leaves_and_what_is_expected_follows(
    order: PurchaseOrder,
) -> None:
    row = order.lines.get()
    other = SupplierProductFactory(supplier=order.supplier, price="2.00").product

    change_order(
        order_id=order.pk, lines={row.pk: (D(6), D("5.50"))}, added={other.pk: D(4)}, at=NOON
    )

    order.refresh_from_db()
    assert order.total_excl_tax == D("41.00")
    expected = dict(StockPosition.objects.values_list("product_id", "incoming"))
    assert expected == {row.product_id: 6, other.pk: 4}
    change_order(order_id=order.pk, lines={row.pk: (D(0), D(5))}, added={}, at=NOON)
    assert [line.product for line in order.lines.all()] == [other]
    assert StockPosition.objects.get(product=row.product_id).incoming == 0


@pytest.mark.parametrize("case", ["nothing", "twice", "unsold", "left"])
def test_a_change_that_cannot_be_leaves_the_order_as_it_was(
    order: PurchaseOrder, case: str
) -> None:
    row = order.lines.get()
    added = {
        "nothing": {},
        "left": {},
        "twice": {row.product_id: D(1)},
        "unsold": {ProductFactory().pk: D(1)},
    }[case]
    if case == "left":
        send_order(order_id=order.pk, at=NOON)

    with pytest.raises(WrongState):
        change_order(order_id=order.pk, lines={row.pk: (D(0), D(5))}, added=added, at=NOON)

    assert order.lines.get().quantity == 10
    assert StockPosition.objects.get(product=row.product_id).incoming == 10


# --- Three-way match ---------------------------------------------------------------------------


def charge(
    order: PurchaseOrder, row: ReceiptLine, quantity: str, price: str, carriage: str = "0.00"
) -> SupplierInvoice:
    goods = D(quantity) * D(price)
    return enter_supplier_invoice(
        supplier=order.supplier,
        supplier_number="F-1",
        issued_on=DAY,
        charged=[Charged(row.pk, D(quantity), D(price))],
        carriage=D(carriage),
        tax=D("10.00"),
        total_incl_tax=goods + D(carriage) + D("10.00"),
        at=NOON,
    )


def test_an_invoice_like_order_and_receipt_is_good_to_pay(order: PurchaseOrder) -> None:
    row = receive(order, Arrived(D(10))).lines.get()

    found = charge(order, row, "10", "5.00")

    assert (found.status, found.differences) == (SupplierInvoice.Status.APPROVED, [])


def test_a_dearer_or_longer_invoice_waits_for_a_decision(order: PurchaseOrder) -> None:
    row = receive(order, Arrived(D(8))).lines.get()

    found = charge(order, row, "10", "5.50")

    assert found.status == SupplierInvoice.Status.DIFFERS
    assert {d["code"] for d in found.differences} == {"quantity", "price"}
    with pytest.raises(WrongState):
        approve_supplier_invoice(invoice_id=found.pk, at=NOON)


def test_an_approved_price_and_carriage_correct_the_cost_of_what_is_left(
    order: PurchaseOrder,
) -> None:
    row = receive(order, Arrived(D(10))).lines.get()
    found = charge(order, row, "10", "6.00", carriage="10.00")

    approve_supplier_invoice(invoice_id=found.pk, at=NOON, reason="hausse annoncée")

    # (10 × 4 + 10 × 5 + 10 of price + 10 of carriage) / 20.
    assert position().average_cost == D("5.5")
    assert StockMove.objects.get(kind="revaluation").value_change == D("20.00")
    post_missing_purchases()
    assert [proof.faults for proof in run_proofs() if not proof.ok] == []


def test_the_same_invoice_is_entered_once(order: PurchaseOrder) -> None:
    row = receive(order, Arrived(D(10))).lines.get()
    charge(order, row, "5", "5.00")

    with pytest.raises(AlreadyEntered):
        charge(order, row, "5", "5.00")


def credit(order: PurchaseOrder, row: ReceiptLine, quantity: str, price: str) -> SupplierInvoice:
    goods = D(quantity) * D(price)
    return enter_supplier_invoice(
        supplier=order.supplier,
        supplier_number="A-1",
        issued_on=DAY,
        charged=[Charged(row.pk, D(quantity), D(price))],
        tax=D("0.00"),
        total_incl_tax=goods,
        kind=SupplierInvoice.Kind.CREDIT_NOTE,
        at=NOON,
    )


def test_a_credit_note_for_what_went_back_is_good_at_once(order: PurchaseOrder) -> None:
    receipt = receive(order, Arrived(D(10)))
    row = receipt.lines.get()
    charge(order, row, "10", "5.00")
    return_to_supplier(receipt_id=receipt.pk, quantities={row.pk: D(3)}, reason="défaut", at=NOON)

    found = credit(order, row, "3", "5.00")

    row.refresh_from_db()
    assert (found.status, row.quantity_invoiced) == ("approved", 7)


def test_a_credit_note_beyond_what_is_owed_back_or_at_another_price_differs(
    order: PurchaseOrder,
) -> None:
    row = receive(order, Arrived(D(10))).lines.get()
    charge(order, row, "10", "5.00")

    found = credit(order, row, "2", "4.00")

    assert [d["code"] for d in found.differences] == ["quantity", "price"]


def test_more_is_never_credited_than_was_charged(order: PurchaseOrder) -> None:
    row = receive(order, Arrived(D(10))).lines.get()
    charge(order, row, "5", "5.00")

    with pytest.raises(WrongState):
        credit(order, row, "6", "5.00")


def test_an_invoice_typed_wrong_is_taken_back_and_entered_again(order: PurchaseOrder) -> None:
    row = receive(order, Arrived(D(10))).lines.get()
    wrong = charge(order, row, "10", "6.00")
    approve_supplier_invoice(invoice_id=wrong.pk, at=NOON, reason="hausse")
    assert position().average_cost == 5

    cancel_supplier_invoice(invoice_id=wrong.pk, reason="prix mal lu", at=NOON)
    cancel_supplier_invoice(invoice_id=wrong.pk, reason="prix mal lu", at=NOON)

    assert position().average_cost == D("4.5")
    assert charge(order, row, "10", "5.00").status == SupplierInvoice.Status.APPROVED
    with pytest.raises(WrongState):
        approve_supplier_invoice(invoice_id=wrong.pk, at=NOON, reason="non")


def test_an_invoice_with_a_credit_note_on_it_is_not_taken_back(order: PurchaseOrder) -> None:
    receipt = receive(order, Arrived(D(10)))
    row = receipt.lines.get()
    found = charge(order, row, "10", "5.00")
    return_to_supplier(receipt_id=receipt.pk, quantities={row.pk: D(3)}, reason="défaut", at=NOON)
    credit(order, row, "3", "5.00")

    with pytest.raises(WrongState):
        cancel_supplier_invoice(invoice_id=found.pk, reason="erreur", at=NOON)


def test_the_same_return_sent_twice_goes_back_once(order: PurchaseOrder) -> None:
    receipt = receive(order, Arrived(D(10)))
    sent = {"receipt_id": receipt.pk, "quantities": {receipt.lines.get().pk: D(3)}, "at": NOON}

    return_to_supplier(**sent, reason="défaut", after_returns=0)
    with pytest.raises(WrongState):
        return_to_supplier(**sent, reason="défaut", after_returns=0)

    assert position().on_hand == 17


def test_an_invoice_that_does_not_add_up_is_refused(order: PurchaseOrder) -> None:
    row = receive(order, Arrived(D(10))).lines.get()

    with pytest.raises(WrongState):
        enter_supplier_invoice(
            supplier=order.supplier,
            supplier_number="F-2",
            issued_on=DAY,
            charged=[Charged(row.pk, D(10), D(5))],
            tax=D("10.00"),
            total_incl_tax=D("61.00"),
            at=NOON,
        )


def test_scorecards_tell_how_promises_were_kept(order: PurchaseOrder) -> None:
    confirm_order(order_id=order.pk, expected_on=DAY + timedelta(days=5), at=NOON)
    receive_goods(
        order_id=order.pk,
        quantities={order.lines.get().pk: Arrived(D(9), damaged=D(1))},
        at=NOON + timedelta(days=9),
    )

    (open_card,) = scorecards(until=DAY + timedelta(days=30))
    close_order(order_id=order.pk, at=NOON + timedelta(days=12))
    (card,) = scorecards(until=DAY + timedelta(days=30))

    # While an order is under way its rest is no broken promise.
    assert open_card.quantity_rate is None
    assert (card.on_time_rate, card.quantity_rate, card.damage_rate) == (0, 90, 10)
    assert card.delay_days == pytest.approx(9)
    assert card.bought == D("45.00")
