"""One real browser: log in, open an order, get its invoice; by mouse, by keyboard, on a phone."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accounting_export.services import post_invoice
from invoicing.services import issue_invoice
from sphinx.core import clock
from tests.factories import line, shipped

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_log_in_open_an_order_download_its_invoice(
    logged_in: Page, live_server: Any, errors: list[str], tmp_path: Path
) -> None:
    note = shipped("W1001", line("A", "12.00"))
    invoice = issue_invoice(delivery_note_id=note.pk, at=clock.now())
    post_invoice(invoice_id=invoice.pk)

    logged_in.goto(f"{live_server.url}/")
    logged_in.get_by_role("link", name="W1001").click()
    expect(logged_in.get_by_role("link", name="VE000001")).to_be_visible()
    with logged_in.expect_download() as download:
        logged_in.get_by_role("listitem").filter(has_text=invoice.number).get_by_role(
            "link", name="PDF"
        ).click()

    saved = tmp_path / "facture.pdf"
    download.value.save_as(saved)
    assert saved.read_bytes().startswith(b"%PDF")
    assert download.value.suggested_filename == f"{invoice.number}.pdf"
    assert errors == []


def test_an_order_is_prepared_shipped_and_invoiced_from_its_page(
    logged_in: Page, live_server: Any
) -> None:
    from inventory.models import Product
    from tests.factories import ProductFactory, placed

    ProductFactory(sku="B", on_hand=3)
    order = placed("W2001", line("B"))
    logged_in.goto(f"{live_server.url}/admin/sales/order/{order.pk}/change/")

    for button in ("Préparer la livraison", "Expédier", "Facturer"):
        logged_in.get_by_role("button", name=button).click()
        expect(logged_in.get_by_text("C'est fait.")).to_be_visible()

    expect(logged_in.get_by_role("link", name="FA2026-000001", exact=True)).to_be_visible()
    assert Product.objects.get().positions.get().on_hand == 2


@pytest.mark.parametrize("width", [1440, 390])
def test_pages_fit_the_screen(logged_in: Page, live_server: Any, width: int) -> None:
    note = shipped("W1001", line("A", "12.00"))
    order = f"/admin/sales/order/{note.order_id}/change/"
    logged_in.set_viewport_size({"width": width, "height": 900})

    for path in (
        "/",
        "/comptabilite/export/",
        "/passerelle/deposer/",
        "/admin/sales/order/",
        order,
    ):
        logged_in.goto(f"{live_server.url}{path}")
        overflow = logged_in.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert overflow <= 0, path


def test_everything_is_found_from_the_keyboard(logged_in: Page, live_server: Any) -> None:
    note = shipped("W1001", line("A", "12.00"))
    logged_in.goto(f"{live_server.url}/")

    logged_in.keyboard.press("Control+k")
    logged_in.locator("#search-input-command").press_sequentially("w1001")
    expect(logged_in.locator("#command-results-list")).to_contain_text("Commande · ")
    logged_in.keyboard.press("ArrowDown")
    logged_in.keyboard.press("Enter")

    logged_in.wait_for_url(f"**/admin/sales/order/{note.order_id}/change/")
