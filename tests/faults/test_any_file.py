"""Whatever an outsider's file holds, taking it in ends well, or in a sentence: never in an error.

Price lists, carriers' tracking files, suppliers' departures, providers' payouts, bank statements,
platforms' messages: a good file with one thing or a few spoilt in it, and bytes of no kind at all.
"""

import csv
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from invoicing.models import EInvoiceState, PlatformSettings
from invoicing.payouts import provider_gaps
from invoicing.platforms import Message
from invoicing.services import import_payouts, import_statement, issue_invoice, match_sure_lines
from invoicing.services.platform import receive_message
from purchasing.models import PurchaseOrder
from purchasing.services import accept_proposal, propose_orders, send_order
from sales.services import import_tracking, prepare_delivery
from sphinx.core.errors import SphinxError
from sphinx.dashboard.direct import import_departures
from suppliers.models import Supplier
from suppliers.services import accept_price_list, preview_price_list, receive_price_list
from tests.factories import (
    NOON,
    ProductFactory,
    SupplierFactory,
    SupplierProductFactory,
    line,
    placed,
    shipped,
)
from tests.invoicing.test_banking import CAMT, OFX, TWO_COLUMNS
from tests.invoicing.test_payouts import PAYPAL, PAYPAL_FR, SHOPIFY, STRIPE

pytestmark = pytest.mark.django_db
MANY = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
# The first twenty every time, all of them with WHOLE=1.
NASTY = (
    "", "-1", "999999999,99", "-999999999.994", "9" * 40, "NaN", "1E+999999", "0.001", "²",
    "01/01/0001", "0001-01-01", "31/12/9999", "9999-12-31 23:59:59 -1200", "00010101", "99991231",
    "\0", "\ud83d", "&#0;", "x" * 5000, "%s%(x)s{0}",
    "0", "-0,00", "1e9", "999999999", "Infinity", "0,0000001", "1,2,3", "1.234,56", "٣", "½",
    "99,999 %", "9999-12-31", "0001-01-01 00:00:00 +1400", "20261331999999", "32/13/2026",
    "0000-00-00", "a\0b", "\udcff", "&#xD800;", "&#99999999999;", "&x;", "a\nb", '"', "'", ";",
    "=1+1", "\u202e", "é" * 300, "1001", "A", "SOFA", "EUR", "<b>", "]]>", "USD",
)  # fmt: skip
VALUES = NASTY if os.environ.get("WHOLE") else NASTY[:20]
PRICES = (
    "Réf;Notre référence;EAN;Désignation;PU net HT;Remise;Prix par;À partir de;Qté mini;Colisage;"
    "Délai (jours);Devise\nC-9;A;3017620422003;Bougie;3,60;10 %;1;1;2;6;15;EUR\n"
    "C-9;A;3017620422003;Bougie;3,40;10 %;1;10;2;6;15;EUR\n"
)
TRACKING = "Référence client;Ville;Numéro de suivi\n1001;Paris;6A1\nW9;Nice;6A3\n"
DEPARTURES = "Commande;Référence;Quantité;Transporteur;N° de suivi;BL\n{};SOFA;2;GLS;T9;B1\n"
CDAR = (
    '<?xml version="1.0" encoding="UTF-8"?><r xmlns="urn:x"><ExchangedDocument><IssueDateTime>'
    '<DateTimeString format="204">20260305100000</DateTimeString></IssueDateTime>'
    "</ExchangedDocument><AcknowledgementDocument><ReferenceReferencedDocument>"
    "<IssuerAssignedID>FA2026-000001</IssuerAssignedID>"
    "<ProcessConditionCode>210</ProcessConditionCode><SpecifiedDocumentStatus>"
    "<Reason>Doublon</Reason></SpecifiedDocumentStatus></ReferenceReferencedDocument>"
    "</AcknowledgementDocument></r>"
)
STATES = "document;etat;date;motif\nFA2026-000001;refusee;2026-03-05 10:00;Doublon\n"


@pytest.fixture
def supplier(db: None) -> Supplier:
    """Sells A; an order of A waits to be shipped, one of SOFA is the supplier's to send."""
    found: Supplier = SupplierFactory()
    product = ProductFactory(sku="A", on_hand=50, barcode="3017620422003")
    SupplierProductFactory(supplier=found, product=product, supplier_sku="C-9", price="3.50")
    prepare_delivery(order_id=placed("1001", line("A")).pk, at=NOON)
    sofa = ProductFactory(sku="SOFA", supply_mode="drop_ship")
    SupplierProductFactory(supplier=found, product=sofa, price="3.00")
    placed("1002", line("SOFA", quantity="2"))
    (order,) = [o for o in propose_orders(on=NOON.date()).orders if o.direct_delivery_id]
    accept_proposal(order_id=order.pk, at=NOON)
    send_order(order_id=order.pk, at=NOON)
    PlatformSettings.objects.get_or_create(pk=1, defaults={"starts_on": NOON.date()})
    issue_invoice(delivery_note_id=shipped("1003", line("A")).pk, at=NOON)
    return found


def take_prices(data: bytes) -> None:
    supplier = Supplier.objects.get()
    found = receive_price_list(
        supplier=supplier, name="tarif", data=data, applies_on=NOON.date(), at=NOON
    )
    preview_price_list(found)
    accept_price_list(price_list_id=found.pk, at=NOON)


def take_tracking(data: bytes) -> None:
    import_tracking(name="suivi", data=data, carrier="DPD", ships=True, at=NOON)


def take_departures(data: bytes) -> None:
    import_departures(name="departs", data=data, at=NOON)


def take_payouts(data: bytes) -> None:
    import_payouts(name="versements", data=data)
    list(provider_gaps())


def take_statement(data: bytes) -> None:
    import_statement(name="releve", data=data)
    match_sure_lines()


def take_message(data: bytes) -> None:
    receive_message(Message("message", data), at=NOON)
    for state in EInvoiceState.objects.all():
        assert state.occurred_at


def departures() -> str:
    return DEPARTURES.format(PurchaseOrder.objects.get().number)


Taker = Callable[[bytes], None]
TABLES: dict[str, tuple[Callable[[], str], Taker]] = {
    "price list": (lambda: PRICES, take_prices),
    "tracking": (lambda: TRACKING, take_tracking),
    "departures": (departures, take_departures),
    "stripe": (lambda: STRIPE, take_payouts),
    "paypal": (lambda: PAYPAL, take_payouts),
    "paypal fr": (lambda: PAYPAL_FR, take_payouts),
    "shopify": (lambda: SHOPIFY, take_payouts),
    "statement": (lambda: TWO_COLUMNS, take_statement),
    "states": (lambda: STATES, take_message),
}
TEXTS: dict[str, tuple[Callable[[], str], Taker]] = {
    **TABLES,
    "ofx": (lambda: OFX, take_statement),
    "camt": (lambda: CAMT, take_statement),
    "cdar": (lambda: CDAR, take_message),
}


@contextmanager
def taken_back() -> Iterator[None]:
    """A refusal in a sentence is an end like any other; then all is as before."""
    with transaction.atomic():
        try:
            yield
        except SphinxError as error:
            if not error.message:
                pytest.fail("refused without a word")
        transaction.set_rollback(True)


def as_csv(rows: list[list[str]], delimiter: str) -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue().encode("utf-8", "surrogatepass")


def as_workbook(rows: list[list[str]]) -> bytes:
    book = Workbook()
    for row in rows:
        texts = [text.encode("utf-8", "replace").decode() for text in row]
        book.active.append([ILLEGAL_CHARACTERS_RE.sub("", text) for text in texts])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.usefixtures("supplier")
@pytest.mark.parametrize("kind", TABLES)
def test_no_cell_of_a_table_is_an_error(kind: str) -> None:
    """Each nasty value in each cell: CSV, and one in seven as a workbook too."""
    good, take = TABLES[kind]
    text = good()
    delimiter = max(",;", key=text.splitlines()[0].count)
    rows = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    tried = 0
    for row in range(1, min(len(rows), 2 if kind != "statement" else 3)):
        for column in range(len(rows[row])):
            for value in VALUES:
                spoilt = [list(cells) for cells in rows]
                spoilt[row][column] = value
                tried += 1
                with taken_back():
                    take(as_csv(spoilt, delimiter))
                if tried % 7 == 0:
                    with taken_back():
                        take(as_workbook(spoilt))


TAGS = (
    "2026-03-05",
    "20260305",
    "+120.00",
    "120.00",
    "-45,50",
    "FA2026-000001",
    "A1",
    "R1",
    "210",
    "20260305100000",
)


@pytest.mark.usefixtures("supplier")
@pytest.mark.parametrize("kind", ["ofx", "camt", "cdar"])
@pytest.mark.parametrize("value", VALUES)
def test_no_value_of_a_message_is_an_error(kind: str, value: str) -> None:
    good, take = TEXTS[kind]
    for known in (*TAGS, "20260305100000", "CRDT", "UTF-8", "CAFE DU PORT"):
        data = good().replace(known, value, 1)
        with taken_back():
            take(data.encode("utf-8", "surrogatepass"))


@pytest.mark.usefixtures("supplier")
@pytest.mark.parametrize("kind", TEXTS)
@MANY
@given(data=st.data())
def test_no_byte_is_an_error(kind: str, data: st.DataObject) -> None:
    good, take = TEXTS[kind]
    raw = bytearray(good().encode())
    for _change in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, len(raw) - 1))
        how = data.draw(st.sampled_from(("replace", "insert", "cut", "again")))
        if how == "replace":
            raw[place] = data.draw(st.integers(0, 255))
        elif how == "insert":
            raw[place:place] = data.draw(st.binary(max_size=8))
        elif how == "cut":
            del raw[place : place + data.draw(st.integers(1, 40))]
        else:
            raw[place:place] = raw[place : place + data.draw(st.integers(1, 200))]
        raw = raw or bytearray(b"x")

    with taken_back():
        take(bytes(raw))


@pytest.mark.usefixtures("supplier")
@MANY
@given(data=st.binary(max_size=300))
@example(b"")
@example(b"PK\x03\x04")
@example(b"\xff\xfe")
@example(b"\xff\xfe\x00\xd8")
@example(b"<?xml version='1.0' encoding='x-none'?><Document/>")
@example(b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><Document>&b;</Document>")
def test_no_bytes_at_all_are_an_error(data: bytes) -> None:
    for _good, take in TEXTS.values():
        with taken_back():
            take(data)
