"""Stock and purchasing in a real browser: by scanner, by keyboard, on a phone."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import Group, User
from playwright.sync_api import Page, expect

from accounting_export.services import export_new, post_missing
from inventory.models import Product, StockMove, StockPosition
from inventory.services import (
    Entry,
    Placed,
    default_warehouse,
    open_count,
    put_away,
    receive_stock,
    set_walk,
)
from invoicing.models import BankLine, EInvoiceState, Invoice, SalesReport
from invoicing.selectors import platform_settings
from invoicing.services import import_payouts, issue_invoice
from purchasing.models import PurchaseOrder, PurchaseOrderLine, Receipt
from purchasing.services import accept_proposal, propose_orders, receive_goods
from sales.services import (
    Offered,
    Terms,
    announce_return,
    prepare_delivery,
    send_quote,
    start_quote,
    write_quote,
)
from sphinx.core import clock
from sphinx.core.dead_letters import set_aside
from sphinx.core.four_eyes import submit
from sphinx.core.jobs import start_job
from sphinx.core.models import Company
from sphinx.core.services import company
from sphinx.dashboard import rollups
from sphinx.dashboard.cohorts import measure_cohorts
from sphinx.dashboard.stock_health import measure_stock
from suppliers.models import SupplierPrice
from suppliers.services import receive_price_list
from tests.factories import (
    NOON,
    ProductFactory,
    ReorderRuleFactory,
    SupplierProductFactory,
    line,
    placed,
    shipped,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
CODE = "3760001234567"
# The package's scrolling boxes share one name.
LEFT = {"landmark-unique"}


@pytest.fixture
def proposal() -> PurchaseOrder:
    """Sixteen pieces of A, of which four are left."""
    product = ProductFactory(sku="A", on_hand=4, barcode=CODE)
    ReorderRuleFactory(product=product, minimum=5, maximum=20)
    SupplierProductFactory(product=product, price="3.00", supplier_sku="C-9")
    (order,) = propose_orders(on=clock.today()).orders
    return order


def scan(page: Page, code: str = CODE) -> None:
    """What a scanner does: it types the code and presses Enter where the cursor stands."""
    expect(page.locator("#code")).to_be_focused()
    page.keyboard.type(code)
    page.keyboard.press("Enter")


def tab_to(page: Page, name: str) -> None:
    """Press Tab until the control called `name` has the focus."""
    for _press in range(120):
        page.keyboard.press("Tab")
        if page.evaluate(
            "(n) => { const e = document.activeElement;"
            " return (e.ariaLabel || e.innerText || '').trim() === n }",
            name,
        ):
            return
    raise AssertionError(f"{name} is out of reach of the keyboard")


def test_a_count_is_made_by_scanner_alone(
    logged_in: Page, live_server: Any, errors: list[str]
) -> None:
    product = ProductFactory(on_hand=3, barcode=CODE)
    count = open_count(warehouse=default_warehouse(), at=NOON)
    logged_in.goto(f"{live_server.url}/stock/inventaires/{count.pk}/")

    # As fast as a scanner types, without waiting for the page.
    for _piece in range(5):
        scan(logged_in)
    expect(logged_in.get_by_role("status").get_by_text("5", exact=True)).to_be_visible()
    expect(logged_in.get_by_label("1 lignes comptées sur 1")).to_be_visible()

    assert count.lines.get(product=product).counted == 5
    assert errors == []


def test_a_lot_is_chosen_where_a_product_has_several(logged_in: Page, live_server: Any) -> None:
    product = ProductFactory(sku="CHEESE", barcode=CODE, tracks_lots=True)
    receive_stock(
        entries=[Entry(product.pk, Decimal(1), Decimal(4), f"BR-{n}", 1, f"L{n}") for n in (1, 2)],
        warehouse=default_warehouse(),
        at=NOON,
        kind=StockMove.Kind.RECEIPT,
        origin_kind="receipt",
    )
    count = open_count(warehouse=default_warehouse(), at=NOON)
    logged_in.goto(f"{live_server.url}/stock/inventaires/{count.pk}/")

    scan(logged_in)
    logged_in.get_by_role("button", name="L2").click()
    expect(logged_in.get_by_role("status").get_by_text("1", exact=True)).to_be_visible()

    assert count.lines.get(lot__number="L2").counted == 1


def test_goods_are_received_by_scanner_on_a_phone(
    logged_in: Page, live_server: Any, proposal: PurchaseOrder, errors: list[str]
) -> None:
    accept_proposal(order_id=proposal.pk, at=NOON)
    logged_in.set_viewport_size({"width": 390, "height": 844})
    logged_in.goto(f"{live_server.url}/achats/commandes/{proposal.pk}/recevoir/")

    for _piece in range(3):
        scan(logged_in)
    scan(logged_in, "999")
    expect(logged_in.get_by_role("alert")).to_contain_text("999")
    logged_in.get_by_role("button", name="Enregistrer la réception").click()
    expect(logged_in.get_by_text("le stock est à jour")).to_be_visible()

    assert StockPosition.objects.get().on_hand == 7
    assert errors == []


def test_a_parcel_is_packed_by_scanner_and_leaves(
    logged_in: Page, live_server: Any, errors: list[str]
) -> None:
    ProductFactory(sku="A", on_hand=9, barcode=CODE, location="A1")
    note = prepare_delivery(order_id=placed("W1", line("A", quantity="3")).pk, at=NOON)
    assert note is not None
    logged_in.goto(f"{live_server.url}/livraisons/")

    scan(logged_in, note.number)
    expect(logged_in).to_have_title(re.compile(note.number))
    for _piece in range(3):
        scan(logged_in)
    expect(logged_in.get_by_text("Le colis est complet")).to_be_visible()
    logged_in.get_by_role("button", name="Expédier", exact=True).click()
    expect(logged_in.get_by_text("le stock est sorti")).to_be_visible()

    note.refresh_from_db()
    assert note.status == "shipped"
    assert errors == []


def test_a_proposal_is_changed_and_accepted_by_keyboard(
    logged_in: Page, live_server: Any, proposal: PurchaseOrder, errors: list[str]
) -> None:
    logged_in.goto(f"{live_server.url}/achats/propositions/{proposal.pk}/")

    tab_to(logged_in, "Quantité de A")
    logged_in.keyboard.press("Control+A")
    logged_in.keyboard.type("12")
    tab_to(logged_in, "Motif pour A")
    logged_in.keyboard.type("salon")
    tab_to(logged_in, "Changer")
    logged_in.keyboard.press("Enter")
    expect(logged_in.get_by_text("le prochain calcul la garde")).to_be_visible()
    assert PurchaseOrderLine.objects.get().quantity == 12
    tab_to(logged_in, "Tout accepter")
    logged_in.keyboard.press("Enter")
    expect(logged_in.get_by_text("les pièces sont attendues")).to_be_visible()

    proposal.refresh_from_db()
    assert proposal.status == "accepted"
    assert errors == []


def test_every_line_of_a_proposal_opens_its_reasoning(
    logged_in: Page, live_server: Any, proposal: PurchaseOrder
) -> None:
    logged_in.goto(f"{live_server.url}/achats/propositions/{proposal.pk}/")

    tab_to(logged_in, "Le raisonnement")
    logged_in.keyboard.press("Enter")
    logged_in.get_by_role("link", name="Voir les ventes, le stock et la prévision").click()

    expect(logged_in.locator("canvas")).to_be_visible()


def test_a_price_list_is_brought_and_taken_over(
    logged_in: Page, live_server: Any, proposal: PurchaseOrder, tmp_path: Path, errors: list[str]
) -> None:
    path = tmp_path / "tarif.csv"
    path.write_text("Réf;Prix HT\nC-9;3,30\n", encoding="cp1252")
    logged_in.goto(f"{live_server.url}/fournisseurs/tarifs/nouveau/")

    logged_in.get_by_label("Tarif (CSV ou Excel)").set_input_files(path)
    logged_in.get_by_role("button", name="Voir ce qui changerait").click()
    expect(logged_in.get_by_text("+10,0 %").first).to_be_visible()
    logged_in.get_by_role("button", name="Appliquer ce tarif").click()
    expect(logged_in.get_by_text("Le tarif est appliqué")).to_be_visible()

    assert SupplierPrice.objects.get().unit_price_excl_tax == Decimal("3.3")
    assert errors == []


@pytest.fixture
def receipt(proposal: PurchaseOrder) -> Receipt:
    accept_proposal(order_id=proposal.pk, at=NOON)
    row = proposal.lines.get()
    found = receive_goods(order_id=proposal.pk, quantities={row.pk: Decimal(6)}, at=NOON)
    assert found is not None
    return found


def _ask_for_refund(invoice: Invoice) -> None:
    company()
    Company.objects.update(second_for_refunds=True)
    submit(
        "invoicing.credit", about=f"Avoir de {invoice.number}", invoice_id=invoice.pk,
        actor=User.objects.create_user("demandeur"), reason="Retour",
    )  # fmt: skip


def _put_some_away(product: Product) -> None:
    warehouse = default_warehouse()
    first, *_others = set_walk(warehouse=warehouse, codes=["A1", "A2"])
    put_away(warehouse=warehouse, placed=[Placed(product.pk, Decimal(1), first.pk)])


def pages(receipt: Receipt) -> list[str]:
    order = receipt.purchase_order
    product = order.lines.get().product
    count = open_count(warehouse=default_warehouse(), at=NOON)
    placed("W1", line("A"))
    note = prepare_delivery(order_id=placed("W2", line("A")).pk, at=NOON)
    assert note is not None
    unpaid = shipped("W3", line("A"), payment_status="unpaid")
    invoice = issue_invoice(delivery_note_id=unpaid.pk, at=NOON)
    import_payouts(
        name="x.csv",
        data=b"transaction date,type,order,amount,fee,net\n2026-03-02,charge,#W3,10,1,9\n",
    )
    BankLine.objects.create(key="b", booked_on=NOON.date(), amount=10, label="VIR FA2026-000001")
    price_list = receive_price_list(
        supplier=order.supplier,
        name="tarif.csv",
        data="Réf;Prix HT\nC-9;9,90\nX-1;2\nX-2;?\n".encode(),
        applies_on=clock.today(),
        at=NOON,
    )
    chosen = platform_settings()
    chosen.is_active, chosen.starts_on = True, NOON.date()
    chosen.save()
    EInvoiceState.objects.create(
        invoice=invoice, state="210", occurred_at=NOON, reason="Mauvais bon de commande"
    )
    SalesReport.objects.create(
        identifier="ER-1",
        first_on=NOON.date(),
        last_on=NOON.date(),
        made_at=NOON,
        documents=1,
        net=10,
        tax=2,
        path="x.xml",
        status="rejected",
        reason="REJ_PER",
    )
    back = unpaid.lines.get()
    returned = announce_return(note_id=unpaid.pk, quantities={back.pk: Decimal(1)}, at=NOON)
    shipped("W4", line("A"), payment_status="unpaid")
    quotes = [
        start_quote(customer_id=unpaid.order.customer_id, shop=unpaid.order.shop, at=NOON)
        for _n in range(2)
    ]
    for quote in quotes:
        offered = Offered("A", "", Decimal(2), Decimal("8.50"), Decimal(5))
        terms = Terms(valid_until=clock.today(), shipping=Decimal("4.90"))
        write_quote(quote_id=quote.pk, lines=[offered], terms=terms)
    send_quote(quote_id=quotes[0].pk, at=NOON, by_email=False)
    post_missing()
    rollups.refresh()
    measure_stock(NOON.date())
    measure_cohorts()
    export_new(format_code="fec")
    invoice.refresh_from_db()
    set_aside("sales.tasks.mail_parcel", {"note_id": note.pk}, error="OSError", place="x.py:1 f")
    _ask_for_refund(invoice)
    _put_some_away(product)
    return [
        "/stock/emplacements/",
        "/stock/emplacements/parcours/",
        "/stock/emplacements/deplacer/",
        "/stock/a-ranger/",
        "/achats/budget/",
        "/admin/core/deadletter/",
        "/admin/core/approval/",
        "/devis/",
        "/devis/nouveau/?q=lea",
        *(f"/devis/{quote.pk}/" for quote in quotes),
        "/plateforme/",
        "/factures/a-etablir/",
        "/retours/",
        f"/retours/{returned.pk}/",
        f"/factures/acompte/{note.order_id}/",
        "/factures/a-encaisser/",
        "/banque/",
        "/paiements/",
        "/achats/factures/recevoir/",
        f"/factures/{invoice.pk}/reglement/",
        f"/factures/{invoice.pk}/avoir/",
        "/livraisons/",
        "/livraisons/prelevement/",
        f"/livraisons/{note.pk}/colis/",
        "/alertes/",
        f"/achats/articles/{product.pk}/",
        f"/achats/propositions/{order.pk}/",
        f"/achats/commandes/{order.pk}/recevoir/",
        f"/achats/commandes/{order.pk}/facture/",
        f"/achats/receptions/{receipt.pk}/",
        "/achats/comparaison/",
        "/achats/fournisseurs/",
        "/fournisseurs/tarifs/nouveau/",
        f"/fournisseurs/tarifs/{price_list.pk}/",
        f"/stock/inventaires/{count.pk}/",
        "/stock/transferts/nouveau/",
        "/stock/valeur/",
        "/statistiques/?start=2026-03-01&end=2026-03-31",
        "/statistiques/clients/",
        "/statistiques/stock/",
        "/statistiques/croiser/?rows=month&columns=country&measure=ordered"
        "&start=2026-01-01&end=2026-12-31",
        "/travaux/",
        f"/travaux/{start_job('invoicing.issue', actor=None).pk}/",
        "/comptabilite/export/",
        "/comptabilite/clotures/",
        "/comptabilite/pourquoi/",
        "/comptabilite/fec/",
        "/comptabilite/tva/?du=2026-03-01&au=2026-03-31",
        "/comptabilite/tva/pieces/?du=2026-03-01&au=2026-03-31&regime=domestic",
        f"/comptabilite/ecritures/{invoice.entry.pk}/",
        "/admin/sales/order/",
        f"/admin/sales/order/{note.order_id}/change/",
        "/admin/inventory/product/",
        f"/admin/inventory/product/{product.pk}/change/",
        "/admin/inventory/product/import/",
        "/admin/inventory/product/export/",
        f"/admin/invoicing/invoice/{invoice.pk}/change/",
        "/admin/core/auditevent/",
        "/admin/auth/user/",
        "/admin/auth/user/add/",
        f"/admin/auth/group/{Group.objects.get(name='Ventes').pk}/change/",
        "/compte/2fa/",
        "/compte/sessions/",
        "/confidentialite/",
        f"/confidentialite/clients/{invoice.customer_id}/",
    ]


@pytest.mark.parametrize("width", [1440, 390])
def test_our_pages_fit_the_screen_and_every_reader(
    logged_in: Page, live_server: Any, receipt: Receipt, width: int
) -> None:
    logged_in.set_viewport_size({"width": width, "height": 900})
    wrong = []

    for path in pages(receipt):
        logged_in.goto(f"{live_server.url}{path}")
        if logged_in.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            wrong.append(f"{path}: too wide")
        found = Axe().run(logged_in).response["violations"]
        wrong += [
            f"{path}: {v['id']} {v['nodes'][0]['html'][:90]}" for v in found if v["id"] not in LEFT
        ]

    assert wrong == []
