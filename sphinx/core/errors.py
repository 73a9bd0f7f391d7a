"""What can go wrong, by what the caller should do about it.

SphinxError
├── BusinessRuleError   a rule forbids it: say it to the user
├── InputError          what was given can't be used: file, line, column, what to do
├── ConflictError       somebody was first: read again, then retry
└── TransientError      the network or a server failed: retry later

Anything else is a bug and may crash. `code` is stable and tested; wording is not.
"""

from typing import Any


class SphinxError(Exception):
    """Base of all expected errors; `str(error)` is a sentence for a person."""

    code = "error"

    def __init__(self, message: str, *, code: str = "", **context: Any) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.context = context


class BusinessRuleError(SphinxError):
    """A rule of the trade or of law forbids the change."""

    code = "rule"


class InputError(SphinxError):
    """What was given can't be used; `line` and `column` say where, 0 and "" when unknown."""

    code = "input"

    def __init__(
        self, message: str, *, code: str = "", line: int = 0, column: str = "", **context: Any
    ) -> None:
        super().__init__(message, code=code, **context)
        self.line = line
        self.column = column


class ConflictError(SphinxError):
    """Somebody else changed it first."""

    code = "conflict"


class TransientError(SphinxError):
    """A server or the network failed; the same call may succeed later."""

    code = "transient"


class ServerUnreachable(TransientError):
    """A server didn't answer, hung or cut the connection: worth another try later."""

    code = "server.unreachable"


class ServerRejected(InputError):
    """A server or our own caution said no (password, host key, certificate, folder).

    Trying again changes nothing: somebody has to look.
    """

    code = "server.rejected"
