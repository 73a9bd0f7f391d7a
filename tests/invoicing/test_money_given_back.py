"""Every way that money goes back asks the same second person, whichever page it begins on."""

import inspect
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User

from invoicing import services
from invoicing.models import BankLine, Invoice, Payment
from invoicing.services import enter_payment, issue_invoice
from sphinx.core.errors import BusinessRuleError, SphinxError
from sphinx.core.four_eyes import agree
from sphinx.core.models import Approval, Company
from sphinx.core.services import company
from tests.core.test_four_eyes import person, signed_in
from tests.factories import NOON, line, shipped
from tests.invoicing.test_credits_of_elsewhere import credited, sold_before
from tests.invoicing.test_settling import waiting

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def lea(db: None) -> User:
    company()
    Company.objects.update(second_for_refunds=True)
    return person("lea")


def invoiced(number: str = "1", paid: str = "10.00") -> Invoice:
    """An invoice of 10 €, with what was paid for it."""
    invoice = issue_invoice(
        delivery_note_id=shipped(number, line("A"), payment_status="unpaid").pk, at=NOON
    )
    if D(paid):
        enter_payment(invoice_id=invoice.pk, amount=D(paid), method="virement", paid_at=NOON)
    return invoice


def booked(amount: str, label: str = "VIR") -> BankLine:
    return BankLine.objects.create(
        key=f"k{BankLine.objects.count()}",
        booked_on=date(2026, 3, 5),
        amount=D(amount),
        label=label,
    )


def gone() -> tuple[int, int]:
    """Payments below 0 and credit notes there are."""
    notes = Invoice.objects.filter(kind=Invoice.Kind.CREDIT_NOTE)
    return Payment.objects.filter(amount__lt=0).count(), notes.count()


def _enter(actor: Any) -> None:
    services.enter_payment(
        invoice_id=invoiced().pk, amount=D(-4), method="x", paid_at=NOON, actor=actor
    )


def _match(actor: Any) -> None:
    services.match_line(
        line_id=booked("-4.00").pk, shares=[(invoiced().pk, D("-4.00"))], actor=actor
    )


def _match_mixed(actor: Any) -> None:
    """A credit of 10 € that hides 4 € given back."""
    one, two = invoiced("1", "0.00"), invoiced("2")
    services.match_line(
        line_id=booked("6.00").pk,
        shares=[(one.pk, D("10.00")), (two.pk, D("-4.00"))],
        actor=actor,
    )


def _match_too_much(actor: Any) -> None:
    services.match_line(
        line_id=booked("10.50").pk,
        shares=[(invoiced("1", "0.00").pk, D("10.50"))],
        difference="rounding",
        actor=actor,
    )


def _write_off(actor: Any) -> None:
    services.write_off(invoice_id=invoiced("1", "10.50").pk, kind="rounding", at=NOON, actor=actor)


def _set_off(actor: Any) -> None:
    source, target = invoiced("1", "20.00"), invoiced("2", "0.00")
    services.set_off(credited_id=source.pk, invoice_id=target.pk, at=NOON, actor=actor)


def _credit(actor: Any) -> None:
    services.credit_invoice(
        invoice_id=invoiced().pk, amount=D(1), reason="Geste", at=NOON, actor=actor
    )


def _credit_lines(actor: Any) -> None:
    invoice = invoiced()
    services.credit_lines(
        invoice_id=invoice.pk,
        quantities={invoice.lines.get().pk: D(1)},
        reason="Retour",
        at=NOON,
        actor=actor,
    )


def _credit_elsewhere(actor: Any) -> None:
    credited(sold_before(), {"LIV": "1"}, actor=actor)


def _give_back_advance(actor: Any) -> None:
    order = waiting("W1127", "180.00")
    services.match_order(line_id=booked("180.00").pk, order_id=order.pk)
    services.give_back_advance(line_id=booked("-180.00").pk, order_id=order.pk, actor=actor)


WAYS: dict[str, Callable[[Any], None]] = {
    "enter_payment": _enter,
    "match_line": _match,
    "match_line, among others": _match_mixed,
    "match_line, too much written off": _match_too_much,
    "write_off": _write_off,
    "set_off": _set_off,
    "credit_invoice": _credit,
    "credit_lines": _credit_lines,
    "credit_elsewhere": _credit_elsewhere,
    "give_back_advance": _give_back_advance,
}
# Of what people do, what gives nothing back, or only asks.
OTHERS = {
    "match_or_ask": "asks",
    "match_sure_lines": "money that came",
    "match_order": "money that came",
    "match_orders": "money that came",
    "match_proposed_orders": "money that came",
    "match_payout": "no payment: what the provider paid out",
    "confirm_movement": "no payment: a provider's word",
    "ignore_line": "no payment",
    "import_payouts": "no payment",
    "import_statement": "no payment",
    "issue_down_payment": "an invoice",
    "issue_grouped": "an invoice",
    "issue_invoice": "an invoice",
    "issue_invoices": "invoices",
    "issue_kept": "an invoice",
    "issue_shipped": "invoices",
    "take_tax_out_of": "what was paid stays",
    "send_reminder": "a letter",
    "make_archive": "a file",
    "correct_report": "a report",
    "build_report": "a report",
    "make_due_reports": "reports",
    "sync_platform": "messages",
}


def test_every_service_that_a_person_calls_is_among_them() -> None:
    by_people = {
        name
        for name in services.__all__
        if inspect.isfunction(made := getattr(services, name))
        and "actor" in inspect.signature(made).parameters
    }
    assert by_people <= {way.split(",")[0] for way in WAYS} | set(OTHERS)


@pytest.mark.parametrize("way", WAYS)
def test_no_service_gives_back_by_one_persons_hand(way: str, lea: User) -> None:
    with pytest.raises(BusinessRuleError) as refused:
        WAYS[way](lea)
    assert refused.value.code == "core.four_eyes"


@pytest.mark.parametrize("way", WAYS)
def test_what_asks_nobody_gives_back_as_before(way: str, lea: User) -> None:
    """No actor: a sweep, or the operator's command; and a firm that wants no second person."""
    WAYS[way](None)
    assert any(gone())


@pytest.mark.parametrize("way", WAYS)
def test_a_firm_that_wants_one_person_gives_back_at_once(way: str, lea: User) -> None:
    Company.objects.update(second_for_refunds=False)
    WAYS[way](lea)
    assert any(gone())


# --- On the pages ------------------------------------------------------------------------------


def post(user: User, url: str, **data: Any) -> None:
    assert signed_in(user).post(url, data).status_code == 302


def test_a_debit_matched_on_the_bank_page_waits_for_a_second_person(lea: User) -> None:
    invoice = invoiced("1", "14.00")
    found = booked("-4.00", f"REMB {invoice.number}")
    typed = {f"numbers-{found.pk}": invoice.number}
    post(lea, "/banque/", verb=f"match-{found.pk}", **typed)

    found.refresh_from_db()
    assert (found.status, gone()) == (BankLine.Status.OPEN, (0, 0))
    agree(Approval.objects.get().pk, actor=person("paul"))
    found.refresh_from_db()
    assert (found.status, gone()) == (BankLine.Status.MATCHED, (1, 0))


def test_a_transfer_that_came_is_matched_by_one_person(lea: User) -> None:
    invoice = invoiced("1", "0.00")
    found = booked("10.00", f"VIR {invoice.number}")
    post(lea, "/banque/", verb="sure")
    found.refresh_from_db()
    assert found.status == BankLine.Status.MATCHED
    assert not Approval.objects.exists()


def test_a_set_off_waits_for_a_second_person(lea: User) -> None:
    source, target = invoiced("1", "20.00"), invoiced("2", "0.00")
    post(lea, f"/factures/{source.pk}/reglement/", verb=f"set_off-{target.pk}")
    assert gone() == (0, 0)
    agree(Approval.objects.get().pk, actor=person("paul"))
    assert gone() == (1, 0)


@pytest.mark.parametrize(("paid", "asked"), [("10.50", 1), ("9.50", 0)])
def test_too_much_that_was_paid_isnt_written_off_alone(paid: str, asked: int, lea: User) -> None:
    invoice = invoiced("1", paid)
    post(lea, f"/factures/{invoice.pk}/reglement/", verb="write_off-rounding")
    assert Approval.objects.count() == asked
    assert invoice.payments.count() == 2 - asked


def test_what_was_matched_meanwhile_isnt_given_back_twice(lea: User) -> None:
    invoice = invoiced()
    found = booked("-4.00", "X")
    post(
        lea, "/banque/",
        verb=f"match-{found.pk}", **{f"numbers-{found.pk}": invoice.number},
    )  # fmt: skip
    services.match_line(line_id=found.pk, shares=[(invoice.pk, D(-4))])
    with pytest.raises(SphinxError):
        agree(Approval.objects.get().pk, actor=person("paul"))
    assert gone() == (1, 0)
