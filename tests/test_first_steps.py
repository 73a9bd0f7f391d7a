"""A new firm is led through its first steps; what is done is told by the data."""

from typing import Any

import pytest

from accounting_export.services import export_new
from inventory.models import Product
from invoicing.services import issue_invoice
from sphinx.core.models import AuditEvent, Shop
from sphinx.core.services import company
from sphinx.dashboard.first_steps import first_steps, set_first_steps
from suppliers.models import Supplier
from tests.factories import NOON, FeedFactory, line, shipped
from tests.test_search import user
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db


def done(owner: Any) -> list[bool]:
    found = first_steps(owner)
    return [step.is_done for step in found.steps] if found else []


def test_each_step_is_done_when_its_data_is_there() -> None:
    owner = user("Gérant")
    assert done(owner) == [False] * 7
    firm = company()
    firm.name, firm.siren, firm.address1 = "Maison Sphinx", "404833048", "1 rue du Port"
    firm.postcode, firm.city = "33000", "Bordeaux"
    firm.save()
    assert done(owner) == [True] + [False] * 6
    Supplier.objects.create(code="F1", name="Cirerie")
    assert done(owner) == [True, False, False, True, False, False, False]
    note = shipped("W1", line("A", "12.00"))
    assert Shop.objects.exists()
    assert Product.objects.exists()
    assert done(owner) == [True, True, True, True, False, False, False]
    FeedFactory(shop=note.order.shop)
    issue_invoice(delivery_note_id=note.pk, at=NOON)
    export_new(format_code="csv")
    assert done(owner) == [True] * 5 + [False, True]
    firm.logo = b"\x89PNG"
    firm.save()
    assert first_steps(owner) is None


def test_the_home_page_leads_to_the_next_one_and_can_be_told_to_stop() -> None:
    client = signed_in("Gérant")
    page = client.get("/").content.decode()
    assert "0 sur 7" in page
    assert "Continuer : Votre société" in page

    page = client.post("/premiers-pas/cacher/", follow=True).content.decode()

    assert "Premiers pas" not in page
    assert AuditEvent.objects.filter(kind="firm.first_steps").count() == 1
    set_first_steps(are_hidden=False)
    assert "Premiers pas" in client.get("/").content.decode()


def test_every_step_leads_to_a_page_that_opens() -> None:
    client = signed_in("Gérant")
    found = first_steps(user("Gérant"))
    assert found is not None
    assert {client.get(step.url).status_code for step in found.steps} == {200}


@pytest.mark.parametrize("role", ["Ventes", "Entrepôt", "Achats", "Comptable", "Exploitant"])
def test_who_cannot_take_them_is_not_asked_to(role: str) -> None:
    client = signed_in(role)
    assert "Premiers pas" not in client.get("/").content.decode()
    assert client.post("/premiers-pas/cacher/").status_code == 403
