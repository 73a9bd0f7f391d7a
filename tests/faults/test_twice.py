"""Whatever beat asks for may be done twice: the second time changes nothing."""

from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.apps import apps
from django.core import mail

from purchasing.models import PurchaseOrder
from sphinx.core.models import Company, Shop
from tests.factories import FeedFactory, ReorderRuleFactory, SupplierProductFactory, shipped
from tests.ftp_ingest.test_feeds import ORDERS
from tests.support.machines import assert_proven

pytestmark = pytest.mark.django_db

# Written anew by each pass: signs of life, hours, what is measured each time.
NOTED = {"heartbeat_at", "next_due_at", "measured_at", "refreshed_at", "computed_at", "updated_at"}


def books() -> dict[str, list[dict[str, Any]]]:
    """Every row of ours, without what only says when somebody last looked."""
    found = {}
    for model in apps.get_models():
        if model._meta.app_label.startswith(("auth", "admin", "sessions", "contenttypes")):
            continue
        # What is worked out is written anew, the same again: a proposal's lines, statistics.
        is_anew = model._meta.label.startswith(("dashboard.", "purchasing.PurchaseOrderLine"))
        noted = NOTED | ({"id"} if is_anew else set())
        names = [f.attname for f in model._meta.concrete_fields if f.name not in noted]
        if model._meta.label in ("ftp_ingest.FeedRun", "dashboard.RollupLock"):
            continue
        found[model._meta.label] = list(model._default_manager.order_by("pk").values(*names))
    return found


def run_all() -> None:
    """Each task that beat asks for, in the order of its table."""
    for entry in current_app.conf.beat_schedule.values():
        result = current_app.tasks[entry["task"]].apply()
        assert result.successful(), (entry["task"], result.traceback)


def test_everything_beat_asks_for_twice(
    shop: Shop, tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    current_app.loader.import_default_modules()
    firm, _made = Company.objects.get_or_create(pk=1, defaults={"name": "Essai"})
    firm.stock_alert_emails = firm.weekly_report_emails = "gerant@exemple.test"
    firm.sends_reminders = True
    firm.save()
    Shop.objects.update(mails_shipments=True)
    folder = tmp_path / "depot"
    folder.mkdir()
    (folder / "orders.csv").write_text(ORDERS)
    FeedFactory(protocol="folder", directory=str(folder), shop=shop)
    for number in "123":
        shipped(number)
    ReorderRuleFactory(product=SupplierProductFactory().product)
    with django_capture_on_commit_callbacks(execute=True):
        run_all()
    # What the first pass announced to the ones before it is done by the second.
    with django_capture_on_commit_callbacks(execute=True):
        run_all()
    once, sent = books(), len(mail.outbox)
    assert sent >= 2
    assert PurchaseOrder.objects.count() == 1

    with django_capture_on_commit_callbacks(execute=True):
        run_all()

    twice = books()
    for label, rows in once.items():
        assert twice[label] == rows, label
    assert len(mail.outbox) == sent
    assert_proven()
