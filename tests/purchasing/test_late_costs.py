"""What suppliers' documents that come late change in the cost of goods: of what is still there."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

import pytest

from accounting_export.models import JournalLine
from accounting_export.services import post_missing_purchases
from inventory.models import Product, StockMove, StockPosition
from inventory.selectors import stock_value
from inventory.services import (
    Taking,
    correct_stock,
    default_warehouse,
    return_stock,
    take_stock,
)
from inventory.services.returns import Returned
from purchasing.errors import WrongState
from purchasing.models import ReceiptLine, SupplierInvoice, SupplierInvoiceLine
from purchasing.selectors import sold_since
from purchasing.services import (
    Arrived,
    Charged,
    approve_supplier_invoice,
    cancel_supplier_invoice,
    create_order,
    enter_supplier_invoice,
    receive_goods,
    return_to_supplier,
)
from sphinx.core.clock import business_date
from sphinx.core.proofs import run_proofs
from suppliers.models import Supplier
from tests.factories import NOON, ProductFactory, SupplierFactory, SupplierProductFactory

pytestmark = pytest.mark.django_db
D = Decimal
DAY = date(2026, 3, 2)


@pytest.fixture
def supplier() -> Supplier:
    return SupplierFactory(name="Atelier")


@pytest.fixture
def product(supplier: Supplier) -> Product:
    product = ProductFactory(sku="A", unit_cost=None)
    SupplierProductFactory(product=product, supplier=supplier, price="10.00")
    return product


def delivered(
    supplier: Supplier, product: Product, pieces: str = "10", days: int = 0
) -> ReceiptLine:
    at = NOON + timedelta(days=days)
    order = create_order(
        supplier=supplier,
        warehouse=default_warehouse(),
        quantities={product.pk: D(pieces)},
        at=at,
    )
    receipt = receive_goods(order_id=order.pk, quantities=None, at=at)
    assert receipt is not None
    return receipt.lines.get()


def sold(product: Product, pieces: str) -> None:
    take_stock(
        takings=[Taking(product.pk, D(pieces), f"V{StockMove.objects.count()}", 1)],
        warehouse=default_warehouse(),
        at=NOON + timedelta(days=10),
        kind=StockMove.Kind.SALE,
        origin_kind="delivery",
    )


def entered(
    lines: Sequence[ReceiptLine],
    price: str,
    *,
    pieces: str = "10",
    carriage: str = "0.00",
    lowers: bool = False,
    **options: object,
) -> SupplierInvoice:
    goods = len(lines) * D(pieces) * D(price)
    made = enter_supplier_invoice(
        supplier=lines[0].receipt.purchase_order.supplier,
        supplier_number=f"F-{SupplierInvoice.objects.count()}",
        issued_on=DAY,
        charged=[Charged(line.pk, D(pieces), D(price), lowers_price=lowers) for line in lines],
        carriage=D(carriage),
        tax=D("0.00"),
        total_incl_tax=goods + D(carriage),
        at=NOON + timedelta(days=30),
        **options,
    )
    if made.status != SupplierInvoice.Status.APPROVED:
        approve_supplier_invoice(invoice_id=made.pk, at=NOON + timedelta(days=30), reason="oui")
    return made


def lowered(
    lines: Sequence[ReceiptLine], price: str, pieces: str = "10", **options: object
) -> SupplierInvoice:
    """A credit note for goods that stay."""
    return entered(
        lines,
        price,
        pieces=pieces,
        lowers=True,
        kind=SupplierInvoice.Kind.CREDIT_NOTE,
        **options,
    )


def taken_back(invoice: SupplierInvoice) -> None:
    cancel_supplier_invoice(invoice_id=invoice.pk, reason="erreur", at=NOON + timedelta(days=40))


def average() -> Decimal:
    return StockPosition.objects.get().average_cost


def faults() -> list[str]:
    post_missing_purchases()
    return [fault for proof in run_proofs() for fault in proof.faults]


# --- What is still there -------------------------------------------------------------------------


def test_carriage_of_a_months_deliveries_goes_to_the_goods_that_are_left(
    supplier: Supplier, product: Product
) -> None:
    lines = [delivered(supplier, product, days=day) for day in range(4)]
    sold(product, "30")

    found = entered(lines, "10.00", carriage="40.00")

    assert average() == 11
    added = found.lines.order_by("pk").values_list("cost_added", flat=True)
    assert list(added) == [0, 0, 0, D("10.00")]
    assert faults() == []


def test_a_dearer_price_of_two_receipts_is_that_of_what_is_left(
    supplier: Supplier, product: Product
) -> None:
    lines = [delivered(supplier, product, days=day) for day in range(2)]
    sold(product, "10")

    entered(lines, "12.00")

    assert average() == 12
    assert faults() == []


def test_goods_of_the_next_delivery_dont_pay_for_those_that_are_sold_out(
    supplier: Supplier, product: Product
) -> None:
    first = delivered(supplier, product)
    sold(product, "10")
    delivered(supplier, product, days=12)

    entered([first], "15.00")

    assert average() == 10
    assert not StockMove.objects.filter(kind="revaluation").exists()


def test_what_went_back_to_the_supplier_left_out_of_its_own_receipt(
    supplier: Supplier, product: Product
) -> None:
    first, second = (delivered(supplier, product, days=day) for day in range(2))
    return_to_supplier(
        receipt_id=second.receipt_id,
        quantities={second.pk: D(10)},
        reason="défaut",
        at=NOON + timedelta(days=3),
    )

    entered([first], "12.00")

    assert average() == 12


def test_two_invoices_of_one_receipt_share_what_is_left(
    supplier: Supplier, product: Product
) -> None:
    line = delivered(supplier, product)
    sold(product, "5")

    entered([line], "12.00", pieces="5")
    entered([line], "12.00", pieces="5")

    assert average() == 12


def test_pieces_found_or_given_back_are_no_part_of_a_receipt(
    supplier: Supplier, product: Product
) -> None:
    line = delivered(supplier, product)
    sold(product, "10")
    correct_stock(
        product_id=product.pk,
        warehouse=default_warehouse(),
        difference=D(3),
        reason="retrouvé",
        at=NOON + timedelta(days=11),
    )

    entered([line], "12.00")

    assert average() == 10


def test_scrap_given_back_leaves_the_receipt_as_it_was(
    supplier: Supplier, product: Product
) -> None:
    line = delivered(supplier, product)
    sold(product, "4")
    number = StockMove.objects.get(kind="sale").origin_number
    scrap = Returned(number, 1, D(4), of=D(4), passed=D(0), is_scrap=True)
    return_stock(returns=[scrap], left_as="delivery", number="RC1", at=NOON + timedelta(days=12))

    entered([line], "12.00")

    # Six are left of ten.
    assert average() == 12


def test_of_a_product_with_lots_each_lot_tells_what_is_left(supplier: Supplier) -> None:
    product = ProductFactory(sku="L", tracks_lots=True)
    SupplierProductFactory(product=product, supplier=supplier, price="10.00")
    first, second = (delivered(supplier, product, days=day) for day in range(2))
    second_lot = StockMove.objects.get(pk=second.move_id).lot_id
    take_stock(
        takings=[Taking(product.pk, D(10), "V1", 1, second_lot)],
        warehouse=default_warehouse(),
        at=NOON + timedelta(days=3),
        kind=StockMove.Kind.LOSS,
        origin_kind="loss",
    )

    entered([second], "15.00")
    assert average() == 10
    entered([first], "12.00")
    assert average() == 12


# --- Taken back ----------------------------------------------------------------------------------


def test_what_is_taken_back_after_a_restock_leaves_its_goods_alone(
    supplier: Supplier, product: Product
) -> None:
    found = entered([delivered(supplier, product)], "15.00")
    sold(product, "10")
    delivered(supplier, product, days=35)

    taken_back(found)

    assert average() == 10
    assert faults() == []


@pytest.mark.parametrize(("before", "restock", "after"), [(5, 0, 0), (0, 10, 5), (3, 10, 4)])
def test_goods_taken_back_cost_what_they_would_without_the_invoice(
    supplier: Supplier, product: Product, before: int, restock: int, after: int
) -> None:
    found = entered([delivered(supplier, product)], "15.00")
    for pieces in filter(None, [before]):
        sold(product, str(pieces))
    if restock:
        delivered(supplier, product, str(restock), days=35)
    for pieces in filter(None, [after]):
        sold(product, str(pieces))

    taken_back(found)

    assert abs(average() - 10) < D("0.001")
    assert faults() == []


def test_never_more_is_taken_back_than_was_added(supplier: Supplier, product: Product) -> None:
    line = delivered(supplier, product)
    sold(product, "9")
    found = entered([line], "15.00")
    assert average() == 15

    taken_back(found)

    assert average() == 10
    changes = StockMove.objects.filter(kind="revaluation").values_list("value_change", flat=True)
    assert sorted(changes) == [D("-5.00"), D("5.00")]


# --- A lower price for goods that stay -----------------------------------------------------------


def test_a_credit_of_the_price_lowers_the_cost_of_what_is_left_and_leaves_it_invoiced(
    supplier: Supplier, product: Product
) -> None:
    line = delivered(supplier, product)
    entered([line], "10.00")
    sold(product, "4")

    found = lowered([line], "2.00")

    line.refresh_from_db()
    assert (found.status, found.differences) == (SupplierInvoice.Status.APPROVED, [])
    assert (average(), line.quantity_invoiced) == (8, 10)
    assert found.lines.get().cost_added == D("-12.00")
    assert faults() == []
    entry = JournalLine.objects.filter(entry__supplier_invoice=found).order_by("position")
    assert [(row.account[:3], row.debit, row.credit) for row in entry] == [
        ("401", D("20.00"), 0),
        ("607", 0, D("20.00")),
    ]


def test_a_credit_of_the_price_taken_back_gives_the_cost_back(
    supplier: Supplier, product: Product
) -> None:
    line = delivered(supplier, product)
    entered([line], "10.00")
    found = lowered([line], "2.00")
    sold(product, "5")

    taken_back(found)

    line.refresh_from_db()
    assert (average(), line.quantity_invoiced) == (10, 10)
    assert faults() == []


def test_one_credit_note_takes_pieces_back_and_lowers_the_price_of_the_others(
    supplier: Supplier, product: Product
) -> None:
    line = delivered(supplier, product)
    entered([line], "10.00")
    return_to_supplier(
        receipt_id=line.receipt_id, quantities={line.pk: D(3)}, reason="défaut", at=NOON
    )

    found = enter_supplier_invoice(
        supplier=supplier,
        supplier_number="A-1",
        issued_on=DAY,
        charged=[Charged(line.pk, D(3), D(10)), Charged(line.pk, D(7), D(1), lowers_price=True)],
        tax=D("0.00"),
        total_incl_tax=D("37.00"),
        kind=SupplierInvoice.Kind.CREDIT_NOTE,
        at=NOON + timedelta(days=30),
    )

    line.refresh_from_db()
    assert (found.status, line.quantity_invoiced, average()) == ("approved", 7, 9)


def test_pieces_given_back_later_are_credited_at_the_lower_price(
    supplier: Supplier, product: Product
) -> None:
    line = delivered(supplier, product)
    entered([line], "10.00")
    lowered([line], "2.00")
    return_to_supplier(
        receipt_id=line.receipt_id, quantities={line.pk: D(3)}, reason="défaut", at=NOON
    )

    credit = entered([line], "8.00", pieces="3", kind=SupplierInvoice.Kind.CREDIT_NOTE)

    assert credit.differences == []


@pytest.mark.parametrize(("price", "pieces"), [("2.00", "11"), ("10.01", "10")])
def test_a_price_is_not_lowered_beyond_what_was_charged(
    supplier: Supplier, product: Product, price: str, pieces: str
) -> None:
    line = delivered(supplier, product)
    entered([line], "10.00")

    with pytest.raises(WrongState):
        lowered([line], price, pieces)

    assert SupplierInvoiceLine.objects.count() == 1


def test_only_a_credit_note_lowers_a_price(supplier: Supplier, product: Product) -> None:
    line = delivered(supplier, product)
    entered([line], "10.00")

    with pytest.raises(WrongState):
        entered([line], "2.00", lowers=True)


def test_an_invoice_whose_price_was_lowered_is_not_taken_back_before_the_credit(
    supplier: Supplier, product: Product
) -> None:
    line = delivered(supplier, product)
    found = entered([line], "10.00")
    credit = lowered([line], "2.00")

    with pytest.raises(WrongState):
        taken_back(found)
    taken_back(credit)
    taken_back(found)

    assert average() == 10


def test_goods_never_cost_less_than_nothing_and_no_more_is_given_back(
    supplier: Supplier, product: Product
) -> None:
    line = delivered(supplier, product)
    entered([line], "15.00")
    StockPosition.objects.update(average_cost=1, value=10)

    credit = lowered([line], "14.00")

    assert average() == 0
    assert credit.lines.get().cost_added == D("-10.00")


# --- A receipt entered after its day -------------------------------------------------------------


def test_a_receipt_entered_late_counts_from_its_day_and_costs_from_its_entry(
    supplier: Supplier, product: Product
) -> None:
    delivered(supplier, product)
    order = create_order(
        supplier=supplier,
        warehouse=default_warehouse(),
        quantities={product.pk: D(10)},
        at=NOON,
    )
    sold(product, "4")
    arrived = Arrived(D(6), unit_price=D(12))

    receipt = receive_goods(
        order_id=order.pk,
        quantities={order.lines.get().pk: arrived},
        received_on=DAY + timedelta(days=2),
        at=NOON + timedelta(days=20),
    )

    assert receipt is not None
    assert (business_date(receipt.received_at), sold_since(receipt)) == (
        DAY + timedelta(days=2),
        4,
    )
    # (6 × 10 + 6 × 12) / 12; what was sold had cost 10.
    assert average() == 11
    values = [stock_value(DAY + timedelta(days=days))[0].value for days in (1, 2, 9, 10, 20)]
    assert values == [100, 172, 172, 132, 132]
    assert faults() == []


def test_goods_come_on_no_day_that_is_to_come(supplier: Supplier, product: Product) -> None:
    order = create_order(
        supplier=supplier,
        warehouse=default_warehouse(),
        quantities={product.pk: D(10)},
        at=NOON,
    )

    with pytest.raises(WrongState):
        receive_goods(
            order_id=order.pk, quantities=None, received_on=DAY + timedelta(days=1), at=NOON
        )
