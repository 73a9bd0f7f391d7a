"""A day of the house by six log-ins: from the file that the shop drops to the journal."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from playwright.sync_api import Browser, Page, expect

from accounting_export.services import post_missing
from inventory.services import default_warehouse
from sales.models import Order
from sphinx.core.services import company
from sphinx.dashboard.roles import ensure_roles
from tests.browser.conftest import PASSWORD
from tests.factories import (
    ProductFactory,
    ReorderRuleFactory,
    ShopFactory,
    SupplierProductFactory,
)
from tests.ftp_ingest.test_feeds import CUSTOMERS, ORDERS

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
UNPAID = "2;2026-03-01 11:00:00;max@exemple.test;A;2;10.00;20;20.00\n"


@pytest.fixture
def as_role(browser: Browser, live_server: Any) -> Iterator[Callable[[str], Page]]:
    """The home page of somebody with a role, in a browser of their own."""
    ensure_roles()
    contexts = []

    def _enter(role: str) -> Page:
        user = User.objects.create_user(f"essai-{role.lower()}", password=PASSWORD, is_staff=True)
        user.groups.add(Group.objects.get(name=role))
        context = browser.new_context(locale="fr-FR", accept_downloads=True)
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{live_server.url}/")
        page.get_by_label("Identifiant").fill(user.username)
        page.get_by_label("Mot de passe", exact=True).fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Ce qui attend une main")).to_be_visible()
        return page

    yield _enter
    for context in contexts:
        context.close()


@pytest.fixture
def house() -> None:
    """A firm with a shop, a product, its supplier and a level at which it is bought again."""
    firm = company()
    firm.name, firm.siren, firm.vat_number = "Maison Sphinx", "404833048", "FR83404833048"
    firm.address1, firm.postcode, firm.city = "1 rue du Port", "33000", "Bordeaux"
    firm.save()
    ShopFactory(code="web", name="Boutique")
    product = ProductFactory(sku="A", label="Bougie", on_hand=4, unit_cost=3)
    ReorderRuleFactory(product=product, warehouse=default_warehouse(), minimum=5, maximum=20)
    SupplierProductFactory(product=product, price="3.00")


def bring_files(operator: Page, folder: Path) -> None:
    orders, customers = folder / "orders.csv", folder / "customers.csv"
    header, row = ORDERS.splitlines()
    orders.write_text(f"{header};status\n{row};paid\n{UNPAID.strip()};pending\n")
    customers.write_text(CUSTOMERS)
    operator.get_by_role("link", name="Déposer des fichiers").click()
    operator.locator("#id_shop").select_option(label="Boutique")
    operator.locator("#id_customers").set_input_files(customers)
    operator.locator("#id_orders").set_input_files(orders)
    operator.get_by_role("button", name="Lire les fichiers").click()
    expect(operator.get_by_text("Commandes : 2 créées")).to_be_visible()


def confirm_what_waits(sales: Page) -> None:
    sales.get_by_role("link", name="Commandes à confirmer").click()
    expect(sales.locator("#result_list tbody tr")).to_have_count(1)
    sales.get_by_role("link", name="2", exact=True).click()
    sales.get_by_role("button", name="Confirmer").click()
    expect(sales.get_by_text("C'est fait.")).to_be_visible()


def buy_again(buyer: Page, url: str) -> None:
    buyer.goto(f"{url}/admin/purchasing/purchaseorder/")
    buyer.get_by_role("button", name="Recalculer les besoins").click()
    buyer.locator("#result_list tbody tr").get_by_role("link").first.click()
    buyer.get_by_role("button", name="Accepter").click()
    expect(buyer.get_by_text("attendu").first).to_be_visible()


def pack_and_ship(warehouse: Page, url: str) -> None:
    warehouse.get_by_role("link", name="Commandes à préparer").click()
    warehouse.get_by_role("button", name="Préparer ces 2 commandes").click()
    for pieces in (1, 2):
        warehouse.goto(f"{url}/livraisons/")
        warehouse.get_by_role("link", name="Contrôler", exact=True).first.click()
        expect(warehouse.get_by_role("heading", name="Colis BL")).to_be_visible()
        for _piece in range(pieces):
            warehouse.locator("#code").fill("A")
            warehouse.keyboard.press("Enter")
        expect(warehouse.get_by_text("Le colis est complet")).to_be_visible()
        expect(warehouse.get_by_label("Dans le colis : A")).to_have_value(str(pieces))
        warehouse.get_by_role("button", name="Expédier", exact=True).click()
        expect(warehouse.get_by_text("le stock est sorti")).to_be_visible()


def invoice_all(owner: Page, url: str) -> None:
    owner.get_by_role("link", name="Bons à facturer").click()
    owner.get_by_role("button", name="Facturer tout ce qui est parti").click()
    expect(owner.get_by_text("2 factures émises.")).to_be_visible()
    owner.goto(f"{url}/statistiques/")
    expect(owner.get_by_text("25,00 €").first).to_be_visible()


def take_the_journal(accountant: Page, folder: Path) -> str:
    accountant.get_by_role("link", name="Espace comptable").click()
    accountant.get_by_role("button", name="Préparer l'envoi").click()
    with accountant.expect_download() as download:
        accountant.get_by_role("link", name="EX000001").first.click()
    saved = folder / "journal.txt"
    download.value.save_as(saved)
    return saved.read_text()


@pytest.mark.usefixtures("house")
def test_from_the_file_to_the_journal_by_six_people(
    as_role: Callable[[str], Page], live_server: Any, tmp_path: Path
) -> None:
    bring_files(as_role("Exploitant"), tmp_path)
    confirm_what_waits(as_role("Ventes"))
    buy_again(as_role("Achats"), live_server.url)
    pack_and_ship(as_role("Entrepôt"), live_server.url)
    assert Order.objects.filter(status="delivered").count() == 2
    invoice_all(as_role("Gérant"), live_server.url)
    # What a worker does within the minute.
    post_missing()
    journal = take_the_journal(as_role("Comptable"), tmp_path)
    assert "FA2026-000001" in journal
    assert "FA2026-000002" in journal
