"""Orders that waited for a rate or for their shop's currency come in by themselves."""

from collections.abc import Callable
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.test import Client

from ftp_ingest.models import FeedRun, QuarantinedRow
from ftp_ingest.reading.drafts import Fault
from ftp_ingest.services import IngestReport, replay_without_rate
from ftp_ingest.services.archive import archive_path
from ftp_ingest.services.causes import causes
from sales.models import Order
from sphinx.core import clock
from sphinx.core.models import AuditEvent, ExchangeRate, Shop
from tests.ftp_ingest.test_ingest import HEADER, row

pytestmark = pytest.mark.django_db
Bring = Callable[..., IngestReport]
WITH_CURRENCY = HEADER.replace("paid_at", "paid_at;currency")


def in_currency(number: str, currency: str, **cells: str) -> str:
    return f"{row(number, **cells).strip()};{currency}\n"


def say_rate(client: Client, currency: str, units: str) -> None:
    given = {"currency": currency, "valid_from": "2026-01-01", "units_per_euro": units}
    assert client.post("/admin/core/exchangerate/add/", given).status_code == 302


def say_currency(client: Client, shop: Shop, currency: str) -> None:
    given = {
        "code": shop.code, "name": shop.name, "dialect": "auto", "currency": currency,
        "consumer_account": "CDIVERS", "is_active": "on",
    }  # fmt: skip
    reply = client.post(f"/admin/core/shop/{shop.pk}/change/", given)
    assert reply.status_code == 302, reply.context["adminform"].form.errors


def currencies() -> dict[str, str]:
    return {o.number: o.original_currency or "EUR" for o in Order.objects.order_by("number")}


def codes(report: IngestReport) -> list[str]:
    return [fault.code for _name, fault in report.counts.faults]


# --- A rate -------------------------------------------------------------------------------


def test_a_rate_by_hand_lets_in_what_waited_for_it(
    bring: Bring, admin_client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    bring(WITH_CURRENCY + in_currency("1", "XPF") + in_currency("2", "XOF"))
    bring(WITH_CURRENCY + in_currency("3", "XPF"))

    with django_capture_on_commit_callbacks(execute=True):
        say_rate(admin_client, "XPF", "119.3317")

    assert currencies() == {"1": "XPF", "3": "XPF"}
    assert [r.number for r in QuarantinedRow.objects.filter(status="open")] == ["2"]
    assert AuditEvent.objects.filter(kind="quarantine.replayed").count() == 2


def test_the_ecbs_rates_let_in_what_waited_for_them(bring: Bring) -> None:
    late = clock.today()
    bring(WITH_CURRENCY + in_currency("1", "USD", placed_at=f"{late} 10:00:00"))
    assert not Order.objects.exists()
    ExchangeRate.objects.create(
        currency="USD", valid_from=late, units_per_euro="1.25", source="ecb"
    )

    assert replay_without_rate(currencies=["JPY", "USD"]) == 1

    order = Order.objects.get()
    assert (order.exchange_rate, order.exchange_rate_source) == (Decimal("1.25"), "ecb")


def test_a_file_is_read_once_whatever_waits_in_it(bring: Bring) -> None:
    bring(WITH_CURRENCY + "".join(in_currency(str(n), "XPF") for n in range(5)))
    ExchangeRate.objects.create(currency="XPF", valid_from="2026-01-01", units_per_euro="119.3317")
    before = FeedRun.objects.count()

    assert replay_without_rate(currencies=["XPF"]) == 5

    assert FeedRun.objects.count() == before + 1


def test_rates_of_other_currencies_begin_nothing(bring: Bring) -> None:
    bring(WITH_CURRENCY + in_currency("1", "XPF"))
    before = FeedRun.objects.count()

    assert replay_without_rate(currencies=["USD", "JPY"]) == 0

    assert FeedRun.objects.count() == before


def test_a_file_that_is_gone_does_not_stop_the_others(bring: Bring) -> None:
    for number in ("1", "2"):
        bring(WITH_CURRENCY + in_currency(number, "XPF"))
    gone = QuarantinedRow.objects.get(number="1").file
    archive_path(gone.sha256).unlink()
    ExchangeRate.objects.create(currency="XPF", valid_from="2026-01-01", units_per_euro="119.3317")

    assert replay_without_rate(currencies=["XPF"]) == 1

    assert currencies() == {"2": "XPF"}


# --- The shop's currency ------------------------------------------------------------------


def test_a_file_without_currency_is_in_euros_as_long_as_nothing_else_was_named(
    bring: Bring,
) -> None:
    bring(HEADER + row("1"))
    bring(WITH_CURRENCY + in_currency("2", "EUR") + in_currency("3", ""))

    assert currencies() == {"1": "EUR", "2": "EUR", "3": "EUR"}


def test_a_shop_that_says_its_currency_is_believed(bring: Bring, shop: Shop) -> None:
    Shop.objects.update(currency="USD")
    shop.refresh_from_db()

    bring(WITH_CURRENCY + in_currency("1", "") + in_currency("2", "EUR") + in_currency("3", "CHF"))

    assert currencies() == {"1": "USD", "2": "EUR", "3": "CHF"}


@pytest.mark.parametrize("named", ["USD", "XPF"])  # in the books, or waiting for a rate itself
def test_a_shop_that_named_another_currency_is_asked(
    bring: Bring, admin_client: Client, shop: Shop, named: str,
    django_capture_on_commit_callbacks: Any,
) -> None:  # fmt: skip
    bring(WITH_CURRENCY + in_currency("1", named))

    report = bring(HEADER + row("2") + row("3"))

    assert codes(report) == ["order.currency_unsaid"] * 2
    (message, other) = (fault.message for _name, fault in report.counts.faults)
    assert "la devise de la boutique n'est pas dite" in message
    assert "Réglages › Boutiques" in message
    assert message.replace("Commande 2", "Commande 3") == other
    with django_capture_on_commit_callbacks(execute=True):
        say_currency(admin_client, shop, "usd")
    known = {"1": "USD"} if named == "USD" else {}
    assert currencies() == {**known, "2": "USD", "3": "USD"}
    assert not QuarantinedRow.objects.filter(status="open", code="order.currency_unsaid").exists()


def test_a_known_order_keeps_its_currency_while_the_shop_is_asked(bring: Bring) -> None:
    bring(HEADER + row("1"))
    bring(WITH_CURRENCY + in_currency("2", "USD"))

    report = bring(HEADER + row("1", quantity="2", total="20.00") + row("2", rate="5.5"))

    assert codes(report) == []
    assert currencies() == {"1": "EUR", "2": "USD"}


def test_orders_taken_for_euros_are_converted_once_the_shop_has_said(
    bring: Bring, shop: Shop
) -> None:
    bring(HEADER + row("1"))
    Shop.objects.update(currency="USD")
    shop.refresh_from_db()

    report = bring(HEADER + row("1") + "\n")

    assert report.counts.orders["updated"] == 1
    assert currencies() == {"1": "USD"}


def test_an_order_in_euros_has_the_hash_it_always_had(bring: Bring) -> None:
    """As release 0.1.0 wrote it: an upgrade must not write every order anew."""
    bring(HEADER + row("1"))

    assert Order.objects.get().content_hash == "0e16eeade3c644c34ed96df8af0eb6ea"


def test_an_upgrade_notes_which_shops_named_another_currency(bring: Bring, shop: Shop) -> None:
    bring(WITH_CURRENCY + in_currency("1", "USD"))
    other = Shop.objects.create(code="autre", name="Autre")
    Shop.objects.update(names_other_currencies=False)

    upgrade = import_module("sales.migrations.0011_exchange_rate_source")
    upgrade.note_shops_of_other_currencies(apps, None)

    assert list(Shop.objects.filter(names_other_currencies=True)) == [shop]
    assert other.currency == ""


# --- Causes -------------------------------------------------------------------------------


def test_orders_that_lack_the_same_thing_are_one_cause(bring: Bring) -> None:
    days = [f"2026-03-{n:02} 10:00:00" for n in range(1, 6)]
    waiting = [in_currency(str(n), "XPF", placed_at=day) for n, day in enumerate(days)]

    report = bring(WITH_CURRENCY + "".join(waiting) + in_currency("9", "XOF")).as_json()

    assert [(c["code"], c["count"]) for c in report["causes"]] == [
        ("order.foreign_currency", 5),
        ("order.foreign_currency", 1),
    ]
    assert report["causes"][0]["message"].startswith("Commande … en XPF du … : la BCE ne donne pas")
    assert len(report["issues"]) == 6


def test_a_shop_that_is_asked_is_one_cause(bring: Bring) -> None:
    bring(WITH_CURRENCY + in_currency("1", "USD"))

    (cause,) = bring(HEADER + row("2") + row("3")).as_json()["causes"]

    assert (cause["code"], cause["count"]) == ("order.currency_unsaid", 2)
    assert "« Boutique d'essai »" in cause["message"]


@pytest.mark.parametrize(
    ("first", "second", "count"),
    [
        (("Commande 10 : trop de 10,10 €.", "10"), ("Commande 11 : trop de 10,10 €.", "11"), 1),
        (("Commande 10 : le 10/11/2026.", "10"), ("Commande 11 : le 10/11/2026.", "11"), 1),
        (("Commande 10 : article A.", "10"), ("Commande 11 : article B.", "11"), 2),
        (("Ligne 2 : cellule en trop.", ""), ("Ligne 3 : cellule en trop.", ""), 1),
        (("Fichier vide.", ""), ("Fichier vide.", ""), 1),
    ],
)
def test_other_causes_differ_by_more_than_an_orders_number_and_line(
    first: tuple[str, str], second: tuple[str, str], count: int
) -> None:
    faults = [
        Fault(line, "", "x", message, number, number)
        for line, (message, number) in enumerate((first, second), start=2)
    ]

    assert len(causes(faults)) == count
