"""The Celery application and the beat schedule: who runs when.

Correctness never rests on the broker: every stage asks the database what is ready
and may run twice, so a lost or repeated message costs time, not data.
"""

import os

from celery import Celery
from celery.schedules import crontab
from django.conf import settings
from django_structlog.celery.steps import DjangoStructLogInitStep

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sphinx.settings")

app = Celery("sphinx", task_cls="sphinx.core.reliable:ReliableTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# A task's log lines name the request or the feed's run that asked for it.
app.steps["worker"].add(DjangoStructLogInitStep)

app.conf.beat_schedule = {
    # Each feed carries its own interval (hourly by default); the task asks which are due.
    "pull-due-feeds": {
        "task": "ftp_ingest.tasks.pull_due_feeds",
        "schedule": settings.BEAT_SECONDS,
    },
    "take-over-stale-runs": {
        "task": "ftp_ingest.tasks.take_over_stale_runs",
        "schedule": settings.BEAT_SECONDS,
    },
    "tell-shipments": {
        "task": "ftp_ingest.tasks.tell_all_shipments",
        "schedule": crontab(minute="*/5"),
    },
    "watch-feeds": {
        "task": "ftp_ingest.tasks.watch",
        "schedule": crontab(minute="10"),
    },
    "purge-archive": {
        "task": "ftp_ingest.tasks.purge_archive",
        "schedule": crontab(hour="3", minute="30"),
    },
    "apply-price-lists": {
        "task": "suppliers.tasks.apply_price_lists",
        "schedule": crontab(hour="4", minute="30"),
    },
    "propose-purchase-orders": {
        "task": "purchasing.tasks.propose_purchase_orders",
        "schedule": crontab(hour="5", minute="0"),
    },
    "mail-waiting-orders": {
        "task": "purchasing.tasks.mail_waiting_orders",
        "schedule": crontab(minute="*/10"),
    },
    "mail-parcels": {
        "task": "sales.tasks.mail_parcels",
        "schedule": crontab(minute="*/15"),
    },
    "note-shipments": {
        "task": "sales.tasks.note_shipments",
        "schedule": crontab(minute="*/15"),
    },
    "mail-quotes": {
        "task": "sales.tasks.mail_quotes",
        "schedule": crontab(minute="*/15"),
    },
    "do-lost-jobs": {
        "task": "sphinx.core.tasks.do_lost_jobs",
        "schedule": settings.BEAT_SECONDS,
    },
    "seal-books": {
        "task": "sphinx.core.tasks.seal_new_rows",
        "schedule": settings.BEAT_SECONDS,
    },
    "purge-letters": {
        "task": "sphinx.core.tasks.purge_closed_letters",
        "schedule": crontab(hour="3", minute="45"),
    },
    "purge-job-files": {
        "task": "sphinx.core.tasks.purge_files",
        "schedule": crontab(hour="3", minute="40"),
    },
    # The ECB publishes about 16:00 on working days.
    "refresh-exchange-rates": {
        "task": "sphinx.core.tasks.refresh_exchange_rates",
        "schedule": crontab(hour="17", minute="15", day_of_week="mon-fri"),
    },
    "refresh-sums": {
        "task": "sphinx.dashboard.tasks.refresh_sums",
        "schedule": settings.BEAT_SECONDS,
    },
    "measure-stock": {
        "task": "sphinx.dashboard.tasks.measure_stock_now",
        "schedule": crontab(hour="5", minute="40"),
    },
    "measure-cohorts": {
        "task": "sphinx.dashboard.tasks.measure_cohorts_now",
        "schedule": crontab(hour="5", minute="50"),
    },
    "mail-weekly-report": {
        "task": "sphinx.dashboard.tasks.mail_weekly_report",
        "schedule": crontab(hour="7", minute="0", day_of_week="mon"),
    },
    "mail-stock-alerts": {
        "task": "sphinx.dashboard.tasks.mail_stock_alerts",
        "schedule": crontab(hour="6", minute="30"),
    },
    "pass-expired-lots": {
        "task": "inventory.tasks.pass_expired_lots",
        "schedule": crontab(hour="0", minute="1"),
    },
    "forget-inactive-customers": {
        "task": "sales.tasks.forget_inactive_customers",
        "schedule": crontab(hour="2", minute="45"),
    },
    "remind-overdue": {
        "task": "invoicing.tasks.remind_overdue",
        "schedule": crontab(hour="8", minute="30"),
    },
    "check-vat-numbers": {
        "task": "customers.tasks.check_vat_numbers",
        "schedule": crontab(hour="2", minute="15"),
    },
    "close-books": {
        "task": "invoicing.tasks.close_books",
        "schedule": crontab(hour="1", minute="0"),
    },
    "exchange-with-platform": {
        "task": "invoicing.tasks.exchange_with_platform",
        "schedule": crontab(minute="50"),
    },
    "invoice-shipped-notes": {
        "task": "invoicing.tasks.invoice_shipped_notes",
        "schedule": crontab(minute="20"),
    },
    "post-missing-entries": {
        "task": "accounting_export.tasks.post_missing_entries",
        "schedule": crontab(minute="40"),
    },
    "send-to-accountant": {
        "task": "accounting_export.tasks.send_to_accountant",
        "schedule": crontab(minute="45"),
    },
}
