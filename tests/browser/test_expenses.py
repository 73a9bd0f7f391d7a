"""A supplier's expense entered by keyboard, on a wide screen and on a phone."""

import pytest
from playwright.sync_api import Page, expect

from purchasing.models import SupplierInvoice
from tests.factories import SupplierFactory
from tests.purchasing.test_expenses import entered, fibre, received, sample

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 800)])
def test_an_expense_is_entered_by_keyboard_without_scrolling_aside(
    logged_in: Page, live_server: object, errors: list[str], width: int, height: int
) -> None:
    SupplierFactory(name="Cirier du Nord", siren="404833048")
    entered(fibre("F-1"), "62610000")
    found = received(sample("exp"))
    logged_in.set_viewport_size({"width": width, "height": height})
    logged_in.goto(f"{live_server.url}/achats/factures/recues/{found.pk}/")  # type: ignore[attr-defined]

    expect(logged_in.get_by_text("comme le 3 novembre")).to_be_visible()
    assert logged_in.evaluate("document.documentElement.scrollWidth") == width
    logged_in.get_by_label("Compte de Abonnement fibre").focus()
    for _step in range(2):
        logged_in.keyboard.press("Tab")
    expect(logged_in.get_by_role("button", name="Enregistrer")).to_be_focused()
    logged_in.keyboard.press("Enter")

    expect(logged_in.get_by_role("heading", name="Facture F-EXP")).to_be_visible()
    made = SupplierInvoice.objects.get(supplier_number="F-EXP")
    assert made.expenses.get().account == "62610000"
    assert errors == []
