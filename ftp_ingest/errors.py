"""What the gateway refuses or fails at."""

from sphinx.core.errors import InputError, TransientError


class FileRefused(InputError):
    """The whole file can't be read: wrong kind of file, unknown header, missing columns."""

    code = "file.refused"


class FeedBusy(TransientError):
    """Another run of this feed is under way."""

    code = "feed.locked"
