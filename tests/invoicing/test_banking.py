"""Bank statements: read whatever the bank writes, matched with a reason."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import given
from hypothesis import strategies as st

from customers.drafts import AddressDraft, CustomerDraft
from invoicing.errors import BankLineClosed, PaymentRefused
from invoicing.matching import LIKELY, MAYBE, SURE, propose
from invoicing.models import BankLine, Invoice, Payment
from invoicing.reading import read_statement
from invoicing.receivables import open_invoices
from invoicing.services import (
    ignore_line,
    import_statement,
    issue_invoice,
    match_line,
    match_sure_lines,
)
from sphinx.core.errors import InputError
from sphinx.core.proofs import run_proofs
from tests.factories import NOON, line, shipped
from tests.test_stock_pages import signed_in

D = Decimal
OFX = """OFXHEADER:100
DATA:OFXSGML
<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><BANKACCTFROM><ACCTID>0001<ACCTTYPE>CHECKING</BANKACCTFROM>
<BANKTRANLIST>
<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20260305<TRNAMT>+120.00<FITID>A1<NAME>VIR CAFE DU PORT
<MEMO>FA2026-000001 &amp; merci</STMTTRN>
<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>20260306<TRNAMT>-45,50<FITID>A2<NAME>LOYER</STMTTRN>
</BANKTRANLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>"""
CAMT = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt><Stmt>
<Ntry><Amt Ccy="EUR">120.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><BookgDt><Dt>2026-03-05</Dt></BookgDt>
<AcctSvcrRef>R1</AcctSvcrRef><NtryDtls><TxDtls><RltdPties><Dbtr><Nm>Café du Port</Nm></Dbtr>
</RltdPties><RmtInf><Ustrd>FA2026-000001</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>
<Ntry><Amt Ccy="EUR">45.50</Amt><CdtDbtInd>DBIT</CdtDbtInd><BookgDt><DtTm>2026-03-06T08:00:00</DtTm>
</BookgDt><AddtlNtryInf>LOYER</AddtlNtryInf></Ntry></Stmt></BkToCstmrStmt></Document>"""
TWO_COLUMNS = """Compte n° 0001;;;
Date;Libellé;Débit;Crédit
05/03/2026;VIR CAFE DU PORT FA2026-000001;;120,00
06/03/2026;LOYER;-45,50;
"""
ONE_COLUMN = "Date comptable,Libellé,Montant\n2026-03-05,VIR CAFE DU PORT FA2026-000001,120.00\n"


@pytest.mark.parametrize(
    ("data", "count"), [(OFX, 2), (CAMT, 2), (TWO_COLUMNS, 2), (ONE_COLUMN, 1)]
)
def test_every_kind_of_statement_says_the_same(data: str, count: int) -> None:
    rows = read_statement("releve", data.encode()).rows

    assert len(rows) == count
    assert (rows[0].booked_on, rows[0].amount) == (date(2026, 3, 5), 120)
    assert "FA2026-000001" in rows[0].label
    assert [row.amount for row in rows[1:]] == [D("-45.50")] * (count - 1)


def test_equal_lines_of_a_bank_without_references_are_two() -> None:
    data = "Date;Libellé;Montant\n05/03/2026;VIR LEA;10\n05/03/2026;VIR LEA;10\n"

    first, second = read_statement("x.csv", data.encode()).rows

    assert first.key != second.key
    assert [r.key for r in read_statement("y.csv", data.encode()).rows] == [first.key, second.key]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"a;b\n1;2\n",
        b"<?xml version='1.0'?><Document>",
        b"Date;Libell\xe9;Montant\n31/02/2026;VIR;10\n",
        b"Date;Libell\xe9;Montant\n05/03/2026;VIR;dix\n",
    ],
)
def test_what_is_no_statement_is_said(data: bytes) -> None:
    with pytest.raises(InputError):
        read_statement("x", data)


@pytest.mark.parametrize(
    "data",
    [
        OFX.replace("<DTPOSTED>20260305", "<DTPOSTED>20261399", 1),
        CAMT.replace("<Dt>2026-03-05", "<Dt>2026-13-99", 1),
        "Date;Libellé;Montant\n03/13/2026;VIR A;12,00\n04/03/2026;VIR B;douze\n"
        "05/03/2026;VIR C;12,00\n",
    ],
)
def test_a_line_that_cannot_be_read_holds_no_other_back(data: str) -> None:
    found = read_statement("x", data.encode())

    assert found.rows
    assert found.faults


def test_a_statement_asks_nothing_of_the_disk_or_the_network() -> None:
    trap = CAMT.replace(
        "<Document", '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><Document', 1
    ).replace("<Ustrd>FA2026-000001", "<Ustrd>&x;")

    rows = read_statement("x.xml", trap.encode()).rows

    assert "root:" not in rows[0].label


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        rows = read_statement("x", data).rows
    except InputError:
        return
    assert all(len(row.key) <= 80 for row in rows)


# --- Matching ----------------------------------------------------------------------------------


def invoiced(number: str, price: str, company: str = "Café du Port") -> Invoice:
    buyer = CustomerDraft(ref=company, email=f"{len(company)}@x.test", company=company)
    billing = AddressDraft(company, company, "1 rue", "", "75001", "Paris", "FR")
    note = shipped(
        number, line("A", price), payment_status="unpaid", customer=buyer, billing=billing
    )
    return issue_invoice(delivery_note_id=note.pk, at=NOON)


def booked(label: str, amount: str, day: int = 5) -> BankLine:
    return BankLine.objects.create(
        key=f"{label}{amount}{day}", booked_on=date(2026, 3, day), amount=D(amount), label=label
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("label", "amount", "certainty"),
    [
        ("VIR FA2026-000001", "120.00", SURE),
        ("VIR FA 2026 000001 MERCI", "120.00", SURE),
        ("VIR FA2026000001", "100.00", LIKELY),
        ("REGLEMENT COMMANDE W1001", "120.00", SURE),
        ("VIR SEPA CAFE DU PORT", "120.00", LIKELY),
        ("VIR SEPA INCONNU", "120.00", MAYBE),
        ("VIR SEPA INCONNU", "77.00", 0),
        ("VIR FA2026-000001", "-120.00", 0),
    ],
)
def test_a_line_is_proposed_with_how_sure_it_is(label: str, amount: str, certainty: int) -> None:
    invoiced("W1001", "120.00")
    found = booked(label, amount)

    proposal = propose([found]).get(found.pk)

    assert (proposal.certainty if proposal else 0) == certainty


@pytest.mark.django_db
def test_one_transfer_pays_several_invoices_and_the_rest_is_too_much() -> None:
    first, second = invoiced("1", "120.00"), invoiced("2", "30.00")
    found = booked(f"VIR {first.number} {second.number}", "155.00")

    shares = propose([found])[found.pk].shares

    assert [(s.invoice, s.amount) for s in shares] == [(first, 120), (second, 35)]


@pytest.mark.django_db
def test_an_invoice_is_proposed_to_the_surest_line_only() -> None:
    invoice = invoiced("1", "120.00")
    vague = booked("VIR INCONNU", "120.00", day=4)
    sure = booked(f"VIR {invoice.number}", "120.00", day=9)

    assert set(propose([vague, sure])) == {sure.pk}


@pytest.mark.django_db
def test_a_statement_twice_brings_each_line_once_and_pays_once() -> None:
    invoiced("1", "120.00")

    first = import_statement(name="releve.ofx", data=OFX.encode())
    again = import_statement(name="releve-2.ofx", data=OFX.encode())

    assert (first.new, again.lines, again.new) == (2, 2, 0)
    assert (match_sure_lines(), match_sure_lines()) == (1, 0)
    assert list(open_invoices()) == []
    payment = Payment.objects.get()
    assert (payment.amount, payment.paid_at.date()) == (120, date(2026, 3, 5))
    assert [proof.faults for proof in run_proofs() if proof.name == "bank_lines"] == [[]]


@pytest.mark.django_db
def test_shares_make_the_line_or_nothing_is_matched() -> None:
    invoice = invoiced("1", "120.00")
    found = booked("VIR", "100.00")

    for shares in ([(invoice.pk, D("90.00"))], []):
        with pytest.raises(PaymentRefused):
            match_line(line_id=found.pk, shares=shares)
    match_line(line_id=found.pk, shares=[(invoice.pk, D("100.00"))])
    with pytest.raises(BankLineClosed):
        match_line(line_id=found.pk, shares=[(invoice.pk, D("100.00"))])

    assert open_invoices().get().balance == 20


@pytest.mark.django_db
def test_a_line_put_aside_is_not_matched_any_more() -> None:
    found = booked("LOYER", "-45.50")
    ignore_line(line_id=found.pk)
    ignore_line(line_id=found.pk)

    with pytest.raises(BankLineClosed):
        match_line(line_id=found.pk, shares=[])


@pytest.mark.django_db
def test_proposing_costs_the_same_whatever_the_statement(
    django_assert_max_num_queries: Any,
) -> None:
    for n in range(6):
        invoiced(str(n), "10.00")
    lines = [booked(f"VIR FA2026-00000{n}", "10.00") for n in range(1, 7)]

    with django_assert_max_num_queries(2):
        assert len(propose(lines)) == 6


# --- The page ----------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_statement_is_brought_and_matched_on_the_page() -> None:
    sales = signed_in("Ventes")
    first, second = invoiced("1", "120.00"), invoiced("2", "33.00", company="Hôtel Bellevue")
    file = SimpleUploadedFile("releve.ofx", OFX.encode())

    sales.post("/banque/", {"verb": "import", "file": file})
    page = sales.get("/banque/").content.decode()
    assert "sûr" in page
    assert first.number in page
    sales.post("/banque/", {"verb": "sure"})
    cheque = booked("REMISE CHEQUE", "33.00")
    sales.post("/banque/", {"verb": f"match-{cheque.pk}", f"numbers-{cheque.pk}": "FA9"})
    assert Payment.objects.count() == 1
    sales.post("/banque/", {"verb": f"match-{cheque.pk}", f"numbers-{cheque.pk}": second.number})
    rent = BankLine.objects.get(amount__lt=0)
    sales.post("/banque/", {"verb": f"ignore-{rent.pk}"})

    assert list(open_invoices()) == []
    assert "Rien à rapprocher" in sales.get("/banque/").content.decode()


@pytest.mark.django_db
def test_only_who_notes_payments_matches() -> None:
    assert signed_in("Comptable").get("/banque/").status_code == 200
    assert signed_in("Entrepôt").get("/banque/").status_code == 403
