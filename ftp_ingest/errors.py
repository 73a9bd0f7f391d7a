"""What the gateway refuses or fails at."""

from sphinx.core.errors import InputError, TransientError


class FileRefused(InputError):
    """The whole file can't be read: wrong kind of file, unknown header, missing columns."""

    code = "file.refused"


class EntrySkipped(InputError):
    """One file or folder of a server is left aside, and said; the others are read."""

    code = "server.entry_skipped"


class FeedBusy(TransientError):
    """Another run of this feed is under way."""

    code = "feed.locked"


# Codes of rows that the page of questions asks about.
UNKNOWN_STATUS = "order.unknown_status"
SPOILT_REFERENCE = "line.spoilt_sku"
