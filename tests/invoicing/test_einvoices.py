"""Factur-X: every case of VAT valid against XSD, EN 16931 and the French controls."""

from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.forms.models import model_to_dict
from django.test import Client
from django.utils import translation
from facturx import get_facturx_xml_from_pdf, xml_check_xsd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pypdf import PdfReader

from customers.drafts import AddressDraft, CustomerDraft
from customers.models import Customer
from invoicing.einvoices import faults_of
from invoicing.errors import StructureRefused
from invoicing.models import Invoice
from invoicing.services import (
    credit_invoice,
    issue_invoice,
    issue_shipped,
    render_pdfs,
    structured_xml,
)
from invoicing.services.documents import invoice_html
from invoicing.services.structured import is_french
from sales.drafts import LineDraft
from sphinx.core.branding import brand
from sphinx.core.models import Company, DocumentSequence
from sphinx.core.services import company
from tests.factories import NOON, PARIS_ADDRESS, line, shipped

D = Decimal
SIREN, VAT = "404833048", "FR83404833048"
FIRM = CustomerDraft(
    ref="P1", email="achats@cafe.test", company="Café du Port", siret="73282932000074"
)
BRUGES = AddressDraft("Brugse Handel", "", "Markt 1", "", "8000", "Brugge", "BE")
BERLIN = AddressDraft("Anna Schmidt", "", "Allee 2", "", "10115", "Berlin", "DE")
GENEVA = AddressDraft("Léa Favre", "", "Rue du Lac 3", "", "1200", "Genève", "CH")
REUNION = AddressDraft("Marie Hoarau", "", "4 rue de la Mer", "", "97400", "Saint-Denis", "FR")


@pytest.fixture
def seller(db: None) -> Company:
    firm = company()
    firm.name, firm.siren, firm.vat_number = "Maison Sphinx", SIREN, VAT
    firm.address1, firm.postcode, firm.city = "1 rue du Port", "33000", "Bordeaux"
    firm.legal_form, firm.share_capital, firm.uses_oss = "SARL", "10 000 €", True
    firm.iban = "FR7630006000011234567890189"
    firm.save()
    return firm


def invoiced(number: str, *lines: LineDraft, **values: Any) -> Invoice:
    return issue_invoice(delivery_note_id=shipped(number, *lines, **values).pk, at=NOON)


def assert_valid(invoice: Invoice) -> str:
    """XSD, both Schematrons, in CII and in UBL; the CII as text."""
    xml = structured_xml(invoice)
    assert xml_check_xsd(xml, flavor="factur-x", level="en16931")
    assert faults_of(xml, french=is_french(invoice)) == []
    as_ubl = structured_xml(invoice, syntax="ubl")
    assert faults_of(as_ubl, french=is_french(invoice), syntax="ubl") == []
    return xml.decode()


CASES: dict[str, tuple[tuple[LineDraft, ...], dict[str, Any]]] = {
    "a consumer, one rate, discount and shipping": (
        (line("A", "29.90", "2"),),
        {"shipping_amount": D("4.90"), "discount": D("5.98")},
    ),
    "two rates": (
        (line("A", "36.00"), line("B", "21.10", tax_rate=D("5.5"))),
        {"shipping_amount": D("6.90")},
    ),
    "all French rates": (
        tuple(line(f"R{r}", "10.55", tax_rate=D(r)) for r in ("20", "10", "5.5", "2.1", "8.5")),
        {},
    ),
    "a French firm, paid": ((line("A", "120.00"),), {"customer": FIRM}),
    "a French firm, to be paid": (
        (line("A", "120.00"),),
        {"customer": FIRM, "payment_status": "unpaid"},
    ),
    "a French firm without SIREN": (
        (line("A", "120.00"),),
        {"customer": FIRM._replace(siret="")},
    ),
    "a Belgian firm": (
        (line("A", "450.00", tax_rate=D(0)),),
        {
            "customer": CustomerDraft(
                ref="BE", email="a@b.test", company="Brugse Handel", vat_number="BE0776091951"
            ),
            "billing": BRUGES,
            "shipping": BRUGES,
            "shipping_amount": D("15.00"),
        },
    ),
    "a German consumer, at the German rate": (
        (line("A", "89.90", tax_rate=D(19)),),
        {"billing": BERLIN, "shipping": BERLIN, "shipping_amount": D("9.90")},
    ),
    "an export": ((line("A", "80.00", tax_rate=D(0)),), {"billing": GENEVA, "shipping": GENEVA}),
    "an overseas department": (
        (line("A", "80.00", tax_rate=D(0)),),
        {"billing": REUNION, "shipping": REUNION},
    ),
    "a gift card beside goods": (
        (line("A", "12.00"), line("", "50.00", tax_rate=D(0), kind="gift_card", label="Carte")),
        {},
    ),
    "a tip and a fee": (
        (
            line("A", "12.00"),
            line("", "2.00", tax_rate=D(0), kind="tip", label="Pourboire"),
            line("", "3.00", kind="fee", label="Emballage"),
        ),
        {},
    ),
    "a gift in the parcel": ((line("A", "12.00"), line("B", "0.00")), {}),
    "all discounted away": ((line("A", "12.00", discount=D("12.00")),), {}),
    "a third of a metre": ((line("A", "10.00", "0.333"), line("B", "0.07", "144")), {}),
}


@pytest.mark.parametrize("case", CASES)
def test_every_case_is_valid(seller: Company, case: str) -> None:
    lines, values = CASES[case]

    assert_valid(invoiced("1001", *lines, **values))


@pytest.mark.parametrize(
    ("case", "marks"),
    [
        ("a French firm, paid", (">B2<", ">B2B<", ">732829320<", ">0.00</ram:DuePayableAmount")),
        ("a French firm, to be paid", (">B1<", ">B2B<", "FR7630006000011234567890189")),
        ("a French firm without SIREN", ("achats@cafe.test",)),
        ("a Belgian firm", (">K<", "VATEX-EU-IC", "BE0776091951", ">B2BINT<", "262 ter I")),
        ("an export", (">G<", "VATEX-EU-G", ">B2CINT<", "262 I")),
        ("a German consumer, at the German rate", (">19.00<", ">15.93<")),
        ("a gift card beside goods", (">E<", "256 ter")),
    ],
)
def test_each_case_says_what_it_is(seller: Company, case: str, marks: tuple[str, ...]) -> None:
    lines, values = CASES[case]

    xml = structured_xml(invoiced("1001", *lines, **values)).decode()

    assert [mark for mark in marks if mark not in xml] == []


def test_a_firm_under_the_small_firm_exemption(seller: Company) -> None:
    seller.is_tax_exempt, seller.vat_number = True, ""
    seller.save()

    xml = assert_valid(invoiced("1001", line("A", "80.00", tax_rate=D(0))))

    assert "VATEX-FR-FRANCHISE" in xml
    assert "293 B" in xml


@pytest.mark.parametrize("amount", [None, "26.91"])
def test_credit_notes_name_the_invoice_they_correct(seller: Company, amount: str | None) -> None:
    invoice = invoiced("1001", line("A", "29.90", "2"), customer=FIRM, discount=D("5.98"))

    note = credit_invoice(
        invoice_id=invoice.pk, amount=amount and D(amount), reason="Retour", at=NOON
    )

    xml = assert_valid(note)
    assert ">381<" in xml
    assert invoice.number in xml


_PRICES = st.decimals("0.01", "999.99", places=2)
_LINES = st.lists(
    st.tuples(
        _PRICES,
        st.decimals("0.5", "12", places=1),
        st.sampled_from(["20", "10", "5.5", "2.1"]),
    ),
    min_size=1,
    max_size=5,
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(_LINES, st.decimals("0", "19.99", places=2), st.decimals("0", "0.9", places=1))
def test_any_order_gives_a_valid_invoice(
    seller: Company, lines: list[tuple[D, D, str]], shipping: D, share: D
) -> None:
    drafts = []
    for n, (price, quantity, rate) in enumerate(lines):
        gross = (price * quantity).quantize(D("0.01"))
        discount = (gross * share).quantize(D("0.01"))
        drafts.append(
            LineDraft(
                sku=f"S{n}",
                label=f"Article {n}",
                quantity=D(1),
                unit_price=gross,
                tax_rate=D(rate),
                discount=discount,
            )
        )
    number = f"N{Invoice.objects.count() + 1}"

    invoice = invoiced(number, *drafts, shipping_amount=shipping, customer=FIRM)

    assert faults_of(structured_xml(invoice)) == []


def test_a_professionals_invoice_that_would_not_be_valid_takes_no_number(seller: Company) -> None:
    # A VAT number that isn't one breaks BR-CO-09; the seller's own here.
    seller.vat_number = "123"
    seller.save()
    bad = shipped("1001", line("A", "12.00"), customer=FIRM)
    good = shipped("1002", line("A", "12.00"))

    done = issue_shipped(at=NOON)

    assert [i.delivery_note_id for i in done.invoices] == [good.pk]
    assert "1001" in done.refused[0].message
    assert Invoice.objects.get().number.endswith("000001")
    with pytest.raises(StructureRefused):
        issue_invoice(delivery_note_id=bad.pk, at=NOON)
    assert DocumentSequence.objects.get(series="FA").last_number == 1


def test_a_firm_without_siren_still_invoices_without_structure(db: None) -> None:
    invoice = invoiced("1001", line("A", "12.00"), customer=FIRM)

    with pytest.raises(StructureRefused):
        structured_xml(invoice)


def attached(invoice: Invoice) -> bytes | None:
    path = render_pdfs([invoice.pk])[invoice.pk]
    _name, xml = get_facturx_xml_from_pdf(path.read_bytes(), check_xsd=True)
    return xml


def test_the_pdf_carries_its_xml_and_says_so(seller: Company) -> None:
    invoice = invoiced("1001", line("A", "12.00"), customer=FIRM)

    assert attached(invoice) == structured_xml(invoice)
    reader = PdfReader(BytesIO(render_pdfs([invoice.pk])[invoice.pk].read_bytes()))
    metadata = reader.xmp_metadata.stream.get_data().decode()
    assert "EN 16931" in metadata
    assert "<pdfaid:part>3</pdfaid:part>" in metadata.replace(
        'pdfaid:part="3"', "<pdfaid:part>3</pdfaid:part>"
    )
    catalog = reader.trailer["/Root"]
    assert catalog["/MarkInfo"]["/Marked"]
    assert catalog["/AF"][0].get_object()["/AFRelationship"] == "/Data"


def test_consumers_pdfs_go_without_when_the_firm_says_so(seller: Company) -> None:
    seller.structures_consumer_invoices = False
    seller.save()
    consumer = invoiced("1001", line("A", "12.00"))
    firm = invoiced("1002", line("A", "12.00"), customer=FIRM)

    path = render_pdfs([consumer.pk])[consumer.pk]

    assert b"factur-x.xml" not in path.read_bytes()
    assert attached(firm)


def test_the_xml_alone_is_given_on_request(seller: Company, admin_client: Client) -> None:
    invoice = invoiced("1001", line("A", "12.00"), customer=FIRM)

    for syntax in ("cii", "ubl"):
        answer = admin_client.get(f"/documents/factures/{invoice.pk}.{syntax}.xml")
        assert answer.content == structured_xml(invoice, syntax=syntax)
        assert answer["Content-Disposition"].endswith(f'{invoice.number}-{syntax}.xml"')


def test_what_is_structured_was_frozen_at_issue(seller: Company) -> None:
    invoice = invoiced("1001", line("A", "12.00"), customer=FIRM)
    before = structured_xml(invoice)

    Company.objects.update(name="Autre", siren="552100554")
    Customer.objects.update(company_name="Autre", siren="552100554")

    assert structured_xml(Invoice.objects.get()) == before
    assert PARIS_ADDRESS.city in before.decode()


# --- Languages and looks -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "words"),
    [
        (
            "a German consumer, at the German rate",
            ("Invoice", "Shipping", "Amount due", "Delivery"),
        ),
        ("an export", ("Facture", "Reste à payer", "262 I du CGI")),
    ],
    ids=["to Berlin", "to Geneva"],
)
def test_documents_speak_the_language_of_where_they_go(
    seller: Company, case: str, words: tuple[str, ...]
) -> None:
    lines, values = CASES[case]

    # Whoever issues it: here somebody whose screens are in English, then in French.
    with translation.override("en" if "export" in case else "fr"):
        html = invoice_html(invoiced("1001", *lines, **values), brand())

    assert [word for word in words if word not in html] == []


def test_a_foreign_firm_reads_its_terms_in_english(seller: Company) -> None:
    berlin = BERLIN._replace(name="Laden GmbH", company="Laden GmbH")
    buyer = CustomerDraft(
        ref="DE", email="a@b.test", company="Laden GmbH", vat_number="DE136695976"
    )

    invoice = invoiced(
        "1001", line("A", "80.00", tax_rate=D(0)), customer=buyer, billing=berlin, shipping=berlin
    )

    text = " ".join([*invoice.mentions["terms"], *invoice.mentions["sentences"]])
    assert "40 €" in text
    assert "No discount for early payment" in text
    assert "262 ter I of the French tax code" in text
    assert_valid(invoice)


def test_logo_and_colour_are_brought_checked_and_printed(
    seller: Company, admin_client: Client
) -> None:
    page = "/admin/core/company/1/change/"
    kept = model_to_dict(company(), exclude=["logo", "id"]) | {"colour": "#aa3311"}
    typed = {name: value for name, value in kept.items() if value is not None}
    image = BytesIO()
    Image.new("RGB", (40, 20), "red").save(image, "PNG")

    for bad in (b"<svg onload=alert(1)>", b"", b"x" * 600_000):
        answer = admin_client.post(page, typed | {"logo_file": SimpleUploadedFile("l.png", bad)})
        assert answer.status_code == 200
    logo = SimpleUploadedFile("logo.png", image.getvalue())
    assert admin_client.post(page, typed | {"logo_file": logo}).status_code == 302

    html = invoice_html(invoiced("1001", line("A", "12.00")), brand())
    assert "data:image/png;base64," in html
    assert "#aa3311" in html
    assert admin_client.post(page, typed | {"colour": "red;}"}).status_code == 200
    assert admin_client.post(page, typed | {"removes_logo": "on"}).status_code == 302
    assert brand()["logo"] == ""
