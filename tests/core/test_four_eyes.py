"""Money given back and suppliers' accounts: asked for by one person, agreed to by another."""

from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import IntegrityError, transaction
from django.test import Client

from invoicing.models import Invoice, Payment
from invoicing.services import enter_payment, issue_invoice
from sphinx.core import clock
from sphinx.core.errors import BusinessRuleError, ConflictError, SphinxError
from sphinx.core.four_eyes import agree, decline
from sphinx.core.models import Approval, AuditEvent, Company
from sphinx.core.services import company
from sphinx.dashboard.roles import ensure_roles
from suppliers.models import Supplier
from tests.factories import NOON, SupplierFactory, line, shipped
from tests.support.threads import together

pytestmark = pytest.mark.django_db
IBAN = "FR7630006000011234567890189"


def person(name: str, role: str = "Gérant") -> User:
    ensure_roles()
    made = User.objects.create_user(name, is_staff=True)
    made.groups.set(Group.objects.filter(name=role))
    return made


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def wanted() -> None:
    """The firm wants two people for both."""
    company()
    Company.objects.update(second_for_refunds=True, second_for_bank_details=True)


def paid_invoice() -> Invoice:
    invoice = issue_invoice(delivery_note_id=shipped("1", line("A")).pk, at=NOON)
    enter_payment(invoice_id=invoice.pk, amount=Decimal(10), method="virement", paid_at=NOON)
    return invoice


def give_back(client: Client, invoice: Invoice) -> None:
    answer = client.post(
        f"/factures/{invoice.pk}/reglement/",
        {
            "verb": "pay", "amount": "4.00", "method": "virement", "paid_on": "2026-03-03",
            "reference": "", "is_refund": "on", "payments": invoice.payments.count(),
        },
    )  # fmt: skip
    assert answer.status_code == 302


def given_back(invoice: Invoice) -> list[Decimal]:
    return list(invoice.payments.filter(amount__lt=0).values_list("amount", flat=True))


@pytest.mark.usefixtures("wanted")
def test_money_goes_back_once_another_person_agrees() -> None:
    invoice, lea, paul = paid_invoice(), person("lea"), person("paul")
    give_back(signed_in(lea), invoice)
    asked = Approval.objects.get()
    assert given_back(invoice) == []

    with pytest.raises(BusinessRuleError, match="une autre personne"):
        agree(asked.pk, actor=lea)
    agree(asked.pk, actor=paul)

    assert given_back(invoice) == [Decimal("-4.00")]
    kinds = list(
        AuditEvent.objects.filter(kind__startswith="approval.").values_list("kind", "actor")
    )
    assert sorted(kinds) == [("approval.agreed", paul.pk), ("approval.asked", lea.pk)]


def test_a_firm_that_asks_for_nobody_gives_back_at_once() -> None:
    invoice = paid_invoice()

    give_back(signed_in(person("lea")), invoice)

    assert given_back(invoice) == [Decimal("-4.00")]
    assert not Approval.objects.exists()


@pytest.mark.usefixtures("wanted")
def test_asked_twice_it_is_one_request() -> None:
    invoice, client = paid_invoice(), signed_in(person("lea"))

    give_back(client, invoice)
    give_back(client, invoice)

    assert Approval.objects.count() == 1


@pytest.mark.usefixtures("wanted")
def test_what_is_decided_is_decided_once() -> None:
    invoice, lea, paul = paid_invoice(), person("lea"), person("paul")
    give_back(signed_in(lea), invoice)
    asked = Approval.objects.get()
    decline(asked.pk, actor=lea)

    with pytest.raises(ConflictError):
        agree(asked.pk, actor=paul)

    assert given_back(invoice) == []


@pytest.mark.usefixtures("wanted")
def test_what_the_books_refuse_waits_on() -> None:
    """Somebody was paid meanwhile: the request speaks of another state."""
    invoice, lea, paul = paid_invoice(), person("lea"), person("paul")
    give_back(signed_in(lea), invoice)
    enter_payment(invoice_id=invoice.pk, amount=Decimal(1), method="x", paid_at=clock.now())

    with pytest.raises(SphinxError, match="vient d'être noté"):
        agree(Approval.objects.get().pk, actor=paul)

    assert Approval.objects.get().status == Approval.Status.WAITING


@pytest.mark.usefixtures("wanted")
def test_a_credit_note_too() -> None:
    invoice, lea, paul = paid_invoice(), person("lea"), person("paul")
    row = invoice.lines.first()
    assert row is not None
    form = {f"q{row.pk}": "1", "reason": "Retour", "credits": "0"}
    signed_in(lea).post(f"/factures/{invoice.pk}/avoir/", form)
    signed_in(lea).post(
        "/admin/invoicing/invoice/", {"action": "credit", "_selected_action": [invoice.pk]}
    )
    assert not invoice.credit_notes.exists()
    assert Approval.objects.count() == 2

    asked = Approval.objects.get(matter="invoicing.credit_lines")
    agree(asked.pk, actor=paul)

    assert invoice.credit_notes.count() == 1


def opened(client: Client, supplier: Supplier) -> dict[str, Any]:
    """The supplier's form as a browser holds it."""
    page = client.get(f"/admin/suppliers/supplier/{supplier.pk}/change/")
    form = page.context["adminform"].form
    shown = {b.html_name: b.value() for b in form}
    hidden = {b.html_initial_name: b.initial for b in form if b.field.show_hidden_initial}
    assert all(f'name="{name}"' in page.content.decode() for name in {**shown, **hidden})
    rows = {
        f"{inline.formset.prefix}-{count}_FORMS": 0
        for inline in page.context["inline_admin_formsets"]
        for count in ("TOTAL", "INITIAL")
    }
    return {k: v for k, v in {**shown, **hidden, **rows}.items() if v is not None}


def save(client: Client, supplier: Supplier, form: dict[str, Any], **typed: str) -> None:
    values = {**form, "is_active": "on", **typed}
    assert (
        client.post(f"/admin/suppliers/supplier/{supplier.pk}/change/", values).status_code == 302
    )


def change_iban(client: Client, supplier: Supplier, iban: str) -> None:
    save(client, supplier, opened(client, supplier), name="Nouveau nom", iban=iban)


@pytest.mark.usefixtures("wanted")
def test_a_suppliers_account_changes_once_another_person_agrees() -> None:
    supplier, lea = SupplierFactory(), person("lea", "Achats")

    change_iban(signed_in(lea), supplier, IBAN)
    supplier.refresh_from_db()
    assert (supplier.name, supplier.iban) == ("Nouveau nom", "")
    agree(Approval.objects.get().pk, actor=person("paul", "Achats"))

    supplier.refresh_from_db()
    assert supplier.iban == IBAN
    assert AuditEvent.objects.get(kind="supplier.bank_details").details["after"] == "0189"


def test_without_it_the_account_changes_at_once_and_leaves_a_trace() -> None:
    supplier = SupplierFactory()

    change_iban(signed_in(person("lea", "Achats")), supplier, IBAN)

    supplier.refresh_from_db()
    assert supplier.iban == IBAN
    assert AuditEvent.objects.filter(kind="supplier.bank_details").exists()


def test_a_form_opened_before_the_account_changed_does_not_set_the_old_one_back() -> None:
    supplier, late = SupplierFactory(), signed_in(person("paul", "Achats"))
    open_since_morning = opened(late, supplier)
    change_iban(signed_in(person("lea", "Achats")), supplier, IBAN)

    save(late, supplier, open_since_morning, city="Nantes")

    supplier.refresh_from_db()
    assert (supplier.iban, supplier.city) == (IBAN, "Nantes")
    assert AuditEvent.objects.filter(kind="supplier.bank_details").count() == 1


@pytest.mark.usefixtures("wanted")
def test_a_form_that_claims_the_account_was_shown_changes_nothing_unseen() -> None:
    supplier, lea = SupplierFactory(), signed_in(person("lea", "Achats"))
    forged = {**opened(lea, supplier), "initial-iban": IBAN}

    save(lea, supplier, forged, iban=IBAN)

    supplier.refresh_from_db()
    assert supplier.iban == ""


@pytest.mark.usefixtures("wanted")
def test_each_sees_and_decides_what_is_of_their_role() -> None:
    invoice, lea = paid_invoice(), person("lea")
    give_back(signed_in(lea), invoice)
    change_iban(signed_in(lea), SupplierFactory(), IBAN)
    buyer = person("paul", "Achats")
    url = "/admin/core/approval/"

    page = signed_in(buyer).get(url).content.decode()
    assert "compte" in page
    assert invoice.number not in page
    with pytest.raises(BusinessRuleError, match="rôle"):
        agree(Approval.objects.get(matter="invoicing.give_back").pk, actor=buyer)
    pk = Approval.objects.get(matter="suppliers.bank_details").pk
    signed_in(buyer).post(url, {"action": "agree", "_selected_action": [pk]})

    assert Supplier.objects.exclude(iban="").count() == 1


@pytest.mark.usefixtures("wanted")
def test_who_switches_it_off_is_in_the_trail() -> None:
    owner = person("lea")
    client, url = signed_in(owner), "/admin/core/company/1/change/"
    form = client.get(url).context["adminform"].form
    values = {name: value for name, value in form.initial.items() if value not in (None, False)}

    answer = client.post(url, {**values, "second_for_refunds": ""})

    assert answer.status_code == 302
    event = AuditEvent.objects.get(kind="firm.changed")
    assert event.actor == owner
    assert "second_for_refunds" in event.details["settings"]


@pytest.mark.usefixtures("wanted")
def test_the_database_refuses_an_agreement_with_oneself() -> None:
    invoice, lea = paid_invoice(), person("lea")
    give_back(signed_in(lea), invoice)

    with pytest.raises(IntegrityError), transaction.atomic():
        Approval.objects.update(status="agreed", decided_by=lea)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_who_agree_at_once_give_back_once() -> None:
    company()
    Company.objects.update(second_for_refunds=True)
    invoice = paid_invoice()
    give_back(signed_in(person("lea")), invoice)
    pk = Approval.objects.get().pk
    hands = [partial(agree, pk, actor=person(f"p{n}")) for n in range(4)]

    refused = together(hands)

    assert Payment.objects.filter(amount__lt=0).count() == 1
    assert [type(error) for error in refused] == [ConflictError] * 3
