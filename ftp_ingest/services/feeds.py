"""Feeds fetched when they are due: whole files into the archive, then read, then tidied."""

import ftplib
import logging
import posixpath
import random
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db.models import F
from django.utils.translation import gettext as _
from structlog.contextvars import bound_contextvars

from ftp_ingest.errors import EntrySkipped, FeedBusy
from ftp_ingest.models import Feed, FeedRun, ReceivedFile, ShipmentFile
from ftp_ingest.services.archive import incoming as incoming_file
from ftp_ingest.services.archive import keep
from ftp_ingest.services.ingest import Incoming, IngestReport, read_files
from ftp_ingest.services.pushing import push_stock
from ftp_ingest.services.runs import beat, finish, give_up_stale_runs, start_run
from ftp_ingest.services.watching import warn_failing
from ftp_ingest.transports import RemoteFile, Transport, open_transport
from sphinx.core import clock
from sphinx.core.credentials import reveal
from sphinx.core.errors import SphinxError
from sphinx.core.sftp import TRANSFER_ERRORS
from sphinx.core.texts import visible

logger = logging.getLogger(__name__)
MAX_BACKOFF_MINUTES = 24 * 60
_LONGEST_WAIT = timedelta(minutes=MAX_BACKOFF_MINUTES + 2)
# After so many failures in a row a dead worker's feed isn't fetched again at once.
_TAKEN_OVER = 2
# Sentences on a run's page, beyond which they are only counted.
_SHOWN = 20
_AT_ONCE = 1000


@dataclass
class FeedReport:
    """What one passage over a feed did."""

    feed: str
    status: str = "ok"
    error: str = ""
    ingest: IngestReport = field(default_factory=IngestReport)
    # What was left aside on the server, or couldn't be put away: a sentence each.
    skipped: list[str] = field(default_factory=list)

    def skip(self, sentences: Iterable[str]) -> None:
        """Note what was left aside, each once."""
        self.skipped = list(dict.fromkeys([*self.skipped, *sentences]))

    def say_skipped(self) -> None:
        """Put what was left aside with the error, if there is one."""
        said = [self.error, *self.skipped[:_SHOWN]]
        if len(self.skipped) > _SHOWN:
            said.append(_("Et %s de plus.") % (len(self.skipped) - _SHOWN))
        self.error = "\n".join(filter(None, said))

    def as_json(self) -> dict[str, Any]:
        """The contract's document."""
        return {
            "feed": self.feed,
            "status": self.status,
            "error": self.error or None,
            **{k: v for k, v in self.ingest.as_json().items() if k != "dry_run"},
        }


def pull_due_feeds(*, code: str | None = None, force: bool = False) -> list[FeedReport]:
    """Fetch every active feed that is due (all with `force`), one after the other.

    A feed that fails fails alone.
    """
    feeds = Feed.objects.filter(is_active=True).select_related("shop")
    if code is not None:
        feeds = feeds.filter(code=code)
    return [pull_feed(feed) for feed in feeds if force or _is_due(feed)]


def due_feeds() -> list[int]:
    """The active feeds to be fetched now, the longest due first."""
    feeds = Feed.objects.filter(is_active=True).order_by(F("next_due_at").asc(nulls_first=True))
    return [feed.pk for feed in feeds if _is_due(feed)]


def _is_due(feed: Feed) -> bool:
    if feed.next_due_at is None:
        return True
    wait = feed.next_due_at - clock.now()
    # No feed waits longer than a day and its own interval: if so, a clock was wrong.
    return not timedelta(0) < wait <= _LONGEST_WAIT + timedelta(minutes=feed.interval_minutes)


def pull_feed(feed: Feed) -> FeedReport:
    """Fetch one feed and read what is new; expected failures end in the report."""
    report = FeedReport(feed.code)
    try:
        run = start_run(shop=feed.shop, feed=feed)
    except FeedBusy as error:
        report.status, report.error = "locked", error.message
        return report
    # Every line logged on the way, and by the tasks that follow from it, names the run.
    with bound_contextvars(run=run.pk, feed=feed.code):
        _visit(feed, run, report)
    return report


def _visit(feed: Feed, run: FeedRun, report: FeedReport) -> None:
    started = time.perf_counter()
    logger.info("feed visit", extra={"protocol": feed.protocol})
    try:
        _fetch_and_read(feed, run, report)
    except SphinxError as error:
        report.status, report.error = "failed", error.message
        logger.warning("feed failed", extra={"feed": feed.code, "code": error.code})
    except BaseException as error:
        # A bug or a kill: the run says so, then the error goes its way.
        finish(
            run,
            FeedRun.Status.FAILED,
            error=_("Interrompu par une panne (%s) : rien n'est à moitié intégré.")
            % type(error).__name__,
        )
        _plan_next(feed, failed=True)
        raise
    report.ingest.seconds = time.perf_counter() - started
    report.say_skipped()
    finish(run, _run_status(report), error=report.error, counts=report.ingest.as_kept())
    _plan_next(feed, failed=report.status == "failed", error=report.error)
    logger.info("feed visited", extra={"status": report.status, "files": len(report.ingest.files)})


def pull_feed_now(*, feed_id: int, only_if_due: bool = False) -> FeedReport | None:
    """Fetch one feed without waiting for its hour; with `only_if_due`, None when it isn't."""
    feed = Feed.objects.select_related("shop").get(pk=feed_id)
    if only_if_due and not (feed.is_active and _is_due(feed)):
        return None
    return pull_feed(feed)


def _run_status(report: FeedReport) -> str:
    if report.status == "failed":
        return FeedRun.Status.FAILED
    if report.status == "nothing_new":
        return FeedRun.Status.NOTHING_NEW
    problems = report.ingest.has_refusals or report.skipped
    return FeedRun.Status.DONE_WITH_PROBLEMS if problems else FeedRun.Status.DONE


def _plan_next(feed: Feed, *, failed: bool, error: str = "") -> None:
    """The next passage; after failures it waits longer each time, up to a day."""
    feed.failures = min(feed.failures + 1, 30) if failed else 0
    minutes = feed.interval_minutes
    if feed.failures > 1:
        minutes = min(minutes * 2 ** (feed.failures - 1), max(minutes, MAX_BACKOFF_MINUTES))
    # A little at random, so that feeds of one host don't all come at the same second.
    jitter = random.uniform(0, min(60, minutes * 3)) if feed.failures else 0  # noqa: S311
    feed.next_due_at = clock.now() + timedelta(minutes=minutes, seconds=jitter)
    feed.save(update_fields=["failures", "next_due_at"])
    if failed and feed.failures == feed.warn_after:
        warn_failing(feed, error)


def _fetch_and_read(feed: Feed, run: FeedRun, report: FeedReport) -> None:
    password, private_key = reveal(feed.password_encrypted), reveal(feed.private_key_encrypted)
    with open_transport(feed, password, private_key) as transport, ExitStack() as kept:
        came = []
        for file in _wanted(feed, transport):
            beat(run)
            try:
                came.append((file, _fetch(transport, file, kept)))
            except EntrySkipped as error:
                report.skip([error.message])
        report.skip(transport.said)
        fetched = _whole(transport, came, report)
        # How long they take to be read isn't the server's doing.
        transport.stop_clock()
        read_files(run, [arrived for _file, arrived in fetched], "auto", report.ingest)
        transport.start_clock()
        if not report.ingest.has_news and not report.skipped:
            report.status = "nothing_new"
        # Only now: the rows are safe.
        if feed.stock_file:
            push_stock(feed, transport)
        _tidy(transport, [file for file, _arrived in fetched], report)


def _wanted(feed: Feed, transport: Transport) -> list[RemoteFile]:
    """The files to be fetched: of the feed's pattern, and not known."""
    listed = transport.list_files()
    names = frozenset(file.name for file in listed)
    wanted = [file for file in listed if transport.wanted(file.name, names)]
    known = _known(feed, [_name(file) for file in wanted])
    ours = _left_by_us(feed, [_basename(file) for file in wanted])
    return [
        file
        for file in wanted
        if (_name(file), file.stamp) not in known and _basename(file) not in ours
    ]


def _known(feed: Feed, names: Sequence[str]) -> set[tuple[str, str]]:
    """Name and stamp of what was left on the server, applied, and seen unchanged since: not worth
    fetching again."""
    applied = ReceivedFile.objects.filter(shop=feed.shop, status=ReceivedFile.Status.APPLIED)
    known: set[tuple[str, str]] = set()
    for start in range(0, len(names), _AT_ONCE):
        some = applied.filter(name__in=names[start : start + _AT_ONCE])
        known.update(some.values_list("name", "remote_stamp"))
    return known


def _left_by_us(feed: Feed, names: Sequence[str]) -> set[str]:
    """Files of shipments that we left with the shop, whatever the settings are called now."""
    left = ShipmentFile.objects.filter(feed__shop=feed.shop)
    ours: set[str] = set()
    for start in range(0, len(names), _AT_ONCE):
        some = left.filter(name__in=names[start : start + _AT_ONCE])
        ours.update(some.values_list("name", flat=True))
    return ours


def _basename(file: RemoteFile) -> str:
    return posixpath.basename(_name(file))


def _name(file: RemoteFile) -> str:
    """A remote name is text, nothing else: no path, no control characters."""
    return "".join(c for c in file.text if c.isprintable())[:255]


def _fetch(transport: Transport, file: RemoteFile, kept: ExitStack) -> Path:
    """Bring a file here; it is gone with `kept` unless it goes to the archive.

    Raises:
        EntrySkipped: the server doesn't give it, or it is too large.
    """
    with ExitStack() as until_whole:
        path = until_whole.enter_context(incoming_file())
        transport.fetch(file, path)
        kept.push(until_whole.pop_all())
    return path


def _whole(
    transport: Transport, came: list[tuple[RemoteFile, Path]], report: FeedReport
) -> list[tuple[RemoteFile, Incoming]]:
    """What came and is neither growing nor cut, into the archive: the server is looked at again."""
    if not came:
        return []
    stamps = {file.name: file.stamp for file in transport.list_files()}
    report.skip(transport.said)
    whole = []
    for file, path in came:
        size = path.stat().st_size
        if stamps.get(file.name) != file.stamp:
            logger.info("file still growing", extra={"size": size})
        elif file.size is not None and file.size != size:
            report.skip([_cut(file, size)])
        else:
            at = transport.time_of(file)
            whole.append((file, Incoming(_name(file), keep(path), file.stamp, at)))
    return whole


def _cut(file: RemoteFile, size: int) -> str:
    return _(
        "« %(name)s » : %(got)s octets reçus sur %(announced)s annoncés ; laissé de côté, relevé "
        "au prochain passage."
    ) % {"name": _name(file), "got": size, "announced": file.size}


def _tidy(transport: Transport, files: list[RemoteFile], report: FeedReport) -> None:
    """Put away or delete what was read; a server that refuses is only warned about."""
    action = transport.feed.after_fetch
    if action == Feed.AfterFetch.LEAVE:
        return
    refused = {f.name for f in report.ingest.files if f.status == "refused"}
    for file in files:
        if _name(file) in refused:
            continue
        try:
            if action == Feed.AfterFetch.DELETE:
                transport.delete(file)
            else:
                transport.put_away(file)
        except (*TRANSFER_ERRORS, ftplib.Error) as error:
            text = _("« %(name)s » est intégré mais n'a pas pu être rangé (%(reason)s).")
            report.skip([text % {"name": _name(file), "reason": visible(str(error))}])


def take_over_stale_runs() -> list[FeedReport]:
    """Give up runs whose worker died and fetch their feeds again, now.

    A feed whose workers die again and again waits longer each time, as one whose server fails.
    """
    feeds = {run.feed_id: run.feed for run in give_up_stale_runs() if run.feed is not None}
    reports = []
    for feed in feeds.values():
        _plan_next(feed, failed=True, error=_("Interrompu : repris par un autre passage."))
        if feed.failures <= _TAKEN_OVER:
            reports.append(pull_feed(feed))
    return reports
