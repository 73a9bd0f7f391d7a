"""Master files by hand: brought with a preview, taken away, by who may."""

import re
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.translation import override
from openpyxl import Workbook, load_workbook
from tablib import Dataset

from accounting_export.models import Account
from customers.models import Customer
from inventory.models import Product, ProductCategory, ReorderRule
from inventory.resources import ProductResource
from inventory.services import default_warehouse
from suppliers.models import Supplier, SupplierProduct
from tests.factories import CustomerFactory, ProductFactory, SupplierFactory
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db
D = Decimal
MASTERS = {
    "inventory/product": "sku",
    "inventory/productcategory": "name",
    "inventory/reorderrule": "product",
    "suppliers/supplier": "code",
    "suppliers/supplierproduct": "supplier",
    "customers/customer": "code",
    "accounting_export/account": "number",
}


def bring(client: Client, master: str, data: bytes | str, name: str = "x.csv") -> Any:
    """The preview of a file; its errors are in the page."""
    content = data.encode() if isinstance(data, str) else data
    kind = "1" if name.endswith(".xlsx") else "0"
    return client.post(
        f"/admin/{master}/import/",
        {"import_file": SimpleUploadedFile(name, content), "format": kind, "resource": "0"},
    )


def accept(client: Client, master: str, preview: Any) -> Any:
    form = preview.context["confirm_form"]
    return client.post(f"/admin/{master}/process_import/", form.initial, follow=True)


def test_a_csv_of_excel_in_french_is_previewed_then_accepted() -> None:
    """Semicolons, decimal commas, cp1252, headings as on the screen, oui and non."""
    ProductCategory.objects.create(name="Épicerie")
    ProductFactory(sku="Abc-1", label="Avant", unit_cost=D("1.00"))
    client = signed_in("Gérant")
    text = (
        "Référence (SKU);Désignation;Catégorie;Coût unitaire HT (€);Approvisionnement;Actif\r\n"
        "ABC-1;Crème brûlée;Épicerie;1 234,56;Flux tendu;oui\r\n"
        "N-2;Neuf;;;;non\r\n"
    )
    preview = bring(client, "inventory/product", text.encode("cp1252"))
    assert Product.objects.get(sku_key="abc-1").label == "Avant"
    assert not Product.objects.filter(sku_key="n-2").exists()
    accept(client, "inventory/product", preview)
    product = Product.objects.get(sku_key="abc-1")
    assert (product.label, product.unit_cost) == ("Crème brûlée", D("1234.56"))
    assert (product.supply_mode, product.category and product.category.name) == (
        "just_in_time",
        "Épicerie",
    )
    assert Product.objects.get(sku_key="n-2").is_active is False
    assert product.history.count() > 1


def test_a_blank_cell_leaves_what_is_there() -> None:
    ProductFactory(sku="A", label="Bougie", unit_cost=D("4.00"))
    client = signed_in("Achats")
    accept(
        client,
        "inventory/product",
        bring(client, "inventory/product", "sku,label,unit_cost\nA,,5.5\n"),
    )
    product = Product.objects.get(sku="A")
    assert (product.label, product.unit_cost) == ("Bougie", D("5.5"))


def test_each_bad_row_says_why_and_nothing_is_changed() -> None:
    ProductFactory(sku="A", label="Bougie")
    text = (
        "sku;label;unit_cost;category;supply_mode;is_active;barcode\n"
        "A;Bien;douze;;;;\n"
        "B;Bien;;Inconnue;;;\n"
        "C;Bien;;;Sur la lune;;\n"
        "D;Bien;;;;peut-être;\n"
        "E;Bien;;;;;1234567890123\n"
    )
    page = bring(signed_in("Gérant"), "inventory/product", text).content.decode()
    for sentence in (
        "« douze » n&#x27;est pas un nombre.",
        "« Inconnue » inconnu : créez d&#x27;abord cette fiche.",
        "« Sur la lune » : écrivez Stocké, Flux tendu, Livré par le fournisseur.",
        "« peut-être » : écrivez oui ou non.",
    ):
        assert sentence in page, sentence
    assert Product.objects.get(sku="A").label == "Bougie"
    assert Product.objects.count() == 1


def test_a_file_without_the_column_that_tells_rows_apart_is_refused_with_the_known_ones() -> None:
    client = signed_in("Gérant")
    page = bring(client, "inventory/product", "nom;prix\nA;1\n").content.decode()
    assert "La colonne « Référence (SKU) » manque." in page
    assert "Traceback" not in page
    crooked = bring(client, "inventory/product", "sku;label\nA;Bon\nB\n").content.decode()
    assert "Ligne 3 : 1 cellules au lieu de 2" in crooked


def test_what_is_taken_away_can_be_brought_back_unchanged() -> None:
    warehouse = default_warehouse()
    ProductCategory.objects.create(name="Maison", tax_rate=D("5.50"))
    product = ProductFactory(sku="A", label="=1+1", unit_cost=D("4.50"))
    supplier = SupplierFactory(code="F1")
    SupplierProduct.objects.create(supplier=supplier, product=product, pack_size=6)
    ReorderRule.objects.create(product=product, warehouse=warehouse, minimum=2, maximum=9)
    CustomerFactory(last_name="Dupont")
    Account.objects.get_or_create(number="707000", defaults={"label": "Ventes"})
    client = signed_in("Gérant")
    for master in MASTERS:
        for kind, name in (("0", "x.csv"), ("1", "x.xlsx")):
            answer = client.post(
                f"/admin/{master}/export/",
                {"format": kind, "resource": "0"},
            )
            assert answer.status_code == 200, master
            preview = bring(client, master, answer.content, name)
            assert "result" in preview.context, (master, name, preview.context["form"].errors)
            result = preview.context["result"]
            assert not result.has_errors(), (master, name, preview.content.decode())
            if master != "inventory/product":
                assert result.totals["skip"] == result.total_rows, (master, name, result.totals)


def test_texts_that_look_like_formulas_are_defused() -> None:
    CustomerFactory(last_name="=cmd|' /C calc'!A0", first_name="@x", company_name="-2+3")
    client = signed_in("Comptable")
    csv_file = client.post("/admin/customers/customer/export/", {"format": "0", "resource": "0"})
    assert "'=cmd" in csv_file.content.decode("utf-8-sig")
    book = client.post("/admin/customers/customer/export/", {"format": "1", "resource": "0"})
    cells = [cell for row in load_workbook(BytesIO(book.content)).active.values for cell in row]
    assert {"'=cmd|' /C calc'!A0", "'@x", "'-2+3"} <= set(cells)


def test_a_workbook_is_read_too() -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Code", "Nom", "Délai de livraison (jours)", "Actif"])
    sheet.append(["F9", "Ciergerie du Nord", 12, "oui"])
    stream = BytesIO()
    book.save(stream)
    client = signed_in("Achats")
    accept(
        client,
        "suppliers/supplier",
        bring(client, "suppliers/supplier", stream.getvalue(), "x.xlsx"),
    )
    assert Supplier.objects.get(code="F9").lead_time_days == 12


def test_a_customer_is_corrected_not_made() -> None:
    known = CustomerFactory(last_name="Dupond")
    client = signed_in("Ventes")
    text = f"code;last_name\n{known.code};Dupont\nC999999;Inconnu\n"
    page = bring(client, "customers/customer", text).content.decode()
    assert "les nouveaux viennent des boutiques" in page
    accept(
        client,
        "customers/customer",
        bring(client, "customers/customer", f"code;last_name\n{known.code};Dupont\n"),
    )
    known.refresh_from_db()
    assert known.last_name == "Dupont"
    assert Customer.objects.count() == 1


@pytest.mark.parametrize("role", ["Ventes", "Entrepôt", "Achats", "Comptable", "Exploitant"])
def test_who_may_not_change_may_not_bring_and_who_may_not_see_may_not_take_away(role: str) -> None:
    client = signed_in(role)
    permissions = client.get("/").wsgi_request.user.get_all_permissions()
    for master in MASTERS:
        app, model = master.split("/")
        may_bring = f"{app}.change_{model}" in permissions
        may_take = f"{app}.view_{model}" in permissions
        assert (client.get(f"/admin/{master}/import/").status_code == 200) == may_bring, master
        assert (client.get(f"/admin/{master}/export/").status_code == 200) == may_take, master
        refused = bring(client, master, "a;b\n1;2\n")
        assert (refused.status_code == 403) != may_bring, master


def test_columns_are_named_in_the_readers_language_and_known_by_either() -> None:
    with override("en"):
        resource = ProductResource()
        shown = [field.column_name for field in resource.get_user_visible_fields()]
        rows = Dataset(["A-1", "Bougie"], headers=["SKU", "désignation"])
        result = resource.import_data(rows, raise_errors=False)
    assert "Unit cost excl. tax (€)" in shown
    assert not result.has_errors()
    assert Product.objects.get(sku="A-1").label == "Bougie"


def test_a_refused_cell_is_named_by_its_column() -> None:
    rows = Dataset(["A-1", "Bougie", "six"], headers=["sku", "label", "unit_cost"])
    (refused,) = ProductResource().import_data(rows, raise_errors=False).invalid_rows
    assert list(refused.field_specific_errors) == ["Coût unitaire HT (€)"]


def test_states_keep_their_colours_in_english() -> None:
    ProductFactory(sku="A")
    client = signed_in("Gérant")
    french = client.get("/admin/inventory/product/").content.decode()
    client.cookies["django_language"] = "en"
    english = client.get("/admin/inventory/product/").content.decode()
    colour = re.compile(r"bg-(\w+)-100 text-\w+-700")
    assert colour.findall(french)
    assert colour.findall(french) == colour.findall(english)
