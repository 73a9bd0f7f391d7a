"""What every protocol offers."""

import posixpath
import time
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

from django.utils.translation import gettext as _

from ftp_ingest.models import Feed
from sphinx.core.errors import ServerUnreachable
from sphinx.core.sftp import failed

# Still being written by the shop.
UNFINISHED = (".part", ".tmp", ".filepart", ".partial", ".upload")
DONE_FOLDER = "traites"
# A server that drips bytes must not hold up the other feeds.
MAX_SECONDS = 15 * 60
MAX_DEPTH = 3


class RemoteFile(NamedTuple):
    """A file as the server lists it, with its path below the feed's folder.

    `name` is text only, `size` None when it isn't told.
    """

    name: str
    size: int | None
    modified: str

    @property
    def stamp(self) -> str:
        """What tells whether it changed since last time."""
        return f"{self.size}@{self.modified}"


class Transport:
    """A connection to where a shop drops its files."""

    def __init__(self, feed: Feed, password: str, private_key: str) -> None:
        self.feed = feed
        self.password = password
        self.private_key = private_key
        self._deadline = time.monotonic() + MAX_SECONDS

    def failed(self, error: Exception) -> ServerUnreachable:
        """What a failed transfer is, in words."""
        return failed(self.feed.host, error)

    def check_time(self, *_progress: object) -> None:
        """Raises ServerUnreachable when the feed's time is up; transfers call it as they go."""
        if time.monotonic() > self._deadline:
            raise ServerUnreachable(
                _("%(host)s : trop lent, abandonné après %(minutes)s minutes.")
                % {"host": self.feed.host, "minutes": MAX_SECONDS // 60}
            )

    def connect(self) -> None:
        """Open the connection. Raises ServerUnreachable or ServerRejected."""

    def close(self) -> None:
        """Close it, whatever its state."""

    def list_files(self) -> list[RemoteFile]:
        """Every file of the feed's folder."""
        raise NotImplementedError

    def fetch(self, file: RemoteFile, target: Path) -> None:
        """Bring the file's bytes to `target`, whole."""
        raise NotImplementedError

    def put_away(self, file: RemoteFile) -> None:
        """Move the file to the folder of those done."""
        raise NotImplementedError

    def delete(self, file: RemoteFile) -> None:
        """Delete the file."""
        raise NotImplementedError

    def put(self, source: Path, name: str) -> None:
        """Leave a file in the feed's folder, whole at once: written aside, then renamed."""
        raise NotImplementedError

    def wanted(self, name: str, names: frozenset[str] = frozenset()) -> bool:
        """True for finished files that match the feed's pattern; `names` are all there are."""
        base = posixpath.basename(name)
        lower = base.lower()
        feed = self.feed
        if feed.readiness == Feed.Readiness.MARKER:
            mark = feed.ready_mark
            stem = name.rpartition(".")[0] or name
            if lower.endswith(mark.lower()) or not {name + mark, stem + mark} & names:
                return False
        elif feed.readiness == Feed.Readiness.SUFFIX and lower.endswith(feed.ready_mark.lower()):
            return False
        return (
            fnmatch(lower, feed.pattern.lower())
            and not lower.endswith(UNFINISHED)
            and not base.startswith(".")
            and is_safe(name)
            and (feed.subfolders or "/" not in name)
        )


def is_safe(name: str) -> bool:
    """True for a name that is nothing but names of folders and a file: no way out, no tricks."""
    parts = name.split("/")
    return name.isprintable() and "\\" not in name and not {"", ".", ".."} & set(parts)
