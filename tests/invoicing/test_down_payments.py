"""Down payments and pro forma invoices: what is invoiced of an order before it leaves."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from accounting_export.models import JournalLine
from accounting_export.services import post_missing
from inventory.models import StockMove
from inventory.services import Entry, default_warehouse, receive_stock
from invoicing.errors import DownPaymentRefused
from invoicing.models import Invoice
from invoicing.selectors import left_to_invoice
from invoicing.services import (
    credit_invoice,
    issue_down_payment,
    issue_invoice,
    pro_forma_pdf,
    structured_xml,
)
from invoicing.services.documents import invoice_html
from sales.models import Order
from sales.services import cancel_order, prepare_delivery, ship_delivery_note
from sphinx.core.branding import brand
from sphinx.core.models import Company
from sphinx.core.proofs import run_proofs
from tests.factories import NOON, ProductFactory, line, placed
from tests.invoicing.test_einvoices import FIRM, assert_valid, seller
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db
D = Decimal
UNPAID: dict[str, Any] = {"customer": FIRM, "payment_status": "unpaid"}

__all__ = ["seller"]


def ordered(number: str = "1", *lines: Any, on_hand: int = 100, **values: Any) -> Order:
    lines = lines or (line("A", "120.00"), line("B", "105.50", tax_rate=D("5.5")))
    for item in lines:
        ProductFactory(sku=item.sku, on_hand=on_hand)
    return placed(number, *lines, **{**UNPAID, **values})


def delivered(order: Order) -> Invoice:
    note = prepare_delivery(order_id=order.pk, at=NOON)
    assert note is not None
    return issue_invoice(delivery_note_id=ship_delivery_note(note_id=note.pk, at=NOON).pk, at=NOON)


def ahead(order: Order, amount: str) -> Invoice:
    return issue_down_payment(order_id=order.pk, amount=D(amount), at=NOON)


def by_rate(invoice: Invoice) -> dict[str, tuple[Decimal, Decimal]]:
    return {f"{t.tax_rate:f}": (t.base_excl_tax, t.tax) for t in invoice.taxes.all()}


def faults() -> list[str]:
    post_missing()
    return [fault for proof in run_proofs() for fault in proof.faults]


def test_a_down_payment_is_taken_off_rate_by_rate_with_amounts_worked_by_hand() -> None:
    # 120.00 at 20 % and 105.50 at 5.5 %: 225.50. 67.65 is 30 %: 36.00 and 31.65.
    order = ordered()
    first = ahead(order, "67.65")

    assert (first.number, first.total_incl_tax) == ("FA2026-000001", D("67.65"))
    assert by_rate(first) == {"20.00": (D("30.00"), D("6.00")), "5.50": (D("30.00"), D("1.65"))}

    rest = delivered(order)

    # 84.00 and 73.85 are left.
    assert by_rate(rest) == {"20.00": (D("70.00"), D("14.00")), "5.50": (D("70.00"), D("3.85"))}
    taken = rest.lines.filter(kind="deposit").values_list("quantity", "total_incl_tax", "label")
    assert list(taken) == [
        (D("-1.000"), D("-36.00"), "Acompte déduit (FA2026-000001)"),
        (D("-1.000"), D("-31.65"), "Acompte déduit (FA2026-000001)"),
    ]
    assert Order.objects.get().status == "invoiced"
    assert faults() == []


def test_the_accounts_hold_it_until_the_goods_leave() -> None:
    order = ordered()
    ahead(order, "67.65")
    delivered(order)
    assert faults() == []

    held = JournalLine.objects.filter(account__startswith="4191").order_by("entry", "-tax_rate")
    assert list(held.values_list("credit", "debit")) == [
        (D("30.00"), 0),
        (D("30.00"), 0),
        (0, D("30.00")),
        (0, D("30.00")),
    ]


def test_both_documents_are_valid_e_invoices(seller: Company) -> None:
    order = ordered()
    first = ahead(order, "67.65")
    xml = assert_valid(first)
    assert ">386<" in xml

    rest = delivered(order)
    xml = assert_valid(rest)
    assert ">B4<" in xml
    assert f">{first.number}<" in xml


def test_a_down_payment_larger_than_the_first_parcel_goes_on_to_the_next() -> None:
    order = ordered("1", line("A", "10.00", "5"), on_hand=1)
    ahead(order, "30.00")
    first = delivered(order)
    assert first.total_incl_tax == 0

    receive_stock(
        entries=[Entry(order.lines.get().product_id or 0, D(9), D(4), "BR1", 1)],
        warehouse=default_warehouse(),
        at=NOON,
        kind=StockMove.Kind.RECEIPT,
        origin_kind="receipt",
    )
    assert delivered(order).total_incl_tax == D("20.00")
    assert faults() == []


def test_one_given_back_is_invoiced_with_the_goods() -> None:
    order = ordered("1", line("A", "120.00"))
    first = ahead(order, "60.00")
    credit_invoice(invoice_id=first.pk, amount=D("24.00"), reason="Trop perçu", at=NOON)
    assert left_to_invoice(order) == {D("20.00"): D("84.00")}

    # 120.00 less the 36.00 that stay.
    assert delivered(order).total_incl_tax == D("84.00")
    assert faults() == []


@pytest.mark.parametrize("amount", ["0", "225.50", "300.00"])
def test_only_a_part_is_a_down_payment(amount: str) -> None:
    with pytest.raises(DownPaymentRefused, match=r"entre 0 et 225,50"):
        ahead(ordered(), amount)


def test_nothing_is_invoiced_ahead_of_what_has_left_or_was_cancelled() -> None:
    order = ordered("1", line("A", "120.00"))
    delivered(order)
    other = ordered("2", line("C", "120.00"))
    cancel_order(order_id=other.pk, at=NOON)

    for one in (order, other):
        with pytest.raises(DownPaymentRefused, match="avant la livraison"):
            ahead(one, "10.00")


def test_an_order_may_have_several() -> None:
    order = ordered()
    ahead(order, "50.00")
    ahead(order, "50.00")

    assert delivered(order).total_incl_tax == D("125.50")
    assert faults() == []


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    prices=st.lists(
        st.tuples(
            st.decimals(min_value="0.50", max_value=300, places=2),
            st.integers(1, 4),
            st.sampled_from(["20", "10", "5.5"]),
        ),
        min_size=1,
        max_size=4,
    ),
    shipping=st.decimals(min_value=0, max_value=20, places=2),
    shares=st.lists(st.integers(1, 60), min_size=1, max_size=2),
)
def test_whatever_was_paid_ahead_the_books_add_up(
    prices: list[tuple[Decimal, int, str]], shipping: Decimal, shares: list[int]
) -> None:
    number = Order.objects.count() + 1
    lines = [
        line(f"S{number}-{n}", str(price), str(pieces), tax_rate=D(rate))
        for n, (price, pieces, rate) in enumerate(prices)
    ]
    order = ordered(str(number), *lines, shipping_amount=shipping)
    for share in shares:
        left = sum(left_to_invoice(order).values(), D(0))
        amount = (left * share / 100).quantize(D("0.01"))
        if 0 < amount < left:
            ahead(order, str(amount))
    delivered(order)

    assert sum(i.total_incl_tax for i in order.invoices.all()) == order.total_incl_tax
    assert sum(i.total_tax for i in order.invoices.all()) == order.total_tax
    assert faults() == []


def test_the_page_offers_usual_shares_and_issues_once() -> None:
    order = ordered()
    owner = signed_in("Gérant")
    page = f"/factures/acompte/{order.pk}/"
    assert "30 % · 67,65 €" in owner.get(page).content.decode().replace("\xa0", " ")
    assert page in owner.get(f"/admin/sales/order/{order.pk}/change/").content.decode()

    for _ in range(2):
        owner.post(page, {"share": "30", "invoices": "0"})
    answer = owner.post(page, {"amount": "1,5", "invoices": "1"}, follow=True)

    assert "1.50" in answer.content.decode()
    assert [str(i.total_incl_tax) for i in Invoice.objects.order_by("pk")] == ["67.65", "1.50"]
    assert signed_in("Entrepôt").get(page).status_code == 403


def test_it_says_what_it_is(seller: Company) -> None:
    order = ordered()

    assert "Facture d&#x27;acompte" in invoice_html(ahead(order, "67.65"), brand())
    assert b"386" in structured_xml(Invoice.objects.get())


def test_a_pro_forma_is_the_whole_order_and_leaves_no_trace(seller: Company) -> None:
    order = ordered("1", line("A", "120.00"), shipping_amount=D("12.00"))
    ahead(order, "30.00")

    path = pro_forma_pdf(order=order, at=NOON)

    text = " ".join(page.extract_text() for page in PdfReader(path).pages)
    assert "pro forma" in text
    assert "sans valeur comptable" in text
    assert "132,00" in text
    assert "FA2026" not in text
    assert Invoice.objects.count() == 1
    assert signed_in("Ventes").get(f"/documents/commandes/{order.pk}/pro-forma.pdf").status_code
