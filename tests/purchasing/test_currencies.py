"""Suppliers in another currency: price, order, receipt, invoice, and what is in the books."""

from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from inventory.models import StockPosition
from inventory.services import default_warehouse
from purchasing.errors import NoRate, WrongState
from purchasing.models import PurchaseOrder, Receipt, ReceiptLine, SupplierInvoice
from purchasing.scorecards import scorecards
from purchasing.services import (
    Arrived,
    Charged,
    approve_supplier_invoice,
    cancel_supplier_invoice,
    cancel_supplier_payment,
    create_order,
    enter_landed_costs,
    enter_supplier_invoice,
    pay_supplier,
    propose_orders,
    receive_goods,
    send_order,
    set_quantity,
    terms_on,
)
from sphinx.core.exchange import indicative_units
from sphinx.core.models import ExchangeRate
from suppliers.models import Supplier, SupplierPrice, SupplierProduct
from suppliers.services import accept_price_list, load_catalogue, receive_price_list
from tests.factories import (
    NOON,
    ProductFactory,
    ReorderRuleFactory,
    SupplierFactory,
    SupplierProductFactory,
)
from tests.support.threads import together

pytestmark = pytest.mark.django_db
D = Decimal
DAY = NOON.date()


def a_rate(units: str, day: date = DAY, currency: str = "USD") -> None:
    ExchangeRate.objects.create(currency=currency, valid_from=day, units_per_euro=D(units))


def an_order(
    price: str = "12.00",
    pieces: int = 10,
    currency: str = "USD",
    supplier: Any = None,
    **product: Any,
) -> PurchaseOrder:
    made = ProductFactory(**product)
    supplier = supplier or SupplierFactory(currency=currency, country="US")
    SupplierProductFactory(supplier=supplier, product=made, price=price)
    SupplierPrice.objects.filter(item__product=made).update(currency=currency)
    order = create_order(
        supplier=supplier, warehouse=default_warehouse(), quantities={made.pk: D(pieces)}, at=NOON
    )
    return send_order(order_id=order.pk, by_email=False, at=NOON)


def received(units: str = "1.20", **order: Any) -> ReceiptLine:
    """Ten pieces at 12.00 USD, 1 € being 1.20 USD that day: 10.00 € each."""
    receipt = receive_goods(
        order_id=an_order(**order).pk, quantities=None, exchange_rate=D(units), at=NOON
    )
    assert receipt is not None
    return receipt.lines.get()


def invoiced(
    row: ReceiptLine, units: str = "1.25", price: str = "12.00", number: str = "US-1", **more: Any
) -> SupplierInvoice:
    pieces = more.pop("pieces", 10)
    carriage, tax = more.pop("carriage", "0.00"), more.pop("tax", "0.00")
    return enter_supplier_invoice(
        supplier=row.receipt.purchase_order.supplier,
        supplier_number=number,
        issued_on=DAY,
        charged=[Charged(row.pk, D(pieces), D(price))],
        carriage=D(carriage),
        tax=D(tax),
        total_incl_tax=D(pieces) * D(price) + D(carriage) + D(tax),
        exchange_rate=D(units),
        at=NOON,
        **more,
    )


def position(row: ReceiptLine) -> StockPosition:
    return StockPosition.objects.get(product=row.order_line.product_id)


# --- Order --------------------------------------------------------------------------------


def test_an_order_is_in_its_suppliers_currency_and_says_what_it_comes_to() -> None:
    a_rate("1.25")

    order = an_order()

    # 10 × 12.00 USD = 120.00 USD, at 1.25 is 96.00 €.
    assert (order.currency, order.total_excl_tax) == ("USD", D("120.00"))
    assert order.total_eur == D("96.00")


def test_a_supplier_who_changes_currency_changes_nothing_old() -> None:
    row = received()
    invoice = invoiced(row)
    Supplier.objects.update(currency="GBP")

    order = PurchaseOrder.objects.get()
    assert (order.currency, Receipt.objects.get().currency) == ("USD", "USD")
    assert SupplierInvoice.objects.get(pk=invoice.pk).currency == "USD"


def test_a_price_given_before_the_currency_changed_is_converted_until_a_new_one_comes() -> None:
    a_rate("1.20")
    a_rate("0.90", currency="GBP")
    order = an_order()
    line = order.lines.get()
    Supplier.objects.update(currency="GBP")

    again = create_order(
        supplier=Supplier.objects.get(),
        warehouse=default_warehouse(),
        quantities={line.product_id: D(10)},
        at=NOON,
    )

    # 12.00 USD = 10.00 € = 9.00 GBP.
    assert (again.currency, again.lines.get().unit_price_excl_tax) == ("GBP", D("9.000000"))


# --- Receipt ------------------------------------------------------------------------------


def test_goods_cost_their_price_at_the_rate_of_the_day_that_they_came() -> None:
    a_rate("1.20")
    row = ReceiptLine.objects.get(
        receipt=receive_goods(order_id=an_order().pk, quantities=None, at=NOON)
    )

    # 12.00 USD at 1.20.
    assert (row.unit_price_excl_tax, row.unit_cost) == (D("12.00"), D("10.00"))
    assert (position(row).average_cost, position(row).value) == (D("10.00"), D("100.00"))
    assert (row.receipt.exchange_rate, row.receipt.exchange_rate_on) == (D("1.20"), DAY)


def test_a_rate_typed_on_the_receipt_goes_before() -> None:
    a_rate("1.20")
    receipt = receive_goods(
        order_id=an_order().pk, quantities=None, exchange_rate=D("1.5"), at=NOON
    )

    assert receipt is not None
    assert (receipt.exchange_rate, receipt.exchange_rate_source) == (D("1.5"), "manual")
    # 12.00 USD at 1.50.
    assert receipt.lines.get().move.unit_cost == D("8.00")


def test_goods_entered_late_are_at_the_rate_of_the_day_that_they_came() -> None:
    a_rate("1.20", DAY - timedelta(days=3))
    a_rate("1.50")
    order = an_order()

    receipt = receive_goods(
        order_id=order.pk, quantities=None, received_on=DAY - timedelta(days=2), at=NOON
    )

    assert receipt is not None
    assert receipt.exchange_rate == D("1.20")


def test_a_cost_is_rounded_half_up_at_six_places() -> None:
    # 1.00 USD at 1.30 is 0.769230769…
    assert received("1.30", price="1.00").unit_cost == D("0.769231")


def test_nothing_is_received_without_a_rate() -> None:
    order = an_order(currency="XTS")

    with pytest.raises(NoRate):
        receive_goods(order_id=order.pk, quantities=None, at=NOON)

    assert not Receipt.objects.exists()
    assert StockPosition.objects.get().on_hand == 0


@pytest.mark.parametrize("units", ["0", "-1", "1.2345678", "1000000000"])
def test_a_rate_that_cant_be_one_is_refused(units: str) -> None:
    with pytest.raises(WrongState):
        received(units)


def test_a_receipt_in_euros_has_no_rate() -> None:
    with pytest.raises(WrongState):
        received("1.20", currency="EUR")


def test_the_database_wants_a_rate_of_what_is_in_another_currency() -> None:
    row = received()

    with pytest.raises(IntegrityError), transaction.atomic():
        Receipt.objects.filter(pk=row.receipt_id).update(exchange_rate=None)


# --- Invoice ------------------------------------------------------------------------------


def test_exchange_alone_is_no_difference_and_no_cost() -> None:
    row = received("1.20")

    invoice = invoiced(row, "1.25")

    # 120.00 USD at 1.25 is 96.00 €; the goods stay at what they were worth when they came.
    assert (invoice.status, invoice.differences) == ("approved", [])
    assert invoice.euros[:4] == (D("96.00"), D("0.00"), D("0.00"), D("96.00"))
    assert position(row).value == D("100.00")


def test_a_price_that_differs_is_told_in_the_currency_and_costs_at_the_receipts_rate() -> None:
    row = received("1.20")

    invoice = invoiced(row, "1.25", price="12.60")

    # 10 × 0.60 USD; at 1.20 that is 5.00 €.
    assert [d["amount"] for d in invoice.differences] == ["6.00"]
    approve_supplier_invoice(invoice_id=invoice.pk, at=NOON, reason="accepté")
    assert position(row).value == D("105.00")
    assert invoice.lines.get().cost_added == D("5.00")


def test_carriage_costs_at_the_rate_of_the_invoice() -> None:
    row = received("1.20")

    invoiced(row, "1.25", carriage="10.00")

    # 10.00 USD at 1.25 is 8.00 €, on 100.00 €.
    assert position(row).value == D("108.00")


def test_a_price_lowered_lowers_the_cost_at_the_receipts_rate() -> None:
    row = received("1.20")
    invoiced(row, "1.25")

    enter_supplier_invoice(
        supplier=row.receipt.purchase_order.supplier,
        supplier_number="US-CN",
        issued_on=DAY,
        charged=[Charged(row.pk, D(10), D("0.60"), lowers_price=True)],
        tax=D("0.00"),
        total_incl_tax=D("6.00"),
        kind="credit_note",
        exchange_rate=D("1.50"),
        at=NOON,
    )

    # 6.00 USD at 1.20, not at the credit note's 1.50.
    assert position(row).value == D("95.00")


def test_the_parts_of_an_invoice_make_its_total_in_euros() -> None:
    row = received("1.20", price="1.00", pieces=10)

    invoice = invoiced(row, "3.00", price="1.00", carriage="10.00", tax="10.00")

    # 30.00 at 3 is 10.00 €, though three times 3.33 € is 9.99 €.
    assert invoice.euros[:4] == (D("3.34"), D("3.33"), D("3.33"), D("10.00"))


def test_vat_that_the_invoice_states_in_euros_is_taken_as_stated() -> None:
    row = received("1.20")

    invoice = invoiced(row, "1.25", tax="24.00", tax_eur=D("19.30"))

    # 120.00 at 1.25 is 96.00 €; 24.00 would be 19.20 €.
    assert invoice.euros[:4] == (D("96.00"), D("0.00"), D("19.30"), D("115.30"))


def test_an_invoice_in_another_currency_than_the_order_is_refused() -> None:
    row = received()

    with pytest.raises(WrongState):
        invoiced(row, currency="GBP")

    assert not SupplierInvoice.objects.exists()


def test_the_rate_of_an_invoice_is_that_of_its_day() -> None:
    a_rate("1.25")
    row = received("1.20")

    invoice = enter_supplier_invoice(
        supplier=row.receipt.purchase_order.supplier,
        supplier_number="US-2",
        issued_on=DAY,
        charged=[Charged(row.pk, D(10), D("12.00"))],
        tax=D("0.00"),
        total_incl_tax=D("120.00"),
        at=NOON,
    )

    assert (invoice.exchange_rate, invoice.exchange_rate_on) == (D("1.25"), DAY)
    assert invoice.euros.total == D("96.00")


def test_freight_in_another_currency_is_borne_in_euros() -> None:
    row = received("1.20")
    carrier = SupplierFactory(currency="GBP")

    made = enter_landed_costs(
        supplier=carrier,
        supplier_number="GB-9",
        issued_on=DAY,
        receipt_ids=[row.receipt_id],
        spread_by="value",
        amount=D("18.00"),
        tax=D("0.00"),
        total_incl_tax=D("18.00"),
        exchange_rate=D("0.90"),
        at=NOON,
    )

    # 18.00 GBP at 0.90 is 20.00 €.
    assert made.cost_shares.get().amount_excl_tax == D("20.00")
    assert position(row).value == D("120.00")


def test_shares_by_value_compare_in_euros() -> None:
    dollars = received("1.20")
    # 10 × 12.00 GBP at 0.60 is 200.00 €: twice the dollars' 100.00 €.
    pounds = received("0.60", currency="GBP")

    made = enter_landed_costs(
        supplier=SupplierFactory(),
        supplier_number="T-1",
        issued_on=DAY,
        receipt_ids=[dollars.receipt_id, pounds.receipt_id],
        spread_by="value",
        amount=D("30.00"),
        tax=D("0.00"),
        total_incl_tax=D("30.00"),
        at=NOON,
    )

    shares = {s.receipt_line_id: s.amount_excl_tax for s in made.cost_shares.all()}
    assert shares == {dollars.pk: D("10.00"), pounds.pk: D("20.00")}


# --- Payment ------------------------------------------------------------------------------


def paid(invoice: SupplierInvoice, amount: str = "120.00", eur: str | None = "100.00") -> Any:
    return pay_supplier(
        parts={invoice.pk: D(amount)},
        paid_on=DAY,
        paid_eur=None if eur is None else D(eur),
        at=NOON,
    )


def test_a_payment_settles_what_the_books_hold_of_the_invoice() -> None:
    payment = paid(invoiced(received()))

    part = payment.parts.get()
    assert (payment.amount, payment.paid_eur) == (D("120.00"), D("100.00"))
    assert (part.amount, part.booked_eur) == (D("120.00"), D("96.00"))


def test_parts_paid_one_after_the_other_settle_it_exactly() -> None:
    # 10.00 USD at 3 is 3.33 €.
    invoice = invoiced(received(price="1.00"), "3.00", price="1.00")

    parts = [paid(invoice, "2.50", "0.90").parts.get() for _quarter in range(4)]

    # 0.8325, 1.665, 2.4975 and 3.33, each less what was settled before; a quarter is 0.8325.
    assert [part.booked_eur for part in parts] == [D("0.83"), D("0.84"), D("0.83"), D("0.83")]


def test_no_more_is_paid_than_is_owed() -> None:
    invoice = invoiced(received())
    paid(invoice, "100.00", "80.00")

    with pytest.raises(WrongState):
        paid(invoice, "20.01", "16.00")


def test_a_payment_from_an_account_in_the_currency_is_at_the_rate_of_its_day() -> None:
    a_rate("1.60")

    payment = paid(invoiced(received()), eur=None)

    # 120.00 USD at 1.60.
    assert (payment.paid_eur, payment.exchange_rate) == (D("75.00"), D("1.60"))


def test_a_payment_taken_back_is_owed_again_and_the_invoice_may_be_taken_back() -> None:
    invoice = invoiced(received())
    payment = paid(invoice)
    with pytest.raises(WrongState):
        cancel_supplier_invoice(invoice_id=invoice.pk, reason="erreur", at=NOON)

    for _twice in range(2):
        cancel_supplier_payment(payment_id=payment.pk, reason="erreur", at=NOON)

    assert paid(invoice).parts.get().booked_eur == D("96.00")


def test_a_payment_of_less_than_a_cent_is_refused() -> None:
    with pytest.raises(WrongState):
        pay_supplier(
            parts={invoiced(received()).pk: D("0.01")},
            paid_on=DAY,
            exchange_rate=D("3"),
            at=NOON,
        )


def test_an_invoice_that_is_disputed_is_not_paid() -> None:
    invoice = invoiced(received(), price="13.00")

    with pytest.raises(WrongState):
        paid(invoice, "130.00")


def test_what_is_in_euros_is_paid_without_exchange() -> None:
    row = ReceiptLine.objects.get(
        receipt=receive_goods(order_id=an_order(currency="EUR").pk, quantities=None, at=NOON)
    )
    invoice = enter_supplier_invoice(
        supplier=row.receipt.purchase_order.supplier,
        supplier_number="F-1",
        issued_on=DAY,
        charged=[Charged(row.pk, D(10), D("12.00"))],
        tax=D("0.00"),
        total_incl_tax=D("120.00"),
        at=NOON,
    )

    with pytest.raises(WrongState):
        paid(invoice, "120.00", "121.00")
    assert paid(invoice, "120.00", None).paid_eur == D("120.00")


def test_damaged_pieces_and_another_price_on_the_delivery_note_are_in_the_currency() -> None:
    order = an_order()
    line = order.lines.get()

    receipt = receive_goods(
        order_id=order.pk,
        quantities={line.pk: Arrived(D(5), damaged=D(1), unit_price=D("6.00"))},
        exchange_rate=D("1.20"),
        at=NOON,
    )

    assert receipt is not None
    # 5 × 6.00 USD at 1.20.
    assert position(receipt.lines.get()).value == D("25.00")


# --- Replenishment ------------------------------------------------------------------------


def wanted() -> Any:
    """A product of which sixteen pieces are to be bought."""
    product = ProductFactory(on_hand=4)
    ReorderRuleFactory(product=product, minimum=5, maximum=20)
    return product


def sold_by(product: Any, price: str, currency: str, **supplier: Any) -> Supplier:
    seller = SupplierFactory(currency=currency, **supplier)
    item = SupplierProductFactory(supplier=seller, product=product, price=price)
    item.prices.update(currency=currency)
    return seller


@pytest.mark.parametrize(("units", "currency"), [("1.50", "USD"), ("1.10", "EUR")])
def test_suppliers_are_compared_in_euros(units: str, currency: str) -> None:
    """12.00 USD are 8.00 € at 1.50 and 10.91 € at 1.10; the other supplier asks 10.00 €."""
    a_rate(units)
    product = wanted()
    sold_by(product, "12.00", "USD")
    sold_by(product, "10.00", "EUR")

    (order,) = propose_orders(on=DAY).orders

    assert order.currency == currency


def test_a_proposal_is_in_the_suppliers_currency_and_says_what_it_comes_to() -> None:
    a_rate("1.50")
    sold_by(wanted(), "12.00", "USD")

    (order,) = propose_orders(on=DAY).orders

    line = order.lines.get()
    # 16 × 12.00 USD; at 1.50 that is 128.00 €, 8.00 € each.
    assert (line.unit_price_excl_tax, order.total_excl_tax) == (D("12.00"), D("192.00"))
    assert (order.total_eur, D(line.reason["unit_price"])) == (D("128.00"), D("8"))


def test_a_quantity_set_by_hand_keeps_the_price_in_the_currency() -> None:
    a_rate("1.50")
    sold_by(wanted(), "12.00", "USD")
    (order,) = propose_orders(on=DAY).orders
    set_quantity(line_id=order.lines.get().pk, quantity=D(20), at=NOON)

    (again,) = propose_orders(on=DAY).orders

    # 20 × 12.00 USD.
    assert again.total_excl_tax == D("240.00")


def test_a_proposal_follows_the_currency_of_its_supplier() -> None:
    a_rate("1.50")
    supplier = sold_by(wanted(), "12.00", "USD")
    propose_orders(on=DAY)
    Supplier.objects.filter(pk=supplier.pk).update(currency="EUR")

    (order,) = propose_orders(on=DAY).orders

    # 12.00 USD are 8.00 €.
    assert (order.currency, order.total_excl_tax, order.exchange_rate) == (
        "EUR",
        D("128.00"),
        None,
    )


def test_a_suppliers_minimum_is_in_its_currency() -> None:
    a_rate("1.50")
    sold_by(wanted(), "12.00", "USD", minimum_order_excl_tax=D("190.00"))

    (order,) = propose_orders(on=DAY).orders

    # 192.00 USD reach 190.00 USD; 128.00 € wouldn't reach 190.00.
    assert order.note == ""


def test_a_supplier_of_whose_currency_no_rate_is_known_is_left_out() -> None:
    product = wanted()
    sold_by(product, "1.00", "XTS")

    proposals = propose_orders(on=DAY)

    assert proposals.orders == []
    assert [found.pk for found, _purchase in proposals.without_supplier] == [product.pk]


def test_an_old_rate_compares_but_enters_no_books() -> None:
    """Nor does a currency that the ECB no longer quotes (the rouble, until 2022)."""
    on = date(2040, 1, 2)
    ExchangeRate.objects.create(
        currency="USD", valid_from=date(2039, 1, 3), units_per_euro=D("1.5"), source="ecb"
    )

    assert indicative_units({"USD", "RUB"}, on) == {"EUR": D(1), "USD": D("1.5")}
    with pytest.raises(NoRate):
        terms_on("USD", on)


def test_prices_of_a_list_are_in_the_currency_that_the_supplier_had() -> None:
    supplier = sold_by(ProductFactory(sku="A-7"), "12.00", "USD")
    SupplierProduct.objects.update(supplier_sku="A-7")
    made = receive_price_list(
        supplier=supplier,
        name="prices.csv",
        data=b"reference;price;currency\nA-7;13.50;USD\n",
        applies_on=DAY,
        at=NOON,
    )
    Supplier.objects.update(currency="GBP")

    accept_price_list(price_list_id=made.pk, at=NOON)

    price = SupplierPrice.objects.get()
    assert (price.unit_price_excl_tax, price.currency) == (D("13.50"), "USD")


def test_what_was_bought_of_suppliers_is_added_up_in_euros() -> None:
    received("1.20")
    received("0.60", currency="GBP")

    cards = scorecards(until=DAY)

    # 120.00 USD at 1.20, 120.00 GBP at 0.60.
    assert [card.bought for card in cards] == [D("200.00"), D("100.00")]


def test_opening_stock_is_worth_the_price_in_euros(tmp_path: Path) -> None:
    a_rate("1.25")
    sold_by(ProductFactory(sku="OLD"), "1.00", "USD", name="Acme")
    file = tmp_path / "c.csv"
    file.write_text("sku;label;supplier;purchase_price;on_hand\nNEW-1;Lamp;Acme;12.50;4\n")

    load_catalogue(path=file, at=NOON)

    # 12.50 USD at 1.25.
    assert StockPosition.objects.get(product__sku="NEW-1").average_cost == D("10.00")
    assert SupplierPrice.objects.get(item__product__sku="NEW-1").currency == "USD"


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_who_pay_the_same_invoice_at_once_pay_it_once() -> None:
    invoice = invoiced(received())

    raised = together([partial(paid, invoice)] * 4)

    assert [type(error) for error in raised] == [WrongState] * 3
    assert invoice.payment_parts.count() == 1
