"""When scheduled tasks are due, told in words."""

import pytest
from django.utils import translation
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from sphinx.dashboard.schedules import when_due


@pytest.mark.parametrize(
    ("fields", "french", "english"),
    [
        ({"minute": "*/15"}, "Toutes les 15 minutes", "Every 15 minutes"),
        ({"minute": "30", "hour": "3"}, "À 03:30", "At 03:30"),
        (
            {"minute": "0", "hour": "7", "day_of_week": "1"},
            "À 07:00, uniquement le lundi",
            "At 07:00, only on Monday",
        ),
        (
            {"minute": "0", "hour": "6", "day_of_month": "1", "month_of_year": "1"},
            "À 06:00, le 1 du mois, uniquement en janvier",
            "At 06:00, on day 1 of the month, only in January",
        ),
    ],
)
def test_a_crontab_is_told_in_the_readers_language(
    fields: dict[str, str], french: str, english: str
) -> None:
    entry = PeriodicTask(crontab=CrontabSchedule(**fields))

    with translation.override("fr"):
        assert when_due(entry).lower() == french.lower()
    with translation.override("en"):
        assert when_due(entry) == english


def test_an_interval_is_told_as_it_is() -> None:
    entry = PeriodicTask(interval=IntervalSchedule(every=60, period="seconds"))

    with translation.override("fr"):
        assert when_due(entry) == "chaque 60 secondes"


def test_a_crontab_that_has_no_words_is_shown_as_it_is() -> None:
    entry = PeriodicTask(crontab=CrontabSchedule(minute="61"))

    assert when_due(entry).startswith("61 ")
