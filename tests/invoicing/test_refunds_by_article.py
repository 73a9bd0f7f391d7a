"""A refund is credited on what the shop says it refunded; only the rest is spread."""

from decimal import Decimal
from typing import Any

import pytest

from invoicing.models import Invoice, InvoiceLine
from invoicing.services import credit_lines, credit_refunds, issue_invoice
from sales.drafts import LineDraft
from sphinx.core.proofs import run_proofs
from tests.factories import NOON, draft, line, put, shipped

pytestmark = pytest.mark.django_db
D = Decimal
CANDLE = ("BOU", "24.00")
BOOK = ("LIV", "24.00")


def sold(*lines: LineDraft, **values: Any) -> Invoice:
    return issue_invoice(delivery_note_id=shipped("1", *lines, **values).pk, at=NOON)


def refunded(amount: str, *lines: LineDraft, **values: Any) -> Invoice:
    """The credit note of the same order, of which the shop says so much was refunded."""
    put(draft("1", *lines, payment_status="partially_refunded", refunded=D(amount), **values))
    return credit_refunds(at=NOON)[0]


def candle(**said: Any) -> LineDraft:
    return line(*CANDLE, **said)


def book(**said: Any) -> LineDraft:
    return line(*BOOK, tax_rate=D("5.5"), **said)


def printed(note: Invoice) -> list[tuple[str, D, D]]:
    return [(x.label, x.quantity, x.total_incl_tax) for x in note.lines.all()]


def test_an_article_refunded_in_full_gives_its_own_vat_back() -> None:
    sold(candle(), book())

    note = refunded("24.00", candle(refunded=D(1)), book())

    assert (note.total_incl_tax, note.total_tax) == (D("24.00"), D("4.00"))
    assert printed(note) == [("Article BOU", 1, D("24.00"))]


def test_the_amount_told_for_a_line_rules_over_its_pieces() -> None:
    sold(candle(), book())

    note = refunded("4.00", candle(refunded=D(1), refunded_amount=D("4.00")), book())

    assert (note.total_incl_tax, note.total_tax) == (D("4.00"), D("0.67"))
    assert printed(note) == [("Remboursement sur : Article BOU", 1, D("4.00"))]


def test_shipping_refunded_is_credited_at_shippings_rate() -> None:
    charges = {"shipping_amount": D("6.00"), "shipping_tax_rate": D("20")}
    sold(book(), **charges)

    note = refunded("6.00", book(), shipping_refunded=D("6.00"), **charges)

    assert note.total_tax == D("1.00")
    assert [x.kind for x in note.lines.all()] == [InvoiceLine.Kind.SHIPPING]


def test_what_is_told_comes_first_and_the_rest_is_spread_and_said() -> None:
    sold(candle(), book())

    note = refunded("30.00", candle(refunded=D(1)), book())

    assert printed(note) == [
        ("Article BOU", 1, D("24.00")),
        ("Reste du remboursement, réparti selon les taux", 1, D("6.00")),
    ]
    # The rest can only be the book's: 6.00 × 5.5 / 105.5.
    assert note.total_tax == D("4.31")


def test_nothing_told_is_spread_as_before() -> None:
    sold(candle(), book())

    note = refunded("24.00", candle(), book())

    assert note.total_tax == D("2.63")
    assert {label for label, _q, _t in printed(note)} == {
        "Remboursement par la boutique, réparti selon les taux"
    }


def test_a_second_refund_of_the_line_credits_the_second_piece_only() -> None:
    sold(line("BOU", "24.00", "2"), book())
    refunded("24.00", line("BOU", "24.00", "2", refunded=D(1)), book())

    note = refunded("48.00", line("BOU", "24.00", "2", refunded=D(2)), book())

    assert printed(note) == [("Article BOU", 1, D("24.00"))]
    assert credit_refunds(at=NOON) == []


def test_a_piece_credited_by_hand_isnt_credited_again() -> None:
    invoice = sold(candle(), book())
    line_id = invoice.lines.get(sku="BOU").pk
    credit_lines(invoice_id=invoice.pk, quantities={line_id: D(1)}, reason="Retour", at=NOON)

    put(
        draft(
            "1",
            candle(refunded=D(1)),
            book(),
            payment_status="partially_refunded",
            refunded=D("24.00"),
        )
    )

    assert credit_refunds(at=NOON) == []


def test_told_pieces_never_credit_more_than_was_given_back() -> None:
    sold(candle(), book())

    note = refunded("10.00", candle(refunded=D(1)), book())

    assert (note.total_incl_tax, note.total_tax) == (D("10.00"), D("1.67"))


def test_a_discounted_piece_is_credited_as_it_was_paid() -> None:
    pieces = {"discount": D("6.00")}
    sold(line("BOU", "24.00", "3", **pieces), book())

    note = refunded("22.00", line("BOU", "24.00", "3", refunded=D(1), **pieces), book())

    assert printed(note) == [("Article BOU", 1, D("22.00"))]
    assert [p.faults for p in run_proofs() if p.faults and "journal" not in p.faults[0]] == []
