"""The e-invoicing platform: what goes out, what comes back, and the e-reporting file."""

import os
import stat
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, transaction
from lxml import etree

from customers.drafts import CustomerDraft
from invoicing.channels import ABROAD, DAILY, E_INVOICE, daily_sales, with_channel
from invoicing.ereporting import report_faults
from invoicing.errors import PlatformNotReady
from invoicing.models import (
    EInvoiceState,
    Invoice,
    PlatformMessage,
    PlatformSettings,
    SalesReport,
)
from invoicing.selectors import platform_settings, refused_e_invoices
from invoicing.services import (
    build_report,
    correct_report,
    credit_invoice,
    enter_payment,
    issue_invoice,
    make_due_reports,
    sync_platform,
)
from invoicing.services.reporting import end_of_period
from invoicing.tasks import exchange_with_platform
from sphinx.core.errors import InputError, TransientError
from sphinx.core.models import Company
from tests.factories import NOON, line, shipped
from tests.invoicing.test_einvoices import BERLIN, BRUGES, CASES, FIRM, GENEVA, SIREN, seller
from tests.support.threads import together
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db
D = Decimal
DAY = NOON.date()
LATER = NOON + timedelta(days=10)
BELGIAN = CustomerDraft(
    ref="BE", email="a@b.test", company="Brugse Handel", vat_number="BE0776091951"
)
TO_BELGIUM: dict[str, Any] = {"customer": BELGIAN, "billing": BRUGES, "shipping": BRUGES}

__all__ = ["seller"]


@pytest.fixture
def in_use(seller: Company) -> PlatformSettings:
    chosen = platform_settings()
    chosen.is_active, chosen.starts_on = True, date(2026, 3, 1)
    chosen.platform_id, chosen.platform_name = "0042", "Plateforme d'essai"
    chosen.save()
    return chosen


@pytest.fixture
def folder(settings: Any) -> Path:
    return Path(settings.PLATFORM_DIR)


def invoiced(number: str, *lines: Any, **values: Any) -> Invoice:
    return issue_invoice(delivery_note_id=shipped(number, *lines, **values).pk, at=NOON)


def states_of(invoice: Invoice) -> list[str]:
    return list(invoice.states.order_by("pk").values_list("state", flat=True))


def answer(folder: Path, text: str, name: str = "retour.csv") -> None:
    (folder / "retour").mkdir(parents=True, exist_ok=True)
    path = folder / "retour" / name
    path.write_text(text)
    # The platform's connector has done with it.
    os.utime(path, (0, 0))


# --- Which way the administration learns of it --------------------------------------------------


def test_each_buyer_has_one_way(seller: Company) -> None:
    ways = {
        "a firm in France": ({"customer": FIRM}, E_INVOICE),
        "a firm without SIREN": (
            {"customer": FIRM._replace(siret="", ref="P2", email="p2@b.test")},
            DAILY,
        ),
        "a consumer": ({}, DAILY),
        "a consumer abroad": ({"billing": BERLIN, "shipping": BERLIN}, DAILY),
        "a firm of the Union": (TO_BELGIUM, ABROAD),
        "a firm of the Union without VAT number": (
            TO_BELGIUM | {"customer": BELGIAN._replace(vat_number="", ref="BE2", email="c@d.test")},
            DAILY,
        ),
        "a firm outside the Union": (
            {
                "customer": CustomerDraft(ref="CH", email="s@s.test", company="Léman SA"),
                "billing": GENEVA,
                "shipping": GENEVA,
            },
            ABROAD,
        ),
    }
    for number, (name, (values, way)) in enumerate(ways.items()):
        invoice = invoiced(str(number), line("A", "12.00"), **values)
        assert with_channel(Invoice.objects.all()).get(pk=invoice.pk).channel == way, name


# --- Out ----------------------------------------------------------------------------------------


def test_nothing_leaves_before_the_firm_says_so(seller: Company, folder: Path) -> None:
    invoiced("1", line("A", "120.00"), customer=FIRM)

    with pytest.raises(PlatformNotReady):
        sync_platform(at=NOON)
    exchange_with_platform()  # beat asks every hour

    assert not folder.exists()


def test_a_professionals_invoice_goes_out_once(in_use: PlatformSettings, folder: Path) -> None:
    invoice = invoiced("1", line("A", "120.00"), customer=FIRM)
    invoiced("2", line("A", "12.00"))

    assert sync_platform(at=NOON).invoices == 1
    assert sync_platform(at=NOON).invoices == 0

    [sent] = (folder / "envoi" / "factures").iterdir()
    assert (sent.name, sent.read_bytes()[:4]) == (f"{invoice.number}.pdf", b"%PDF")
    assert stat.S_IMODE(sent.stat().st_mode) == 0o640
    assert invoice.states.get(state="sent").occurred_at == NOON


def test_what_was_issued_before_the_start_stays(in_use: PlatformSettings, folder: Path) -> None:
    invoiced("1", line("A", "120.00"), customer=FIRM)
    in_use.starts_on = DAY + timedelta(days=1)
    in_use.save()

    assert sync_platform(at=NOON).invoices == 0


def test_a_folder_out_of_reach_loses_nothing(
    in_use: PlatformSettings, folder: Path, settings: Any
) -> None:
    invoiced("1", line("A", "120.00"), customer=FIRM)
    folder.write_text("a file where the folder should be")

    with pytest.raises(TransientError, match="Dossier d'échange"):
        sync_platform(at=NOON)
    assert not EInvoiceState.objects.exists()

    folder.unlink()
    assert sync_platform(at=NOON).invoices == 1


# --- Back ---------------------------------------------------------------------------------------


def test_states_come_back_in_a_table(in_use: PlatformSettings, folder: Path) -> None:
    invoice = invoiced("1", line("A", "120.00"), customer=FIRM, payment_status="unpaid")
    sync_platform(at=NOON)
    answer(
        folder,
        "document;etat;date;motif\n"
        f"{invoice.number};Déposée;2026-03-02 14:00;\n"
        f"{invoice.number};210;2026-03-03T09:30:00+01:00;Mauvais bon de commande\n",
    )

    assert sync_platform(at=NOON).states == 2

    last = invoice.states.last()
    assert last is not None
    assert (last.state, last.reason) == ("210", "Mauvais bon de commande")
    assert last.occurred_at == datetime(2026, 3, 3, 8, 30, tzinfo=UTC)
    assert [s.invoice for s in refused_e_invoices()] == [invoice]
    assert (folder / "retour" / "lus" / "retour.csv").exists()

    credit_invoice(invoice_id=invoice.pk, amount=None, reason="Refusée", at=NOON)
    assert list(refused_e_invoices()) == []


def test_states_come_back_as_life_cycle_messages(in_use: PlatformSettings, folder: Path) -> None:
    invoice = invoiced("1", line("A", "120.00"), customer=FIRM, payment_status="unpaid")
    answer(
        folder,
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<rsm:CrossDomainAcknowledgementAndResponse xmlns:rsm="urn:x:rsm" xmlns:ram="urn:x:ram" '
        'xmlns:udt="urn:x:udt"><rsm:AcknowledgementDocument><ram:IssueDateTime>'
        '<udt:DateTimeString format="204">20260304101500</udt:DateTimeString></ram:IssueDateTime>'
        "<ram:ReferenceReferencedDocument>"
        f"<ram:IssuerAssignedID>{invoice.number}</ram:IssuerAssignedID>"
        "<ram:ProcessConditionCode>213</ram:ProcessConditionCode><ram:SpecifiedDocumentStatus>"
        "<ram:ReasonCode>DOUBLON</ram:ReasonCode><ram:Reason>Facture en double</ram:Reason>"
        "</ram:SpecifiedDocumentStatus></ram:ReferenceReferencedDocument>"
        "</rsm:AcknowledgementDocument></rsm:CrossDomainAcknowledgementAndResponse>",
        "cdar.xml",
    )

    sync_platform(at=NOON)

    state = invoice.states.get(state="213")
    assert state.reason == "Facture en double"
    assert state.occurred_at == datetime(2026, 3, 4, 9, 15, tzinfo=UTC)


def test_the_same_message_again_says_nothing_new(in_use: PlatformSettings, folder: Path) -> None:
    invoice = invoiced("1", line("A", "120.00"), customer=FIRM, payment_status="unpaid")
    text = f"document;etat;date\n{invoice.number};202;2026-03-03\n"
    answer(folder, text)
    assert sync_platform(at=NOON).states == 1
    answer(folder, text, "encore.csv")
    answer(folder, text + "\n", "autre.csv")

    assert sync_platform(at=NOON).states == 0
    assert PlatformMessage.objects.count() == 2


def test_what_cannot_be_used_is_told_and_the_rest_goes_on(
    in_use: PlatformSettings, folder: Path
) -> None:
    invoice = invoiced("1", line("A", "120.00"), customer=FIRM, payment_status="unpaid")
    answer(
        folder,
        f"document;etat\n{invoice.number};999\nFA1999-000001;200\n{invoice.number};202\n",
    )

    done = sync_platform(at=NOON)

    assert done.states == 1
    assert done.problems == [
        f"retour.csv, ligne 2 : état « 999 » inconnu pour {invoice.number}.",
        "retour.csv, ligne 3 : « FA1999-000001 » n'est ni une facture ni une transmission d'ici.",
    ]
    assert "ligne 2" in (folder / "retour" / "refuses" / "retour.csv.txt").read_text()


def test_a_message_that_is_still_written_is_left_for_the_next_round(
    in_use: PlatformSettings, folder: Path
) -> None:
    invoice = invoiced("1", line("A", "120.00"), customer=FIRM, payment_status="unpaid")
    answer(folder, f"document;etat\n{invoice.number[:6]}")
    os.utime(folder / "retour" / "retour.csv")

    assert sync_platform(at=NOON).problems == []
    assert (folder / "retour" / "retour.csv").exists()

    answer(folder, f"document;etat\n{invoice.number};202\n")
    assert sync_platform(at=NOON).states == 1


def test_a_missing_platform_number_holds_up_the_report_alone(
    in_use: PlatformSettings, folder: Path
) -> None:
    in_use.platform_id = ""
    in_use.save()
    invoice = invoiced("1", line("A", "120.00"), customer=FIRM, payment_status="unpaid")
    answer(folder, f"document;etat\n{invoice.number};202\n")

    done = sync_platform(at=LATER)

    assert (done.invoices, done.states, done.reports) == (1, 1, 0)
    assert "matricule de la plateforme" in done.problems[0]


def test_plain_invoices_of_before_hold_nothing_up(
    in_use: PlatformSettings, seller: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("invoicing.services.platform.BATCH", 1)
    seller.siren = ""
    seller.save()
    invoiced("1", line("A", "120.00"), customer=FIRM)
    seller.siren = SIREN
    seller.save()
    invoiced("2", line("A", "120.00"), customer=FIRM)

    assert sync_platform(at=NOON).invoices == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_rounds_at_once_send_and_read_once(in_use: PlatformSettings, folder: Path) -> None:
    invoice = invoiced("1", line("A", "120.00"), customer=FIRM)
    answer(folder, f"document;etat;date\n{invoice.number};202;2026-03-03\n")

    def round_of() -> None:
        sync_platform(at=NOON)

    assert together([round_of] * 4) == []
    assert sorted(states_of(invoice)) == ["202", "212", "sent"]


@pytest.mark.parametrize(
    "text",
    ["", "a;b\n1;2\n", "<CrossDomain", "<ok/>", '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'],
)
def test_an_unreadable_message_is_put_aside(
    in_use: PlatformSettings, folder: Path, text: str
) -> None:
    answer(folder, text)

    assert len(sync_platform(at=NOON).problems) == 1
    assert (folder / "retour" / "refuses" / "retour.csv").exists()
    assert sync_platform(at=NOON).problems == []


BAD_DATE = (
    '<r xmlns="urn:x"><ExchangedDocument><IssueDateTime><DateTimeString format="204">'
    "20261331999999</DateTimeString></IssueDateTime></ExchangedDocument>"
    "<ReferenceReferencedDocument><IssuerAssignedID>X</IssuerAssignedID></ReferenceReferencedDocument></r>"
)


def spoil(folder: Path, what: str) -> None:
    """Lay a message down that nobody can use, before all others."""
    answer(folder, BAD_DATE if what == "date" else "document;etat\nX;200\n", "a.xml")
    path = folder / "retour" / "a.xml"
    if what == "size":
        os.truncate(path, 21 * 1024 * 1024)
        os.utime(path, (0, 0))
    elif what == "rights":
        path.chmod(0)
    elif what == "name":
        path.rename(path.with_name("a" * 251 + ".xml"))
    elif what == "encoding":
        os.rename(path, os.fsencode(path.parent) + b"/a\xff.xml")


@pytest.mark.parametrize("what", ["date", "size", "rights", "name", "encoding"])
def test_a_message_that_nobody_can_use_holds_no_other_back(
    in_use: PlatformSettings, folder: Path, what: str
) -> None:
    invoice = invoiced("1", line("A", "120.00"), customer=FIRM, payment_status="unpaid")
    spoil(folder, what)
    answer(folder, f"document;etat;date\n{invoice.number};202;2026-03-03\n", "b.csv")

    done = sync_platform(at=NOON)

    assert done.states == 1
    assert len(done.problems) == 1
    assert sync_platform(at=NOON).problems == []


def test_a_line_with_a_bad_date_holds_no_other_back(in_use: PlatformSettings, folder: Path) -> None:
    invoice = invoiced("1", line("A", "120.00"), customer=FIRM, payment_status="unpaid")
    answer(
        folder,
        f"document;etat;date\n{invoice.number};202;31/31/2026\n{invoice.number};205;2026-03-04\n",
    )

    done = sync_platform(at=NOON)

    assert (done.states, len(done.problems)) == (1, 1)
    assert "ligne 2" in done.problems[0].casefold()


def test_a_link_in_the_folder_opens_nothing(
    in_use: PlatformSettings, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("document;etat\nX;200\n")
    answer(folder, "document;etat\n")
    os.symlink(tmp_path / "secret", folder / "retour" / "lien.csv")

    assert sync_platform(at=NOON).problems == ["retour.csv ne dit l'état d'aucun document."]


def test_an_invoice_that_is_paid_comes_to_it(in_use: PlatformSettings) -> None:
    invoice = invoiced("1", line("A", "120.00"), customer=FIRM, payment_status="unpaid")
    sync_platform(at=NOON)
    assert states_of(invoice) == ["sent"]

    enter_payment(invoice_id=invoice.pk, amount=D("120.00"), method="Virement", paid_at=NOON)
    sync_platform(at=LATER)
    sync_platform(at=LATER + timedelta(days=1))

    assert states_of(invoice) == ["sent", "212"]


def test_a_state_never_changes(in_use: PlatformSettings) -> None:
    invoiced("1", line("A", "120.00"), customer=FIRM)
    sync_platform(at=NOON)

    with pytest.raises(DatabaseError), transaction.atomic():
        EInvoiceState.objects.update(state="212")


def test_a_platform_that_tells_days_only_is_ahead_of_our_sending(
    in_use: PlatformSettings, folder: Path
) -> None:
    invoice = invoiced("1", line("A", "120.00"), customer=FIRM, payment_status="unpaid")
    sync_platform(at=NOON)
    answer(folder, f"document;etat;date\n{invoice.number};210;2026-03-02\n")
    sync_platform(at=NOON)

    assert [s.state for s in refused_e_invoices()] == ["210"]


# --- E-reporting --------------------------------------------------------------------------------


def texts(xml: bytes, path: str) -> list[str | None]:
    return [node.text for node in etree.fromstring(xml).iterfind(path)]


def test_a_days_sales_are_told_by_rate_with_amounts_worked_by_hand(
    in_use: PlatformSettings,
) -> None:
    # 59.80 at 20 % = 49.83 + 9.97; 21.10 at 5.5 % = 20.00 + 1.10.
    invoiced("1", line("A", "29.90", "2"))
    mixed = invoiced("2", line("A", "59.80"), line("B", "21.10", tax_rate=D("5.5")))
    # Half of the 59.80 and of the 21.10 come back: 40.45 in all.
    credit_invoice(invoice_id=mixed.pk, amount=D("40.45"), reason="Geste", at=NOON)

    [day] = daily_sales(DAY, DAY)

    assert (day.category, day.documents) == ("TLB1", 3)
    # 49.83 × 2 − 24.92; 9.97 × 2 − 4.98 (29.90 at 20 %); 10.00 and 0.55 at 5.5 %.
    assert day.rates == {
        D("20.00"): (D("74.74"), D("14.96")),
        D("5.50"): (D("10.00"), D("0.55")),
    }


def test_the_days_totals_are_those_of_the_documents(in_use: PlatformSettings) -> None:
    invoiced("1", line("A", "29.90", "2"))
    invoiced("2", line("B", "89.90", tax_rate=D(19)), billing=BERLIN, shipping=BERLIN)
    invoiced("3", line("C", "80.00", tax_rate=D(0)), billing=GENEVA, shipping=GENEVA)
    invoiced("4", line("A", "12.00"), line("", "50.00", tax_rate=D(0), kind="gift_card"))
    _id, xml, sums = build_report(DAY, DAY + timedelta(days=1), at=LATER)

    assert texts(xml, ".//CategoryCode") == ["TLB1", "TNT1"]
    assert texts(xml, ".//TransactionsCount") == ["2", "2"]
    # 49.83 + 10.00; 75.55 + 80.00: a gift card is told when it pays for goods.
    assert texts(xml, ".//Transactions/TaxExclusiveAmount") == ["59.83", "155.55"]
    # German VAT is not ours to tell.
    assert texts(xml, ".//Transactions/TaxTotal") == ["11.97", "0.00"]
    assert sums == (4, D("215.38"), D("11.97"))


def test_a_firm_abroad_is_told_invoice_by_invoice(in_use: PlatformSettings) -> None:
    invoice = invoiced(
        "1", line("A", "450.00", tax_rate=D(0)), shipping_amount=D("15.00"), **TO_BELGIUM
    )
    _id, xml, sums = build_report(DAY, DAY + timedelta(days=1), at=LATER)

    assert texts(xml, ".//Invoice/ID") == [invoice.number]
    assert texts(xml, ".//Invoice/BusinessProcess/TypeID") == ["urn.cpro.gouv.fr:1p0:ereporting"]
    assert texts(xml, ".//Buyer/CompanyId") == ["BE0776091951"]
    assert texts(xml, ".//TaxExemptionReasonCode") == ["VATEX-EU-IC"]
    assert sums == (1, D("465.00"), D("0.00"))


def test_every_vat_case_makes_a_valid_file(in_use: PlatformSettings) -> None:
    for number, (lines, values) in enumerate(CASES.values()):
        invoice = invoiced(str(number), *lines, **values)
        if invoice.total_incl_tax:
            credit_invoice(invoice_id=invoice.pk, amount=None, reason="Retour", at=NOON)

    _id, xml, sums = build_report(DAY, DAY + timedelta(days=1), at=LATER)

    assert report_faults(xml) == []
    # Everything was given back.
    assert (sums.net, sums.tax) == (0, 0)


@pytest.mark.parametrize(
    ("day", "rhythm", "end"),
    [
        (date(2026, 9, 1), "ten_days", date(2026, 9, 10)),
        (date(2026, 9, 11), "ten_days", date(2026, 9, 20)),
        (date(2026, 2, 21), "ten_days", date(2026, 2, 28)),
        (date(2028, 2, 5), "month", date(2028, 2, 29)),
        (date(2026, 12, 1), "month", date(2026, 12, 31)),
        (date(2026, 9, 1), "two_months", date(2026, 10, 31)),
        (date(2026, 12, 1), "two_months", date(2026, 12, 31)),
        (date(2027, 1, 31), "two_months", date(2027, 2, 28)),
    ],
)
def test_periods_end_as_the_regime_says(day: date, rhythm: str, end: date) -> None:
    assert end_of_period(day, rhythm) == end


def test_a_period_is_reported_once_when_it_has_ended(
    in_use: PlatformSettings, folder: Path
) -> None:
    invoiced("1", line("A", "12.00"))
    assert make_due_reports(at=NOON) == []

    sync_platform(at=NOON + timedelta(days=30))
    sync_platform(at=NOON + timedelta(days=30))

    reports = list(SalesReport.objects.order_by("first_on"))
    assert [(r.last_on.day, r.status) for r in reports] == [
        (10, "sent"),
        (20, "empty"),
        (31, "empty"),
    ]
    [sent] = (folder / "envoi" / "e-reporting").iterdir()
    assert sent.name == f"ER-{SIREN}-20260301-20260310-IN.xml"
    assert texts(sent.read_bytes(), ".//Sender/Id") == ["0042"]


def test_a_rejected_report_is_corrected_by_another(in_use: PlatformSettings, folder: Path) -> None:
    invoiced("1", line("A", "12.00"))
    sync_platform(at=LATER)
    report = SalesReport.objects.get()
    answer(folder, f"document;etat;motif\n{report.identifier};301;REJ_PER\n")
    sync_platform(at=LATER)
    report.refresh_from_db()
    assert (report.status, report.reason) == ("rejected", "REJ_PER")

    again = correct_report(report_id=report.pk, at=LATER)

    assert again.identifier.endswith("-RE1")
    with pytest.raises(InputError, match="déjà en route"):
        correct_report(report_id=report.pk, at=LATER)
    sync_platform(at=LATER)
    path = folder / "envoi" / "e-reporting" / f"{again.identifier}.xml"
    assert texts(path.read_bytes(), ".//TypeCode") == ["RE"]


def test_a_period_that_runs_is_not_reported(in_use: PlatformSettings) -> None:
    with pytest.raises(InputError, match="avant aujourd'hui"):
        build_report(DAY, DAY, at=NOON)


def test_a_command_writes_any_period(in_use: PlatformSettings, tmp_path: Path) -> None:
    invoiced("1", line("A", "12.00"))
    path = tmp_path / "er.xml"

    call_command("ereport", "--from", "2026-03-01", "--to", "2026-03-31", "--output", str(path))

    assert texts(path.read_bytes(), ".//EndDate") == ["20260331"]


# --- The page -----------------------------------------------------------------------------------


def test_the_page_says_what_to_do_first(seller: Company) -> None:
    page = signed_in("Gérant").get("/plateforme/").content.decode()

    assert "La plateforme n'est pas en service" in page


def test_the_page_shows_what_was_refused_and_exchanges(
    in_use: PlatformSettings, folder: Path
) -> None:
    invoice = invoiced("1", line("A", "120.00"), customer=FIRM, payment_status="unpaid")
    invoiced("2", line("A", "24.00"), customer=FIRM._replace(siret="", ref="P2", email="x@y.test"))
    answer(folder, f"document;etat;motif\n{invoice.number};Refusée;Prix\n")
    owner = signed_in("Gérant")

    page = owner.post("/plateforme/", {"verb": "sync"}, follow=True).content.decode()

    assert "Prix" in page
    assert f"/factures/{invoice.pk}/avoir/" in page
    assert "Professionnels sans SIREN" in page


def test_who_may_only_look_changes_nothing(in_use: PlatformSettings) -> None:
    sales = signed_in("Ventes")

    assert sales.get("/plateforme/").status_code == 200
    assert sales.post("/plateforme/", {"verb": "sync"}).status_code == 404
    assert signed_in("Entrepôt").get("/plateforme/").status_code == 403
