"""What articles weigh, where they were made, what they look like, and who reads it."""

import csv
import io
from datetime import date
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook
from PIL import Image, ImageFile

from inventory.models import Product, ProductPicture
from inventory.services import set_picture
from sales.models import DeliveryNote, Order
from sales.picking import weight_of, weights_of
from sales.services import labels_csv, prepare_delivery
from sphinx.core.errors import InputError
from sphinx.core.images import MAX_BYTES, bounded_jpeg
from sphinx.core.models import AuditEvent
from sphinx.dashboard.emebi import exchanges_of
from suppliers.services import load_catalogue
from tests.factories import NOON, ProductFactory, line, placed, shipped
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db
D = Decimal


def picture(kind: str = "PNG", size: tuple[int, int] = (3000, 1500), **options: Any) -> bytes:
    stream = BytesIO()
    Image.new("RGB", size, "red").save(stream, kind, **options)
    return stream.getvalue()


def uploaded(data: bytes, name: str = "x.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data)


# --- Pictures ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_is_made_anew_within_bounds(kind: str) -> None:
    made = Image.open(BytesIO(bounded_jpeg(uploaded(picture(kind)))))

    assert (made.format, made.size) == ("JPEG", (1200, 600))


def test_nothing_but_pixels_stays_of_a_picture() -> None:
    exif = Image.Exif()
    exif[0x010E] = "SECRET PLACE"
    data = picture("JPEG", exif=exif.tobytes()) + b"<script>alert(1)</script>"

    made = bounded_jpeg(uploaded(data))

    assert b"SECRET" not in made
    assert b"script" not in made


@pytest.mark.parametrize(
    "data",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"GIF89a" + b"\0" * 40,
        picture()[:200],
        b"",
        b"\0" * (MAX_BYTES + 1),
    ],
    ids=["svg", "gif", "cut short", "empty", "too big"],
)
@pytest.mark.parametrize("is_lenient", [False, True])
def test_what_is_no_picture_is_refused(
    data: bytes, is_lenient: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where the printing library has told Pillow to take what is cut short."""
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", is_lenient)

    with pytest.raises(InputError):
        bounded_jpeg(uploaded(data))


def test_a_picture_that_claims_too_many_pixels_is_refused() -> None:
    bomb = picture("PNG", size=(10_000, 6_000))

    with pytest.raises(InputError):
        bounded_jpeg(uploaded(bomb))


@pytest.fixture
def pictured() -> Product:
    product: Product = ProductFactory(sku="A-1", on_hand=9, weight=D("0.250"), location="B2")
    set_picture(product_id=product.pk, data=bounded_jpeg(uploaded(picture())))
    return product


def test_a_picture_is_for_those_who_are_logged_in(pictured: Product) -> None:
    url = reverse("inventory:picture", args=[pictured.pk])

    assert Client().get(url).status_code == 302
    response = signed_in("Gérant").get(url)

    assert (response.status_code, response["Content-Type"]) == (200, "image/jpeg")
    assert response["Cache-Control"] == "no-store"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert Image.open(BytesIO(response.content)).size == (1200, 600)


def form_of(client: Client, url: str) -> dict[str, Any]:
    context = client.get(url).context
    data = dict(context["adminform"].form.initial)
    for formset in context["inline_admin_formsets"]:
        data |= formset.formset.management_form.initial | {
            f"{formset.formset.prefix}-{k}": v
            for k, v in formset.formset.management_form.initial.items()
        }
    return {k: v for k, v in data.items() if v is not None}


def test_the_article_s_page_takes_a_picture_and_takes_it_away() -> None:
    product = ProductFactory(sku="A-1")
    client = signed_in("Gérant")
    url = reverse("admin:inventory_product_change", args=[product.pk])

    client.post(url, form_of(client, url) | {"picture_file": uploaded(picture())})
    assert ProductPicture.objects.get().product == product
    assert AuditEvent.objects.filter(kind="product.pictured").count() == 1
    client.post(url, form_of(client, url) | {"removes_picture": "on"})

    assert not ProductPicture.objects.exists()


def test_the_article_s_page_refuses_what_is_no_picture() -> None:
    product = ProductFactory(sku="A-1")
    client = signed_in("Gérant")
    url = reverse("admin:inventory_product_change", args=[product.pk])

    page = client.post(url, form_of(client, url) | {"picture_file": uploaded(b"not one")})

    assert "picture_file" in page.context["adminform"].form.errors
    assert not ProductPicture.objects.exists()


def test_shelves_and_parcels_show_picture_and_weight(pictured: Product) -> None:
    order = placed("N1", line("A-1", quantity="3"))
    note = prepare_delivery(order_id=order.pk, at=NOON)
    assert note is not None
    client = signed_in("Gérant")
    url = reverse("inventory:picture", args=[pictured.pk])

    for page in (reverse("sales:picking"), reverse("sales:parcel", args=[note.pk])):
        text = client.get(page).content.decode()
        assert url in text
        assert "0,750" in text


# --- Weights -------------------------------------------------------------------------------------


def drafted(*skus: str) -> DeliveryNote:
    order = placed("N1", *(line(sku, quantity="2") for sku in skus))
    note = prepare_delivery(order_id=order.pk, at=NOON)
    assert note is not None
    return note


def labels() -> dict[str, str]:
    notes = DeliveryNote.objects.select_related("order__customer")
    (row,) = csv.DictReader(io.StringIO(labels_csv(notes)), delimiter=";")
    return row


def test_the_carrier_s_file_bears_the_weight() -> None:
    ProductFactory(sku="A-1", on_hand=9, weight=D("0.250"))
    ProductFactory(sku="B-1", on_hand=9, weight=D("1.100"))
    drafted("A-1", "B-1")

    assert labels()["poids_kg"] == "2.7"


def test_a_weight_that_isn_t_known_is_no_weight() -> None:
    ProductFactory(sku="A-1", on_hand=9, weight=D("0.250"))
    ProductFactory(sku="B-1", on_hand=9)
    note = drafted("A-1", "B-1")

    assert labels()["poids_kg"] == ""
    assert weights_of([note.pk]) == {note.pk: None}
    assert weight_of([]) == 0


# --- Customs -------------------------------------------------------------------------------------


def sent(number: str, sku: str, country: str, quantity: str = "2") -> DeliveryNote:
    note = shipped(number, line(sku, "12.00", quantity, tax_rate=D(20)))
    Order.objects.filter(pk=note.order_id).update(shipping_country=country)
    return note


@pytest.fixture
def candle() -> Product:
    product: Product = ProductFactory(
        sku="A-1",
        on_hand=50,
        weight=D("0.250"),
        origin_country="CN",
        customs_code="34060000",
    )
    return product


def test_a_month_s_goods_by_code_destination_and_origin(candle: Product) -> None:
    sent("N1", "A-1", "DE")
    sent("N2", "A-1", "DE", "3")
    sent("N3", "A-1", "IT")
    for at_home in ("FR", "MC", "RE", "GB", "US"):
        sent(f"H{at_home}", "A-1", at_home)

    found = exchanges_of(date(2026, 3, 15))

    assert [tuple(row) for row in found.rows] == [
        ("34060000", "DE", "CN", 5, D("1.250"), D("50.00")),
        ("34060000", "IT", "CN", 2, D("0.500"), D("20.00")),
    ]
    assert (found.mass, found.value, found.missing) == (D("1.750"), D("70.00"), [])
    assert exchanges_of(date(2026, 2, 1)).rows == []
    assert exchanges_of(date(2026, 4, 1)).rows == []


@pytest.mark.parametrize(
    ("country", "postcode", "place"),
    [("GB", "BT1 5GS", "XI"), ("EL", "10431", "GR"), ("ES", "35001", ""), ("GB", "SW1A 1AA", "")],
)
def test_territories_follow_the_law(
    candle: Product, country: str, postcode: str, place: str
) -> None:
    sent("N1", "A-1", country)
    Order.objects.update(shipping_postcode=postcode)

    assert [row.country for row in exchanges_of(date(2026, 3, 1)).rows] == [place][: bool(place)]


def test_a_note_in_preparation_has_not_left(candle: Product) -> None:
    order = placed("N1", line("A-1"))
    Order.objects.update(shipping_country="DE")
    prepare_delivery(order_id=order.pk, at=NOON)

    assert exchanges_of(date(2026, 3, 1)).rows == []


def test_what_can_t_be_declared_yet_is_named() -> None:
    ProductFactory(sku="A-1", on_hand=50, origin_country="CN")
    sent("N1", "A-1", "DE")

    (missing,) = exchanges_of(date(2026, 3, 1)).missing

    assert (missing.without_code, missing.without_origin, missing.without_weight) == (
        True,
        False,
        True,
    )


def test_the_page_and_its_workbook_say_the_same(candle: Product) -> None:
    sent("N1", "A-1", "DE")
    client = signed_in("Gérant")

    text = client.get("/statistiques/emebi/?mois=2026-03").content.decode()
    data = client.get("/statistiques/emebi/classeur.xlsx?mois=2026-03").content

    rows = list(load_workbook(BytesIO(data)).worksheets[0].values)
    assert rows[1] == ("34060000", "DE", "CN", 2, 0.5, 20)
    assert "34060000" in text
    assert "20,00" in text


@pytest.mark.parametrize("month", ["", "x", "2026-13", "0000-01"])
def test_a_month_that_is_none_is_the_last(candle: Product, month: str) -> None:
    assert signed_in("Gérant").get(f"/statistiques/emebi/?mois={month}").status_code == 200


@pytest.mark.parametrize(
    ("field", "value"), [("customs_code", "3406"), ("customs_code", "3406000A"),
                         ("origin_country", "ZZ"), ("weight", D(0))]
)  # fmt: skip
def test_wrong_customs_data_are_refused(candle: Product, field: str, value: Any) -> None:
    setattr(candle, field, value)

    with pytest.raises(ValidationError):
        candle.full_clean()


def test_the_catalogue_brings_them(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.csv"
    path.write_text(
        "sku;weight;length_cm;width_cm;height_cm;origin_country;customs_code\n"
        "A-1;0,25;10;8,5;4;cn;3406 00 00\nA-2;;;;;ZZ;\nA-3;;;;;;12\n"
    )

    report = load_catalogue(path=path, at=NOON)

    product = Product.objects.get()
    assert (product.weight, product.size) == (D("0.25"), "10 × 8,5 × 4")
    assert (product.origin_country, product.customs_code) == ("CN", "34060000")
    assert [issue["column"] for issue in report.issues] == ["origin_country", "customs_code"]
