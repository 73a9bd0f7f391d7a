"""When scheduled tasks are due, in words: crontabs are for machines."""

import calendar

from cron_descriptor import (
    FormatException,
    MissingFieldException,
    Options,
    WrongArgumentException,
    get_description,
)
from django.utils.dates import MONTHS, WEEKDAYS
from django.utils.translation import get_language
from django_celery_beat.models import CrontabSchedule, PeriodicTask


def when_due(entry: PeriodicTask) -> str:
    """`Toutes les 15 minutes`, `À 07:00, uniquement le lundi`, in the reader's language."""
    if entry.crontab:
        return _crontab_in_words(entry.crontab)
    return str(entry.interval or "")


def _crontab_in_words(crontab: CrontabSchedule) -> str:
    options = Options()
    options.locale_code = "en_US" if (get_language() or "fr").startswith("en") else "fr_FR"
    options.use_24hour_time_format = True
    fields = "minute hour day_of_month month_of_year day_of_week".split()
    try:
        told = get_description(
            " ".join(getattr(crontab, name).replace(" ", "") for name in fields), options
        )
    except (FormatException, MissingFieldException, WrongArgumentException):
        return str(crontab)
    # The library takes names of days and months from the machine's locale, not from ours.
    for theirs, ours in (
        *zip(calendar.day_name, WEEKDAYS.values(), strict=True),
        *zip(calendar.month_name[1:], MONTHS.values(), strict=True),
    ):
        told = told.replace(theirs, str(ours))
    return str(told)
