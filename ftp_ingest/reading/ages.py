"""Which of several files is the newer one, by what they and their names say."""

import re
from datetime import datetime
from pathlib import Path

from ftp_ingest.reading.drafts import Survey
from ftp_ingest.reading.recognition import FileFormat
from ftp_ingest.reading.records import Records
from sphinx.core.cells import moment
from sphinx.core.clock import PARIS
from sphinx.core.errors import InputError

_IN_NAME = re.compile(
    r"(?P<year>20\d\d)[-_.]?(?P<month>\d\d)[-_.]?(?P<day>\d\d)"
    r"|(?P<day2>\d\d)[-_.](?P<month2>\d\d)[-_.](?P<year2>20\d\d)"
)
LONG_AGO = datetime(1900, 1, 1, tzinfo=PARIS)


def newest_date(path: Path, file_format: FileFormat, seen: Survey) -> datetime:
    """The latest date in a file of orders; long ago when it has none."""
    if file_format.dialect is None or file_format.kind != "orders":
        return LONG_AGO
    places = file_format.dialect.orders(file_format.header).date_places
    texts = {
        record.cells[place]
        for record in Records(path, file_format, seen.held)
        if not record.fault
        for place in places
    }
    return max(
        (_date(text, day_first=seen.dates.day_first) for text in texts - {""}), default=LONG_AGO
    )


def _date(text: str, *, day_first: bool | None) -> datetime:
    try:
        return moment(text, 0, "", day_first=day_first)
    except InputError:
        return LONG_AGO


def date_in_name(name: str) -> datetime:
    """The date that a file is named after; long ago when there is none."""
    for match in _IN_NAME.finditer(name):
        year, month, day = (
            int(match[part] or match[f"{part}2"]) for part in ("year", "month", "day")
        )
        try:
            return datetime(year, month, day, tzinfo=PARIS)
        except ValueError:
            continue
    return LONG_AGO
