"""Pages of what suppliers send straight to customers."""

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from inventory.models import Warehouse
from purchasing.models import PurchaseOrder
from purchasing.services import mail_order, order_csv, order_pdf, slip_pdf
from sales.models import DeliveryNote, Order
from sales.services import cancel_order
from sphinx.dashboard.figures import work_waiting
from tests.factories import (
    NOON,
    ProductFactory,
    SupplierFactory,
    SupplierProductFactory,
    draft,
    line,
    placed,
    put,
)
from tests.stories.test_drop_shipping import NICE, gone, sent
from tests.test_pages import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def order() -> PurchaseOrder:
    """Two sofas, sold at 990 € and bought at 3 €, that the supplier has to send to Nice."""
    sofa = ProductFactory(sku="SOFA", label="Canapé trois places", supply_mode="drop_ship")
    supplier = SupplierFactory(name="Ateliers du Sud", email="cde@exemple.test")
    SupplierProductFactory(product=sofa, supplier=supplier, supplier_sku="F-SOFA", price="3.00")
    placed("1", line("SOFA", price="990.00", quantity="2"), shipping=NICE)
    return sent()


@pytest.fixture
def buyer() -> Client:
    return client_of("Achats")


def text_of(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The HTML of what is printed meanwhile."""
    pages: list[str] = []

    def keep(page: Any) -> None:
        pages.append(page.html)
        page.path.parent.mkdir(parents=True, exist_ok=True)
        page.path.write_bytes(b"%PDF-")

    monkeypatch.setattr("purchasing.services.mailing.render", keep)
    return pages


def test_the_suppliers_paper_bears_the_customers_address(
    order: PurchaseOrder, printed: list[str]
) -> None:
    order_pdf(order)

    assert "8 quai Lunel" in printed[0]
    assert "0400000000" in printed[0]


def test_the_slip_for_the_parcel_has_no_price(order: PurchaseOrder, printed: list[str]) -> None:
    slip_pdf(order)

    assert "8 quai Lunel" in printed[0]
    body = printed[0].partition("<body")[2]
    assert not re.search(r"€|EUR|990|3,00|Prix|Total", body)


def test_the_suppliers_csv_says_where_to(order: PurchaseOrder) -> None:
    header, row = order_csv(order).splitlines()

    assert header.endswith("delivery_country;delivery_phone")
    assert row.endswith("06300;Nice;FR;0400000000")


def test_the_e_mail_brings_the_slip(
    order: PurchaseOrder, printed: list[str], mailoutbox: list[Any]
) -> None:
    mail_order(order_id=order.pk, at=NOON)

    names = [attachment[0] for attachment in mailoutbox[0].attachments]
    assert names == [f"{order.number}{end}" for end in (".pdf", "-colis.pdf", ".csv")]


def test_a_departure_is_typed_and_the_same_form_twice_is_one(
    order: PurchaseOrder, buyer: Client
) -> None:
    url = reverse("dashboard:departure", args=[order.pk])
    form = {
        f"q{order.lines.get().pk}": "1",
        "carrier": "DPD",
        "tracking_number": "X1",
        "form": f"{order.number}/1",
    }
    assert "Nice" in text_of(buyer, url)

    buyer.post(url, form)
    buyer.post(url, form)

    note = DeliveryNote.objects.get()
    assert (note.tracking_number, note.lines.get().quantity) == ("X1", 1)


def test_a_suppliers_file_is_read(order: PurchaseOrder, buyer: Client) -> None:
    file = SimpleUploadedFile("d.csv", f"commande;suivi\n{order.number};X9\n".encode())

    response = buyer.post(reverse("dashboard:departures"), {"departures": file}, follow=True)

    assert "Livré aux clients : 1." in response.content.decode()
    assert DeliveryNote.objects.get().tracking_number == "X9"


def test_what_no_longer_holds_is_shown_to_buyers(order: PurchaseOrder, buyer: Client) -> None:
    before = work_waiting()
    put(draft("1", line("SOFA", price="990.00", quantity="1")))

    page = text_of(buyer, reverse("purchasing:proposal", args=[order.pk]))

    assert (before["departures"], before["departures_in_doubt"]) == (1, 0)
    assert work_waiting()["departures_in_doubt"] == 1
    assert "Le client n'en veut plus 1 × SOFA" in page.replace("&#x27;", "'")
    assert "Adresse changée" in page
    assert "Adresse changée" in text_of(buyer, reverse("dashboard:departures"))


def test_it_is_brought_home_from_its_page(order: PurchaseOrder, buyer: Client) -> None:
    cancel_order(order_id=Order.objects.get().pk, at=NOON)

    buyer.post(reverse("purchasing:proposal", args=[order.pk]), {"verb": "home"})

    assert PurchaseOrder.objects.get().direct_delivery is None
    assert "Recevoir" in text_of(buyer, reverse("purchasing:proposal", args=[order.pk]))


def test_the_customers_order_says_who_delivers(order: PurchaseOrder) -> None:
    owner = client_of("Gérant")
    url = reverse("admin:sales_order_change", args=[Order.objects.get().pk])
    assert f"Livré par le fournisseur {order.number} , Ateliers du Sud" in text_of(owner, url)

    gone(order)

    assert "parti de chez le fournisseur" in text_of(owner, url)


def test_goods_are_never_counted_nor_sent_where_nothing_lies(
    order: PurchaseOrder,
) -> None:
    passed = Warehouse.objects.get(is_direct=True)
    owner = client_of("Gérant")

    for name in ("inventory:new_count", "purchasing:new_order"):
        page = owner.get(reverse(name)).content.decode()
        assert f'value="{passed.pk}"' not in page
