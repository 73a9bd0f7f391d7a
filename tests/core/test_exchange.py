"""Rates from the ECB's site: a server on loopback gives its file, or what isn't."""

import contextlib
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from django.test import Client
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from sphinx.celery import app
from sphinx.core import ecb
from sphinx.core.errors import InputError, TransientError
from sphinx.core.exchange import refresh_rates
from sphinx.core.models import AuditEvent, ExchangeRate
from sphinx.core.services import company
from sphinx.core.tasks import refresh_exchange_rates

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 30)
Says = Callable[..., list[str]]


def days(*given: str) -> bytes:
    """The ECB's file, of some days."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?><gesmes:Envelope '
        'xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" '
        'xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">'
        "<gesmes:subject>Reference rates</gesmes:subject><Cube>"
        f"{''.join(given)}</Cube></gesmes:Envelope>"
    ).encode()


def day(on: str, **rates: str) -> str:
    cubes = "".join(f'<Cube currency="{name}" rate="{rate}"/>' for name, rate in rates.items())
    return f'<Cube time="{on}">{cubes}</Cube>'


TWO_DAYS = days(day("2026-11-30", USD="1.0823", JPY="161.30"), day("2026-11-27", USD="1.0801"))


@pytest.fixture
def site(settings: Any) -> Iterator[Says]:
    """Says what the ECB's site gives from now on; returns the paths it was asked for."""
    reply: dict[str, Any] = {}
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(reply["status"])
            self.end_headers()
            with contextlib.suppress(OSError):  # the other side has had enough
                self.wfile.write(reply["body"])

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    settings.ECB_RATES_URL = f"http://127.0.0.1:{server.server_port}/90d.xml"

    def say(body: bytes, status: int = 200) -> list[str]:
        reply.update(body=body, status=status)
        return asked

    yield say
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def wanted(db: None) -> None:
    firm = company()
    firm.fetches_ecb_rates = True
    firm.save()


def kept() -> list[tuple[str, str, Decimal, str]]:
    rows = ExchangeRate.objects.order_by("valid_from", "currency")
    return [
        (str(day), currency, units, source)
        for day, currency, units, source in rows.values_list(
            "valid_from", "currency", "units_per_euro", "source"
        )
    ]


def test_the_rates_of_the_site_are_kept_and_told(site: Says) -> None:
    asked = site(TWO_DAYS)

    assert refresh_rates(today=TODAY) == 3

    assert asked == ["/90d.xml"]
    assert kept() == [
        ("2026-11-27", "USD", Decimal("1.0801"), "ecb"),
        ("2026-11-30", "JPY", Decimal("161.30"), "ecb"),
        ("2026-11-30", "USD", Decimal("1.0823"), "ecb"),
    ]
    event = AuditEvent.objects.get(kind="rates.fetched")
    assert event.details == {"rates": 3, "until": "2026-11-30"}


def test_twice_changes_nothing(site: Says) -> None:
    site(TWO_DAYS)
    refresh_rates(today=TODAY)
    before = list(ExchangeRate.objects.values())

    assert refresh_rates(today=TODAY) == 0

    assert list(ExchangeRate.objects.values()) == before
    assert AuditEvent.objects.filter(kind="rates.fetched").count() == 1


def test_a_rate_that_the_ecb_corrects_is_corrected(site: Says) -> None:
    site(TWO_DAYS)
    refresh_rates(today=TODAY)
    site(TWO_DAYS.replace(b"1.0823", b"1.0824"))

    assert refresh_rates(today=TODAY) == 1

    assert ExchangeRate.objects.get(currency="USD", valid_from=TODAY).units_per_euro == Decimal(
        "1.0824"
    )


def test_a_rate_by_hand_of_the_same_day_stays(site: Says) -> None:
    by_hand = ExchangeRate.objects.create(currency="USD", valid_from=TODAY, units_per_euro="1.5")
    site(TWO_DAYS)

    refresh_rates(today=TODAY)

    by_hand.refresh_from_db()
    assert (by_hand.units_per_euro, by_hand.source) == (Decimal("1.5"), "manual")
    assert ExchangeRate.objects.filter(currency="USD", valid_from=TODAY).count() == 2


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Maintenance</html>",
        b"<gesmes:Envelope",
        days(),
        days(day("2026-11-30")) + b"x",
        days(day("2026-12-01", USD="1.08")),  # tomorrow
        days(day("30/11/2026", USD="1.08")),
        days(day("2026-11-27", USD="1.08"), day("2026-11-30", USD="0")),
        days(day("2026-11-30", USD="-1.08")),
        days(day("2026-11-30", USD="NaN")),
        days(day("2026-11-30", USD="Infinity")),
        days(day("2026-11-30", USD="1e9")),
        days(day("2026-11-30", USD="1,08")),
        days(day("2026-11-30", USD="1.00000001")),
        days(day("2026-11-30", usd="1.08")),
        b'<!DOCTYPE x [<!ENTITY a "1.08">]>' + TWO_DAYS.partition(b"?>")[2],
        TWO_DAYS.replace(b"</Cube></gesmes", b" " * ecb.MAX_BYTES + b"</Cube></gesmes"),
    ],
    ids=lambda body: body[-40:].decode(),
)
def test_what_is_not_the_ecbs_file_is_refused_whole(site: Says, body: bytes) -> None:
    site(body)

    with pytest.raises(InputError, match="rien n'en est repris") as refused:
        refresh_rates(today=TODAY)

    assert refused.value.code == "rates.unreadable"
    assert kept() == []


@pytest.mark.parametrize("status", [404, 500, 503])
def test_a_site_that_fails_is_tried_again_later(site: Says, status: int) -> None:
    site(TWO_DAYS, status)

    with pytest.raises(TransientError, match=str(status)):
        refresh_rates(today=TODAY)


def test_no_site_is_tried_again_later(settings: Any) -> None:
    settings.ECB_RATES_URL = "http://127.0.0.1:9/90d.xml"

    with pytest.raises(TransientError, match="nouvel essai plus tard"):
        refresh_rates(today=TODAY)


def test_a_site_that_never_ends_is_left(site: Says, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ecb, "WHOLE_SECONDS", -1)
    site(TWO_DAYS)

    with pytest.raises(TransientError, match="timeout"):
        refresh_rates(today=TODAY)


def test_it_is_off_until_the_firm_wants_it(site: Says) -> None:
    firm = company()
    firm.fetches_ecb_rates = False
    firm.save()
    asked = site(TWO_DAYS)

    refresh_exchange_rates()

    assert asked == []


def test_every_working_evening_it_is_due() -> None:
    entry = app.conf.beat_schedule["refresh-exchange-rates"]

    assert entry["task"] in app.tasks
    assert (entry["schedule"].hour, entry["schedule"].day_of_week) == ({17}, {1, 2, 3, 4, 5})


def test_the_schedule_says_what_it_does(admin_client: Client) -> None:
    task = "sphinx.core.tasks.refresh_exchange_rates"
    evening = CrontabSchedule.objects.create(minute="15", hour="17", day_of_week="1-5")
    PeriodicTask.objects.create(name="x", task=task, crontab=evening)

    page = admin_client.get("/admin/django_celery_beat/periodictask/").content.decode()

    assert "Relever les cours de la BCE" in page


def test_turning_it_on_fetches_at_once(
    site: Says, admin_client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    firm = company()
    firm.fetches_ecb_rates = False
    firm.save()
    asked = site(TWO_DAYS)
    page = "/admin/core/company/1/change/"
    form = admin_client.get(page).context["adminform"].form
    given = {name: "" if form[name].value() is None else form[name].value() for name in form.fields}
    del given["logo_file"], given["removes_logo"]
    given = {name: value for name, value in given.items() if value is not False}

    with django_capture_on_commit_callbacks(execute=True):
        reply = admin_client.post(page, given | {"fetches_ecb_rates": "on"})

    assert reply.status_code == 302
    assert asked == ["/90d.xml"]


def test_a_rate_is_typed_in_any_case_and_once_a_day(admin_client: Client) -> None:
    page = "/admin/core/exchangerate/add/"
    given = {"currency": "usd", "valid_from": "2026-01-01", "units_per_euro": "1.1"}

    assert admin_client.post(page, given).status_code == 302
    again = admin_client.post(page, given)

    assert "existe déjà" in again.content.decode()
    assert kept() == [("2026-01-01", "USD", Decimal("1.1"), "manual")]


@pytest.mark.parametrize("currency", ["US", "$", "US1", "€€€"])
def test_what_is_no_currencys_code_is_refused(admin_client: Client, currency: str) -> None:
    given = {"currency": currency, "valid_from": "2026-01-01", "units_per_euro": "1.1"}

    reply = admin_client.post("/admin/core/exchangerate/add/", given)

    assert "trois capitales" in reply.content.decode()


def test_the_ecbs_rates_are_not_edited(admin_client: Client, site: Says) -> None:
    site(TWO_DAYS)
    refresh_rates(today=TODAY)
    row = ExchangeRate.objects.first()
    assert row is not None

    page = f"/admin/core/exchangerate/{row.pk}/change/"
    admin_client.post(page, {"currency": "USD", "valid_from": "2026-01-01", "units_per_euro": "9"})

    assert ExchangeRate.objects.get(pk=row.pk).units_per_euro == row.units_per_euro
