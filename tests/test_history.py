"""Every document's page says what happened to it: who, when, what."""

from typing import Any

import pytest

from inventory.services import default_warehouse, open_count
from invoicing.services import issue_invoices
from sales.models import Order
from sales.services import confirm_order
from sphinx.core.models import Shop
from sphinx.core.services import record
from tests.factories import NOON, ProductFactory, line, placed, shipped
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db


def test_an_order_says_who_confirmed_it_and_when() -> None:
    client = signed_in("Gérant")
    owner: Any = client.get("/").wsgi_request.user
    order = placed("W1", line("A"))
    Order.objects.filter(pk=order.pk).update(status="draft")
    confirm_order(order_id=order.pk, actor=owner)
    page = client.get(f"/admin/sales/order/{order.pk}/change/").content.decode()
    assert "Commande confirmée" in page
    assert "· gérant" in page


def test_what_nobody_did_was_done_by_itself() -> None:
    (invoice,) = issue_invoices(note_ids=[shipped("W1", line("A")).pk], at=NOON)
    page = signed_in("Gérant").get(f"/admin/invoicing/invoice/{invoice.pk}/change/")
    assert "Facture émise" in page.content.decode()
    assert "Sphinx, tout seul" in page.content.decode()


def test_the_history_of_another_shops_order_of_the_same_number_is_not_told_as_this_ones() -> None:
    one = placed("W1", line("A"))
    Order.objects.filter(pk=one.pk).update(status="draft")
    confirm_order(order_id=one.pk)
    other = placed("W2", line("A"))
    shop = Shop.objects.create(code="autre", name="Autre")
    Order.objects.filter(pk=other.pk).update(number="W1", shop=shop)
    page = signed_in("Gérant").get(f"/admin/sales/order/{other.pk}/change/").content.decode()
    assert "Commande confirmée" not in page


def test_a_count_has_its_history_and_a_reason_is_told() -> None:
    ProductFactory(on_hand=1)
    count = open_count(warehouse=default_warehouse(), at=NOON)
    record("stock_count.cancelled", [count], reason="<b>Erreur</b>")
    page = signed_in("Gérant").get(f"/stock/inventaires/{count.pk}/").content.decode()
    assert "Inventaire ouvert" in page
    assert "Inventaire abandonné : &lt;b&gt;Erreur" in page
