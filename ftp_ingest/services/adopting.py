"""A mapping tried out on a file, put in force, and what waited for it read by itself."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from ftp_ingest.dialects.mapped import Definition, MappedDialect
from ftp_ingest.errors import FileRefused
from ftp_ingest.events import files_waiting
from ftp_ingest.labels import in_words
from ftp_ingest.models import FeedRun, QuarantinedRow, ReceivedFile, ShopDialect
from ftp_ingest.reading.drafts import Fault
from ftp_ingest.reading.recognition import recognise
from ftp_ingest.services.archive import Archived, archive_path
from ftp_ingest.services.ingest import Incoming, IngestReport, read_files
from ftp_ingest.services.mappings import as_dialect, save_mapping
from ftp_ingest.services.previews import Preview, preview
from ftp_ingest.services.runs import finish, start_run
from sales.errors import NoExchangeRate, TaxUndecided
from sphinx.core.errors import InputError
from sphinx.core.events import announce
from sphinx.core.models import Shop

# So much is read while somebody waits for the page; more is read by a worker.
READ_AT_ONCE = 2 * 1024 * 1024


def try_mapping(*, shop: Shop, data: Mapping[str, Any], head: Path) -> Preview:
    """What a mapping makes of the head of a file; nothing is kept.

    Raises:
        InputError: the mapping isn't whole, or a column serves twice.
    """
    definition = Definition(data)
    definition.check_choices()
    own = MappedDialect("boutique-v0", _("Essai"), definition, shop.name)
    return preview(shop=shop, paths=[head], own=[own])


def adopt_mapping(
    *, shop: Shop, data: Mapping[str, Any], head: Path, at: datetime, actor: Any = None
) -> ShopDialect:
    """Put a mapping in force that reads something of the head of a file.

    Raises:
        InputError: every row is refused, or the mapping isn't whole.
    """
    report = try_mapping(shop=shop, data=data, head=head).report
    if _reads_nothing(report):
        why = in_assistants_words(report.counts.faults[0][1])
        raise InputError(
            _("Rien n'a été enregistré : avec ces choix, tout le fichier est refusé. %(why)s")
            % {"why": why},
            code="mapping.reads_nothing",
        )
    return save_mapping(shop=shop, data=data, at=at, actor=actor)


def in_assistants_words(fault: Fault) -> str:
    """Why a row would be refused, with what the assistant's page can do about it."""
    message = in_words(fault.message)
    if fault.code == TaxUndecided.code:
        message += " " + _("Ici, donnez un taux fixe si tout est au même taux.")
    return message


def _reads_nothing(report: IngestReport) -> bool:
    """True when all is refused for what another mapping, or this one completed, would mend."""
    counts = report.counts
    read = sum(
        number
        for counted in (counts.orders, counts.customers)
        for what, number in counted.items()
        if what != "quarantined"
    )
    codes = {fault.code for _name, fault in counts.faults}
    return bool(codes - {NoExchangeRate.code}) and not read


def read_waiting(*, dialect_id: int, sha256: str = "", name: str = "") -> IngestReport | None:
    """Read the file that a mapping was made with, and those that waited for it.

    None when they are large: a worker reads them soon.
    """
    found = _waiting(ShopDialect.objects.select_related("shop").get(pk=dialect_id), sha256, name)
    if sum(incoming.archived.size for incoming in found) > READ_AT_ONCE:
        announce(files_waiting, dialect_id=dialect_id, sha256=sha256, name=name)
        return None
    return read_waiting_now(dialect_id=dialect_id, sha256=sha256, name=name)


def read_waiting_now(*, dialect_id: int, sha256: str = "", name: str = "") -> IngestReport:
    """The same at once, whatever their size; read before, nothing is read twice."""
    kept = ShopDialect.objects.select_related("shop").get(pk=dialect_id)
    report = IngestReport()
    found = _waiting(kept, sha256, name)
    if not found:
        return report
    run = start_run(shop=kept.shop, feed=None)
    try:
        read_files(run, found, as_dialect(kept).code, report)
    except BaseException as error:
        finish(run, FeedRun.Status.FAILED, error=str(error) or type(error).__name__)
        raise
    finish(
        run,
        FeedRun.Status.DONE_WITH_PROBLEMS if report.has_refusals else FeedRun.Status.DONE,
        counts=report.as_kept(),
    )
    return report


def _waiting(kept: ShopDialect, sha256: str, name: str) -> list[Incoming]:
    """The file given, and the shop's files that nobody knew and that this mapping reads."""
    refused = ReceivedFile.objects.filter(
        pk__in=QuarantinedRow.objects.filter(
            kind="file", code="file.unknown_header", status=QuarantinedRow.Status.OPEN
        ).values("file"),
        shop=kept.shop,
        status=ReceivedFile.Status.REFUSED,
        purged_at=None,
    )
    given = {sha256: name} if sha256 else {}
    names = given | dict(refused.order_by("pk").values_list("sha256", "name"))
    own = as_dialect(kept)
    found = []
    for key, shown in names.items():
        path = archive_path(key)
        if path.exists() and _is_read_by(own, path):
            found.append(Incoming(shown, Archived(key, path.stat().st_size, path)))
    return found


def _is_read_by(own: MappedDialect, path: Path) -> bool:
    try:
        return recognise(path, own.code, [own]).dialect is own
    except FileRefused:
        return False
