"""The week's sheet: whole, once, to those who asked."""

from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from django.core import mail
from pypdf import PdfReader

from invoicing.services import issue_invoices
from sphinx.core.services import company
from sphinx.dashboard.periods import Period
from sphinx.dashboard.tasks import mail_weekly_report
from sphinx.dashboard.weekly import mail_weekly_once, week_before, weekly_pdf
from tests.factories import NOON, line, shipped
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db
MONDAY = date(2026, 3, 9)


@pytest.fixture
def sold() -> None:
    issue_invoices(note_ids=[shipped("1", line("A", "1234.56")).pk], at=NOON)


@pytest.mark.parametrize("offset", range(7))
def test_the_last_whole_week_ends_on_sunday(offset: int) -> None:
    assert week_before(MONDAY + timedelta(days=offset)) == Period(
        date(2026, 3, 2), date(2026, 3, 8)
    )


@pytest.mark.usefixtures("sold")
def test_the_sheet_has_the_figures_of_the_week() -> None:
    text = "".join(page.extract_text() for page in PdfReader(weekly_pdf(MONDAY)).pages)
    plain = text.replace("\u202f", " ").replace("\u00a0", " ")
    assert "du 2 mars 2026 au 8 mars 2026" in plain
    assert "1 028,80 €" in plain
    assert "lundi 2 mars" in plain


@pytest.mark.usefixtures("sold")
def test_it_goes_once_to_those_who_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not mail_weekly_once(MONDAY)
    firm = company()
    firm.weekly_report_emails = "a@exemple.test, b@exemple.test"
    firm.save()
    monkeypatch.setattr("sphinx.core.clock.today", lambda: MONDAY)
    mail_weekly_report()
    mail_weekly_report()
    (message,) = mail.outbox
    assert message.to == ["a@exemple.test", "b@exemple.test"]
    (name, data, kind) = message.attachments[0]
    assert (name, kind) == ("bilan-20260302.pdf", "application/pdf")
    assert len(PdfReader(BytesIO(data)).pages) >= 1
    assert mail_weekly_once(MONDAY + timedelta(days=7))


@pytest.mark.usefixtures("sold")
def test_it_can_be_read_at_any_time_by_who_sees_sales() -> None:
    answer: Any = signed_in("Comptable").get("/statistiques/semaine.pdf")
    assert b"".join(answer.streaming_content).startswith(b"%PDF")
    assert signed_in("Entrepôt").get("/statistiques/semaine.pdf").status_code == 403
    assert Decimal(answer["Content-Length"]) > 1000
