"""Received bytes, kept whole under their hash before anything is read."""

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.utils.translation import gettext as _

from ftp_ingest.errors import FileRefused
from sphinx.core import clock
from sphinx.core.errors import InputError
from sphinx.core.files import discard, here, put_once

_SHA256 = re.compile(r"[0-9a-f]{64}")


class Archived(NamedTuple):
    """A file in the archive: its hash, its size in bytes, where it lies."""

    sha256: str
    size: int
    path: Path


def hash_file(path: Path) -> tuple[str, int]:
    """SHA-256 and size of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest(), path.stat().st_size


def archive_path(sha256: str) -> Path:
    """Where the file of that hash lies, brought from the store if it isn't on this machine.

    Raises:
        InputError: it is no hash, whatever path it may be.
    """
    return here(_place(sha256))


def _place(sha256: str) -> Path:
    if not _SHA256.fullmatch(sha256):
        raise InputError(_("Ce n'est pas l'empreinte d'un fichier."), code="file.no_hash")
    return Path(settings.DATA_DIR) / "archive" / sha256[:2] / f"{sha256}.csv"


@contextmanager
def incoming() -> Iterator[Path]:
    """A file to receive into; gone afterwards unless it was kept."""
    folder = Path(settings.DATA_DIR) / "archive" / "incoming"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{os.getpid()}-{os.urandom(6).hex()}"
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def keep(path: Path) -> Archived:
    """Move a received file into the archive; the same bytes are kept once.

    Raises:
        FileRefused: it is larger than the limit.
    """
    refuse_large(path)
    sha256, size = hash_file(path)
    target = _place(sha256)
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with path.open("rb") as stream:
            os.fsync(stream.fileno())
        path.replace(target)
    put_once(target)
    return Archived(sha256, size, target)


def refuse_large(path: Path) -> None:
    """Raises FileRefused for a file over the limit, before it is read."""
    size, limit = path.stat().st_size, settings.INGEST_MAX_FILE_BYTES
    if size > limit:
        raise FileRefused(
            _("Fichier de %(size)s octets : la limite est de %(limit)s. Exportez par période.")
            % {"size": size, "limit": limit},
            code="file.too_large",
        )


def keep_copy(source: Path) -> Archived:
    """Copy a local file into the archive.

    Raises:
        FileRefused: it is larger than the limit; nothing is copied then.
    """
    refuse_large(source)
    with incoming() as path:
        shutil.copyfile(source, path)
        return keep(path)


def purge_archive() -> int:
    """Drop the bytes of files older than their feed keeps them; returns how many.

    The row stays, with its hash: what came in and when is never forgotten.
    """
    from ftp_ingest.models import ReceivedFile  # the archive itself knows no tables

    now, purged = clock.now(), 0
    kept = ReceivedFile.objects.filter(purged_at=None, run__feed__isnull=False)
    for file in kept.select_related("run__feed").order_by("pk").iterator():
        feed = file.run.feed
        if feed is None or file.received_at > now - timedelta(days=feed.keep_days):
            continue
        # Another shop may have received the same bytes.
        if not kept.filter(sha256=file.sha256).exclude(pk=file.pk).exists():
            discard(_place(file.sha256))
        file.purged_at = now
        file.save(update_fields=["purged_at"])
        purged += 1
    return purged
