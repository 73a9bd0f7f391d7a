"""What is owed, paid, given back, reminded."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.drafts import CustomerDraft
from invoicing.errors import NothingToRemind, PaymentRefused
from invoicing.models import Invoice, Payment
from invoicing.receivables import ageing, open_invoices, statement_of, with_balance
from invoicing.services import (
    credit_invoice,
    credit_refunds,
    enter_payment,
    issue_invoice,
    reminders_due,
    send_reminder,
    settle_paid_orders,
)
from invoicing.tasks import remind_overdue
from sphinx.core import clock
from sphinx.core.services import company
from sphinx.core.validators import validate_days
from tests.factories import NOON, draft, line, put, shipped
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db
D = Decimal
FIRM = CustomerDraft(ref="P1", email="achats@cafe.test", company="Café du Port")
UNPAID: dict[str, Any] = {"payment_status": "unpaid", "customer": FIRM}
DUE = NOON.date() + timedelta(days=30)


def invoiced(number: str = "1", price: str = "120.00", **values: Any) -> Invoice:
    note = shipped(number, line("A", price), **{**UNPAID, **values})
    return issue_invoice(delivery_note_id=note.pk, at=NOON)


def balance_of(invoice: Invoice) -> Decimal:
    found: Decimal = with_balance(Invoice.objects.filter(pk=invoice.pk)).get().balance
    return found.quantize(D("0.01"))


def pay(invoice: Invoice, amount: str, **values: Any) -> Payment:
    return enter_payment(
        invoice_id=invoice.pk, amount=D(amount), method="Virement", paid_at=NOON, **values
    )


# --- Balances ----------------------------------------------------------------------------------


def test_what_the_shop_took_with_the_order_is_settled() -> None:
    invoice = invoiced(payment_status="paid")

    assert balance_of(invoice) == 0
    assert list(open_invoices()) == []


def test_an_invoice_is_paid_in_parts_and_too_much_is_owed_back() -> None:
    invoice = invoiced()

    pay(invoice, "50.00")
    assert balance_of(invoice) == 70
    pay(invoice, "80.00")

    assert balance_of(invoice) == -10
    pay(invoice, "-10.00")
    assert list(open_invoices()) == []


def test_a_credit_note_lessens_what_is_owed() -> None:
    invoice = invoiced()

    credit_invoice(invoice_id=invoice.pk, amount=D("20.00"), reason="Geste", at=NOON)

    assert balance_of(invoice) == 100


def test_an_order_that_the_shop_was_paid_for_later_settles_its_invoice_once() -> None:
    invoice = invoiced()
    put(draft("1", line("A", "120.00"), customer=FIRM, payment_method="Virement"))

    assert (settle_paid_orders(at=NOON), settle_paid_orders(at=NOON)) == (1, 0)
    assert balance_of(invoice) == 0


def test_what_was_paid_by_hand_before_is_not_settled_twice() -> None:
    invoice = invoiced()
    pay(invoice, "100.00")
    put(draft("1", line("A", "120.00"), customer=FIRM))

    settle_paid_orders(at=NOON)

    assert Payment.objects.get(reference=f"shop:{invoice.number}").amount == 20


def test_a_refund_of_the_shop_leaves_nothing_owed() -> None:
    invoice = invoiced(payment_status="paid")
    put(
        draft(
            "1",
            line("A", "120.00"),
            customer=FIRM,
            payment_status="partially_refunded",
            refunded=D("30.00"),
        )
    )

    (note,) = credit_refunds(at=NOON)

    assert balance_of(invoice) == 0
    assert Payment.objects.get(invoice=note).amount == -30


@pytest.mark.parametrize(
    "values",
    [{"reference": "VIR-1"}, {"after_payments": 0}],
    ids=["the same reference", "the same form"],
)
def test_a_payment_sent_twice_counts_once(values: dict[str, Any]) -> None:
    invoice = invoiced()
    pay(invoice, "50.00", **values)

    with pytest.raises(PaymentRefused):
        pay(invoice, "50.00", **values)
    assert balance_of(invoice) == 70


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(st.sampled_from(["pay", "credit"]), st.decimals("0.01", "40", places=2)),
        max_size=6,
    )
)
def test_the_statement_ends_with_what_the_invoices_owe(
    db: None, steps: list[tuple[str, Decimal]]
) -> None:
    number = f"S{Invoice.objects.count()}"
    buyer = FIRM._replace(ref=number, email=f"{number}@x.test")
    invoice = invoiced(number, "300.00", customer=buyer)
    for verb, amount in steps:
        if verb == "pay":
            pay(invoice, str(amount))
        else:
            credit_invoice(invoice_id=invoice.pk, amount=amount, reason="Geste", at=NOON)

    assert statement_of(invoice.customer)[-1].balance == balance_of(invoice)


def test_open_balances_are_told_by_lateness() -> None:
    invoiced("1", "10.00")
    invoiced("2", "20.00")
    pay(invoiced("3", "30.00"), "40.00")

    found = [list(ageing(open_invoices(), DUE + timedelta(days=n))) for n in (0, 1, 45, 200)]

    places = [[n for n, bucket in enumerate(buckets) if bucket.amount] for buckets in found]
    assert places == [[0], [1], [2], [4]]
    assert (found[0][0].amount, found[0][0].invoices) == (30, 2)


# --- Reminders ---------------------------------------------------------------------------------


def late(days: int) -> Any:
    return NOON + timedelta(days=30 + days)


def test_three_steps_are_sent_in_their_order_with_the_invoice() -> None:
    invoice = invoiced()

    steps = [send_reminder(invoice_id=invoice.pk, at=late(n)).step for n in (8, 22, 46)]

    assert steps == [1, 2, 3]
    assert mail.outbox[2].attachments[0][0] == f"{invoice.number}.pdf"
    assert "40 €" not in mail.outbox[0].body
    assert "40 €" in mail.outbox[1].body
    assert "Mise en demeure" in mail.outbox[2].subject
    with pytest.raises(NothingToRemind):
        send_reminder(invoice_id=invoice.pk, at=late(90))


@pytest.mark.parametrize("case", ["paid", "not due", "no address"])
def test_nobody_is_reminded_without_reason(case: str) -> None:
    invoice = invoiced()
    if case == "paid":
        pay(invoice, "120.00")
    if case == "no address":
        invoice.customer.email = ""
        invoice.customer.save()

    with pytest.raises(NothingToRemind):
        send_reminder(invoice_id=invoice.pk, at=NOON if case == "not due" else late(8))
    assert mail.outbox == []


def test_reminders_leave_by_themselves_only_where_the_firm_wants_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    invoice = invoiced()
    consumer = CustomerDraft(ref="C9", email="lea@exemple.test")
    invoiced("2", customer=consumer)
    assert reminders_due(on=DUE + timedelta(days=60)) == []
    firm = company()
    firm.sends_reminders = True
    firm.save()

    assert reminders_due(on=DUE + timedelta(days=6)) == []
    monkeypatch.setattr(clock, "now", lambda: late(7))
    remind_overdue()
    remind_overdue()

    assert [(r.invoice_id, r.step) for r in invoice.reminders.all()] == [(invoice.pk, 1)]
    assert len(mail.outbox) == 1


def test_a_reminder_that_cannot_leave_can_be_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    invoice = invoiced()

    def refuse(*_args: Any, **_options: Any) -> None:
        raise OSError("no server")

    with monkeypatch.context() as patched:
        patched.setattr("django.core.mail.EmailMessage.send", refuse)
        with pytest.raises(OSError, match="no server"):
            send_reminder(invoice_id=invoice.pk, at=late(8))

    assert send_reminder(invoice_id=invoice.pk, at=late(8)).step == 1


@pytest.mark.parametrize("bad", ["", "7", "7,21", "7,7,21", "21,7,45", "a,b,c"])
def test_days_of_reminders_are_three_and_rise(bad: str) -> None:
    validate_days("7, 21, 45")
    with pytest.raises(ValidationError):
        validate_days(bad)


# --- Pages -------------------------------------------------------------------------------------


@pytest.fixture
def sales() -> Client:
    return signed_in("Ventes")


def test_a_payment_is_noted_on_the_page_and_once(sales: Client) -> None:
    invoice = invoiced()
    page = f"/factures/{invoice.pk}/reglement/"
    assert invoice.number in sales.get("/factures/a-encaisser/").content.decode()
    sent = {"verb": "pay", "amount": "120.00", "paid_on": "2026-03-05", "method": "Virement"}

    for _twice in range(2):
        sales.post(page, sent | {"payments": "0"})
    sales.post(page, sent | {"amount": "-3"})

    assert Payment.objects.get().paid_at.date() == date(2026, 3, 5)
    assert "Tout est réglé" in sales.get("/factures/a-encaisser/").content.decode()


def test_a_reminder_is_sent_from_the_page(sales: Client) -> None:
    invoice = invoiced()
    page = f"/factures/{invoice.pk}/reglement/"

    assert "Envoyer un rappel" in sales.get(page).content.decode()
    sales.post(page, {"verb": "remind"})

    assert "Envoyer une relance" in sales.get(page).content.decode()


def test_the_statement_is_a_pdf(sales: Client) -> None:
    invoice = invoiced()

    answer = sales.get(f"/clients/{invoice.customer_id}/releve.pdf")

    assert b"".join(answer.streaming_content).startswith(b"%PDF")


def test_the_accountant_sees_but_notes_nothing() -> None:
    invoice = invoiced()
    accountant = signed_in("Comptable")

    assert accountant.get(f"/factures/{invoice.pk}/reglement/").status_code == 200
    answer = accountant.post(f"/factures/{invoice.pk}/reglement/", {"verb": "remind"})
    assert answer.status_code == 404


def test_the_list_costs_the_same_whatever_is_owed(
    sales: Client, django_assert_max_num_queries: Any
) -> None:
    for n in range(8):
        invoiced(str(n))

    with django_assert_max_num_queries(20):
        assert sales.get("/factures/a-encaisser/").status_code == 200
