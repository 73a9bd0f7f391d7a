"""A firm in franchise (CGI, art. 293 B) charges no VAT, whatever its shop or its articles say."""

from decimal import Decimal

import pytest

from invoicing.services import issue_invoice
from sales.drafts import OrderDraft, StatedTax
from sales.models import Order
from sphinx.core.services import company
from tests.factories import NOON, draft, line, put, shipped

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture(autouse=True)
def _in_franchise() -> None:
    firm = company()
    firm.is_tax_exempt, firm.vat_number = True, ""
    firm.save()


def _net(number: str = "1001") -> OrderDraft:
    """100.00 excl. tax and 20.00 of VAT, as shops that price excl. tax write it."""
    return draft(
        number,
        line("SKU-A", "100.00"),
        total_incl_tax=D("120.00"),
        prices_include_tax=False,
        stated_taxes=(StatedTax(D(20), D("20.00")),),
    )


@pytest.mark.parametrize(
    "ordered",
    [
        draft("1001", line("SKU-A", "120.00")),
        draft("1001", line("SKU-A", "120.00"), stated_taxes=(StatedTax(D(20), D("20.00")),)),
        draft(
            "1001",
            line("SKU-A", "60.00"),
            line("SKU-B", "50.00", tax_rate=D("5.50")),
            shipping_amount=D("10.00"),
        ),
        _net(),
    ],
    ids=["rates", "stated", "two rates and shipping", "prices excl. tax"],
)
def test_what_was_paid_is_kept_without_vat(ordered: OrderDraft) -> None:
    result = put(ordered)

    order = Order.objects.get()
    assert (order.total_incl_tax, order.total_tax) == (D("120.00"), D(0))
    assert order.tax_regime == "exempt"
    assert {line.tax_rate for line in order.lines.all()} == {D(0)}
    assert [note.code for note in result.notes] == ["order.tax_in_franchise"]
    assert "283-3" in result.notes[0].message


def test_no_rate_at_all_is_no_question() -> None:
    result = put(draft("1001", line("SKU-A", "120.00", tax_rate=None)))

    assert (result.rejections, result.notes) == ([], [])
    assert Order.objects.get().total_tax == 0


def test_the_invoice_bears_the_sentence_and_no_vat() -> None:
    note = shipped("1001", line("SKU-A", "120.00"))
    invoice = issue_invoice(delivery_note_id=note.pk, at=NOON)

    assert (invoice.total_excl_tax, invoice.total_tax) == (D("120.00"), D(0))
    assert invoice.mentions["sentences"] == ["TVA non applicable, article 293 B du CGI"]
    assert {row.tax_rate for row in invoice.taxes.all()} <= {D(0)}
