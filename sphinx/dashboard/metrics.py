"""What a monitoring system watches, in Prometheus' text format: read from the database when asked,
so that every process answers the same."""

from collections.abc import Iterator

from django.db.models import Min
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from ftp_ingest.models import Feed, FeedRun
from sphinx.core import clock
from sphinx.core.models import Job
from sphinx.dashboard.figures import work_waiting
from sphinx.dashboard.models import StaleDay


class _Firm(Collector):
    def collect(self) -> Iterator[GaugeMetricFamily]:
        waiting = GaugeMetricFamily(
            "sphinx_waiting", "What waits for a hand, as the home page counts it.", labels=["what"]
        )
        for what, count in sorted(work_waiting().items()):
            waiting.add_metric([what], count)
        yield waiting
        yield _gauge(
            "sphinx_feed_lateness_seconds", "By how long the latest feed is overdue.", _late()
        )
        yield _gauge(
            "sphinx_feed_runs_open",
            "Visits under way.",
            FeedRun.objects.filter(status=FeedRun.Status.RUNNING).count(),
        )
        yield _gauge(
            "sphinx_jobs_open",
            "Long work that waits or runs.",
            Job.objects.filter(status__in=Job.OPEN).count(),
        )
        yield _gauge(
            "sphinx_job_oldest_seconds", "Age of the oldest work that waits.", _oldest_job()
        )
        yield _gauge(
            "sphinx_sums_stale_days", "Days whose sums are to be made.", StaleDay.objects.count()
        )


def text() -> bytes:
    """All measures."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Firm())
    return generate_latest(registry)


def _gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, words, value=value)


def _late() -> float:
    due = Feed.objects.filter(is_active=True).aggregate(due=Min("next_due_at"))["due"]
    return max((clock.now() - due).total_seconds(), 0) if due else 0


def _oldest_job() -> float:
    waiting = Job.objects.filter(status=Job.Status.WAITING).aggregate(since=Min("asked_at"))
    return (clock.now() - waiting["since"]).total_seconds() if waiting["since"] else 0
