"""What the gateway refuses or fails at."""

from sphinx.core.errors import InputError, TransientError


class FileRefused(InputError):
    """The whole file can't be read: wrong kind of file, unknown header, missing columns."""

    code = "file.refused"


class FeedUnreachable(TransientError):
    """The server didn't answer, hung or cut the connection: worth another try later."""

    code = "feed.unreachable"


class FeedRejected(InputError):
    """The server or our own caution said no (password, host key, certificate, folder).

    Trying again changes nothing: somebody has to look.
    """

    code = "feed.rejected"


class FeedBusy(TransientError):
    """Another run of this feed is under way."""

    code = "feed.locked"
