"""Personal data: told whole, forgotten but for the books, never while something is under way."""

import json
from typing import Any

import pytest
from django.test import Client

from accounting_export.services import post_missing
from customers.models import Customer, CustomerAddress
from invoicing.models import Invoice
from invoicing.services import issue_invoice
from sales.models import Order
from sales.services import cancel_order
from sphinx.core.errors import BusinessRuleError
from sphinx.core.models import AuditEvent
from sphinx.core.privacy import forget, holdings, refusals, told
from sphinx.core.proofs import run_proofs
from tests.factories import NOON, CustomerFactory, line, placed, shipped
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def buyer() -> Customer:
    """Somebody with an invoiced and paid order, and a cancelled one."""
    issue_invoice(delivery_note_id=shipped("1", line("A")).pk, at=NOON)
    customer = Order.objects.get().customer
    other = placed("2", line("A"))
    Order.objects.filter(pk=other.pk).update(customer=customer)
    cancel_order(order_id=other.pk, at=NOON)
    Customer.objects.filter(pk=customer.pk).update(
        first_name="Léa", last_name="Martin", email="lea@exemple.test", phone="0612345678"
    )
    CustomerAddress.objects.get_or_create(
        customer=customer, use="billing", defaults={"address1": "1 rue des Lilas"}
    )
    return Customer.objects.get(pk=customer.pk)


def test_everything_held_of_a_customer_is_told(buyer: Customer) -> None:
    said = told(buyer.pk)
    assert said["customer"][0]["email"] == "lea@exemple.test"
    assert {o["number"] for o in said["orders"]} == {"1", "2"}
    assert len(said["invoices"]) == 1
    assert said.keys() == {h.name for h in holdings() if h.tell}


def test_what_the_law_does_not_keep_is_forgotten_and_the_books_stay(buyer: Customer) -> None:
    post_missing()
    before = list(Invoice.objects.values_list("number", "customer_name", "total_incl_tax"))
    forget(buyer.pk)

    buyer.refresh_from_db()
    assert (buyer.first_name, buyer.last_name, buyer.email, buyer.phone) == ("", "", "", "")
    assert not buyer.accepts_marketing
    assert not Customer.history.filter(id=buyer.pk).exists()
    assert not CustomerAddress.objects.filter(customer=buyer).exists()
    for order in Order.objects.filter(customer=buyer):
        assert (order.billing_name, order.shipping_address1, order.note) == ("", "", "")
    assert list(Invoice.objects.values_list("number", "customer_name", "total_incl_tax")) == before
    assert [p.name for p in run_proofs() if not p.ok] == []


def test_forgetting_twice_is_once_and_says_so_in_the_audit_trail_without_a_name(
    buyer: Customer,
) -> None:
    forget(buyer.pk)
    forget(buyer.pk)
    events = AuditEvent.objects.filter(kind="customer.forgotten")
    assert events.count() == 2
    assert "Martin" not in json.dumps([e.details for e in events])


def test_an_order_under_way_is_delivered_first(buyer: Customer) -> None:
    order = placed("3", line("A"))
    Order.objects.filter(pk=order.pk).update(customer=buyer)
    with pytest.raises(BusinessRuleError, match="Commandes en cours : 3"):
        forget(buyer.pk)
    buyer.refresh_from_db()
    assert buyer.email == "lea@exemple.test"


def test_an_order_that_comes_in_meanwhile_keeps_where_it_goes(
    buyer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = placed("3", line("A"))
    Order.objects.filter(pk=order.pk).update(customer=buyer, shipping_city="Nantes")
    # Nothing stood against it a moment ago.
    monkeypatch.setattr("sphinx.core.privacy.refusals", lambda _customer: [])
    forget(buyer.pk)
    order.refresh_from_db()
    assert order.shipping_city == "Nantes"


def test_an_unpaid_invoice_is_settled_first(buyer: Customer) -> None:
    unpaid = issue_invoice(
        delivery_note_id=shipped("4", line("A"), payment_status="unpaid").pk, at=NOON
    )
    Order.objects.filter(number="4").update(customer=buyer)
    assert refusals(unpaid.customer_id) == [f"Factures à régler : {unpaid.number}."]


def test_those_merged_into_the_customer_are_forgotten_too(buyer: Customer) -> None:
    twin = CustomerFactory(email="l@exemple.test", merged_into=buyer)
    forget(buyer.pk)
    twin.refresh_from_db()
    assert twin.email == ""


def test_the_owner_downloads_and_erases_from_the_page(buyer: Customer) -> None:
    owner = signed_in("Gérant")
    url = f"/confidentialite/clients/{buyer.pk}/"
    shown = owner.get(url).content.decode()
    assert shown.count(">effacées<") == sum(h.is_forgotten for h in holdings() if h.tell) == 4
    assert shown.count("gardées, la loi le veut") == 4
    data: Any = json.loads(owner.get(f"{url}donnees.json").content)
    assert data["customer"][0]["last_name"] == "Martin"

    owner.post(f"{url}effacer/")
    buyer.refresh_from_db()
    assert buyer.last_name == "Martin"
    owner.post(f"{url}effacer/", {"sure": "1"})
    buyer.refresh_from_db()
    assert buyer.last_name == ""


def test_the_register_names_each_holding_with_its_ground_and_period() -> None:
    shown = signed_in("Gérant").get("/confidentialite/").content.decode()
    for words in ("Factures et avoirs", "art. L123-22", "Fichiers reçus des boutiques"):
        assert words in shown


@pytest.mark.parametrize("role", ["Ventes", "Comptable", "Cabinet comptable", "Exploitant"])
def test_only_the_owner_answers_such_requests(role: str, buyer: Customer) -> None:
    client: Client = signed_in(role)
    url = f"/confidentialite/clients/{buyer.pk}/"
    assert client.get(url).status_code == 403
    assert client.get(f"{url}donnees.json").status_code == 403
    assert client.post(f"{url}effacer/", {"sure": "1"}).status_code == 403
