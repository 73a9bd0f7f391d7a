"""Goods that another system invoiced come back: a credit note with that invoice's number."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounting_export.models import JournalEntry
from accounting_export.services import post_missing, post_money
from customers.drafts import CustomerDraft
from invoicing.einvoices import faults_of
from invoicing.errors import NothingToCredit
from invoicing.models import Invoice
from invoicing.receivables import open_invoices
from invoicing.services import (
    credit_elsewhere,
    credit_invoice,
    credit_refunds,
    enter_payment,
    issue_invoice,
    settle_refunds,
    structured_xml,
)
from invoicing.services.documents import invoice_html
from sales.models import Order
from sales.services import begin_history
from sphinx.core.branding import brand
from sphinx.core.proofs import run_proofs
from sphinx.core.services import company
from tests.factories import NOON, line, placed, shipped

pytestmark = pytest.mark.django_db
D = Decimal
SOLD_ON = date(2025, 11, 3)


def sold_before(**values: Any) -> Order:
    """Three candles at 24.00 less 2.00, a book, and 6.00 of shipping; invoiced elsewhere."""
    lines = (
        line("BOU", "24.00", "3", discount=D("2.00")),
        line("LIV", "21.10", "1", tax_rate=D("5.5")),
    )
    order = placed("W-7", *lines, shipping_amount=D("6.00"), shipping_tax_rate=D(20), **values)
    begin_history(shop_id=order.shop_id, until=date(2026, 3, 31))
    return Order.objects.get(pk=order.pk)


def credited(order: Order, wanted: Mapping[str, str], **values: Any) -> Invoice:
    pieces = {ln.pk: D(wanted[ln.sku]) for ln in order.lines.all() if ln.sku in wanted}
    said: dict[str, Any] = {
        "number": "F2025-0311",
        "issued_on": SOLD_ON,
        "with_shipping": False,
        "reason": "Retour",
        "at": NOON,
    }
    return credit_elsewhere(order_id=order.pk, quantities=pieces, **{**said, **values})


def test_pieces_are_credited_at_their_own_price_and_rate() -> None:
    note = credited(sold_before(), {"BOU": "1"})

    rows = [(ln.label, ln.quantity, ln.total_incl_tax, ln.tax_rate) for ln in note.lines.all()]
    assert rows == [("Article BOU", 1, D("23.33"), D(20))]
    assert (note.total_incl_tax, note.total_tax) == (D("23.33"), D("3.89"))


def test_the_note_names_the_other_systems_invoice() -> None:
    note = credited(sold_before(), {"LIV": "1"})

    assert note.corrected == ("F2025-0311", SOLD_ON)
    assert note.number.startswith("AV")


def test_its_electronic_form_refers_to_that_invoice() -> None:
    firm = company()
    firm.name, firm.siren, firm.vat_number = "Maison Sphinx", "404833048", "FR83404833048"
    firm.address1, firm.postcode, firm.city = "1 rue du Port", "33000", "Bordeaux"
    firm.legal_form, firm.share_capital = "SARL", "10 000 €"
    firm.save()
    buyer = CustomerDraft(ref="P1", company="Café du Port", siret="73282932000074")
    note = credited(sold_before(customer=buyer), {"LIV": "1"})
    xml = structured_xml(note)

    assert b"<ram:TypeCode>381</ram:TypeCode>" in xml
    assert b"<ram:IssuerAssignedID>F2025-0311</ram:IssuerAssignedID>" in xml
    assert faults_of(xml) == []


def test_several_notes_make_the_orders_total_and_its_vat() -> None:
    order = sold_before()

    for pieces in ("1", "2"):
        credited(order, {"BOU": pieces})
    credited(order, {"LIV": "1"}, with_shipping=True)

    notes = Invoice.objects.filter(order=order)
    assert sum(n.total_incl_tax for n in notes) == order.total_incl_tax
    assert sum(n.total_tax for n in notes) == sum(D(t["tax"]) for t in order.taxes)


def test_a_piece_is_credited_once() -> None:
    order = sold_before()
    credited(order, {"BOU": "2"})

    with pytest.raises(NothingToCredit, match="il reste 1"):
        credited(order, {"BOU": "2"})


def test_shipping_is_credited_once() -> None:
    order = sold_before()
    credited(order, {}, with_shipping=True)

    with pytest.raises(NothingToCredit):
        credited(order, {}, with_shipping=True)


def test_the_same_form_sent_twice_credits_once() -> None:
    order = sold_before()
    credited(order, {"BOU": "1"}, after_credits=0)

    with pytest.raises(NothingToCredit, match="relisez"):
        credited(order, {"BOU": "1"}, after_credits=0)


def test_an_order_that_is_invoiced_here_is_credited_on_its_invoice() -> None:
    order = placed("W-8", line("BOU", "24.00"))

    with pytest.raises(NothingToCredit, match="se facture ici"):
        credited(order, {"BOU": "1"})


@pytest.mark.parametrize("said", [{"number": " "}, {"issued_on": date(2026, 3, 3)}])
def test_the_reference_is_wanted(said: dict[str, Any]) -> None:
    with pytest.raises(NothingToCredit):
        credited(sold_before(), {"BOU": "1"}, **said)


def test_what_is_owed_to_the_customer_stands_until_it_is_given_back() -> None:
    note = credited(sold_before(), {"LIV": "1"})

    assert [(i.number, i.balance) for i in open_invoices()] == [(note.number, D("-21.10"))]
    enter_payment(invoice_id=note.pk, amount=D("-21.10"), method="Virement", paid_at=NOON)
    assert not open_invoices().exists()


def test_the_shops_old_refunds_settle_nothing_by_themselves() -> None:
    order = sold_before(refunded=D("21.10"), payment_status="partially_refunded")
    credited(order, {"BOU": "1"})

    assert settle_refunds() == 0
    assert credit_refunds(at=NOON) == []


def test_it_is_booked_lettered_and_proven() -> None:
    note = credited(sold_before(), {"LIV": "1"})
    enter_payment(invoice_id=note.pk, amount=D("-21.10"), method="Virement", paid_at=NOON)
    post_missing()
    post_money()

    entry = JournalEntry.objects.get(invoice=note)
    assert entry.label.startswith("Avoir s/F2025-0311")
    customer = entry.lines.get(position=1)
    assert (customer.credit, customer.lettered.code) == (D("21.10"), "AAA")
    assert [fault for proof in run_proofs() for fault in proof.faults] == []


def test_the_page_credits_and_shows_what_is_left(admin_client: Client) -> None:
    order = sold_before()
    url = reverse("invoicing:credit_elsewhere", args=[order.pk])
    bought = order.lines.get(sku="BOU")
    form = {"credits": "0", "number": "F2025-0311", "issued_on": "2025-11-03", "reason": "Retour"}

    page = admin_client.post(url, {**form, f"q{bought.pk}": "2"}, follow=True)

    note = Invoice.objects.get()
    assert note.total_incl_tax == D("46.67")
    assert note.number in page.content.decode()
    assert 'name="shipping"' in page.content.decode()


def test_the_orders_page_leads_there(admin_client: Client) -> None:
    order = sold_before()
    page = admin_client.get(reverse("admin:sales_order_change", args=[order.pk]))

    assert reverse("invoicing:credit_elsewhere", args=[order.pk]) in page.content.decode()


def test_its_settlement_page_proposes_to_give_back(admin_client: Client) -> None:
    note = credited(sold_before(), {"LIV": "1"})
    page = admin_client.get(reverse("invoicing:receivable", args=[note.pk])).content.decode()

    assert 'value="21.10"' in page
    assert "checked" in page


def test_a_credit_note_of_ours_is_settled_with_its_invoice(admin_client: Client) -> None:
    invoice = issue_invoice(delivery_note_id=shipped("1", line("BOU", "24.00")).pk, at=NOON)
    note = credit_invoice(invoice_id=invoice.pk, amount=None, reason="Retour", at=NOON)

    page = admin_client.get(reverse("invoicing:receivable", args=[note.pk]))
    assert page["Location"] == reverse("invoicing:receivable", args=[invoice.pk])


def test_its_paper_says_which_invoice_it_corrects() -> None:
    assert "F2025-0311" in invoice_html(credited(sold_before(), {"LIV": "1"}), brand())
