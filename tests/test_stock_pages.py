from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from inventory.models import (
    Product,
    StockCount,
    StockMove,
    StockPosition,
    StockTransfer,
    Warehouse,
)
from inventory.services import (
    Entry,
    create_transfer,
    default_warehouse,
    open_count,
    receive_stock,
    send_transfer,
)
from purchasing.models import (
    Backtest,
    PurchaseOrder,
    PurchaseOrderLine,
    Receipt,
    ReceiptLine,
    StockPolicy,
    SupplierInvoice,
)
from purchasing.services import accept_proposal, propose_orders, receive_goods
from sales.models import OrderLine
from sphinx.core import clock
from sphinx.core.services import company
from sphinx.dashboard.alerts import mail_alerts_once, stock_alerts
from sphinx.dashboard.roles import ensure_roles
from tests.factories import (
    NOON,
    ProductFactory,
    ReorderRuleFactory,
    SupplierProductFactory,
    line,
    placed,
)

pytestmark = pytest.mark.django_db


def signed_in(role: str) -> Client:
    ensure_roles()
    user = User.objects.create_user(role.lower(), password="x" * 20, is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def owner() -> Client:
    return signed_in("Gérant")


@pytest.fixture
def proposal() -> PurchaseOrder:
    product = ProductFactory(sku="A", on_hand=4, barcode="3760001234567")
    ReorderRuleFactory(product=product, minimum=5, maximum=20)
    SupplierProductFactory(product=product, price="3.00")
    (order,) = propose_orders(on=clock.today()).orders
    return order


def test_each_code_scanned_adds_a_piece_to_the_count(owner: Client) -> None:
    product = ProductFactory(on_hand=3, barcode="3760001234567")
    count = open_count(warehouse=default_warehouse(), at=NOON)
    page = f"/stock/inventaires/{count.pk}/"

    for _scan in range(2):
        answer = owner.post(page, {"code": "3760001234567", "mode": "add"}, follow=True)

    assert answer.status_code == 200
    assert count.lines.get(product=product).counted == 2
    owner.post(f"{page}valider/")
    assert StockPosition.objects.get().on_hand == 2
    assert StockCount.objects.get().status == "posted"


def test_an_unknown_code_is_said_on_the_page(owner: Client) -> None:
    ProductFactory(on_hand=3)
    count = open_count(warehouse=default_warehouse(), at=NOON)

    answer = owner.post(f"/stock/inventaires/{count.pk}/", {"code": "999"})

    assert b"999" in answer.content


def test_a_transfer_is_typed_sent_and_received(owner: Client) -> None:
    ProductFactory(sku="A", on_hand=5)
    annex = Warehouse.objects.create(code="annexe", name="Annexe")
    typed = {"source": default_warehouse().pk, "destination": annex.pk, "lines": "a 2"}
    owner.post("/stock/transferts/nouveau/", typed)
    transfer = StockTransfer.objects.get()
    page = f"/stock/transferts/{transfer.pk}/"

    owner.post(page, {"verb": "send"})
    owner.post(page, {"verb": "receive", f"line-{transfer.lines.get().pk}": "2"})

    assert StockPosition.objects.get(warehouse=annex).on_hand == 2


@pytest.mark.parametrize("bad", ["NaN", "x", "-1", "1e99", "9"])
def test_a_wrong_arrival_of_a_transfer_moves_nothing(owner: Client, bad: str) -> None:
    product = ProductFactory(sku="A", on_hand=5)
    annex = Warehouse.objects.create(code="annexe", name="Annexe")
    found = create_transfer(
        source=default_warehouse(),
        destination=annex,
        quantities={product.pk: Decimal(2)},
        at=NOON,
    )
    send_transfer(transfer_id=found.pk, at=NOON)

    answer = owner.post(
        f"/stock/transferts/{found.pk}/",
        {"verb": "receive", f"line-{found.lines.get().pk}": bad},
        follow=True,
    )

    assert answer.status_code == 200
    assert StockPosition.objects.get(warehouse=annex).on_hand == 0


def test_a_line_of_a_proposal_is_changed_put_off_and_accepted(
    owner: Client, proposal: PurchaseOrder
) -> None:
    page, row = f"/achats/propositions/{proposal.pk}/", proposal.lines.get()
    answer = owner.get(page)
    assert "Le raisonnement" in answer.content.decode()

    owner.post(page, {"verb": f"set-{row.pk}", f"quantity-{row.pk}": "7,5"})
    assert PurchaseOrderLine.objects.get().quantity == Decimal("7.5")
    answer = owner.post(page, {"verb": f"later-{row.pk}", f"until-{row.pk}": "hier"}, follow=True)
    assert answer.status_code == 200
    owner.post(page, {"verb": "accept"})

    proposal.refresh_from_db()
    assert proposal.status == "accepted"


def test_an_accepted_order_is_changed_on_its_page(owner: Client, proposal: PurchaseOrder) -> None:
    accept_proposal(order_id=proposal.pk, at=NOON)
    page, row = f"/achats/propositions/{proposal.pk}/", proposal.lines.get()
    other = SupplierProductFactory(supplier=proposal.supplier, price="2.00").product
    typed = {"verb": "change", f"quantity-{row.pk}": "3", f"price-{row.pk}": "2,5"}

    assert "Changer la commande" in owner.get(page).content.decode()
    wrong = owner.post(page, typed | {"added": "rien-de-connu 4"}, follow=True)
    assert "rien-de-connu" in wrong.content.decode()
    owner.post(page, typed | {"added": f"{other.sku} 4"})

    proposal.refresh_from_db()
    assert proposal.total_excl_tax == Decimal("15.50")


def test_goods_are_received_by_scanner(owner: Client, proposal: PurchaseOrder) -> None:
    accept_proposal(order_id=proposal.pk, at=NOON)
    page, row = f"/achats/commandes/{proposal.pk}/recevoir/", proposal.lines.get()

    seen = owner.post(page, {"code": "3760001234567", "verb": "scan", f"q{row.pk}": "3"})
    assert f'name="q{row.pk}" value="4"' in seen.content.decode()
    owner.post(page, {"verb": "receive", f"q{row.pk}": "4"})

    assert StockPosition.objects.get().on_hand == 8


def test_a_receipt_sent_twice_is_received_once(owner: Client, proposal: PurchaseOrder) -> None:
    accept_proposal(order_id=proposal.pk, at=NOON)
    page, row = f"/achats/commandes/{proposal.pk}/recevoir/", proposal.lines.get()

    for _click in range(2):
        owner.post(page, {"verb": "receive", f"q{row.pk}": "4", "receipts": "0"})

    assert StockPosition.objects.get().on_hand == 8


def test_a_correction_sent_twice_counts_once(owner: Client) -> None:
    ProductFactory(on_hand=5)
    position = StockPosition.objects.get()
    form = {"kind": "loss", "quantity": "1", "reason": "casse", "moves": "1"}

    for _click in range(2):
        assert owner.post(f"/stock/corriger/{position.pk}/", form).status_code in (200, 302)

    assert StockPosition.objects.get().on_hand == 4


@pytest.mark.parametrize("bad", ["x", "-1", "NaN", "1e999"])
def test_a_wrong_quantity_is_a_sentence_not_an_error(
    owner: Client, proposal: PurchaseOrder, bad: str
) -> None:
    accept_proposal(order_id=proposal.pk, at=NOON)
    row = proposal.lines.get()

    answer = owner.post(
        f"/achats/commandes/{proposal.pk}/recevoir/", {"verb": "receive", f"q{row.pk}": bad}
    )

    assert answer.status_code == 200
    assert StockPosition.objects.get().on_hand == 4


def test_every_page_opens(owner: Client, proposal: PurchaseOrder) -> None:
    product = proposal.lines.get().product
    position = StockPosition.objects.get()
    for page in (
        f"/achats/articles/{product.pk}/",
        f"/achats/articles/{product.pk}/?ligne={proposal.lines.get().pk}",
        f"/achats/commandes/{proposal.pk}.pdf",
        f"/achats/commandes/{proposal.pk}.csv",
        f"/achats/commandes/{proposal.pk}/facture/",
        "/achats/commandes/nouvelle/",
        "/achats/comparaison/",
        "/achats/fournisseurs/",
        "/alertes/",
        "/stock/inventaires/nouveau/",
        "/stock/transferts/nouveau/",
        f"/stock/corriger/{position.pk}/",
        "/stock/valeur/?au=2026-03-02",
        "/stock/valeur.csv",
    ):
        assert owner.get(page).status_code == 200, page


def test_the_accountant_neither_buys_nor_counts(proposal: PurchaseOrder) -> None:
    client = signed_in("Comptable")

    for page in (
        f"/achats/propositions/{proposal.pk}/",
        f"/achats/commandes/{proposal.pk}/recevoir/",
        "/stock/inventaires/nouveau/",
        "/alertes/",
    ):
        assert client.get(page).status_code == 403, page


def alert_texts(code: str) -> list[str]:
    return [row.text for alert in stock_alerts() if alert.code == code for row in alert.rows]


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is noon of the factories' day."""
    monkeypatch.setattr(clock, "now", lambda: NOON)


@pytest.mark.usefixtures("noon")
def test_what_is_sold_under_its_cost_is_said() -> None:
    ProductFactory(sku="A", on_hand=9, unit_cost=Decimal(9))
    ProductFactory(sku="B", on_hand=9, unit_cost=Decimal(8))
    # 10.00 incl. 20 % is 8.33 before tax.
    placed("1", line("A", "10.00"), line("B", "10.00"))

    assert alert_texts("negative_margin") == ["vendu 8,33 € HT, coûte 9,00 €"]


@pytest.mark.usefixtures("noon")
def test_what_sold_at_a_loss_long_ago_or_was_cancelled_is_not() -> None:
    ProductFactory(sku="A", on_hand=9, unit_cost=Decimal(9))
    placed("1", line("A", "10.00"), placed_at=NOON - timedelta(days=40))
    placed("2", line("A", "10.00"), state="cancelled")

    assert alert_texts("negative_margin") == []


def test_what_lies_for_six_months_is_dead_stock_the_dearest_first() -> None:
    ProductFactory(sku="A", on_hand=2, unit_cost=Decimal(4))
    ProductFactory(sku="B", on_hand=3, unit_cost=Decimal(40))
    fresh = ProductFactory(sku="C")
    receive_stock(
        entries=[Entry(fresh.pk, Decimal(5), Decimal(4), "BR-1", 1)],
        warehouse=default_warehouse(),
        at=clock.now(),
        kind=StockMove.Kind.RECEIPT,
        origin_kind="receipt",
    )

    assert alert_texts("dead_stock") == ["3 pièces, 120,00 € HT", "2 pièces, 8,00 € HT"]


def test_cover_shorter_than_the_suppliers_delay_is_said() -> None:
    short, long = ProductFactory(sku="A", on_hand=5), ProductFactory(sku="B", on_hand=50)
    for product in (short, long):
        StockPolicy.objects.create(
            product=product,
            warehouse=default_warehouse(),
            computed_on=clock.today(),
            policy="learned",
            demand_per_day=Decimal(1),
            reorder_point=Decimal(0),
            order_up_to=Decimal(1),
            figures={"lead_time_days": "10"},
        )

    assert alert_texts("short_cover") == ["5 jours de couverture, délai de 10 jours"]
    # Its supplier's next order day and closure make it three weeks.
    figures = {"lead_time_days": "10", "days_to_arrival": "21"}
    StockPolicy.objects.filter(policy="learned").update(figures=figures)
    assert alert_texts("short_cover") == ["5 jours de couverture, délai de 21 jours"]


def test_an_expired_lot_is_taken_out_in_a_click_and_once(owner: Client) -> None:
    product = ProductFactory(sku="CHEESE", tracks_lots=True)
    yesterday = clock.today() - timedelta(days=1)
    receive_stock(
        entries=[Entry(product.pk, Decimal(5), Decimal(4), "BR-1", 1, "L1", yesterday)],
        warehouse=default_warehouse(),
        at=clock.now(),
        kind=StockMove.Kind.RECEIPT,
        origin_kind="receipt",
    )
    (alert,) = [a for a in stock_alerts() if a.code == "expiring"]
    (click,) = alert.rows[0].clicks

    for _twice in range(2):
        owner.post(f"/alertes/{click.verb}/{click.pk}/")

    assert StockPosition.objects.get().on_hand == 0
    assert StockMove.objects.filter(kind="loss").count() == 1
    assert alert_texts("expiring") == []


def test_the_past_is_replayed_in_a_worker_and_its_progress_shown(owner: Client) -> None:
    running = Backtest.objects.create(
        status="running",
        computed_at=clock.now(),
        first_day=clock.today(),
        last_day=clock.today(),
        products=40,
        products_done=10,
    )

    page = owner.get("/achats/comparaison/").content.decode()
    progress = owner.get(f"/achats/comparaison/{running.pk}/avancement/").json()

    assert 'aria-valuenow="25"' in page
    assert progress == {"status": "running", "done": 10, "total": 40}
    # A history too short is said at once.
    assert owner.post("/achats/comparaison/", follow=True).status_code == 200


def test_alerts_name_what_is_short_and_serve_first_in_a_click(owner: Client) -> None:
    product = ProductFactory(sku="A", on_hand=1)
    SupplierProductFactory(product=product)
    early = placed("1", line("A"), placed_at=NOON - timedelta(days=3))
    late = placed("2", line("A"), placed_at=NOON)
    propose_orders(on=clock.business_date(NOON) + timedelta(days=1))
    found = {alert.code: alert for alert in stock_alerts()}
    assert {"oversold", "out_of_stock"} <= set(found)

    owner.post(f"/alertes/first/{late.pk}/")

    held = {
        row.order_id: row.reservation.allocated
        for row in OrderLine.objects.select_related("reservation")
    }
    assert held == {early.pk: 0, late.pk: 1}


def test_the_days_alerts_are_mailed_once(settings: Any) -> None:
    firm = company()
    firm.stock_alert_emails = "stock@exemple.test"
    firm.save()
    ProductFactory(sku="A", on_hand=0)
    placed("1", line("A"))

    assert mail_alerts_once()
    assert not mail_alerts_once()

    assert mail.outbox[0].to == ["stock@exemple.test"]


def test_a_price_list_is_brought_looked_at_and_taken_over() -> None:
    buyer = signed_in("Achats")
    item = SupplierProductFactory(supplier_sku="C-9", price="3.50")
    file = SimpleUploadedFile("tarif.csv", b"Machin;Prix HT\nC-9;<b>4,20\nC-9;4,20\n")
    sent = {"supplier": item.supplier_id, "file": file, "applies_on": clock.today().isoformat()}

    answer = buyer.post("/fournisseurs/tarifs/nouveau/", sent)
    page = answer.headers["Location"]
    assert "Dites quelle colonne" in buyer.get(page).content.decode()
    buyer.post(page, {"verb": "columns", "column-reference": "0", "column-price": "1"})
    text = buyer.get(page).content.decode()
    assert "+20,0 %" in text
    assert "<b>4,20" not in text
    buyer.post(page, {"verb": "accept"})

    assert item.prices.get().unit_price_excl_tax == Decimal("4.2")
    assert "4,20 €" in buyer.get(page).content.decode()


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 no workbook", b"\x00\x01\x02\x00"])
def test_a_file_that_is_no_table_is_refused_on_the_page(data: bytes) -> None:
    buyer = signed_in("Achats")
    item = SupplierProductFactory()
    file = SimpleUploadedFile("tarif.xlsx", data)
    sent = {"supplier": item.supplier_id, "file": file, "applies_on": clock.today().isoformat()}

    assert buyer.post("/fournisseurs/tarifs/nouveau/", sent).status_code == 200


def test_only_buyers_bring_price_lists() -> None:
    assert signed_in("Ventes").get("/fournisseurs/tarifs/nouveau/").status_code == 403


@pytest.fixture
def receipt(proposal: PurchaseOrder) -> Receipt:
    """Sixteen pieces in, at 3 EUR."""
    accept_proposal(order_id=proposal.pk, at=NOON)
    found = receive_goods(order_id=proposal.pk, quantities=None, at=NOON)
    assert found is not None
    return found


def test_goods_go_back_to_the_supplier_from_their_receipt(owner: Client, receipt: Receipt) -> None:
    row = receipt.lines.get()
    page = f"/achats/receptions/{receipt.pk}/"
    sent = {f"q{row.pk}": "2", "reason": "fêlés", "returns": "0"}

    for _twice in range(2):
        answer = owner.post(page, sent, follow=True)

    assert "vient d" in answer.content.decode()
    assert StockPosition.objects.get().on_hand == 18
    assert "fêlés" in owner.get(page).content.decode()


@pytest.mark.parametrize("bad", ["NaN", "-1", "99", "x"])
def test_a_wrong_return_to_a_supplier_moves_nothing(
    owner: Client, receipt: Receipt, bad: str
) -> None:
    row = receipt.lines.get()

    answer = owner.post(
        f"/achats/receptions/{receipt.pk}/",
        {f"q{row.pk}": bad, "reason": "fêlés", "returns": "0"},
    )

    assert answer.status_code == 200
    assert StockPosition.objects.get().on_hand == 20


def test_an_invoice_and_its_credit_note_are_typed_and_one_is_taken_back(
    owner: Client, receipt: Receipt
) -> None:
    row = receipt.lines.get()
    page = f"/achats/commandes/{receipt.purchase_order_id}/facture/"
    typed = {"issued_on": "2026-03-02", f"p{row.pk}": "3", "tax": "0"}
    owner.post(
        page,
        typed
        | {"kind": "invoice", "supplier_number": "F1", f"q{row.pk}": "16", "total_incl_tax": "48"},
    )
    owner.post(
        page,
        typed
        | {
            "kind": "credit_note",
            "supplier_number": "A1",
            f"q{row.pk}": "1",
            "total_incl_tax": "3",
        },
    )
    invoice, note = SupplierInvoice.objects.order_by("pk")
    assert (invoice.status, note.status, note.kind) == ("approved", "differs", "credit_note")
    assert "Avoir A1" in owner.get(f"/achats/factures/{note.pk}/").content.decode()

    owner.post(f"/achats/factures/{note.pk}/", {"verb": "cancel", "reason": "mal lu"})

    note.refresh_from_db()
    row.refresh_from_db()
    assert (note.status, row.quantity_invoiced) == ("cancelled", 16)


@pytest.fixture
def expired_cheese() -> Product:
    product = ProductFactory(sku="CHEESE", tracks_lots=True, location="A1")
    yesterday = clock.today() - timedelta(days=1)
    receive_stock(
        entries=[Entry(product.pk, Decimal(5), Decimal(4), "BR-1", 1, "L1", yesterday)],
        warehouse=default_warehouse(),
        at=clock.now(),
        kind=StockMove.Kind.RECEIPT,
        origin_kind="receipt",
    )
    return product


@pytest.mark.parametrize(
    "page",
    ["/admin/inventory/stockposition/?level=expired", "/achats/articles/{}/", "/livraisons/"],
)
def test_pages_lead_from_what_has_expired_to_its_write_off(
    owner: Client, expired_cheese: Product, page: str
) -> None:
    place = StockPosition.objects.get()

    text = owner.get(page.format(expired_cheese.pk)).content.decode()

    assert f"/stock/corriger/{place.pk}/?perime=" in text


def test_the_write_off_of_an_expired_lot_is_filled_in(
    owner: Client, expired_cheese: Product
) -> None:
    place = StockPosition.objects.get()

    form = owner.get(f"/stock/corriger/{place.pk}/?perime=1").context["form"]

    assert (form.initial["kind"], form.initial["quantity"]) == ("loss", "5")
    assert form.initial["lot"] == expired_cheese.lots.get().pk


def test_a_credit_note_for_goods_that_stay_is_typed_and_lowers_their_cost(
    owner: Client, receipt: Receipt
) -> None:
    row = receipt.lines.get()
    page = f"/achats/commandes/{receipt.purchase_order_id}/facture/"
    typed = {"issued_on": "2026-03-02", "tax": "0"}
    charged = {f"q{row.pk}": "16", f"p{row.pk}": "3", "total_incl_tax": "48"}
    owner.post(page, typed | charged | {"kind": "invoice", "supplier_number": "F1"})
    assert f"s{row.pk}" not in owner.get(page).content.decode()
    blank = owner.get(f"{page}?genre=credit_note").content.decode()
    assert f"s{row.pk}" in blank
    # A price of ten isn't written 1E+1.
    ReceiptLine.objects.update(unit_price_excl_tax=10)
    assert 'value="10"' in owner.get(page).content.decode()
    ReceiptLine.objects.update(unit_price_excl_tax=3)

    owner.post(
        f"{page}?genre=credit_note",
        typed
        | {f"s{row.pk}": "16", f"l{row.pk}": "0.50", "total_incl_tax": "8"}
        | {"kind": "credit_note", "supplier_number": "A1"},
    )

    note = SupplierInvoice.objects.get(kind="credit_note")
    row.refresh_from_db()
    assert (note.status, row.quantity_invoiced) == ("approved", 16)
    assert note.lines.get().cost_added == Decimal("-8.00")
    assert "pièces gardées" in owner.get(f"/achats/factures/{note.pk}/").content.decode()


def test_a_receipt_of_an_earlier_day_says_what_it_does_to_costs(
    owner: Client, proposal: PurchaseOrder
) -> None:
    accept_proposal(order_id=proposal.pk, at=NOON)
    row = proposal.lines.get()
    page = f"/achats/commandes/{proposal.pk}/recevoir/"
    given = {"verb": "receive", f"q{row.pk}": "2"}
    day = clock.today() - timedelta(days=3)

    refused = owner.post(page, given | {"receipts": "0", "received_on": "2090-01-01"})
    owner.post(page, given | {"receipts": "0", "received_on": day.isoformat()})
    owner.post(page, given | {"receipts": "1", "received_on": ""})

    assert refused.status_code == 200
    late, today = Receipt.objects.order_by("pk")
    assert clock.business_date(late.received_at) == day
    assert "après coup" in owner.get(f"/achats/receptions/{late.pk}/").content.decode()
    assert "après coup" not in owner.get(f"/achats/receptions/{today.pk}/").content.decode()
