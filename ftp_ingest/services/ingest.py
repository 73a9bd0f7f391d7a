"""One way in for files, whether a feed fetched them or somebody brought them.

received (archived, hashed) → recognised → customers applied → orders applied → marked.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from ftp_ingest.dialects import Dialect
from ftp_ingest.errors import FileRefused
from ftp_ingest.models import FeedRun, QuarantinedRow, ReceivedFile
from ftp_ingest.reading import ages
from ftp_ingest.reading.drafts import Fault, OrderFile, customer_drafts, survey
from ftp_ingest.reading.recognition import FileFormat, recognise
from ftp_ingest.selectors import states_said
from ftp_ingest.services.answering import announce_answers
from ftp_ingest.services.applying import Counts, apply_customers, apply_orders
from ftp_ingest.services.archive import (
    Archived,
    archive_path,
    hash_file,
    keep_copy,
    refuse_large,
)
from ftp_ingest.services.causes import cause_of, causes
from ftp_ingest.services.einvoices import KIND as EINVOICE
from ftp_ingest.services.einvoices import SUFFIXES, looks_like_einvoice, take_einvoice
from ftp_ingest.services.mappings import own_dialects
from ftp_ingest.services.runs import beat, finish, start_run
from sphinx.core import clock
from sphinx.core.bulk import rare_collections
from sphinx.core.errors import InputError
from sphinx.core.models import Shop
from sphinx.core.money import plain

Tell = Callable[[str, int, int], None]
UNCONFIRMED = "?"
MAX_DAYS = 62
Status = ReceivedFile.Status


@dataclass
class FileReport:
    """One file of the contract's JSON."""

    name: str
    sha256: str
    kind: str = ""
    dialect: str = ""
    encoding: str = ""
    delimiter: str = ""
    rows: int = 0
    status: str = ""


@dataclass
class IngestReport:
    """What an ingest did, for the log, the browser and the contract's JSON."""

    dry_run: bool = False
    files: list[FileReport] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)
    seconds: float = 0.0
    # What is said of files that weren't taken at all.
    left_out: list[str] = field(default_factory=list)
    # Called with a file's name, the rows done, the rows in all.
    tell: Tell | None = None

    @property
    def has_refusals(self) -> bool:
        """True when a file, an order or a customer was refused or set aside."""
        return bool(self.counts.faults) or any(f.status == "refused" for f in self.files)

    @property
    def has_news(self) -> bool:
        """True when a file was read, right or wrong."""
        return any(f.status != "duplicate" for f in self.files)

    def as_json(self) -> dict[str, Any]:
        """The contract's document."""
        told = [*self.counts.faults, *self.counts.notes]
        return {
            "dry_run": self.dry_run,
            "files": [vars(f) for f in self.files],
            "customers": self.counts.customers,
            "orders": self.counts.orders,
            "lines": self.counts.lines,
            "reserved": plain(self.counts.reserved),
            "issues": [
                {
                    "file": name,
                    "line": fault.line,
                    "column": fault.column,
                    "code": fault.code,
                    "message": fault.message,
                    "order": fault.number or None,
                }
                for name, fault in told
            ],
            "causes": causes(fault for _name, fault in told),
            "seconds": round(self.seconds, 3),
        }

    def as_kept(self) -> dict[str, Any]:
        """The same with what changed on known orders, for the run's page."""
        changes = [change._asdict() for change in self.counts.changes]
        days = [
            {"day": day, "file": str(file), "here": str(here), "gap": str(file - here)}
            for day, (file, here) in sorted(self.counts.days.items())
        ]
        return self.as_json() | {"changes": changes, "days": days[-MAX_DAYS:]}


@dataclass
class Incoming:
    """A file to be read: its name at the shop, its bytes here, when it was written there."""

    name: str
    archived: Archived
    remote_stamp: str = ""
    modified_at: datetime | None = None


class _DryRun(Exception):
    """Unwinds the transaction of a dry run."""


def _written_at(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, tz=UTC)


def files_of(paths: Iterable[Path]) -> list[Path]:
    """The files meant by `paths`: themselves, or the CSV files of a folder.

    Raises:
        InputError: a path doesn't exist, or there is no file at all.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(
                p
                for p in path.iterdir()
                if p.is_file() and p.suffix.lower() in SUFFIXES and not p.name.startswith(".")
            )
        elif path.is_file():
            found.append(path)
        else:
            raise InputError(_("« %s » n'existe pas.") % path, code="file.not_found")
    if not found:
        raise InputError(_("Aucun fichier CSV à lire."), code="file.none")
    return found


def ingest_paths(
    *,
    shop: Shop,
    paths: Sequence[Path],
    dialect: str = "auto",
    dry_run: bool = False,
    own: Sequence[Dialect] | None = None,
    look: Callable[[], None] | None = None,
    tell: Tell | None = None,
) -> IngestReport:
    """Read local files as a feed would.

    With `dry_run` everything is done and undone: the report is real, nothing is kept; `look`
    is called in between. `own` stands for the shop's own dialects; `tell` hears of progress.

    Raises:
        InputError: a path doesn't exist, or there is nothing to read: no file, or only ones that
            are too large.
    """
    files = files_of(paths)
    report = IngestReport(dry_run=dry_run, tell=tell)
    started = time.perf_counter()
    if dry_run:
        try:
            with transaction.atomic():
                incoming = _take_in(files, _where_it_lies, report)
                _ingest(shop, incoming, dialect, report, own)
                if look is not None:
                    look()
                raise _DryRun
        except _DryRun:
            pass
    else:
        incoming = _take_in(files, keep_copy, report)
        _ingest(shop, incoming, dialect, report, own)
    report.seconds = time.perf_counter() - started
    return report


def _where_it_lies(path: Path) -> Archived:
    """A file that is only tried: it stays where it is."""
    refuse_large(path)
    return Archived(*hash_file(path), path)


def _take_in(
    files: Sequence[Path], take: Callable[[Path], Archived], report: IngestReport
) -> list[Incoming]:
    """The files to be read; one over the limit is refused and said, the others are read.

    Raises:
        FileRefused: there is none but those.
    """
    incoming: list[Incoming] = []
    for number, path in enumerate(files, start=1):
        try:
            archived = take(path)
        except FileRefused as error:
            if number == len(files) and not incoming:
                raise
            report.files.append(FileReport(path.name, sha256="", status="refused"))
            report.counts.refuse(path.name, [_fault_of(error)])
            report.left_out.append(f"{path.name} : {error.message}")
        else:
            incoming.append(Incoming(path.name, archived, modified_at=_written_at(path)))
    return incoming


def _fault_of(error: InputError) -> Fault:
    return Fault(error.line, error.column, error.code, error.message)


def _ingest(
    shop: Shop,
    incoming: Sequence[Incoming],
    dialect: str,
    report: IngestReport,
    own: Sequence[Dialect] | None = None,
) -> None:
    run = start_run(shop=shop, feed=None)
    try:
        read_files(run, incoming, dialect, report, own)
    except BaseException as error:
        if not report.dry_run:
            finish(run, FeedRun.Status.FAILED, error=str(error) or type(error).__name__)
        raise
    finish(
        run,
        FeedRun.Status.DONE_WITH_PROBLEMS if report.has_refusals else FeedRun.Status.DONE,
        error="\n".join(report.left_out),
        counts=report.as_kept(),
    )


@dataclass
class _Reading:
    """A file that is being read."""

    file: ReceivedFile
    path: Path
    report: FileReport
    format: FileFormat | None = None
    # As the server has it; None when it doesn't tell.
    modified_at: datetime | None = None


def read_files(
    run: FeedRun,
    incoming: Sequence[Incoming],
    dialect: str,
    report: IngestReport,
    own: Sequence[Dialect] | None = None,
) -> None:
    """Read files of one shop: customers before orders, each file once."""
    readings = [r for i in incoming if (r := _receive(run, i, report)) is not None]
    mine = own_dialects(run.shop) if own is None else own
    for reading in readings:
        _recognise(reading, dialect, mine, report)
    readings = _oldest_first(readings)
    at = clock.now()
    with rare_collections():
        for kind in ("", "customers", "orders"):
            for reading in readings:
                if reading.format is not None and reading.format.kind == kind:
                    _apply(run, reading, report.counts, at, report.tell)
    for reading in readings:
        if reading.file.kind == EINVOICE:
            _take(reading, report, at)


def _oldest_first(readings: Sequence[_Reading]) -> list[_Reading]:
    """Files that wait together, as the shop wrote them: a newer state is read after an older one.

    By the minute on the server, which is all that some servers tell; then by the dates in the
    files and in their names.
    """

    def minute(reading: _Reading) -> float:
        return reading.modified_at.timestamp() // 60 if reading.modified_at else inf

    together = Counter(map(minute, readings))

    def age(reading: _Reading) -> tuple[float, datetime, datetime, float, str]:
        content = ages.LONG_AGO
        if together[minute(reading)] > 1 and reading.format is not None:
            seen = survey(reading.path, reading.format)
            content = ages.newest_date(reading.path, reading.format, seen)
        exactly = reading.modified_at.timestamp() if reading.modified_at else inf
        name = reading.file.name
        return minute(reading), content, ages.date_in_name(name), exactly, name

    return sorted(readings, key=age)


def _receive(run: FeedRun, incoming: Incoming, report: IngestReport) -> _Reading | None:
    """Note the file in the ledger; None when it was applied before."""
    name = incoming.name[:255]
    archived = incoming.archived
    file, _created = ReceivedFile.objects.get_or_create(
        shop=run.shop,
        sha256=archived.sha256,
        defaults={
            "run": run,
            "name": name,
            "size": archived.size,
            "archive_path": str(archive_path(archived.sha256).relative_to(settings.DATA_DIR)),
            "received_at": clock.now(),
        },
    )
    file.remote_stamp = _next_stamp(file.remote_stamp, incoming.remote_stamp)
    file_report = FileReport(name=name, sha256=archived.sha256)
    report.files.append(file_report)
    if file.status == Status.APPLIED:
        file.save(update_fields=["remote_stamp"])
        file_report.kind, file_report.dialect = file.kind, file.dialect
        file_report.encoding, file_report.delimiter = file.encoding, file.delimiter
        file_report.rows, file_report.status = file.row_count, "duplicate"
        return None
    file.run, file.name = run, name
    return _Reading(file, archived.path, file_report, modified_at=incoming.modified_at)


def _next_stamp(kept: str, seen: str) -> str:
    """The server's stamp (size and date) of a file, trusted once it was seen twice.

    Servers tell time in seconds: a file written again in the same second, at the same size,
    looks unchanged. Its bytes are compared once more before it is left alone.
    """
    return seen[:80] if kept in (UNCONFIRMED + seen, seen) else (UNCONFIRMED + seen)[:80]


def _recognise(
    reading: _Reading, dialect: str, own: Sequence[Dialect], report: IngestReport
) -> None:
    file, shop = reading.file, reading.file.shop
    if looks_like_einvoice(file.name, reading.path):
        file.kind = EINVOICE
        return
    try:
        found = recognise(reading.path, dialect, own, usual=shop.dialect)
    except FileRefused as error:
        _refuse(reading, error, report)
        return
    reading.format = found
    file.kind, file.encoding, file.delimiter = found.kind, found.encoding, found.delimiter
    file.dialect = found.dialect.code if found.dialect else ""


def _refuse(reading: _Reading, error: InputError, report: IngestReport) -> None:
    file = reading.file
    file.status = Status.REFUSED
    file.save()
    fault = _fault_of(error)
    QuarantinedRow.objects.get_or_create(
        file=file,
        kind="file",
        line=error.line,
        code=error.code,
        defaults={
            "column": error.column[:80],
            "message": error.message,
            "cause": cause_of(fault),
        },
    )
    reading.report.status = "refused"
    report.counts.refuse(file.name, [fault])


def _take(reading: _Reading, report: IngestReport, at: datetime) -> None:
    """A supplier's electronic invoice: kept to be matched, in a transaction of its own."""
    reading.report.kind = EINVOICE
    try:
        with transaction.atomic():
            take_einvoice(reading.file.name, reading.path, at)
            reading.file.row_count = 1
            _mark_applied(reading)
    except InputError as error:
        _refuse(reading, error, report)


def _mark_applied(reading: _Reading) -> None:
    file = reading.file
    file.status = Status.APPLIED
    file.save()
    # The file was refused before and is right now (another dialect, a mended header).
    QuarantinedRow.objects.filter(file=file, kind="file", status=QuarantinedRow.Status.OPEN).update(
        status=QuarantinedRow.Status.RESOLVED, resolution=_("Fichier intégré depuis")
    )
    reading.report.rows, reading.report.status = file.row_count, "applied"


def _apply(
    run: FeedRun, reading: _Reading, counts: Counts, at: datetime, tell: Tell | None
) -> None:
    file, found = reading.file, reading.format
    assert found is not None  # noqa: S101
    seen = survey(reading.path, found)
    file.row_count = seen.rows
    file.save()

    def alive(line: int) -> None:
        done = min(line, seen.rows)
        beat(run, done, seen.rows)
        if tell is not None:
            tell(file.name, done, seen.rows)

    if found.kind == "customers":
        apply_customers(file, customer_drafts(reading.path, found, seen), counts, at=at, beat=alive)
    elif found.kind == "orders":
        states = states_said(file.shop)
        orders = OrderFile(reading.path, found, seen, states)
        apply_orders(file, orders, counts, at=at, beat=alive)
        announce_answers(file.shop, states)
    _mark_applied(reading)
    report = reading.report
    report.kind, report.dialect = file.kind, file.dialect
    report.encoding, report.delimiter = file.encoding, file.delimiter


def reread(file: ReceivedFile) -> IngestReport:
    """Read a received file again from the archive, applied or not."""
    report = IngestReport()
    ReceivedFile.objects.filter(pk=file.pk).update(status=Status.RECEIVED)
    archived = Archived(file.sha256, file.size, archive_path(file.sha256))
    _ingest(file.shop, [Incoming(file.name, archived)], file.dialect or "auto", report)
    return report
