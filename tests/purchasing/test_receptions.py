"""Suppliers' electronic invoices: read, recognised, matched, entered."""

import json
from datetime import date
from decimal import Decimal
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from facturx import generate_cii_xml, generate_from_binary, generate_ubl_xml
from pypdf import PdfWriter

from inventory.models import StockPosition
from inventory.services import default_warehouse
from purchasing.errors import AlreadyEntered, WrongState
from purchasing.models import ReceiptLine, ReceivedInvoice, SupplierInvoice
from purchasing.services import (
    Charged,
    create_order,
    enter_received,
    enter_supplier_invoice,
    ignore_received,
    match_lines,
    receive_einvoice,
    receive_goods,
    say_supplier,
)
from sphinx.core.errors import InputError
from suppliers.models import Supplier, SupplierPrice
from tests.factories import NOON, ProductFactory, SupplierFactory, SupplierProductFactory
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db
D = Decimal


def terms(**changes: Any) -> dict[str, Any]:
    """Ten pieces at 5.00 and carriage of 4.00 at 20 %: 64.80 incl. tax."""
    party = {"addr_l1": "1 rue", "postcode": "35000", "city": "Rennes", "country_code": "FR"}
    return {
        "BT-1": "F-2026-77",
        "BT-2": date(2026, 3, 4),
        "BT-3": "380",
        "BT-5": "EUR",
        "BT-9": date(2026, 4, 3),
        "BT-23": "B1",
        "BT-72": date(2026, 3, 2),
        "BG-1": [],
        "BG-4": {
            **party,
            "name": "Cirier du Nord",
            "legal_identifier": "404833048",
            "legal_identifier_schemeid": "0002",
            "vat_identifier": "FR83404833048",
        },
        "BG-7": {**party, "name": "Maison Sphinx"},
        "BG-21": [
            {
                "amount": "4.00",
                "reason": "Port",
                "reason_code": "FC",
                "vat_category_code": "S",
                "vat_rate": "20.00",
            }
        ],
        "BG-23": [{"BT-116": "54.00", "BT-117": "10.80", "BT-118": "S", "BT-119": "20.00"}],
        "BG-25": [
            {
                "BT-126": "1",
                "BT-129": "10",
                "BT-130": "C62",
                "BT-131": "50.00",
                "BT-146": "5.000000",
                "BT-151": "S",
                "BT-152": "20.00",
                "BT-153": "Bougie",
                "BT-155": "C-9",
            }
        ],
        "BT-106": "50.00",
        "BT-108": "4.00",
        "BT-109": "54.00",
        "BT-110": "10.80",
        "BT-112": "64.80",
        "BT-115": "64.80",
        **changes,
    }


def cii(**changes: Any) -> bytes:
    return bytes(generate_cii_xml(terms(**changes), level="en16931", check_schematron=False))


def ubl(**changes: Any) -> bytes:
    return bytes(generate_ubl_xml(terms(**changes), level="en16931", check_schematron=False))


def pdf(xml: bytes | None) -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    stream = BytesIO()
    writer.write(stream)
    if xml is None:
        return stream.getvalue()
    joined: bytes = generate_from_binary(stream.getvalue(), xml, check_xsd=False)
    return joined


@pytest.fixture
def row() -> ReceiptLine:
    """Ten candles at 5.00, received."""
    supplier = SupplierFactory(name="Cirier du Nord", siren="404833048")
    product = ProductFactory(sku="A-1", barcode="3017620422003", label="Bougie")
    SupplierProductFactory(supplier=supplier, product=product, supplier_sku="C-9", price="5.00")
    order = create_order(
        supplier=supplier, warehouse=default_warehouse(), quantities={product.pk: D(10)}, at=NOON
    )
    receipt = receive_goods(order_id=order.pk, quantities=None, at=NOON)
    assert receipt is not None
    return receipt.lines.get()


def received(data: bytes) -> ReceivedInvoice:
    return receive_einvoice(name="facture", data=data, at=NOON)


@pytest.mark.parametrize("make", [cii, ubl, lambda: pdf(cii())], ids=["CII", "UBL", "Factur-X"])
def test_every_form_is_entered_and_good_to_pay(row: ReceiptLine, make: Any) -> None:
    found = received(make())

    invoice = enter_received(received_id=found.pk, at=NOON)

    row.refresh_from_db()
    assert (invoice.status, invoice.supplier_number) == ("approved", "F-2026-77")
    assert (invoice.carriage_excl_tax, invoice.tax, invoice.total_incl_tax) == (
        D("4.00"),
        D("10.80"),
        D("64.80"),
    )
    assert row.quantity_invoiced == 10
    assert enter_received(received_id=found.pk, at=NOON) == invoice


def test_an_electronic_credit_note_lowers_the_price_of_pieces_that_stay(row: ReceiptLine) -> None:
    enter_received(received_id=received(cii()).pk, at=NOON)
    average = StockPosition.objects.get().average_cost
    credit = received(cii(**{"BT-1": "A-2026-1", "BT-3": "381"}))
    page = f"/achats/factures/recues/{credit.pk}/"
    assert "les pièces restent" in signed_in("Achats").get(page).content.decode()

    note = enter_received(received_id=credit.pk, lowers_price=True, at=NOON)

    row.refresh_from_db()
    (charged,) = note.lines.all()
    assert (note.status, note.differences, charged.lowers_price) == ("approved", [], True)
    assert row.quantity_invoiced == 10
    assert StockPosition.objects.get().average_cost < average


def test_the_same_file_twice_is_one_invoice(row: ReceiptLine) -> None:
    data = cii()

    assert received(data) == received(data)


@pytest.mark.parametrize(
    ("change", "known"),
    [
        ({"legal_identifier": "552100554"}, True),  # by its VAT number
        ({"vat_identifier": "FR11552100554"}, True),  # by its SIREN
        ({"legal_identifier": "552100554", "vat_identifier": "FR11552100554"}, True),  # by name
        (
            {
                "legal_identifier": "552100554",
                "vat_identifier": "FR11552100554",
                "name": "Autre",
            },
            False,
        ),
    ],
)
def test_the_seller_is_recognised(row: ReceiptLine, change: dict[str, str], known: bool) -> None:
    supplier = row.receipt.purchase_order.supplier
    supplier.vat_number = "FR83404833048"
    supplier.save()
    seller = {**terms()["BG-4"], **change}

    assert (received(cii(**{"BG-4": seller})).supplier is not None) == known


@pytest.mark.parametrize(
    "line",
    [
        {"BT-155": "C-9"},
        {"BT-155": "X", "BT-156": "a-1"},
        {"BT-155": "X", "BT-157": "3017620422003", "BT-157-1": "0160"},
    ],
)
def test_lines_are_matched_by_reference_ours_or_barcode(
    row: ReceiptLine, line: dict[str, str]
) -> None:
    rows = [{**terms()["BG-25"][0], **line}]

    (matched,) = match_lines(received(cii(**{"BG-25": rows})))

    assert matched.shares == [(row, 10)]


def test_a_price_that_differs_waits_for_a_decision(row: ReceiptLine) -> None:
    rows = [{**terms()["BG-25"][0], "BT-131": "60.00", "BT-146": "6.000000"}]
    taxes = [{**terms()["BG-23"][0], "BT-116": "64.00", "BT-117": "12.80"}]
    totals = {"BT-106": "60.00", "BT-109": "64.00", "BT-110": "12.80", "BT-112": "76.80"}

    found = received(cii(**{"BG-25": rows, "BG-23": taxes, "BT-115": "76.80", **totals}))
    invoice = enter_received(received_id=found.pk, at=NOON)

    assert [d["code"] for d in invoice.differences] == ["price"]


def test_a_discount_of_the_document_is_taken_off_its_lines(row: ReceiptLine) -> None:
    off = [
        {
            "amount": "10.00",
            "reason": "Remise",
            "reason_code": "95",
            "vat_category_code": "S",
            "vat_rate": "20.00",
        }
    ]
    taxes = [{**terms()["BG-23"][0], "BT-116": "44.00", "BT-117": "8.80"}]
    totals = {"BT-107": "10.00", "BT-109": "44.00", "BT-110": "8.80", "BT-112": "52.80"}

    found = received(cii(**{"BG-20": off, "BG-23": taxes, "BT-115": "52.80", **totals}))

    assert enter_received(received_id=found.pk, at=NOON).goods_excl_tax == D("40.00")


def test_what_was_not_received_is_said_and_nothing_is_entered(row: ReceiptLine) -> None:
    rows = [{**terms()["BG-25"][0], "BT-155": "Z-1", "BT-153": "Lampe"}]
    found = received(cii(**{"BG-25": rows}))

    with pytest.raises(WrongState, match="Lampe"):
        enter_received(received_id=found.pk, at=NOON)
    assert SupplierInvoice.objects.count() == 0


def test_an_invoice_typed_by_hand_before_is_not_entered_twice(row: ReceiptLine) -> None:
    found = received(cii())
    enter_supplier_invoice(
        supplier=row.receipt.purchase_order.supplier,
        supplier_number="F-2026-77",
        issued_on=date(2026, 3, 4),
        charged=[Charged(row.pk, D(10), D(5))],
        tax=D("10.00"),
        total_incl_tax=D("60.00"),
        at=NOON,
    )

    with pytest.raises(AlreadyEntered):
        enter_received(received_id=found.pk, at=NOON)


def test_who_sent_it_is_said_once_and_what_is_not_ours_is_put_aside(row: ReceiptLine) -> None:
    seller = {**terms()["BG-4"], "name": "Inconnu", "legal_identifier": "552100554"}
    seller["vat_identifier"] = "FR11552100554"
    found = received(cii(**{"BG-4": seller}))

    say_supplier(received_id=found.pk, supplier=row.receipt.purchase_order.supplier)
    enter_received(received_id=found.pk, at=NOON)

    with pytest.raises(WrongState):
        ignore_received(received_id=found.pk)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<a/>",
        pdf(None),
        b"%PDF-1.7 nothing",
        cii().replace(b"<?xml", b"<!DOCTYPE x><?xml")[:-1],
        cii(**{"BT-112": "65.80"}),
    ],
    ids=["empty", "foreign", "plain PDF", "broken PDF", "DOCTYPE", "wrong total"],
)
def test_what_is_no_valid_invoice_is_refused_with_a_sentence(data: bytes) -> None:
    with pytest.raises(InputError):
        received(data)
    assert ReceivedInvoice.objects.count() == 0


def test_an_invoice_asks_nothing_of_the_disk() -> None:
    trap = cii().replace(
        b"<rsm:CrossIndustryInvoice",
        b'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><rsm:CrossIndustryInvoice',
        1,
    )

    with pytest.raises(InputError):
        received(trap.replace(b"Bougie", b"&x;"))


def test_invoices_are_brought_and_entered_on_the_page(row: ReceiptLine) -> None:
    buyer = signed_in("Achats")
    good = SimpleUploadedFile("f.pdf", pdf(cii()))
    bad = SimpleUploadedFile("x.pdf", pdf(None))

    answer = buyer.post("/achats/factures/recevoir/", {"einvoices": [bad, good]})
    page = answer.headers["Location"]
    assert "Bougie" in buyer.get(page).content.decode()
    entered = buyer.post(page, {"verb": "enter"})

    invoice = SupplierInvoice.objects.get()
    assert entered.headers["Location"] == f"/achats/factures/{invoice.pk}/"
    assert buyer.get(f"{page}fichier/").content == pdf_of(page)
    assert signed_in("Ventes").get(page).status_code == 403


def pdf_of(page: str) -> bytes:
    return bytes(ReceivedInvoice.objects.get(pk=int(page.rstrip("/").split("/")[-1])).data)


def test_a_folder_of_invoices_is_received_and_what_is_wrong_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_bytes(cii())
    (tmp_path / "b.pdf").write_bytes(pdf(None))
    (tmp_path / "c.txt").write_text("not ours")
    out = StringIO()

    with pytest.raises(SystemExit) as ended:
        call_command("receive_invoices", str(tmp_path), "--json", stdout=out)

    assert ended.value.code == 1
    report = json.loads(out.getvalue())
    assert [row["number"] for row in report["received"]] == ["F-2026-77"]
    assert [row["file"] for row in report["refused"]] == ["b.pdf"]


IN_DOLLARS = {"BT-5": "USD", "BT-6": "EUR", "BT-111": "8.70"}


@pytest.fixture
def dollar_row(row: ReceiptLine) -> ReceiptLine:
    """Ten candles at 5.00 USD, received at 1.25."""
    Supplier.objects.update(currency="USD")
    SupplierPrice.objects.update(currency="USD")
    order = create_order(
        supplier=Supplier.objects.get(),
        warehouse=default_warehouse(),
        quantities={row.order_line.product_id: D(10)},
        at=NOON,
    )
    receipt = receive_goods(order_id=order.pk, quantities=None, exchange_rate=D("1.25"), at=NOON)
    assert receipt is not None
    return receipt.lines.get()


@pytest.mark.parametrize("make", [cii, ubl], ids=["CII", "UBL"])
def test_an_invoice_in_dollars_is_read_with_its_vat_in_euros(make: Any) -> None:
    found = received(make(**IN_DOLLARS))

    assert (found.currency, found.tax, found.tax_eur) == ("USD", D("10.80"), D("8.70"))
    assert found.total_incl_tax == D("64.80")


def test_an_invoice_in_dollars_is_entered_against_what_came_in_dollars(
    dollar_row: ReceiptLine,
) -> None:
    made = enter_received(
        received_id=received(cii(**IN_DOLLARS)).pk, exchange_rate=D("1.20"), at=NOON
    )

    # 54.00 USD at 1.20 are 45.00 €, and 8.70 € of VAT as it says; at 1.20 they would be 9.00 €.
    assert made.lines.get().receipt_line == dollar_row
    assert (made.currency, made.status, made.differences) == ("USD", "approved", [])
    assert (made.euros.tax, made.euros.total) == (D("8.70"), D("53.70"))


def test_an_invoice_in_dollars_charges_nothing_that_came_in_euros(row: ReceiptLine) -> None:
    found = received(cii(**IN_DOLLARS))

    assert [matched.shares for matched in match_lines(found)] == [[]]
    with pytest.raises(WrongState):
        enter_received(received_id=found.pk, exchange_rate=D("1.20"), at=NOON)


def test_vat_in_another_currency_than_the_euro_is_not_taken_for_euros() -> None:
    assert received(cii(**IN_DOLLARS | {"BT-6": "GBP"})).tax_eur is None


def test_an_invoice_in_dollars_shows_them(dollar_row: ReceiptLine) -> None:
    found = received(cii(**IN_DOLLARS))

    page = signed_in("Achats").get(f"/achats/factures/recues/{found.pk}/").content.decode()

    assert "64,80 USD" in page
    assert "8,70 €" in page
    assert 'name="exchange_rate"' in page
