"""What FTP servers write when they list a folder: MLSD's facts, and LIST's lines for people."""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from ftp_ingest.transports.base import Entry

Reader = Callable[[str, datetime], Entry | None]

# No name is longer; a line that is costs nothing to pass over.
MAX_LINE = 4096
_SIZE = re.compile(r"[0-9]{1,18}")
_UNIX = re.compile(
    r"(?P<type>[-a-zD])[-rwxsStTlL]{9}\S?\s.*?\s(?P<size>[0-9]{1,18})\s+"
    r"(?P<date>[^\d\s]\S{2,5}\s+\d{1,2}\s+(?:\d{4}|\d{1,2}:\d\d)"
    r"|\d{1,2}\s+[^\d\s]\S{2,5}\s+(?:\d{4}|\d{1,2}:\d\d)"
    r"|\d{4}-\d\d-\d\d\s+\d\d:\d\d)\s(?P<name>.+)"
)
_DOS = re.compile(
    r"(?P<date>\d\d-\d\d-(?:\d{4}|\d\d)\s+\d\d:\d\d(?:\s?[AP]M)?)\s+"
    r"(?P<size><\w+>|[0-9,.]{1,24})\s+(?P<name>\S.*)",
    re.IGNORECASE,
)
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_CLOCKS = ("%m-%d-%y %I:%M%p", "%m-%d-%Y %I:%M%p", "%m-%d-%y %H:%M", "%m-%d-%Y %H:%M")


class NotUnderstood(ValueError):
    """A line that tells nothing certain; `name` is the entry's, where it could be read."""

    def __init__(self, line: str, name: str = "") -> None:
        super().__init__(line)
        self.name = name


def read_lines(
    lines: Iterable[str], read: Reader, now: datetime
) -> tuple[list[Entry], list[NotUnderstood]]:
    """The entries of a listing, and what could not be understood of it."""
    entries, faults = [], []
    for line in lines:
        try:
            if len(line) > MAX_LINE:
                raise NotUnderstood(line[:80])
            entry = read(line, now)
        except NotUnderstood as fault:
            faults.append(fault)
            continue
        if entry is not None and entry.name not in (".", ".."):
            entries.append(entry)
    return entries, faults


def from_facts(line: str, _now: datetime) -> Entry | None:
    """A line of MLSD (RFC 3659); None for what is neither a file nor a folder.

    Raises:
        NotUnderstood: it has no facts, or a size that is no number.
    """
    text, _space, name = line.partition(" ")
    facts = dict(fact.lower().split("=", 1) for fact in text.split(";") if "=" in fact)
    if not name or not facts:
        raise NotUnderstood(line)
    kind = facts.get("type", "file")
    if kind == "dir":
        return Entry(name, is_folder=True)
    if kind != "file":
        return None
    size = facts.get("size")
    if size is not None and not _SIZE.fullmatch(size):
        raise NotUnderstood(line, name)
    modified = facts.get("modify", "")
    modified = modified if modified.isascii() and modified.isprintable() else ""
    return Entry(name, False, None if size is None else int(size), modified, utc(modified))


def from_list(line: str, now: datetime) -> Entry | None:
    """A line of LIST, as Unix or as Windows write it; None for a total, a link, a device.

    Raises:
        NotUnderstood: it is neither.
    """
    if not line.strip() or re.match(r"\s*total\b", line, re.IGNORECASE):
        return None
    if found := _UNIX.fullmatch(line):
        kind, date = found["type"], " ".join(found["date"].split())
        if kind not in "-d":
            return None
        at = _unix_time(date, now)
    elif found := _DOS.fullmatch(line):
        kind, date = _dos_kind(found["size"]), " ".join(found["date"].split())
        if not kind:
            return None
        at = _dos_time(date)
    else:
        raise NotUnderstood(line)
    if kind == "d":
        return Entry(found["name"], is_folder=True)
    return Entry(found["name"], False, int(re.sub(r"\D", "", found["size"])), date, at)


def _dos_kind(size: str) -> str:
    if size.startswith("<"):
        return "d" if size.upper() == "<DIR>" else ""
    return "-"


def utc(text: str) -> datetime | None:
    """The time of MDTM and of MLSD's `modify`: 20260301100000, in UTC."""
    try:
        return datetime.strptime(text[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def _unix_time(date: str, now: datetime) -> datetime | None:
    """`Mar 1 10:00` is of the last twelve months, `Mar 1 2025` is a day; None in other tongues."""
    if date[:4].isdigit():
        return _parsed(date, "%Y-%m-%d %H:%M")
    month, day, rest = date.split()
    if month.isdigit():
        month, day = day, month
    if month[:3].lower() not in _MONTHS:
        return None
    number = _MONTHS.index(month[:3].lower()) + 1
    if ":" not in rest:
        return _parsed(f"{rest}-{number}-{day}", "%Y-%m-%d")
    for year in (now.year + 1, now.year, now.year - 1):
        at = _parsed(f"{year}-{number}-{day} {rest}", "%Y-%m-%d %H:%M")
        # A day ahead: the server's clock may be in any time zone.
        if at is not None and at <= now + timedelta(days=1):
            return at
    return None


def _dos_time(date: str) -> datetime | None:
    text = re.sub(r"\s+(?=[AP]M$)", "", date.upper())
    return next((at for form in _CLOCKS if (at := _parsed(text, form)) is not None), None)


def _parsed(text: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(text, form).replace(tzinfo=UTC)
    except ValueError:
        return None
