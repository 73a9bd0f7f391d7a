from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inventory.models import StockMove
from inventory.services import Entry, default_warehouse, receive_stock
from invoicing.errors import DeliveryNoteNotShipped
from invoicing.models import Invoice, Payment
from invoicing.services import issue_invoice, issue_invoices
from sales.models import Order
from sales.services import prepare_delivery, ship_delivery_note
from sphinx.core.proofs import run_proofs
from tests.factories import NOON, ProductFactory, draft, line, placed, put, shipped
from tests.support.threads import together

D = Decimal


def faults() -> list[str]:
    return [fault for proof in run_proofs() for fault in proof.faults if "journal" not in fault]


@pytest.mark.django_db
def test_the_invoice_is_what_the_shop_charged() -> None:
    note = shipped(
        "1",
        line("A", "29.90", "2", discount=D("5.98")),
        shipping_amount=D("4.90"),
        discount=D("3.00"),
    )

    invoice = issue_invoice(delivery_note_id=note.pk, at=NOON)

    assert invoice.number == "FA2026-000001"
    assert invoice.total_incl_tax == D("55.72")
    assert invoice.total_tax == D("9.29")
    assert Order.objects.get().status == Order.Status.INVOICED


@pytest.mark.django_db
def test_a_note_is_invoiced_once() -> None:
    note = shipped("1")

    first = issue_invoice(delivery_note_id=note.pk, at=NOON)

    assert issue_invoice(delivery_note_id=note.pk, at=NOON) == first
    assert Invoice.objects.count() == 1


@pytest.mark.django_db
def test_a_refused_invoice_uses_no_number() -> None:
    ProductFactory(sku="A", on_hand=9)
    order = placed("1", line("A"))
    note = prepare_delivery(order_id=order.pk, at=NOON)
    assert note is not None

    with pytest.raises(DeliveryNoteNotShipped):
        issue_invoice(delivery_note_id=note.pk, at=NOON)

    other = shipped("2", line("A"))
    assert issue_invoice(delivery_note_id=other.pk, at=NOON).number == "FA2026-000001"


@pytest.mark.django_db
def test_several_invoices_of_an_order_make_its_total_and_its_vat() -> None:
    product = ProductFactory(sku="A", on_hand=1)
    first = shipped(
        "1",
        line("A", "9.99", "3", discount=D("1.00")),
        line("B", "5.55", tax_rate=D("5.5")),
        shipping_amount=D("4.90"),
        discount=D("2.00"),
    )
    issue_invoice(delivery_note_id=first.pk, at=NOON)
    receive_stock(
        entries=[Entry(product.pk, D(2), D(4), "BR1", 1)],
        warehouse=default_warehouse(),
        at=NOON,
        kind=StockMove.Kind.RECEIPT,
        origin_kind="receipt",
    )
    order = Order.objects.get()
    rest = prepare_delivery(order_id=order.pk, at=NOON)
    assert rest is not None
    ship_delivery_note(note_id=rest.pk, at=NOON)
    issue_invoice(delivery_note_id=rest.pk, at=NOON)

    order.refresh_from_db()
    invoices = Invoice.objects.all()
    assert sum(i.total_incl_tax for i in invoices) == order.total_incl_tax
    assert sum(i.total_tax for i in invoices) == order.total_tax
    assert order.status == Order.Status.INVOICED
    assert faults() == []


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    items=st.lists(
        st.tuples(
            st.decimals(min_value="0.01", max_value=300, places=2),
            st.integers(1, 4),
            st.sampled_from(["20", "10", "5.5", "2.1"]),
            st.integers(0, 100),
        ),
        min_size=1,
        max_size=5,
    ),
    shipping=st.decimals(min_value=0, max_value=20, places=2),
    share=st.integers(0, 100),
)
@pytest.mark.django_db
def test_whatever_was_bought_the_books_add_up(
    items: list[tuple[Decimal, int, str, int]], shipping: Decimal, share: int
) -> None:
    lines = [
        line(
            f"S{n}",
            str(price),
            str(quantity),
            tax_rate=D(rate),
            discount=(price * quantity * off / 100).quantize(D("0.01")),
        )
        for n, (price, quantity, rate, off) in enumerate(items)
    ]
    goods = sum(d.quantity * d.unit_price - d.discount for d in lines)
    discount = ((goods + shipping) * share / 100).quantize(D("0.01"))
    number = f"{Order.objects.count() + 1}"

    note = shipped(number, *lines, shipping_amount=shipping, discount=discount)
    invoice = issue_invoice(delivery_note_id=note.pk, at=NOON)

    assert invoice.total_incl_tax == goods + shipping - discount
    assert faults() == []


@pytest.mark.django_db
def test_everything_discounted_away_is_still_an_invoice() -> None:
    note = shipped("1", line("A", "10.00"), discount=D("10.00"))

    invoice = issue_invoice(delivery_note_id=note.pk, at=NOON)

    printed = invoice.lines.get()
    assert (invoice.total_incl_tax, printed.amount_excl_tax) == (0, D("8.33"))
    assert printed.total_excl_tax == 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE invoicing_invoice SET total_tax = 0, total_incl_tax = total_excl_tax",
        "DELETE FROM invoicing_taxbreakdown",
        "UPDATE invoicing_invoiceline SET label = 'x'",
    ],
)
def test_the_database_refuses_to_change_what_was_issued(statement: str) -> None:
    note = shipped("1")
    issue_invoice(delivery_note_id=note.pk, at=NOON)

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db
def test_one_changed_letter_breaks_the_chain() -> None:
    notes = [shipped(f"{n}", line("A")) for n in range(3)]
    issue_invoices(note_ids=[n.pk for n in notes], at=NOON)
    assert faults() == []

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # What an administrator of the database could do: pass beside the triggers.
            cursor.execute("SET LOCAL session_replication_role = replica")
        else:
            cursor.execute("DROP TRIGGER invoicing_invoice_no_update")
        cursor.execute(
            "UPDATE invoicing_invoice SET customer_name = 'Autre' WHERE number = 'FA2026-000002'"
        )
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = origin")

    assert faults() == ["FA2026-000002 : modifiée après émission"]


@pytest.mark.django_db
def test_a_paid_order_leaves_nothing_to_pay() -> None:
    note = shipped("1", payment_method="Carte")

    invoice = issue_invoice(delivery_note_id=note.pk, at=NOON)

    assert invoice.paid_incl_tax == invoice.total_incl_tax
    assert Payment.objects.get().amount == invoice.total_incl_tax


@pytest.mark.django_db
def test_professionals_are_given_time_and_the_sentences_of_the_law() -> None:
    from customers.drafts import CustomerDraft

    buyer = CustomerDraft(ref="P1", email="p@exemple.test", company="Brasserie SARL")
    note = shipped("1", customer=buyer, state="confirmed", payment_status="unpaid")

    invoice = issue_invoice(delivery_note_id=note.pk, at=NOON)

    assert invoice.due_on == invoice.issued_on + timedelta(days=30)
    assert any("40 €" in sentence for sentence in invoice.mentions["terms"])


@pytest.mark.django_db
def test_consumers_are_not_told_of_the_indemnity_of_professionals() -> None:
    note = shipped("1")

    assert issue_invoice(delivery_note_id=note.pk, at=NOON).mentions["terms"] == []


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_concurrent_invoices_leave_no_gap_and_one_chain() -> None:
    notes = [shipped(f"{n}", line("A")) for n in range(20)]

    issues = [partial(issue_invoice, delivery_note_id=n.pk, at=NOON) for n in notes * 2]

    assert together(issues) == []
    assert Invoice.objects.count() == 20
    assert faults() == []


@pytest.mark.django_db
def test_the_rest_of_an_order_can_be_cancelled_after_its_first_invoice() -> None:
    ProductFactory(sku="A", on_hand=1)
    note = shipped("1", line("A", "10.00", "3"))
    invoice = issue_invoice(delivery_note_id=note.pk, at=NOON)

    put(draft("1", line("A", "10.00", "3"), state="cancelled"))

    assert invoice.total_incl_tax == 10
    assert faults() == []
