"""An order without VAT that nothing explains isn't invoiced before somebody says why.

Sources: CGI, ann. II, art. 242 nonies A, I-12° (the article that exempts is on the invoice);
art. 262 I, 262 ter I, 283.
"""

from decimal import Decimal

import pytest

from accounting_export.services import post_missing
from customers.models import Customer
from invoicing.einvoices.terms import terms_of
from invoicing.errors import TaxUnexplained
from invoicing.models import Invoice
from invoicing.selectors import notes_ready_to_invoice, orders_to_explain
from invoicing.services import (
    issue_down_payment,
    issue_grouped,
    issue_invoice,
    issue_shipped,
    take_tax_out_of,
)
from sales.drafts import LineDraft
from sales.errors import ExemptionRefused
from sales.models import DeliveryNote, Order
from sales.services import explain_no_tax
from sphinx.core.models import AuditEvent
from sphinx.core.proofs import run_proofs
from tests.factories import NOON, draft, line, placed, put, shipped
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db
D = Decimal
PAGE = "/factures/a-etablir/"
GERMAN = "DE136695976"


def untaxed(sku: str = "SKU-A", price: str = "60.00") -> LineDraft:
    return line(sku, price, tax_rate=D(0))


def left(number: str = "1001") -> DeliveryNote:
    """A parcel to Paris that bears no VAT."""
    return shipped(number, untaxed())


# --- The question ------------------------------------------------------------------------------


def test_an_invoice_without_vat_waits_for_its_reason() -> None:
    note = left()

    with pytest.raises(TaxUnexplained, match="1001"):
        issue_invoice(delivery_note_id=note.pk, at=NOON)

    assert issue_shipped(at=NOON) == ([], [])
    assert [order.number for order in orders_to_explain()] == ["1001"]
    assert not notes_ready_to_invoice().exists()


def test_it_holds_no_other_invoice_back() -> None:
    left("1001")
    shipped("1002", line("SKU-B"))

    (invoice,) = issue_shipped(at=NOON).invoices

    assert invoice.order_number == "1002"
    assert Order.objects.get(number="1001").status == "delivered"
    post_missing()
    assert [proof.faults for proof in run_proofs() if not proof.ok] == []


def test_neither_a_deposit_nor_a_grouped_invoice_goes_round_it() -> None:
    notes = [left("1001"), shipped("1002", line("SKU-B"))]
    Order.objects.update(payment_status="unpaid")
    with pytest.raises(TaxUnexplained):
        issue_grouped(note_ids=[note.pk for note in notes], at=NOON)

    order = placed("1003", untaxed())
    with pytest.raises(TaxUnexplained):
        issue_down_payment(order_id=order.pk, amount=D("10.00"), at=NOON)


@pytest.mark.parametrize(
    "known",
    [
        {"lines": (line("SKU-A", "60.00"),)},
        {"lines": (untaxed(), line("SKU-B"))},
        {"lines": (line("SKU-A", "0.01"),)},
        {"lines": (line("", "60.00", tax_rate=D(0), kind="gift_card"),)},
    ],
    ids=["taxed", "taxed in part", "of one cent", "a gift card"],
)
def test_what_explains_itself_is_no_question(known: dict[str, tuple[LineDraft, ...]]) -> None:
    put(draft("1001", *known["lines"]))

    assert not orders_to_explain().exists()


# --- The answers -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("exemption", "sentence"),
    [
        ("export", "Exonération de TVA, article 262 I du CGI"),
        ("exempt", "TVA non applicable, article 293 B du CGI"),
    ],
)
def test_the_invoice_bears_the_article_that_was_said(exemption: str, sentence: str) -> None:
    note = left()

    explain_no_tax(order_id=note.order_id, exemption=exemption)
    (invoice,) = issue_shipped(at=NOON).invoices

    assert (invoice.tax_regime, invoice.total_incl_tax, invoice.total_tax) == (exemption, 60, 0)
    assert invoice.mentions["sentences"][0] == sentence
    assert AuditEvent.objects.filter(kind="order.exemption_said").count() == 1


def test_within_the_union_the_number_is_asked_for_and_kept() -> None:
    note = left()
    Customer.objects.update(kind="company")
    for number in ("", "DE123"):
        with pytest.raises(ExemptionRefused, match="n° de TVA"):
            explain_no_tax(order_id=note.order_id, exemption="eu_business", vat_number=number)

    explain_no_tax(order_id=note.order_id, exemption="eu_business", vat_number="DE 136 695 976")
    invoice = issue_invoice(delivery_note_id=note.pk, at=NOON)

    assert invoice.mentions["buyer"]["vat_number"] == GERMAN
    assert "262 ter I" in invoice.mentions["sentences"][0]


def test_a_consumer_has_no_intra_union_delivery() -> None:
    note = left()

    with pytest.raises(ExemptionRefused, match="particulier"):
        explain_no_tax(order_id=note.order_id, exemption="eu_business", vat_number=GERMAN)


def test_another_article_is_printed_and_sent_as_it_was_written() -> None:
    note = left()
    with pytest.raises(ExemptionRefused, match="phrase"):
        explain_no_tax(order_id=note.order_id, exemption="other", sentence="  ")

    said = "Exonération de TVA, article 261, 4-4° du CGI"
    explain_no_tax(order_id=note.order_id, exemption="other", sentence=said)
    invoice = issue_invoice(delivery_note_id=note.pk, at=NOON)

    assert said in invoice.mentions["sentences"]
    terms = terms_of(invoice, list(invoice.lines.all()), list(invoice.taxes.all()))
    (breakdown,) = terms["BG-23"]
    assert (breakdown["BT-118"], breakdown["BT-120"]) == ("E", said)


def test_a_shop_that_was_wrong_leaves_the_vat_within_what_was_paid() -> None:
    """60.00 and 6.00 of carriage were paid: 66.00 with 20 % are 55.00 and 11.00 of VAT."""
    note = shipped("1001", untaxed(), shipping_amount=D("6.00"))

    take_tax_out_of(order_id=note.order_id, rate=D(20))
    (invoice,) = issue_shipped(at=NOON).invoices
    post_missing()

    assert (invoice.total_incl_tax, invoice.total_excl_tax, invoice.total_tax) == (66, 55, 11)
    assert [proof.faults for proof in run_proofs() if not proof.ok] == []


def test_a_gift_card_beside_the_goods_bears_none_even_then() -> None:
    """Of 90.00, 60.00 are goods: 10.00 of VAT; the card of 30.00 stays without."""
    note = shipped("1001", untaxed(), line("", "30.00", tax_rate=D(0), kind="gift_card"))

    order = take_tax_out_of(order_id=note.order_id, rate=D(20))

    assert order.total_tax == 10
    assert {(n.kind, n.tax_rate) for n in order.lines.all()} == {("goods", 20), ("gift_card", 0)}


@pytest.mark.parametrize("rate", ["0", "19.60", "21"])
def test_only_a_french_rate_is_within(rate: str) -> None:
    note = left()

    with pytest.raises(ExemptionRefused, match="taux"):
        take_tax_out_of(order_id=note.order_id, rate=D(rate))


def test_who_answers_second_is_told_so() -> None:
    note = left()
    explain_no_tax(order_id=note.order_id, exemption="export")

    with pytest.raises(ExemptionRefused, match="quelqu'un"):
        take_tax_out_of(order_id=note.order_id, rate=D(20))

    assert Order.objects.get().total_tax == 0


def test_an_answer_outlives_the_next_file() -> None:
    put(draft("1001", untaxed()))
    explain_no_tax(order_id=Order.objects.get().pk, exemption="export")

    put(draft("1001", untaxed(price="70.00")))

    order = Order.objects.get()
    assert (order.total_incl_tax, order.invoiced_regime) == (70, "export")
    assert not orders_to_explain().exists()


# --- The page ----------------------------------------------------------------------------------


def test_the_page_asks_and_takes_the_answers() -> None:
    client = signed_in("Gérant")
    first, second = left("1001").order, left("1002").order

    page = client.get(PAGE).content.decode()
    assert "Commandes sans TVA : pourquoi ?" in page
    assert "Franchise en base" not in page
    assert "Tout ce qui est parti est facturé" not in page
    client.post(PAGE, {"verb": "explain", "order": first.pk, "exemption": "export"})
    client.post(PAGE, {"verb": "tax_within", "order": second.pk, "rate": "20.00"})

    assert not orders_to_explain().exists()
    assert Order.objects.get(pk=second.pk).total_tax == 10


def test_the_home_page_counts_them() -> None:
    left()

    assert "Commandes sans TVA à expliquer" in signed_in("Gérant").get("/").content.decode()


def test_nothing_was_invoiced_by_asking() -> None:
    left()
    signed_in("Gérant").get(PAGE)

    assert not Invoice.objects.exists()
