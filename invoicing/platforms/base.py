"""What Sphinx asks of a certified platform: take a file, give back what it has to say.

A new platform is one module with one class; nothing else changes.
"""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from sphinx.core.errors import InputError
from sphinx.core.registry import Registry

INVOICES, REPORTS = "factures", "e-reporting"


class Message(NamedTuple):
    """A file from the platform: states of invoices or of reports.

    `fault` says in a sentence why it couldn't be fetched.
    """

    name: str
    data: bytes
    fault: str = ""


class Platform(Protocol):
    """A way to a platform. Every call may come twice and must then change nothing."""

    code: str
    label: str

    def deposit(self, *, kind: str, name: str, data: bytes) -> None:
        """Hand a file over: `kind` is INVOICES (a Factur-X) or REPORTS.

        Raises:
            TransientError: the platform can't be reached now.
        """

    def messages(self) -> Iterator[Message]:
        """What came back and wasn't put away, oldest first."""

    def put_away(self, name: str, *, refused: str = "") -> None:
        """A message is dealt with; `refused` says in a sentence why it couldn't be read."""


_registry: Registry[Platform] = Registry()
register, platforms = _registry.register, _registry.all


def find_platform(code: str) -> Platform:
    """The adapter called `code`.

    Raises:
        InputError: there is none.
    """
    found = _registry.get(code)
    if found is None:
        raise InputError(
            f"« {code} » : {_registry.codes()}.",
            code="platform.unknown",
        )
    return found
