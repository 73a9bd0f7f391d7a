"""What every protocol offers."""

import math
import posixpath
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.utils.translation import gettext as _

from ftp_ingest.errors import EntrySkipped
from ftp_ingest.models import Feed
from ftp_ingest.transports.ours import is_ours
from sphinx.core import clock
from sphinx.core.errors import ServerRejected, ServerUnreachable
from sphinx.core.sftp import failed
from sphinx.core.texts import visible

# Still being written by the shop.
UNFINISHED = (".part", ".tmp", ".filepart", ".partial", ".upload")
DONE_FOLDER = "traites"
# A server that drips bytes must not hold up the other feeds.
MAX_SECONDS = 15 * 60
MAX_DEPTH = 3
# One look at a server's folders, those below included.
MAX_ENTRIES = 50_000
MAX_LISTING_BYTES = 16 * 1024 * 1024
# What is left aside is said one by one, up to here.
MAX_SAID = 200


class Entry(NamedTuple):
    """A line of a folder's listing; see RemoteFile."""

    name: str
    is_folder: bool = False
    size: int | None = None
    modified: str = ""
    modified_at: datetime | None = None


class RemoteFile(NamedTuple):
    """A file as the server lists it, with its path below the feed's folder.

    `name` is how the server spells it: bytes that aren't UTF-8 are escaped (surrogates), so that
    it is asked for by the very same bytes. `size` is None when it isn't told.
    """

    name: str
    size: int | None
    modified: str
    modified_at: datetime | None = None

    @property
    def stamp(self) -> str:
        """What tells whether it changed since last time."""
        return f"{self.size}@{self.modified}"

    @property
    def text(self) -> str:
        """The name as people read it."""
        return readable(self.name)


class Transport:
    """A connection to where a shop drops its files."""

    def __init__(self, feed: Feed, password: str, private_key: str) -> None:
        self.feed = feed
        self.password = password
        self.private_key = private_key
        # What the last look left aside, a sentence each.
        self.said: list[str] = []
        self._entries = self._octets = 0
        self.start_clock()

    # --- Limits -----------------------------------------------------------------------

    def start_clock(self) -> None:
        """From now on the server has its time, and no more."""
        self._deadline = time.monotonic() + MAX_SECONDS

    def stop_clock(self) -> None:
        """What comes now isn't the server's time."""
        self._deadline = math.inf

    def check_time(self, *_progress: object) -> None:
        """Raises ServerUnreachable when the feed's time is up; transfers call it as they go."""
        if time.monotonic() > self._deadline:
            raise ServerUnreachable(
                _("%(host)s : trop lent, abandonné après %(minutes)s minutes.")
                % {"host": self.feed.host, "minutes": MAX_SECONDS // 60}
            )

    def count_listed(self, octets: int, entries: int = 0) -> None:
        """Called as a listing comes. Raises ServerRejected when it is longer than any folder."""
        self.check_time()
        self._octets += octets
        self._entries += entries
        if self._entries > MAX_ENTRIES or self._octets > MAX_LISTING_BYTES:
            raise ServerRejected(
                _(
                    "%(host)s : la liste du dossier dépasse %(entries)s lignes. Rangez ou effacez "
                    "les anciens fichiers, ou choisissez un autre dossier."
                )
                % {"host": self.feed.host or self.feed.directory, "entries": MAX_ENTRIES},
                code="server.listing_too_long",
            )

    @contextmanager
    def receiving(self, file: RemoteFile, target: Path) -> Iterator[Callable[[bytes], object]]:
        """What to call with each block of the file, within the limits of time and size.

        Raises:
            EntrySkipped: it is too large, by what the server announced or by what came.
        """
        refuse_large(file, file.size or 0)
        received = 0
        with target.open("wb") as stream:

            def keep(block: bytes) -> None:
                nonlocal received
                self.check_time()
                received += len(block)
                refuse_large(file, received)
                stream.write(block)

            yield keep

    def failed(self, error: Exception) -> ServerUnreachable:
        """What a failed transfer is, in words."""
        self.check_time()
        return failed(self.feed.host or self.feed.directory, error)

    # --- The four verbs ---------------------------------------------------------------

    def connect(self) -> None:
        """Open the connection. Raises ServerUnreachable or ServerRejected."""

    def close(self) -> None:
        """Close it, whatever its state."""

    def list_files(self) -> list[RemoteFile]:
        """Every file of the feed's folder whose name can be asked for; `said` has the others.

        Raises:
            ServerRejected: the folder isn't there, or its listing can't be understood.
        """
        self.said, self._entries, self._octets = [], 0, 0
        return self._look("", MAX_DEPTH if self.feed.subfolders else 0)

    def list_folder(self, below: str) -> list[Entry]:
        """What one folder holds, `below` the feed's; the feed's own is "".

        Raises:
            EntrySkipped: a folder below that can't be read.
            ServerRejected: the feed's own can't.
        """
        raise NotImplementedError

    def fetch(self, file: RemoteFile, target: Path) -> None:
        """Bring the file's bytes to `target`, whole.

        Raises:
            EntrySkipped: this one can't be had, others may.
        """
        raise NotImplementedError

    def time_of(self, file: RemoteFile) -> datetime | None:
        """When the file was last written, by the server's clock; None when it doesn't tell."""
        return file.modified_at

    def put_away(self, file: RemoteFile) -> None:
        """Move the file to the folder of those done, under a name of its own."""
        raise NotImplementedError

    def delete(self, file: RemoteFile) -> None:
        """Delete the file."""
        raise NotImplementedError

    def put(self, source: Path, name: str) -> None:
        """Leave a file in the feed's folder, whole at once: written aside, then renamed."""
        raise NotImplementedError

    # --- What is read -----------------------------------------------------------------

    def _look(self, below: str, depth: int) -> list[RemoteFile]:
        files = []
        for entry in sorted(self.list_folder(below), key=lambda entry: entry.name):
            name = f"{below}/{entry.name}" if below else entry.name
            if not entry.is_folder:
                if self._is_usable(name):
                    files.append(RemoteFile(name, entry.size, entry.modified, entry.modified_at))
            elif depth and entry.name != DONE_FOLDER:
                files += self._enter(name, depth)
        return files

    def _enter(self, name: str, depth: int) -> list[RemoteFile]:
        if not is_safe(readable(name)):
            self.leave(_unsafe(name))
            return []
        try:
            return self._look(name, depth - 1)
        except EntrySkipped as error:
            self.leave(error.message)
            return []

    def _is_usable(self, name: str) -> bool:
        if is_safe(readable(name)):
            return True
        if self.matches(name):
            self.leave(_unsafe(name))
        return False

    def leave(self, sentence: str) -> None:
        """Leave something aside, and say so."""
        if len(self.said) < MAX_SAID and sentence not in self.said:
            self.said.append(sentence)

    def no_folder(self, below: str) -> EntrySkipped:
        """A folder below the feed's that can't be read."""
        return EntrySkipped(
            _("Sous-dossier « %s » : absent ou interdit, laissé de côté.") % visible(below)
        )

    def matches(self, name: str) -> bool:
        """True for a finished file of the feed's pattern, by its name alone."""
        base = posixpath.basename(readable(name))
        lower = base.lower()
        return (
            fnmatch(lower, self.feed.pattern.lower())
            and not lower.endswith(UNFINISHED)
            and not base.startswith(".")
        )

    def wanted(self, name: str, names: frozenset[str] = frozenset()) -> bool:
        """True for finished files that match the feed's pattern; `names` are all there are."""
        feed = self.feed
        mark = feed.ready_mark
        is_mark = bool(mark) and name.lower().endswith(mark.lower())
        if feed.readiness == Feed.Readiness.MARKER:
            stem = name.rpartition(".")[0] or name
            if is_mark or not {name + mark, stem + mark} & names:
                return False
        elif feed.readiness == Feed.Readiness.SUFFIX and is_mark:
            return False
        return (
            self.matches(name)
            and is_safe(readable(name))
            and not is_ours(feed, name)
            and (feed.subfolders or "/" not in name)
        )

    def done_name(self, file: RemoteFile, is_taken: Callable[[str], bool]) -> str:
        """Where the file goes once read: its path below `traites`, stamped with the second."""
        stem, suffix = posixpath.splitext(file.name)
        base = f"{DONE_FOLDER}/{stem}-{clock.now().astimezone(UTC):%Y%m%dT%H%M%SZ}"
        name, number = f"{base}{suffix}", 1
        while is_taken(name):
            number += 1
            name = f"{base}-{number}{suffix}"
        return name


def refuse_large(file: RemoteFile, size: int) -> None:
    """Raises EntrySkipped for more than may be read."""
    limit = settings.INGEST_MAX_FILE_BYTES
    if size > limit:
        raise EntrySkipped(
            _(
                "« %(name)s » : plus de %(limit)s octets, la limite ; laissé de côté. Exportez par "
                "période."
            )
            % {"name": visible(file.text), "limit": limit},
            code="file.too_large",
        )


def not_given(file: RemoteFile, error: Exception) -> EntrySkipped:
    """A file that is listed and can't be had."""
    reason = getattr(error, "strerror", None) or str(error)
    return EntrySkipped(
        _("« %(name)s » : le serveur ne le donne pas (%(reason)s) ; laissé de côté.")
        % {"name": visible(file.text), "reason": visible(reason)}
    )


def _unsafe(name: str) -> str:
    return _(
        "« %s » : ce nom ne peut pas être lu sans risque (octets hors texte, ou chemin), laissé de "
        "côté. Renommez-le à la boutique."
    ) % visible(name)


def is_safe(name: str) -> bool:
    """True for a name that is nothing but names of folders and a file: no way out, no tricks."""
    parts = name.split("/")
    return name.isprintable() and "\\" not in name and not {"", ".", ".."} & set(parts)


def readable(name: str) -> str:
    """A server's path as people read it: what isn't UTF-8 is Windows' own encoding."""
    return "/".join(_decoded(part) for part in name.split("/"))


def _decoded(part: str) -> str:
    if part.isprintable():
        return part
    raw = part.encode("utf-8", "surrogateescape")
    for encoding in ("utf-8", "cp1252"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return part


def parents(path: str) -> list[str]:
    """The folders of a path, the outermost first."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[: n + 1]) for n in range(len(parts))]


def moment(seconds: float | None) -> datetime | None:
    """A server's time as an aware datetime; None when it tells none, or an impossible one."""
    if seconds is None:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None
