"""What the shop adds to an order that has left."""

from decimal import Decimal
from functools import partial

import pytest
from django.db import transaction
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from customers.services import Source
from invoicing.services import credit_refunds, issue_invoices
from sales.models import DeliveryNote, Order
from sales.services import (
    cancel_delivery_note,
    cancel_order,
    prepare_delivery,
    ship_delivery_notes,
    upsert_orders,
)
from tests.factories import NOON, ProductFactory, ShopFactory, draft, line, put, shipped
from tests.sales.test_orders import stock

pytestmark = pytest.mark.django_db


def test_a_line_added_after_delivery_is_a_delivery_prepared() -> None:
    ProductFactory(sku="B", on_hand=5)
    shipped("1", line("A", quantity="2"))

    result = put(draft("1", line("A", quantity="2"), line("B", "7.50", quantity="2")))

    assert (result.rejections, result.created, result.updated) == ([], 0, 1)
    complement = Order.objects.get(external_id="1+1")
    assert complement.complements == Order.objects.get(external_id="1")
    assert [(ln.sku, ln.quantity) for ln in complement.lines.all()] == [("B", 2)]
    assert complement.total_incl_tax == 15
    note = DeliveryNote.objects.get(order=complement)
    assert note.status == DeliveryNote.Status.DRAFT


def test_what_has_left_keeps_its_lines_and_its_total() -> None:
    before = shipped("1", line("A", quantity="2")).order

    put(draft("1", line("A", quantity="2"), line("B")))

    order = Order.objects.get(pk=before.pk)
    assert [(ln.sku, ln.quantity) for ln in order.lines.all()] == [("A", 2)]
    assert (order.total_incl_tax, order.status) == (before.total_incl_tax, "delivered")


def test_each_order_points_to_the_file_that_sold_its_goods() -> None:
    first = shipped("1", line("A")).order

    upsert_orders(
        shop=first.shop,
        drafts=[draft("1", line("A"), line("B"))],
        source=Source("plus-tard.csv", "b" * 64),
        at=NOON,
    )

    files = dict(Order.objects.values_list("number", "source_file"))
    assert files == {"1": first.source_file, "1+1": "plus-tard.csv"}


def test_the_same_file_again_adds_nothing() -> None:
    shipped("1", line("A"))
    put(draft("1", line("A"), line("B")))

    again = put(draft("1", line("A"), line("B")))

    assert (again.unchanged, Order.objects.count()) == (1, 2)


def test_a_larger_quantity_adds_only_the_difference() -> None:
    shipped("1", line("A", quantity="2"))

    put(draft("1", line("A", quantity="5")))

    assert Order.objects.get(external_id="1+1").lines.get().quantity == 3


def test_a_second_addition_is_a_second_complement() -> None:
    shipped("1", line("A"))
    put(draft("1", line("A"), line("B")))

    put(draft("1", line("A"), line("B"), line("C")))

    second = Order.objects.get(external_id="1+2")
    assert [ln.sku for ln in second.lines.all()] == ["C"]


def test_together_the_invoices_make_the_shops_total() -> None:
    ProductFactory(sku="B", on_hand=5)
    first = shipped("1", line("A", "19.99", quantity="3"), shipping_amount=Decimal("4.90"))
    new = draft(
        "1",
        line("A", "19.99", quantity="3"),
        line("B", "33.33"),
        shipping_amount=Decimal("7.90"),
    )
    put(new)
    added = DeliveryNote.objects.get(order__external_id="1+1")
    ship_delivery_notes(note_ids=[added.pk], at=NOON)

    invoices = issue_invoices(note_ids=[first.pk, added.pk], at=NOON)

    assert sum(i.total_incl_tax for i in invoices) == new.total_incl_tax


def test_a_new_address_after_an_addition_leaves_both_totals_alone() -> None:
    shipped("1", line("A", "10.00"))
    put(draft("1", line("A", "10.00"), line("B", "7.50")))

    put(draft("1", line("A", "10.00"), line("B", "7.50"), note="sonnez"))

    totals = Order.objects.order_by("number").values_list("total_incl_tax", flat=True)
    assert list(totals) == [Decimal("10.00"), Decimal("7.50")]


def test_a_refund_of_everything_is_credited_on_both_invoices() -> None:
    ProductFactory(sku="B", on_hand=5)
    first = shipped("1", line("A", "10.00"))
    lines = line("A", "10.00"), line("B", "7.50")
    put(draft("1", *lines))
    added = DeliveryNote.objects.get(order__external_id="1+1")
    ship_delivery_notes(note_ids=[added.pk], at=NOON)
    issue_invoices(note_ids=[first.pk, added.pk], at=NOON)

    put(draft("1", *lines, payment_status="refunded", refunded=Decimal("17.50")))

    credits_made = credit_refunds(at=NOON)
    assert sorted(c.total_incl_tax for c in credits_made) == [Decimal("7.50"), Decimal("10.00")]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([line("A", quantity="1"), line("B")], id="fewer pieces"),
        pytest.param([line("B")], id="a line taken out"),
        pytest.param([line("A", "8.00", quantity="2"), line("B")], id="another price"),
    ],
)
def test_what_takes_something_back_waits_for_a_human(lines) -> None:
    shipped("1", line("A", quantity="2"))

    result = put(draft("1", *lines))

    assert [r.code for r in result.rejections] == ["order.changed_after_delivery"]
    assert Order.objects.count() == 1


def test_a_complement_cancelled_here_lets_the_shop_take_its_line_out_again() -> None:
    shipped("1", line("A"))
    put(draft("1", line("A"), line("B")))
    refused = put(draft("1", line("A")))
    cancel_order(order_id=Order.objects.get(external_id="1+1").pk, at=NOON)

    result = put(draft("1", line("A")))

    assert [r.code for r in refused.rejections] == ["order.changed_after_delivery"]
    assert (result.rejections, result.updated) == ([], 1)
    assert stock("B").backordered == 0


_ITEM = st.tuples(
    st.sampled_from("ABCD"),
    st.integers(1, 4),
    st.sampled_from(["0.05", "3.33", "19.99", "250.00"]),
    st.sampled_from(["20", "10", "5.5"]),
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    sold=st.lists(_ITEM, min_size=1, max_size=3),
    added=st.lists(_ITEM, min_size=1, max_size=3),
    shipping=st.sampled_from(["0", "4.90"]),
    more_shipping=st.sampled_from(["0", "1.11"]),
    discount=st.sampled_from(["0", "0.03"]),
)
def test_whatever_is_added_the_two_orders_make_the_shops_total(
    sold: list, added: list, shipping: str, more_shipping: str, discount: str
) -> None:
    with transaction.atomic():
        old = [
            line(sku, price, quantity=str(n), tax_rate=Decimal(rate))
            for sku, n, price, rate in sold
        ]
        new = [
            line(sku, price, quantity=str(n), tax_rate=Decimal(rate))
            for sku, n, price, rate in added
        ]
        costs = Decimal(shipping)
        assume(sum(ln.quantity * ln.unit_price for ln in old) > Decimal(discount))
        shipped("1", *old, shipping_amount=costs, discount=Decimal(discount))
        whole = draft(
            "1",
            *old,
            *new,
            shipping_amount=costs + Decimal(more_shipping),
            discount=Decimal(discount),
        )

        result = put(whole)

        orders = list(Order.objects.all())
        transaction.set_rollback(True)
    assert (result.rejections, len(orders)) == ([], 2)
    assert sum(o.total_incl_tax for o in orders) == whole.total_incl_tax
    for order in orders:
        assert sum(Decimal(t["total_incl_tax"]) for t in order.taxes) == order.total_incl_tax


def test_another_shop_with_the_same_numbers_is_left_alone() -> None:
    ProductFactory(sku="B", on_hand=5)
    shipped("1", line("A"))
    put(draft("1", line("A"), line("B")))
    cancel_delivery_note(note_id=DeliveryNote.objects.get(order__number="1+1").pk)
    other = ShopFactory(code="autre")
    bring = partial(upsert_orders, shop=other, source=Source(), at=NOON)
    bring(drafts=[draft("1", line("A"))])
    order = Order.objects.get(shop=other)
    note = prepare_delivery(order_id=order.pk, at=NOON)
    assert note is not None
    ship_delivery_notes(note_ids=[note.pk], at=NOON)

    bring(drafts=[draft("1", line("A"), line("B"))])

    waiting = DeliveryNote.objects.filter(status=DeliveryNote.Status.DRAFT)
    assert [n.order.shop_id for n in waiting] == [other.pk]
