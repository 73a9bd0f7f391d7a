"""One invoice of several deliveries: each order keeps its own amounts, to the cent."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounting_export.services import post_missing
from customers.models import Customer
from inventory.models import StockMove
from inventory.services import Entry, default_warehouse, receive_stock
from invoicing.errors import GroupRefused, NothingToCredit
from invoicing.models import Invoice, InvoicedNote
from invoicing.receivables import open_invoices
from invoicing.selectors import charged_amounts, notes_to_invoice
from invoicing.services import (
    credit_invoice,
    credit_lines,
    credit_refunds,
    enter_payment,
    issue_down_payment,
    issue_grouped,
    issue_invoice,
    issue_shipped,
    settle_paid_orders,
)
from invoicing.services.documents import invoice_html
from invoicing.services.issuing import is_month_due
from sales.models import DeliveryNote, Order
from sales.services import prepare_delivery, ship_delivery_note
from sphinx.core.branding import brand
from sphinx.core.models import Company
from sphinx.core.proofs import run_proofs
from sphinx.dashboard.trace import trace_orders
from tests.factories import NOON, ProductFactory, draft, line, placed, put, shipped
from tests.invoicing.test_einvoices import BRUGES, FIRM, assert_valid, seller
from tests.support.threads import together
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db
D = Decimal
UNPAID: dict[str, Any] = {"customer": FIRM, "payment_status": "unpaid"}

__all__ = ["seller"]


def left(number: str, *lines: Any, **values: Any) -> DeliveryNote:
    return shipped(number, *lines, **{**UNPAID, **values})


def grouped(*notes: DeliveryNote, at: datetime = NOON) -> Invoice:
    return issue_grouped(note_ids=[note.pk for note in notes], at=at)


def faults() -> list[str]:
    post_missing()
    return [fault for proof in run_proofs() for fault in proof.faults]


def test_two_deliveries_make_one_invoice_with_amounts_worked_by_hand() -> None:
    # 10.01 at 20 %: 8.34 + 1.67, twice; 20.02 would have made 16.68 + 3.34: each is the shop's.
    one = left("1", line("A", "10.01"))
    two = left("2", line("A", "10.01"), line("B", "21.10", tax_rate=D("5.5")))

    invoice = grouped(one, two)

    assert (invoice.number, invoice.total_incl_tax) == ("FA2026-000001", D("41.12"))
    assert {t.tax_rate: (t.base_excl_tax, t.tax) for t in invoice.taxes.all()} == {
        D("20.00"): (D("16.68"), D("3.34")),
        D("5.50"): (D("20.00"), D("1.10")),
    }
    assert invoice.order_number == "1, 2"
    assert set(Order.objects.values_list("status", flat=True)) == {"invoiced"}
    assert not notes_to_invoice().exists()
    assert faults() == []


def test_each_order_keeps_the_cents_of_its_own_vat() -> None:
    # 0.04 at 20 %: VAT 0.01 each (0.0067); three of them are 0.03, not 0.02 (0.12 × 20 / 120).
    notes = [left(str(n), line("A", "0.04")) for n in range(3)]

    invoice = grouped(*notes)

    assert (invoice.total_incl_tax, invoice.total_tax) == (D("0.12"), D("0.03"))
    assert sum(o.total_tax for o in Order.objects.all()) == invoice.total_tax
    assert faults() == []


def test_shipping_is_told_by_order_and_charged_once() -> None:
    one = left("1", line("A", "10.00"), shipping_amount=D("4.90"))
    two = left("2", line("A", "10.00"), shipping_amount=D("6.90"))

    invoice = grouped(one, two)

    assert [(i.label, i.total_incl_tax) for i in invoice.lines.filter(kind="shipping")] == [
        ("Frais de port (1)", D("4.90")),
        ("Frais de port (2)", D("6.90")),
    ]
    page = invoice_html(invoice, brand())
    assert f"Commande 1 – Bon de livraison {one.number}" in page
    assert f"Commande 2 – Bon de livraison {two.number}" in page


def test_it_is_a_valid_e_invoice(seller: Company) -> None:
    notes = [
        left(str(n), line("A", "10.01", "3"), line("B", "21.10", tax_rate=D("5.5")))
        for n in range(12)
    ]

    xml = assert_valid(grouped(*notes))

    assert "BillingSpecifiedPeriod" in xml


@pytest.mark.parametrize(
    "other",
    [
        {"payment_status": "paid"},
        {"billing": BRUGES, "shipping": BRUGES},
        {"customer": FIRM._replace(ref="P9", email="autre@cafe.test", siret="")},
    ],
)
def test_what_differs_has_its_own_invoice(other: dict[str, Any]) -> None:
    one, two = left("1", line("A")), left("2", line("A"), **other)

    with pytest.raises(GroupRefused, match="un seul client"):
        grouped(one, two)

    assert not Invoice.objects.exists()


def test_a_note_is_invoiced_once() -> None:
    one, two, three = (left(str(n), line("A")) for n in range(3))
    grouped(one, two)

    for notes in ((two, three), (one, two)):
        with pytest.raises(GroupRefused, match="déjà facturé"):
            grouped(*notes)
    assert issue_shipped(at=NOON).invoices[0].delivery_note == three
    assert faults() == []


def test_one_note_alone_is_an_ordinary_invoice() -> None:
    note = left("1", line("A"))

    assert grouped(note).delivery_note == note


def test_the_rest_of_an_order_follows_its_group() -> None:
    ProductFactory(sku="A", on_hand=1)
    first = left("1", line("A", "9.99", "3", discount=D("1.00")), shipping_amount=D("4.90"))
    other = left("2", line("B", "10.00"))
    grouped(first, other)
    receive_stock(
        entries=[Entry(first.lines.get().order_line.product_id or 0, D(9), D(4), "BR1", 1)],
        warehouse=default_warehouse(),
        at=NOON,
        kind=StockMove.Kind.RECEIPT,
        origin_kind="receipt",
    )
    order = Order.objects.get(number="1")
    rest = prepare_delivery(order_id=order.pk, at=NOON)
    assert rest is not None
    ship_delivery_note(note_id=rest.pk, at=NOON)
    second = issue_invoice(delivery_note_id=rest.pk, at=NOON)

    # The order's 33.87 in all: 9.99 × 3 − 1.00 + 4.90; its shipping went with the group.
    assert not second.lines.filter(kind="shipping").exists()
    order.refresh_from_db()
    assert (order.status, order.total_incl_tax) == ("invoiced", D("33.87"))
    assert faults() == []


def test_a_down_payment_is_taken_off_in_the_group() -> None:
    ProductFactory(sku="A", on_hand=9)
    order = placed("1", line("A", "120.00"), **UNPAID)
    issue_down_payment(order_id=order.pk, amount=D("20.00"), at=NOON)
    note = prepare_delivery(order_id=order.pk, at=NOON)
    assert note is not None
    ship_delivery_note(note_id=note.pk, at=NOON)

    invoice = grouped(note, left("2", line("A", "10.00")))

    assert invoice.total_incl_tax == D("110.00")
    assert faults() == []


# --- What comes after ---------------------------------------------------------------------------


def test_a_shops_refund_is_credited_at_its_orders_own_rates() -> None:
    one = left("1", line("A", "120.00"))
    two = left("2", line("B", "105.50", tax_rate=D("5.5")))
    invoice = grouped(one, two)
    put(draft("2", line("B", "105.50", tax_rate=D("5.5")), **UNPAID, refunded=D("52.75")))

    [credit] = credit_refunds(at=NOON)
    assert credit_refunds(at=NOON) == []

    assert (credit.order.number, credit.order_number) == ("2", "2")
    assert [(t.tax_rate, t.total_incl_tax, t.tax) for t in credit.taxes.all()] == [
        (D("5.50"), D("52.75"), D("2.75"))
    ]
    assert charged_amounts(invoice, two.order) == {D("5.50"): (D("105.50"), D("5.50"))}
    assert faults() == []


def test_pieces_are_credited_an_order_at_a_time() -> None:
    one = left("1", line("A", "10.00", "2"), shipping_amount=D("5.00"))
    two = left("2", line("A", "10.00", "2"), shipping_amount=D("5.00"))
    invoice = grouped(one, two)
    first, shipping, second, _other = invoice.lines.all()

    with pytest.raises(NothingToCredit, match="une seule commande"):
        credit_lines(
            invoice_id=invoice.pk,
            quantities={first.pk: D(1), second.pk: D(1)},
            reason="Retour",
            at=NOON,
        )
    credit = credit_lines(
        invoice_id=invoice.pk,
        quantities={first.pk: D(2), shipping.pk: D(1)},
        reason="Retour",
        at=NOON,
    )
    assert (credit.order.number, credit.total_incl_tax) == ("1", D("25.00"))
    # The other order's shipping is still to be credited; this one's isn't.
    with pytest.raises(NothingToCredit):
        credit_lines(
            invoice_id=invoice.pk, quantities={shipping.pk: D(1)}, reason="Retour", at=NOON
        )
    with pytest.raises(NothingToCredit, match="une à une"):
        credit_invoice(invoice_id=invoice.pk, amount=None, reason="Tout", at=NOON)
    assert faults() == []


def test_it_is_paid_like_any_other() -> None:
    invoice = grouped(left("1", line("A", "10.00")), left("2", line("A", "10.00")))

    enter_payment(invoice_id=invoice.pk, amount=D("20.00"), method="Virement", paid_at=NOON)

    assert faults() == []


def test_an_order_that_the_shop_is_paid_for_later_settles_its_part() -> None:
    invoice = grouped(left("1", line("A", "10.00")), left("2", line("A", "24.00")))
    put(draft("2", line("A", "24.00"), customer=FIRM, payment_status="paid"))

    assert (settle_paid_orders(at=NOON), settle_paid_orders(at=NOON)) == (1, 0)

    (owed,) = open_invoices()
    assert (owed.pk, owed.balance) == (invoice.pk, D("10.00"))
    assert invoice.payments.get().order.number == "2"
    put(draft("1", line("A", "10.00"), customer=FIRM, payment_status="paid"))
    assert settle_paid_orders(at=NOON) == 1
    assert not open_invoices().exists()


def test_what_was_paid_by_hand_is_not_paid_again_by_the_shop() -> None:
    invoice = grouped(left("1", line("A", "10.00")), left("2", line("A", "24.00")))
    enter_payment(invoice_id=invoice.pk, amount=D("30.00"), method="virement", paid_at=NOON)
    put(draft("2", line("A", "24.00"), customer=FIRM, payment_status="paid"))
    settle_paid_orders(at=NOON)
    assert not open_invoices().exists()


def test_every_order_traces_to_it_and_its_entry() -> None:
    invoice = grouped(left("1", line("A", "10.00")), left("2", line("A", "10.00")))
    post_missing()

    for told in trace_orders(Order.objects.all()):
        assert [i["number"] for i in told["invoices"]] == [invoice.number]
        assert {e["piece"] for e in told["entries"]} == {invoice.number}


# --- By the month -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left_on", "now", "due"),
    [
        # Paris is two hours ahead of UTC in June, one in March before the 29th.
        ("2026-06-10T10:00", "2026-06-30T17:59", False),
        ("2026-06-10T10:00", "2026-06-30T18:00", True),
        ("2026-06-10T10:00", "2026-06-29T20:00", False),
        ("2026-06-30T21:59", "2026-06-30T21:59", True),
        ("2026-06-30T22:01", "2026-06-30T22:01", False),
        ("2026-02-05T10:00", "2026-02-28T19:00", True),
        ("2026-12-05T10:00", "2027-01-02T08:00", True),
    ],
)
def test_a_month_is_invoiced_on_its_last_evening(left_on: str, now: str, due: bool) -> None:
    def at(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)

    assert is_month_due(at(left_on), at(now)) is due


def test_a_customer_by_the_month_has_one_invoice_dated_of_its_end() -> None:
    notes = [left(str(n), line("A", "10.00")) for n in range(3)]
    paid = left("4", line("A", "10.00"), payment_status="paid")
    Customer.objects.update(invoiced_each="month")

    assert [i.delivery_note for i in issue_shipped(at=NOON).invoices] == [paid]
    evening = datetime(2026, 3, 31, 18, 30, tzinfo=UTC)
    [invoice] = issue_shipped(at=evening).invoices
    assert issue_shipped(at=evening + timedelta(hours=1)).invoices == []

    assert invoice.issued_on.isoformat() == "2026-03-31"
    assert InvoicedNote.objects.filter(invoice=invoice).count() == len(notes)
    assert faults() == []


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    orders=st.lists(
        st.lists(
            st.tuples(
                st.decimals(min_value="0.01", max_value=99, places=2),
                st.integers(1, 3),
                st.sampled_from(["20", "10", "5.5"]),
            ),
            min_size=1,
            max_size=3,
        ),
        min_size=2,
        max_size=4,
    ),
    shipping=st.decimals(min_value=0, max_value=9, places=2),
)
def test_whatever_is_grouped_the_books_add_up(
    orders: list[list[tuple[Decimal, int, str]]], shipping: Decimal
) -> None:
    start = Order.objects.count()
    notes = [
        left(
            f"{start + n}",
            *(
                line(f"S{k}", str(price), str(pieces), tax_rate=D(rate))
                for k, (price, pieces, rate) in enumerate(items)
            ),
            shipping_amount=shipping,
        )
        for n, items in enumerate(orders)
    ]

    invoice = grouped(*notes)

    whole = Order.objects.filter(delivery_notes__in=notes)
    assert invoice.total_incl_tax == sum(o.total_incl_tax for o in whole)
    assert invoice.total_tax == sum(o.total_tax for o in whole)
    assert faults() == []


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_many_hands_invoice_a_group_once() -> None:
    notes = [left(str(n), line("A", "10.00")) for n in range(3)]

    def group() -> None:
        grouped(*notes)

    def alone() -> None:
        issue_invoice(delivery_note_id=notes[0].pk, at=NOON)

    together([group, alone] * 3)

    assert sum(i.total_incl_tax for i in Invoice.objects.all()) <= D("30.00")
    assert [
        fault for proof in run_proofs() for fault in proof.faults if "journal" not in fault
    ] == []


def test_the_page_groups_what_may_share_an_invoice() -> None:
    one, two = left("1", line("A", "10.00")), left("2", line("A", "10.00"))
    three = left("3", line("A", "10.00"), payment_status="paid")
    owner, page = signed_in("Gérant"), "/factures/a-etablir/"
    assert owner.get(page).content.decode().count("Une facture groupée") == 1

    owner.post(page, {"verb": "together", "note": [one.pk, three.pk]})
    assert not Invoice.objects.exists()
    owner.post(page, {"verb": "together", "note": [one.pk, two.pk]})
    owner.post(page, {"verb": "apart", "note": [three.pk]})

    assert [i.is_grouped for i in Invoice.objects.order_by("pk")] == [True, False]
    assert "Tout ce qui est parti est facturé" in owner.get(page).content.decode()
    order_page = owner.get(f"/admin/sales/order/{two.order_id}/change/").content.decode()
    assert "FA2026-000001" in order_page
    assert signed_in("Comptable").post(page, {"verb": "apart"}).status_code == 404
