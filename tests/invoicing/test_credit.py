from decimal import Decimal

import pytest

from invoicing.errors import NothingToCredit
from invoicing.models import Invoice
from invoicing.services import credit_invoice, credit_refunds, issue_invoice
from tests.factories import NOON, draft, line, put, shipped

pytestmark = pytest.mark.django_db
D = Decimal


def invoiced(*lines, **values) -> Invoice:
    note = shipped("1", *lines, **values)
    return issue_invoice(delivery_note_id=note.pk, at=NOON)


def credit(invoice: Invoice, amount: str | None) -> Invoice:
    return credit_invoice(
        invoice_id=invoice.pk, amount=D(amount) if amount else None, reason="Geste", at=NOON
    )


def test_a_full_credit_gives_every_line_back() -> None:
    invoice = invoiced(line("A", "36.00"), line("B", "21.10", tax_rate=D("5.5")))

    note = credit(invoice, None)

    assert note.number == "AV2026-000001"
    assert (note.total_incl_tax, note.total_tax) == (invoice.total_incl_tax, invoice.total_tax)
    assert note.lines.count() == 2
    assert note.credited_invoice == invoice


def test_credits_in_parts_never_exceed_the_invoice_nor_its_vat() -> None:
    invoice = invoiced(line("A", "36.00"), line("B", "21.10", tax_rate=D("5.5")))

    parts = [credit(invoice, "19.99"), credit(invoice, "17.77"), credit(invoice, None)]

    assert sum(p.total_incl_tax for p in parts) == invoice.total_incl_tax
    assert sum(p.total_tax for p in parts) == invoice.total_tax


def test_nothing_is_credited_twice() -> None:
    invoice = invoiced()
    credit(invoice, None)

    with pytest.raises(NothingToCredit):
        credit(invoice, None)


@pytest.mark.parametrize("amount", ["10.01", "-1.00"])
def test_only_what_is_left_can_be_credited(amount: str) -> None:
    with pytest.raises(NothingToCredit):
        credit(invoiced(), amount)


def test_a_refund_at_the_shop_becomes_a_credit_note_once() -> None:
    invoiced(line("A", "10.00", "2"))
    put(
        draft("1", line("A", "10.00", "2"), payment_status="partially_refunded", refunded=D("4.50"))
    )

    first = credit_refunds(at=NOON)
    second = credit_refunds(at=NOON)

    assert [c.total_incl_tax for c in first] == [D("4.50")]
    assert second == []
