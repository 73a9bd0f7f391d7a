"""The schedule is kept where the operator changes it; of several beats one is at work."""

import os
import signal
import time
from datetime import timedelta
from pathlib import Path

import pytest
from celery import current_app
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from sphinx.core.beat import LoneScheduler
from tests.support.machines import Redis, celery, wait_for


@pytest.fixture
def scheduler(transactional_db: None) -> LoneScheduler:
    current_app.loader.import_default_modules()
    return LoneScheduler(app=current_app, lazy=False)


def test_the_operator_sees_every_entry(scheduler: LoneScheduler) -> None:
    kept = {task.name: task.task for task in PeriodicTask.objects.all()}

    for name, entry in current_app.conf.beat_schedule.items():
        assert kept[name] == entry["task"]


def test_what_the_operator_changed_stays(scheduler: LoneScheduler) -> None:
    PeriodicTask.objects.filter(name="close-books").update(enabled=False)

    again = LoneScheduler(app=current_app, lazy=False)

    assert "close-books" not in again.schedule
    assert "watch-feeds" in again.schedule


def test_what_no_version_does_any_more_is_switched_off(scheduler: LoneScheduler) -> None:
    old = PeriodicTask.objects.get(name="close-books")
    PeriodicTask.objects.filter(pk=old.pk).update(task="invoicing.tasks.gone")

    LoneScheduler(app=current_app, lazy=False)

    old.refresh_from_db()
    assert not old.enabled


def test_a_night_that_no_beat_saw_is_caught_up(scheduler: LoneScheduler) -> None:
    """Whatever the hour: the books of the day before are closed when a beat is back."""
    long_ago = timezone.now() - timedelta(days=2)
    PeriodicTask.objects.filter(name="close-books").update(last_run_at=long_ago)

    again = LoneScheduler(app=current_app, lazy=False)

    assert again.schedule["close-books"].is_due().is_due


def at_work(log: Path) -> bool:
    """True when that beat said that it sends."""
    return log.exists() and "beat.at_work" in log.read_text()


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_of_two_beats_one_is_at_work_and_the_other_takes_over(
    environment: dict[str, str], tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    with celery(environment, "beat", log=first) as leader:
        wait_for(lambda: at_work(first))
        with celery(environment, "beat", log=second):
            wait_for(lambda: second.exists() and "beat: Starting" in second.read_text())
            time.sleep(7)
            assert not at_work(second)

            os.killpg(leader.pid, signal.SIGTERM)

            wait_for(lambda: at_work(second), 30)


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_a_beat_whose_redis_forgot_everything_goes_on(
    environment: dict[str, str], redis: Redis, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with celery(environment, "beat", log=log):
        wait_for(lambda: at_work(log))
        redis.kill()
        wait_for(lambda: "beat.stands_by" in log.read_text(), 40)
        redis.start()

        wait_for(lambda: log.read_text().count("beat.at_work") == 2, 40)
