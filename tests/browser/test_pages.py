"""One real browser: log in, open an order, get its invoice; by mouse, by keyboard, on a phone."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from playwright.sync_api import Browser, Page, expect

from accounting_export.services import post_invoice
from invoicing.services import issue_invoice
from sphinx.core import clock
from sphinx.dashboard.roles import ensure_roles
from tests.factories import line, shipped

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "un-mot-de-passe-de-test"
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    return {
        "executable_path": "/usr/bin/chromium",
        "args": [
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ],
    }


@pytest.fixture
def owner() -> User:
    ensure_roles()
    user = User.objects.create_user("gerant", "g@exemple.test", PASSWORD, is_staff=True)
    user.groups.add(Group.objects.get(name="Gérant"))
    return user


@pytest.fixture
def errors() -> list[str]:
    """What the page complained of in its console."""
    return []


@pytest.fixture
def page(browser: Browser, errors: list[str], live_server: Any) -> Iterator[Page]:
    context = browser.new_context(locale="fr-FR", accept_downloads=True)
    page = context.new_page()
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    yield page
    context.close()


def log_in(page: Page, live_server: Any) -> None:
    page.goto(f"{live_server.url}/")
    page.get_by_label("Identifiant").fill("gerant")
    page.get_by_label("Mot de passe", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Ce qui attend une main")).to_be_visible()


@pytest.mark.usefixtures("owner")
def test_log_in_open_an_order_download_its_invoice(
    page: Page, live_server: Any, errors: list[str], tmp_path: Path
) -> None:
    note = shipped("W1001", line("A", "12.00"))
    invoice = issue_invoice(delivery_note_id=note.pk, at=clock.now())
    post_invoice(invoice_id=invoice.pk)
    log_in(page, live_server)

    page.get_by_role("link", name="W1001").click()
    expect(page.get_by_role("link", name="VE000001")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("listitem").filter(has_text=invoice.number).get_by_role(
            "link", name="PDF"
        ).click()

    saved = tmp_path / "facture.pdf"
    download.value.save_as(saved)
    assert saved.read_bytes().startswith(b"%PDF")
    assert download.value.suggested_filename == f"{invoice.number}.pdf"
    assert errors == []


@pytest.mark.usefixtures("owner")
def test_an_order_is_prepared_shipped_and_invoiced_from_its_page(
    page: Page, live_server: Any
) -> None:
    from inventory.models import Product
    from tests.factories import ProductFactory, placed

    ProductFactory(sku="B", on_hand=3)
    order = placed("W2001", line("B"))
    log_in(page, live_server)
    page.goto(f"{live_server.url}/admin/sales/order/{order.pk}/change/")

    for button in ("Préparer la livraison", "Expédier", "Facturer"):
        page.get_by_role("button", name=button).click()
        expect(page.get_by_text("C'est fait.")).to_be_visible()

    expect(page.get_by_role("link", name="FA2026-000001", exact=True)).to_be_visible()
    assert Product.objects.get().positions.get().on_hand == 2


@pytest.mark.usefixtures("owner")
@pytest.mark.parametrize("width", [1440, 390])
def test_pages_fit_the_screen(page: Page, live_server: Any, width: int) -> None:
    note = shipped("W1001", line("A", "12.00"))
    order = f"/admin/sales/order/{note.order_id}/change/"
    page.set_viewport_size({"width": width, "height": 900})
    log_in(page, live_server)

    for path in (
        "/",
        "/comptabilite/export/",
        "/passerelle/deposer/",
        "/admin/sales/order/",
        order,
    ):
        page.goto(f"{live_server.url}{path}")
        overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert overflow <= 0, path
