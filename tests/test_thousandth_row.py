"""Past the thousandth row: a key is a key, not a number to be written with thousands apart."""

import re
from pathlib import Path

import pytest
from django.db import connection

from invoicing.models import Invoice
from sales.services import prepare_delivery
from tests.factories import NOON, ProductFactory, line, placed, shipped
from tests.test_stock_pages import signed_in

ROOT = Path(__file__).resolve().parent.parent
_BARE_KEY = re.compile(r"\{\{\s*[\w.]*(\.pk|\.id|_id)\s*\}\}")


@pytest.fixture
def late(db: None) -> None:
    """Numbers of products, notes and their lines begin at 12,345."""
    with connection.cursor() as cursor:
        for table in ("inventory_product", "sales_deliverynote", "sales_orderline"):
            if connection.vendor == "postgresql":
                cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), 12345)")
            else:
                cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
                cursor.execute("INSERT INTO sqlite_sequence VALUES (%s, 12345)", [table])


@pytest.mark.usefixtures("late")
def test_a_parcel_is_packed_and_leaves() -> None:
    product = ProductFactory(sku="A", on_hand=5)
    assert product.pk > 12_345
    note = prepare_delivery(order_id=placed("W1", line("A", quantity="2")).pk, at=NOON)
    assert note is not None
    client = signed_in("Entrepôt")
    url = f"/livraisons/{note.pk}/colis/"
    page = client.post(url, {"code": "A", "verb": "scan", f"q{product.pk}": "1"})
    (name,) = re.findall(r'name="(q[^"]*)"', page.content.decode())
    assert name == f"q{product.pk}"
    client.post(url, {name: "2", "verb": "ship"})
    note.refresh_from_db()
    assert note.status == "shipped"


@pytest.mark.usefixtures("late")
def test_what_is_ticked_is_invoiced() -> None:
    note = shipped("W1", line("A"))
    assert note.pk > 12_345
    client = signed_in("Gérant")
    page = client.get("/factures/a-etablir/").content.decode()
    (value,) = re.findall(r'name="note" value="([^"]*)"', page)
    client.post("/factures/a-etablir/", {"note": value, "verb": "apart"})
    assert Invoice.objects.count() == 1


def test_no_template_writes_a_key_as_a_number() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {found.group()}"
        for path in (ROOT / "templates").rglob("*.html")
        for found in _BARE_KEY.finditer(path.read_text())
    ]
    assert wrong == []
