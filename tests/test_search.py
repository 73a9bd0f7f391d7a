"""One box finds orders, people, goods, papers and parcels, each for who may see it."""

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from accounting_export.services import post_missing
from customers.drafts import CustomerDraft
from inventory.models import StockMove
from inventory.services import Entry, default_warehouse, receive_stock
from invoicing.services import issue_invoice
from sales.services import prepare_delivery, ship_delivery_note
from sphinx.dashboard.roles import ensure_roles
from sphinx.dashboard.search import SHOWN, find_everything
from suppliers.models import Supplier
from tests.factories import NOON, ProductFactory, line, placed, shipped
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db
LEA = CustomerDraft(ref="C1", email="lea.martin@exemple.test", first_name="Léa", last_name="Martin")


def user(role: str) -> Any:
    ensure_roles()
    made = User.objects.create_user(role, f"{role}@exemple.test", "x")
    made.groups.add(Group.objects.get(name=role))
    return made


@pytest.fixture
def day() -> None:
    ProductFactory(sku="BOU-01", label="Bougie au figuier", barcode="3760123456789", on_hand=9)
    Supplier.objects.create(code="CIRE", name="Cirerie du Sud")
    note = shipped("W1001", line("BOU-01", "12.00"), customer=LEA)
    note.tracking_number = "6A12345678901"
    note.save()
    issue_invoice(delivery_note_id=note.pk, at=NOON)
    post_missing()


def test_a_piece_is_found_by_its_serial_number_with_its_life(admin_client: Client) -> None:
    phone = ProductFactory(sku="PHONE", tracks_lots=True, tracks_serials=True)
    for number, day in (("SN-7", 1), ("SN-8", 2)):
        receive_stock(
            entries=[Entry(phone.pk, Decimal(1), Decimal(200), f"BR-{day}", 1, number)],
            warehouse=default_warehouse(),
            at=NOON,
            kind=StockMove.Kind.RECEIPT,
            origin_kind="receipt",
        )
    note = prepare_delivery(order_id=placed("W1", line("PHONE", "500.00")).pk, at=NOON)
    assert note is not None
    ship_delivery_note(note_id=note.pk, at=NOON, serials=["SN-7"])

    [found] = find_everything("sn-7", user("Entrepôt"))
    assert (str(found.title), "Lot ou n° de série" in str(found.description)) == ("SN-7", True)

    page = admin_client.get(found.link).content.decode()
    assert "BR-1" in page
    assert note.number in page
    assert "BR-2" not in page


@pytest.mark.usefixtures("day")
@pytest.mark.parametrize(
    ("term", "kind", "title"),
    [
        ("W1001", "Commande", "W1001"),
        ("w10", "Commande", "W1001"),
        ("  W1001 ", "Commande", "W1001"),
        ("martin", "Client", "Léa Martin"),
        ("léa mar", "Client", "Léa Martin"),
        ("lea.martin@exemple.test", "Client", "Léa Martin"),
        ("figuier", "Article", "Bougie au figuier"),
        ("bou-01", "Article", "Bougie au figuier"),
        ("3760123456789", "Article", "Bougie au figuier"),
        ("FA2026-000001", "Facture", "FA2026-000001"),
        ("fa2026", "Facture", "FA2026-000001"),
        ("BL2026-000001", "Bon de livraison", "BL2026-000001"),
        ("6a12345678901", "Bon de livraison", "BL2026-000001"),
        ("6A 1234 5678 901", "Bon de livraison", "BL2026-000001"),
        ("cirerie", "Fournisseur", "Cirerie du Sud"),
        ("VE000001", "Écriture", "VE000001"),
    ],
)
def test_it_is_found_by_what_people_have_in_hand(term: str, kind: str, title: str) -> None:
    found = [r for r in find_everything(term, user("Gérant")) if r.title == title]
    assert len(found) == 1
    assert found[0].description.startswith(f"{kind} · ")


@pytest.mark.usefixtures("day")
def test_every_result_opens() -> None:
    client = signed_in("Gérant")
    for term in ("W1001", "martin", "figuier", "FA2026", "BL2026", "cirerie", "VE0000"):
        for result in find_everything(term, User.objects.get()):
            assert client.get(result.link).status_code == 200


@pytest.mark.usefixtures("day")
def test_nobody_finds_what_is_not_theirs() -> None:
    warehouse, buyer = user("Entrepôt"), user("Achats")
    assert find_everything("FA2026", warehouse) == []
    assert find_everything("VE0000", warehouse) == []
    assert find_everything("W1001", buyer) == []
    assert find_everything("martin", buyer) == []
    assert find_everything("W1001", warehouse)


@pytest.mark.usefixtures("day")
@pytest.mark.parametrize("term", ["", " ", "W", "%", "__", "zzzz"])
def test_too_little_or_nothing_finds_nothing(term: str) -> None:
    assert find_everything(term, user("Gérant")) == []


def test_some_of_each_kind_in_a_fixed_number_of_queries(
    django_assert_num_queries: Any,
) -> None:
    for n in range(SHOWN + 3):
        placed(f"W2{n}", line("A"), customer=LEA._replace(ref=f"C{n}", email=f"{n}@exemple.test"))
    owner = User.objects.create_superuser("owner", "o@exemple.test", "x")
    with django_assert_num_queries(10):
        found = find_everything("W2", owner)
    assert len(found) == SHOWN


@pytest.mark.usefixtures("day")
def test_the_frames_window_shows_them() -> None:
    page = signed_in("Gérant").get("/admin/search/?s=W1001&extended=1").content.decode()
    assert "W1001" in page
    assert "12,00 €" in page
