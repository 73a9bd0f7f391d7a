from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from invoicing.errors import NothingToCredit
from invoicing.models import Invoice
from invoicing.receivables import open_invoices
from invoicing.services import (
    credit_invoice,
    credit_lines,
    credit_refunds,
    issue_invoice,
    settle_refunds,
)
from sales.services import Back, return_goods
from sphinx.core.proofs import run_proofs
from tests.factories import NOON, draft, line, put, shipped
from tests.test_stock_pages import signed_in

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


# --- By lines ----------------------------------------------------------------------------------


def credit_pieces(invoice: Invoice, *pieces: str, **values: Any) -> Invoice:
    """Credit so many of each line, in their order."""
    lines = list(invoice.lines.all())
    return credit_lines(
        invoice_id=invoice.pk,
        quantities={ln.pk: D(n) for ln, n in zip(lines, pieces, strict=False)},
        reason="Retour",
        at=NOON,
        **values,
    )


def test_a_returned_piece_is_credited_at_its_own_price_and_rate() -> None:
    invoice = invoiced(
        line("A", "29.90", "2", discount=D("5.98")), line("B", "21.10", tax_rate=D("5.5"))
    )

    note = credit_pieces(invoice, "1")

    # (59.80 − 5.98) / 2 = 26.91, of which 26.91 / 6 = 4.49 is VAT.
    assert (note.total_incl_tax, note.total_tax) == (D("26.91"), D("4.49"))
    row = note.lines.get()
    assert (row.quantity, row.amount_incl_tax, row.discount_incl_tax) == (
        1,
        D("29.90"),
        D("2.99"),
    )


def test_no_more_pieces_are_credited_than_were_invoiced() -> None:
    invoice = invoiced(line("A", "10.00", "2"))
    credit_pieces(invoice, "1.5")

    for pieces in ("1", "-1", "0"):
        with pytest.raises(NothingToCredit):
            credit_pieces(invoice, pieces)
    credit_pieces(invoice, "0.5")
    with pytest.raises(NothingToCredit):
        credit(invoice, None)


def test_what_was_credited_as_an_amount_is_not_credited_again_by_lines() -> None:
    invoice = invoiced(line("A", "10.00", "2"))
    credit(invoice, "15.00")

    with pytest.raises(NothingToCredit):
        credit_pieces(invoice, "1")


def test_the_same_form_sent_twice_credits_once() -> None:
    invoice = invoiced(line("A", "10.00", "2"))
    credit_pieces(invoice, "1", after_credits=0)

    with pytest.raises(NothingToCredit):
        credit_pieces(invoice, "1", after_credits=0)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.decimals("0.10", "99.99", places=2),
            st.integers(1, 5),
            st.sampled_from(["20", "5.5"]),
            st.decimals("0", "0.5", places=1),
        ),
        min_size=1,
        max_size=4,
    ),
    st.decimals("0", "9.99", places=2),
)
def test_credits_by_pieces_make_the_invoice_exactly(
    rows: list[tuple[D, int, str, D]], shipping: D
) -> None:
    number = f"P{Invoice.objects.count()}"
    drafts = [
        line(
            f"S{n}",
            str(price),
            str(pieces),
            tax_rate=D(rate),
            discount=(price * pieces * share).quantize(D("0.01")),
        )
        for n, (price, pieces, rate, share) in enumerate(rows)
    ]
    note = shipped(number, *drafts, shipping_amount=shipping)
    invoice = issue_invoice(delivery_note_id=note.pk, at=NOON)

    made = []
    for row in invoice.lines.all():
        for _piece in range(int(row.quantity)):
            if row.total_incl_tax:
                made.append(
                    credit_lines(
                        invoice_id=invoice.pk, quantities={row.pk: D(1)}, reason="R", at=NOON
                    )
                )

    assert sum((m.total_incl_tax for m in made), D(0)) == invoice.total_incl_tax
    assert sum((m.total_tax for m in made), D(0)) == invoice.total_tax
    assert [p.faults for p in run_proofs() if p.name == "invoice_sums"] == [[]]


def test_what_came_back_is_proposed_and_credited_on_the_page() -> None:
    invoice = invoiced(line("A", "10.00", "2"))
    note_line = invoice.lines.get().delivery_line
    return_goods(note_id=invoice.delivery_note_id, back=[Back(note_line.pk, D(1))], at=NOON)
    owner = signed_in("Gérant")
    page, row = f"/factures/{invoice.pk}/avoir/", invoice.lines.get()

    assert f'name="q{row.pk}" value="1"' in owner.get(page).content.decode()
    for _twice in range(2):
        owner.post(page, {f"q{row.pk}": "1", "credits": "0"})

    assert Invoice.objects.get(kind="credit_note").total_incl_tax == 10
    assert signed_in("Ventes").get(page).status_code == 403


def test_a_refund_after_a_credit_by_hand_settles_it_once() -> None:
    invoice = invoiced(line("A", "10.00", "2"))
    credit_pieces(invoice, "1")
    put(draft("1", line("A", "10.00", "2"), payment_status="partially_refunded", refunded=D("10")))

    credit_refunds(at=NOON)

    assert (settle_refunds(), settle_refunds()) == (1, 0)
    assert list(open_invoices()) == []
