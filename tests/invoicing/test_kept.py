"""A shop took out every article of an order and keeps a part: invoiced with its VAT, or to be
given back; never money that nobody says what it is for."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounting_export.models import JournalLine
from accounting_export.services import post_missing, post_money
from invoicing.errors import NothingKept
from invoicing.models import Invoice, InvoiceLine, InvoicePdf, Payment
from invoicing.receivables import open_invoices
from invoicing.selectors import orders_kept
from invoicing.services import (
    credit_refunds,
    issue_kept,
    issue_shipped,
    render_pdfs,
)
from sales.drafts import LineDraft
from sales.models import Order
from sphinx.core.proofs import run_proofs
from tests.factories import NOON, ProductFactory, draft, line, placed, put
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture(autouse=True)
def stock(db: None) -> None:
    for sku in ("BOU", "LIV"):
        ProductFactory(sku=sku, on_hand=10)


def lines(**refunded: Any) -> tuple[LineDraft, ...]:
    """Two BOU at 24.00 (20 %), a LIV at 10.55 (5.5 %): 58.55."""
    return (
        line("BOU", "24.00", "2", **({"refunded": D(2)} if refunded else {})),
        line("LIV", "10.55", tax_rate=D("5.5"), **({"refunded": D(1)} if refunded else {})),
    )


def emptied(refunded: str, shipping: str = "0", **values: Any) -> Order:
    """All was taken out, `refunded` EUR of it given back."""
    put(draft("1", *lines(), shipping_amount=D(shipping)))
    put(_emptied(refunded, shipping, **values))
    return Order.objects.get()


def _emptied(refunded: str, shipping: str, **values: Any) -> Any:
    return draft(
        "1",
        *lines(are=True),
        shipping_amount=D(shipping),
        refunded=D(refunded),
        payment_status=values.pop("payment_status", "partially_refunded"),
        **values,
    )


def told(invoice: Invoice) -> list[tuple[str, Decimal, Decimal]]:
    return list(
        InvoiceLine.objects.filter(invoice=invoice).values_list(
            "kind", "tax_rate", "total_incl_tax"
        )
    )


def faults() -> list[str]:
    post_missing()
    post_money()
    return [fault for proof in run_proofs() for fault in proof.faults]


def balances(*accounts: str) -> list[Decimal]:
    post_missing()
    post_money()
    found = JournalLine.objects.values_list("account", "debit", "credit")
    return [sum((d - c for a, d, c in found if a.startswith(start)), D(0)) for start in accounts]


def test_carriage_that_is_kept_is_invoiced_as_carriage() -> None:
    order = emptied("58.55", "6.00", shipping_tax_rate=D(20))
    assert [(o.number, o.kept) for o in orders_kept()] == [("1", D("6.00"))]

    invoice = issue_kept(order_id=order.pk, kept=D("6.00"), at=NOON)

    assert told(invoice)[0][0] == "shipping"
    assert invoice.total_incl_tax == D("6.00")
    order.refresh_from_db()
    assert order.status == "invoiced"
    assert faults() == []


def test_a_fee_is_invoiced_at_the_rates_of_the_articles() -> None:
    order = emptied("46.84")

    invoice = issue_kept(order_id=order.pk, kept=D("11.71"), at=NOON)

    # 11.71 is a fifth of 58.55: 9.60 of 48.00 and 2.11 of 10.55.
    assert told(invoice) == [("fee", D("20.00"), D("9.60")), ("fee", D("5.50"), D("2.11"))]
    assert (invoice.total_excl_tax, invoice.total_tax) == (D("10.00"), D("1.71"))
    assert faults() == []


def test_more_than_carriage_is_carriage_and_a_fee() -> None:
    order = emptied("52.55", "6.00")

    invoice = issue_kept(order_id=order.pk, kept=D("12.00"), at=NOON)

    found = told(invoice)
    assert sum(total for kind, _rate, total in found if kind == "shipping") == D("6.00")
    assert sum(total for kind, _rate, total in found if kind == "fee") == D("6.00")
    assert faults() == []


def test_no_money_is_left_without_a_document() -> None:
    order = emptied("46.84")
    issue_kept(order_id=order.pk, kept=D("11.71"), at=NOON)

    assert balances("411", "4191") == [D(0), D(0)]
    assert not open_invoices().exists()
    assert [p.amount for p in Payment.objects.all()] == [D("11.71")]


def test_an_advance_that_came_in_goes_on_it() -> None:
    order = emptied("46.84")
    Payment.objects.create(
        order=order, amount=D("11.71"), method="Virement", reference="v1", paid_at=NOON
    )
    issue_kept(order_id=order.pk, kept=D("11.71"), at=NOON)

    assert balances("411", "4191") == [D(0), D(0)]
    assert faults() == []


def test_twice_or_once_another_amount_is_kept_nothing_is_issued() -> None:
    order = emptied("46.84")
    with pytest.raises(NothingKept):
        issue_kept(order_id=order.pk, kept=D("12.00"), at=NOON)
    issue_kept(order_id=order.pk, kept=D("11.71"), at=NOON)
    with pytest.raises(NothingKept):
        issue_kept(order_id=order.pk, kept=D("11.71"), at=NOON)
    assert Invoice.objects.count() == 1


def test_what_is_given_back_afterwards_is_credited() -> None:
    order = emptied("46.84")
    issue_kept(order_id=order.pk, kept=D("11.71"), at=NOON)
    put(_emptied("50.84", "0"))

    (note,) = credit_refunds(at=NOON + timedelta(hours=1))

    assert note.total_incl_tax == D("4.00")
    assert credit_refunds(at=NOON + timedelta(hours=1)) == []
    assert balances("411", "4191") == [D(0), D(0)]
    assert faults() == []


def test_all_of_it_given_back_afterwards_is_credited_whole() -> None:
    order = emptied("46.84")
    issue_kept(order_id=order.pk, kept=D("11.71"), at=NOON)
    put(_emptied("58.55", "0", payment_status="refunded"))

    (note,) = credit_refunds(at=NOON + timedelta(hours=1))

    assert note.total_incl_tax == D("11.71")
    assert faults() == []


def test_the_same_file_again_changes_nothing() -> None:
    order = emptied("46.84")
    issue_kept(order_id=order.pk, kept=D("11.71"), at=NOON)
    put(_emptied("46.84", "0"))
    issue_shipped(at=NOON)

    order.refresh_from_db()
    assert (order.status, Invoice.objects.count()) == ("invoiced", 1)
    assert not orders_kept().exists()


def test_an_order_nobody_paid_and_one_with_goods_left_ask_nothing() -> None:
    put(_emptied("0", "0", payment_status="unpaid", state="pending"))
    placed("2", line("BOU", "24.00", "2", refunded=D(1)), refunded=D("24.00"),
           payment_status="partially_refunded")  # fmt: skip
    assert not orders_kept().exists()


def test_money_invoiced_that_was_not_kept_is_a_fault() -> None:
    order = emptied("46.84")
    issue_kept(order_id=order.pk, kept=D("11.71"), at=NOON)
    Order.objects.update(refunded_incl_tax=D("40.00"))
    assert any(fault.startswith("commande 1 : ") for fault in faults())


# --- The page ------------------------------------------------------------------------------------

PAGE = "/factures/a-etablir/"


def test_the_page_proposes_the_invoice() -> None:
    order = emptied("46.84")
    client = signed_in("Gérant")
    shown = client.get(PAGE).content.decode()
    assert "Facturer les 11,71 € gardés" in shown

    client.post(PAGE, {"verb": "keep", "order": order.pk, "kept": "11.71"})

    assert Invoice.objects.get().total_incl_tax == D("11.71")
    assert "gardés" not in client.get(PAGE).content.decode()


def test_or_nothing_is_sold_and_the_order_is_cancelled() -> None:
    order = emptied("46.84")
    signed_in("Gérant").post(PAGE, {"verb": "give_back", "order": order.pk})

    order.refresh_from_db()
    assert (order.status, Invoice.objects.count()) == ("cancelled", 0)
    put(_emptied("46.84", "0"))
    assert not orders_kept().exists()
    assert faults() == []


def test_who_may_not_invoice_is_asked_nothing() -> None:
    order = emptied("46.84")
    client = signed_in("Comptable")
    assert "Facturer les" not in client.get(PAGE).content.decode()
    assert client.post(PAGE, {"verb": "keep", "order": order.pk, "kept": "11.71"}).status_code in (
        403,
        404,
    )
    assert not Invoice.objects.exists()


def test_it_is_printed() -> None:
    order = emptied("46.84")
    invoice = issue_kept(order_id=order.pk, kept=D("11.71"), at=NOON)

    render_pdfs(invoice_ids=[invoice.pk])

    assert InvoicePdf.objects.get(invoice=invoice).sha256
