"""Tiendanube's export: Spanish headings, the order's columns on its first row only."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from ftp_ingest.services import IngestReport
from sales.models import Order
from tests.factories import ProductFactory

PATH = Path(__file__).parent.parent / "data/tiendanube/orders.csv"
TEXT = PATH.read_text("utf-8")
Bring = Callable[..., IngestReport]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def catalogue(db: None) -> None:
    for sku in ("TAZ-1", "JAB"):
        ProductFactory(sku=sku, tax_rate=Decimal(20))


def orders(bring: Bring, text: str = TEXT) -> dict[str, Order]:
    report = bring(text)
    assert report.counts.faults == []
    return {order.number: order for order in Order.objects.all()}


def fault(bring: Bring, text: str) -> tuple[str, str]:
    """Code and column of the one fault of a file."""
    (found,) = [fault for _name, fault in bring(text).counts.faults]
    return found.code, found.column


def test_the_orders_columns_stand_on_its_first_row(bring: Bring) -> None:
    order = orders(bring)["2051"]

    assert [(x.sku, int(x.quantity)) for x in order.lines.all()] == [("TAZ-1", 2), ("JAB", 1)]
    assert (str(order.total_incl_tax), str(order.discount_incl_tax)) == ("59.00", "6.00")
    assert (order.external_id, order.customer.email) == ("700001", "ana@ejemplo.test")


def test_a_recipient_that_isnt_told_is_the_buyer(bring: Bring) -> None:
    order = orders(bring)["2051"]

    assert order.shipping_name == "Ana Ejemplo"
    assert (order.shipping_address1, order.shipping_address2) == ("Calle Prueba 12", "3B Centro")
    assert order.shipping_country == "ES"


def test_a_cancelled_sale_is_cancelled_whatever_its_payment(bring: Bring) -> None:
    found = orders(bring)

    assert (found["2051"].status, found["2052"].status) == ("confirmed", "cancelled")


@pytest.mark.parametrize(
    ("was", "becomes", "code", "column"),
    [
        (";Recibido;", ";;", "cell.blank", "Estado del pago"),
        (";Recibido;", ";Quién sabe;", "order.unknown_status", "Estado del pago"),
        (";5,00;59,00;", ";5,00;;", "cell.blank", "Total"),
        (";5,00;59,00;", ";5,00;58,00;", "order.total_mismatch", "total_incl_tax"),
        (";Taza;20,00;", ";Taza;;", "cell.blank", "Precio del producto"),
    ],
)
def test_what_is_blank_unknown_or_wrong_waits(
    bring: Bring, was: str, becomes: str, code: str, column: str
) -> None:
    assert fault(bring, TEXT.replace(was, becomes, 1)) == (code, column)


def test_old_encodings_are_read(bring: Bring) -> None:
    report = bring(TEXT.encode("cp1252"))  # type: ignore[arg-type]

    assert report.counts.faults == []
    assert Order.objects.get(number="2051").shipping_address1 == "Calle Prueba 12"
