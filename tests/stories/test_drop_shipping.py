"""Goods that a supplier sends straight to the customer, from the order to the invoices."""

from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from accounting_export.services import post_missing, post_missing_purchases
from customers.drafts import AddressDraft
from ftp_ingest.services.pushing import write_stock
from inventory.errors import NobodyWaits
from inventory.models import DirectDelivery, Product, StockMove, StockPosition, Warehouse
from inventory.services import (
    correct_stock,
    create_transfer,
    default_warehouse,
    open_count,
    open_stock,
    set_components,
)
from invoicing.selectors import notes_to_invoice
from invoicing.services import issue_invoices
from purchasing.errors import WrongState
from purchasing.models import PurchaseOrder
from purchasing.services import (
    Charged,
    accept_proposal,
    bring_to_us,
    change_order,
    close_order,
    confirm_order,
    enter_supplier_invoice,
    pieces_too_many,
    propose_orders,
    receive_goods,
    return_to_supplier,
    send_order,
    set_quantity,
)
from sales.errors import NotDeliverable
from sales.models import DeliveryNote, DirectOrder, Order
from sales.selectors import lines_waiting_for_stock, orders_ready_to_deliver
from sales.services import (
    Back,
    cancel_order,
    prepare_delivery,
    return_goods,
    ship_delivery_note,
    withdraw_orders,
)
from sales.services import (
    confirm_order as confirm_customers_order,
)
from sphinx.core.errors import BusinessRuleError
from sphinx.core.models import Shop
from sphinx.core.privacy import forget
from sphinx.core.proofs import run_proofs
from sphinx.dashboard.direct import confirm_departure, import_departures
from tests.factories import (
    NOON,
    ProductFactory,
    ShopFactory,
    SupplierProductFactory,
    draft,
    line,
    placed,
    put,
)
from tests.support.threads import together

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 2)
D = Decimal
NICE = AddressDraft("Paul Roux", "", "8 quai Lunel", "", "06300", "Nice", "FR", "0400000000")


@pytest.fixture
def sofa() -> Product:
    """Sent by its supplier, bought at 3.00 €."""
    product: Product = ProductFactory(sku="SOFA", supply_mode="drop_ship")
    SupplierProductFactory(product=product, supplier_sku="F-SOFA", price="3.00")
    return product


def proposed() -> PurchaseOrder:
    """The one direct order that is proposed."""
    (order,) = [o for o in propose_orders(on=DAY).orders if o.direct_delivery_id]
    return order


def sent() -> PurchaseOrder:
    order = proposed()
    accept_proposal(order_id=order.pk, at=NOON)
    return send_order(order_id=order.pk, at=NOON)


def gone(order: PurchaseOrder, **values: Any) -> DeliveryNote | None:
    values.setdefault("reference", "COLIS-1")
    values.setdefault("quantities", None)
    return confirm_departure(order_id=order.pk, at=NOON, **values)


def assert_proved() -> None:
    faults = [fault for proof in run_proofs() for fault in proof.faults]
    assert faults == []


def test_the_supplier_is_asked_for_exactly_what_the_customer_awaits(sofa: Product) -> None:
    SupplierProductFactory(product=sofa, pack_size=6, price="9.00")
    placed("1", line("SOFA", quantity="2"), shipping=NICE)

    order = proposed()

    bought = order.lines.get()
    assert (bought.quantity, bought.unit_price_excl_tax, order.total_excl_tax) == (2, 3, D("6.00"))
    assert order.direct_delivery is not None
    assert order.direct_delivery.place == ["Paul Roux", "8 quai Lunel", "06300 Nice", "FR"]
    assert order.direct_delivery.phone == "0400000000"


def test_each_customer_has_an_order_of_its_own_and_asking_again_changes_nothing(
    sofa: Product,
) -> None:
    placed("1", line("SOFA"))
    placed("2", line("SOFA", quantity="3"))

    first = [(o.pk, o.lines.get().quantity) for o in propose_orders(on=DAY).orders]
    again = [(o.pk, o.lines.get().quantity) for o in propose_orders(on=DAY).orders]

    assert [pieces for _pk, pieces in first] == [1, 3]
    assert again == first


def test_the_departure_makes_the_shipped_note_at_the_purchase_price(sofa: Product) -> None:
    placed("1", line("SOFA", quantity="2"))

    note = gone(sent(), carrier="DPD", tracking_number="X1")

    assert note is not None
    assert (note.status, note.carrier, note.tracking_number) == ("shipped", "DPD", "X1")
    left = note.lines.get()
    assert (left.quantity, left.unit_cost) == (2, 3)
    assert Order.objects.get().status == Order.Status.DELIVERED
    assert PurchaseOrder.objects.get().status == PurchaseOrder.Status.RECEIVED
    assert_proved()


def test_no_stock_is_left_and_our_own_keeps_its_cost(sofa: Product) -> None:
    open_stock(opening={sofa.pk: (D(5), D(10))}, warehouse=default_warehouse(), at=NOON)
    placed("1", line("SOFA", quantity="2"))

    gone(sent())

    ours = StockPosition.objects.get(warehouse=default_warehouse())
    assert (ours.on_hand, ours.reserved, ours.average_cost) == (5, 0, 10)
    passed = StockPosition.objects.get(warehouse__is_direct=True)
    assert (passed.on_hand, passed.reserved, passed.backordered, passed.incoming) == (0, 0, 0, 0)
    moves = StockMove.objects.filter(warehouse__is_direct=True).order_by("pk")
    assert [(m.kind, m.quantity, m.unit_cost) for m in moves] == [
        ("receipt", 2, 3),
        ("sale", -2, 3),
    ]


def test_two_customers_pay_each_the_price_of_their_own_parcel(sofa: Product) -> None:
    placed("1", line("SOFA"))
    placed("2", line("SOFA"))
    first, second = propose_orders(on=DAY).orders
    for order, price in ((first, "3.00"), (second, "5.00")):
        accept_proposal(order_id=order.pk, at=NOON)
        known = order.lines.get()
        change_order(order_id=order.pk, lines={known.pk: (D(1), D(price))}, added={}, at=NOON)

    later, earlier = gone(second), gone(first)

    assert later is not None
    assert earlier is not None
    assert (later.order.number, later.lines.get().unit_cost) == ("2", 5)
    assert (earlier.order.number, earlier.lines.get().unit_cost) == ("1", 3)
    assert_proved()


def test_the_same_parcel_said_twice_is_delivered_once(sofa: Product) -> None:
    placed("1", line("SOFA", quantity="5"))
    order = sent()
    pieces = {order.lines.get().pk: D(2)}
    gone(order, quantities=pieces)

    assert gone(order, quantities=pieces) is None

    assert DeliveryNote.objects.count() == 1
    assert Order.objects.get().status == Order.Status.PARTIALLY_DELIVERED


def test_in_two_parcels_the_rest_stays_expected(sofa: Product) -> None:
    placed("1", line("SOFA", quantity="5"))
    order = sent()
    gone(order, quantities={order.lines.get().pk: D(2)})
    assert StockPosition.objects.get(warehouse__is_direct=True).incoming == 3
    assert propose_orders(on=DAY).orders == []

    gone(order, reference="COLIS-2")

    assert Order.objects.get().status == Order.Status.DELIVERED
    assert_proved()


def test_a_mixed_order_makes_two_notes_and_each_part_leaves_by_itself(sofa: Product) -> None:
    ProductFactory(sku="LAMP", on_hand=4)
    order = placed("1", line("SOFA"), line("LAMP"))
    ours = prepare_delivery(order_id=order.pk, at=NOON)
    assert ours is not None
    assert [li.order_line.sku for li in ours.lines.all()] == ["LAMP"]

    theirs = gone(sent())

    assert theirs is not None
    assert [li.order_line.sku for li in theirs.lines.all()] == ["SOFA"]
    assert DeliveryNote.objects.get(pk=ours.pk).status == DeliveryNote.Status.DRAFT
    ship_delivery_note(note_id=ours.pk, at=NOON)
    assert Order.objects.get().status == Order.Status.DELIVERED
    assert_proved()


def test_what_the_supplier_sends_is_neither_picked_nor_waited_for(sofa: Product) -> None:
    open_stock(opening={sofa.pk: (D(5), D(10))}, warehouse=default_warehouse(), at=NOON)

    placed("1", line("SOFA"))

    assert not orders_ready_to_deliver().exists()
    assert not lines_waiting_for_stock().exists()


def test_what_may_be_sold_without_stock_still_waits_for_the_supplier() -> None:
    product = ProductFactory(sku="SOFA", supply_mode="drop_ship", allows_negative=True)
    SupplierProductFactory(product=product)

    placed("1", line("SOFA"))

    assert not orders_ready_to_deliver().exists()
    assert proposed().lines.get().quantity == 1


def test_a_shop_that_ships_itself_takes_it_from_its_shelf(sofa: Product) -> None:
    Shop.objects.filter(pk=ShopFactory().pk).update(ships_itself=True)

    placed("1", line("SOFA"))

    (order,) = propose_orders(on=DAY).orders
    assert (order.direct_delivery, order.warehouse) == (None, default_warehouse())


def test_cancelled_before_the_supplier_was_told_it_never_leaves(sofa: Product) -> None:
    customers = placed("1", line("SOFA"))
    order = proposed()
    accept_proposal(order_id=order.pk, at=NOON)
    cancel_order(order_id=customers.pk, at=NOON)

    with pytest.raises(WrongState):
        send_order(order_id=order.pk, at=NOON)

    assert PurchaseOrder.objects.get().status == PurchaseOrder.Status.CANCELLED
    assert StockPosition.objects.get(warehouse__is_direct=True).incoming == 0
    assert_proved()


def test_pieces_taken_off_before_the_supplier_was_told_are_not_ordered(sofa: Product) -> None:
    placed("1", line("SOFA", quantity="3"))
    order = proposed()
    accept_proposal(order_id=order.pk, at=NOON)
    put(draft("1", line("SOFA", quantity="2")))

    confirm_order(order_id=order.pk, expected_on=DAY, at=NOON)

    assert PurchaseOrder.objects.get().total_excl_tax == D("6.00")
    assert order.lines.get().quantity == 2
    assert StockPosition.objects.get(warehouse__is_direct=True).incoming == 2


def test_the_next_run_takes_off_what_is_no_longer_wanted(sofa: Product) -> None:
    customers = placed("1", line("SOFA"))
    accept_proposal(order_id=proposed().pk, at=NOON)
    cancel_order(order_id=customers.pk, at=NOON)

    propose_orders(on=DAY)

    assert PurchaseOrder.objects.get().status == PurchaseOrder.Status.CANCELLED


def test_cancelled_after_the_supplier_was_told_is_a_difference(sofa: Product) -> None:
    customers = placed("1", line("SOFA", quantity="2"))
    order = sent()
    cancel_order(order_id=customers.pk, at=NOON)

    assert pieces_too_many([order]) == {order.pk: {sofa.pk: 2}}
    with pytest.raises(NobodyWaits):
        gone(order)
    assert not StockMove.objects.exists()
    assert_proved()


def test_what_the_customer_no_longer_wants_can_come_to_us(sofa: Product) -> None:
    customers = placed("1", line("SOFA", quantity="2"))
    order = sent()
    cancel_order(order_id=customers.pk, at=NOON)

    bring_to_us(order_id=order.pk, at=NOON)
    receive_goods(order_id=order.pk, quantities=None, at=NOON)

    assert StockPosition.objects.get(warehouse=default_warehouse()).on_hand == 2
    assert pieces_too_many([PurchaseOrder.objects.get()]) == {}
    assert_proved()


def test_an_order_cancelled_then_taken_up_again_is_served_by_the_same_purchase(
    sofa: Product,
) -> None:
    customers = placed("1", line("SOFA"))
    order = sent()
    cancel_order(order_id=customers.pk, at=NOON)
    put(draft("1", line("SOFA"), note="de nouveau"))

    assert propose_orders(on=DAY).orders == []
    assert gone(order) is not None
    assert Order.objects.get().status == Order.Status.DELIVERED


def test_a_refund_without_a_word_holds_the_note_back(sofa: Product) -> None:
    placed("1", line("SOFA"))
    order = sent()
    Order.objects.update(refund_asked_incl_tax=D("2.00"))

    with pytest.raises(NotDeliverable):
        gone(order)

    assert not StockMove.objects.exists()


def test_the_address_follows_the_order_and_a_change_after_sending_shows(sofa: Product) -> None:
    placed("1", line("SOFA"))
    order = sent()
    assert not order.address_changed

    put(draft("1", line("SOFA"), shipping=NICE))

    changed = PurchaseOrder.objects.get()
    assert changed.address_changed
    assert changed.direct_delivery is not None
    assert changed.direct_delivery.city == "Nice"


def test_an_order_confirmed_by_hand_is_asked_of_the_supplier(sofa: Product) -> None:
    waiting = placed("1", line("SOFA"), state="pending", payment_status="unpaid", shipping=NICE)
    assert propose_orders(on=DAY).orders == []

    confirm_customers_order(order_id=waiting.pk)

    order = proposed()
    assert order.direct_delivery is not None
    assert order.direct_delivery.city == "Nice"
    assert DirectOrder.objects.get().order == waiting


def test_a_withdrawn_order_leaves_no_address_behind(sofa: Product) -> None:
    customers = placed("1", line("SOFA"))

    withdraw_orders(order_ids=[customers.pk])

    assert DirectDelivery.objects.get().place == []
    assert not Order.objects.exists()


def test_it_is_neither_received_at_ours_nor_ordered_in_another_quantity(sofa: Product) -> None:
    placed("1", line("SOFA"))
    order = proposed()
    known = order.lines.get()
    with pytest.raises(WrongState):
        set_quantity(line_id=known.pk, quantity=D(3), at=NOON)
    accept_proposal(order_id=order.pk, at=NOON)

    with pytest.raises(WrongState):
        change_order(order_id=order.pk, lines={known.pk: (D(4), D(3))}, added={}, at=NOON)
    with pytest.raises(WrongState):
        receive_goods(order_id=order.pk, quantities=None, at=NOON)


def test_what_a_customer_sends_back_comes_to_our_shelf(sofa: Product) -> None:
    placed("1", line("SOFA", quantity="2"))
    note = gone(sent())
    assert note is not None

    return_goods(note_id=note.pk, back=[Back(note.lines.get().pk, D(1))], at=NOON)

    back = StockPosition.objects.get(warehouse=default_warehouse())
    assert (back.on_hand, back.average_cost) == (1, 3)
    assert StockPosition.objects.get(warehouse__is_direct=True).on_hand == 0
    assert_proved()


def test_both_invoices_follow_by_the_usual_path(sofa: Product) -> None:
    placed("1", line("SOFA", price="10.00", quantity="2"))
    order = sent()
    note = gone(order)
    assert note is not None

    invoices = issue_invoices(
        note_ids=list(notes_to_invoice().values_list("pk", flat=True)), at=NOON
    )
    received = order.receipts.get().lines.get()
    bill = enter_supplier_invoice(
        supplier=order.supplier,
        supplier_number="F-1",
        issued_on=DAY,
        due_on=None,
        charged=[Charged(received.pk, D(2), D("3.00"))],
        carriage=D(0),
        tax=D("1.20"),
        total_incl_tax=D("7.20"),
        at=NOON,
    )

    assert [i.total_incl_tax for i in invoices] == [D("20.00")]
    assert bill.status == "approved"
    post_missing()
    post_missing_purchases()
    assert_proved()


def test_a_suppliers_file_confirms_departures_once(sofa: Product) -> None:
    placed("1", line("SOFA", quantity="2"))
    order = sent()
    data = f"Commande;Référence;Quantité;Transporteur;N° de suivi\n{order.number};f-sofa;2;GLS;T9\n"

    first = import_departures(name="departs.csv", data=data.encode(), at=NOON)
    again = import_departures(name="departs.csv", data=data.encode(), at=NOON)

    assert ([n.tracking_number for n in first.notes], first.faults) == (["T9"], [])
    assert (again.notes, again.faults) == ([], [])
    assert DeliveryNote.objects.get().carrier == "GLS"


def test_rows_of_a_suppliers_file_that_mean_nothing_are_named(sofa: Product) -> None:
    placed("1", line("SOFA", quantity="2"))
    order = sent()
    data = (
        "order;sku;shipped;tracking\n"
        f"{order.number};SOFA;3;A\nCF-INCONNU;SOFA;1;B\n{order.number};AUTRE;1;C\n"
        f"{order.number};SOFA;1;D\n"
    )

    found = import_departures(name="departs.csv", data=data.encode(), at=NOON)

    assert [n.tracking_number for n in found.notes] == ["D"]
    assert len(found.faults) == 3


def test_what_nobody_sells_is_reported() -> None:
    product = ProductFactory(sku="SOFA", supply_mode="drop_ship")
    placed("1", line("SOFA", quantity="2"))

    proposals = propose_orders(on=DAY)

    assert [(p.pk, buy.quantity) for p, buy in proposals.without_supplier] == [(product.pk, 2)]


def test_nothing_is_counted_corrected_or_moved_where_nothing_lies(sofa: Product) -> None:
    placed("1", line("SOFA"))
    nowhere = Warehouse.objects.get(is_direct=True)

    with pytest.raises(BusinessRuleError):
        correct_stock(
            product_id=sofa.pk, warehouse=nowhere, difference=D(1), reason="trouvé", at=NOON
        )
    with pytest.raises(BusinessRuleError):
        open_count(warehouse=nowhere, at=NOON)
    with pytest.raises(BusinessRuleError):
        create_transfer(
            source=default_warehouse(), destination=nowhere, quantities={sofa.pk: D(1)}, at=NOON
        )


def test_a_component_that_its_supplier_could_send_comes_from_our_shelf(sofa: Product) -> None:
    box = ProductFactory(sku="SALON")
    set_components(bundle_id=box.pk, parts={sofa.pk: D(2)})

    placed("1", line("SALON"))

    (order,) = propose_orders(on=DAY).orders
    assert (order.direct_delivery, order.lines.get().quantity) == (None, 2)


def test_what_came_back_to_us_goes_back_to_its_supplier(sofa: Product) -> None:
    placed("1", line("SOFA"))
    order = sent()
    note = gone(order)
    assert note is not None
    return_goods(note_id=note.pk, back=[Back(note.lines.get().pk, D(1))], at=NOON)
    receipt = order.receipts.get()

    return_to_supplier(
        receipt_id=receipt.pk, quantities={receipt.lines.get().pk: D(1)}, reason="taché", at=NOON
    )

    assert StockPosition.objects.get(warehouse=default_warehouse()).on_hand == 0
    assert_proved()


def test_what_a_supplier_gives_up_is_asked_again(sofa: Product) -> None:
    placed("1", line("SOFA", quantity="3"))
    order = sent()
    gone(order, quantities={order.lines.get().pk: D(1)})

    close_order(order_id=order.pk, at=NOON)

    assert proposed().lines.get().quantity == 2


def test_a_customer_who_is_forgotten_leaves_no_address(sofa: Product) -> None:
    placed("1", line("SOFA"), shipping=NICE)
    gone(sent())
    issue_invoices(note_ids=list(notes_to_invoice().values_list("pk", flat=True)), at=NOON)

    forget(Order.objects.get().customer_id)

    assert DirectDelivery.objects.get().place == []


def test_the_shop_goes_on_selling_what_its_supplier_delivers(sofa: Product, tmp_path: Path) -> None:
    open_stock(opening={sofa.pk: (D(1), D(1))}, warehouse=default_warehouse(), at=NOON)
    ProductFactory(sku="LAMP", on_hand=4)

    write_stock(ShopFactory(), tmp_path / "stock.csv")

    text = (tmp_path / "stock.csv").read_text()
    assert "LAMP" in text
    assert "SOFA" not in text


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_departure_told_by_four_at_once_is_delivered_once(sofa: Product) -> None:
    placed("1", line("SOFA", quantity="2"))
    order = sent()

    raised = together([partial(gone, order) for _ in range(4)])

    assert raised == []
    assert DeliveryNote.objects.get().lines.get().quantity == 2
    assert_proved()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_customer_who_cancels_while_it_is_sent_is_before_or_after(sofa: Product) -> None:
    for number in range(4):
        customers = placed(str(number), line("SOFA"))
        order = proposed()
        accept_proposal(order_id=order.pk, at=NOON)

        raised = together(
            [
                partial(send_order, order_id=order.pk, at=NOON),
                partial(cancel_order, order_id=customers.pk, at=NOON),
            ]
        )

        assert all(isinstance(error, WrongState) for error in raised)
        propose_orders(on=DAY)
        order.refresh_from_db()
        assert (order.status, pieces_too_many([order])) in (
            ("sent", {order.pk: {sofa.pk: 1}}),
            ("cancelled", {}),
        )
    assert_proved()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_departures_and_shelves_lock_in_one_order(sofa: Product) -> None:
    """Orders mix what suppliers send with what lies here, both are served at once."""
    ProductFactory(sku="LAMP", on_hand=50)
    for number in range(6):
        placed(str(number), line("LAMP"), line("SOFA"))
    sofas = []
    for order in propose_orders(on=DAY).orders:
        accept_proposal(order_id=order.pk, at=NOON)
        sofas.append(send_order(order_id=order.pk, at=NOON))
    lamps = [prepare_delivery(order_id=o.pk, at=NOON) for o in Order.objects.all()]

    raised = together(
        [
            *(partial(gone, order) for order in sofas),
            *(partial(ship_delivery_note, note_id=n.pk, at=NOON) for n in lamps if n),
            partial(put, *(draft(str(n), line("LAMP"), line("SOFA")) for n in range(20, 26))),
        ]
    )

    assert raised == []
    assert Order.objects.filter(status=Order.Status.DELIVERED).count() == 6
    assert_proved()
