"""What every protocol offers."""

from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

from ftp_ingest.models import Feed

TIMEOUT_SECONDS = 30
# Still being written by the shop.
UNFINISHED = (".part", ".tmp", ".filepart", ".partial", ".upload")
DONE_FOLDER = "traites"


class RemoteFile(NamedTuple):
    """A file as the server lists it: `name` is text only, `size` None when it isn't told."""

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

    def connect(self) -> None:
        """Open the connection. Raises FeedUnreachable or FeedRejected."""

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

    def wanted(self, name: str) -> bool:
        """True for finished files that match the feed's pattern."""
        lower = name.lower()
        return (
            fnmatch(lower, self.feed.pattern.lower())
            and not lower.endswith(UNFINISHED)
            and not name.startswith(".")
            and "/" not in name
            and name.isprintable()
        )
