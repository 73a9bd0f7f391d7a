"""The shape of a dialect, and the header that it is recognised by."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from django.utils.translation import gettext as _

from customers.drafts import CustomerDraft
from ftp_ingest.errors import FileRefused
from sales.drafts import OrderDraft
from sphinx.core.registry import Registry
from sphinx.core.texts import fold

CUSTOMERS, ORDERS = "customers", "orders"


class Header:
    """The columns of a file; names are compared without case, accents, spaces or marks."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = [name.strip().strip("\ufeff").strip('"') for name in names]
        self._places: dict[str, list[int]] = {}
        for place, name in enumerate(self.names):
            self._places.setdefault(fold(name), []).append(place)

    def has(self, *names: str) -> bool:
        """True when every one of the (folded) names is there."""
        return all(name in self._places for name in names)

    def count(self, names: frozenset[str]) -> int:
        """How many of the (folded) names are there."""
        return len(names & self._places.keys())

    def place(self, *names: str) -> int:
        """Where the first of these names that is there stands; −1, a blank cell, for none."""
        for name in names:
            if name in self._places:
                return self._places[name][0]
        return -1

    def places(self, name: str) -> list[int]:
        """Everywhere a name stands: some shops write the same name twice."""
        return self._places.get(name, [])


class Row(NamedTuple):
    """A record of the file: its line and cells."""

    line: int
    cells: list[str]


class OrderReader(Protocol):
    """Reads one file's orders; made for its header."""

    def key(self, cells: list[str]) -> str:
        """What the rows of one order share; blank when the row goes on with the last one."""

    def is_total(self, cells: list[str]) -> bool:
        """True for a line of totals at the end of a file."""

    def draft(self, rows: Sequence[Row]) -> OrderDraft:
        """One order of all its rows. Raises InputError with line and column."""


class CustomerReader(Protocol):
    """Reads one file's customers; made for its header."""

    def draft(self, row: Row) -> CustomerDraft:
        """One customer. Raises InputError with line and column."""


class Dialect(Protocol):
    """What one kind of shop writes."""

    code: str
    label: str

    def recognise(self, header: Header) -> tuple[str, int]:
        """The kind of file this header is of, "" when it isn't ours; how many columns agree."""

    def check_header(self, header: Header, kind: str) -> None:
        """Raises FileRefused naming the columns that are missing."""

    def orders(self, header: Header) -> OrderReader: ...

    def customers(self, header: Header) -> CustomerReader: ...


_registry: Registry[Dialect] = Registry()
register = _registry.register
dialects = _registry.all


def find_dialect(code: str) -> Dialect:
    """The dialect called `code`.

    Raises:
        FileRefused: there is none of that name.
    """
    found = _registry.get(code)
    if found is None:
        raise FileRefused(
            _("Dialecte « %(code)s » inconnu. Dialectes possibles : auto, %(known)s.")
            % {"code": code, "known": _registry.codes()},
            code="file.unknown_dialect",
        )
    return found


def require(header: Header, label: str, *columns: tuple[str, ...]) -> None:
    """Raises FileRefused unless one name of each group in `columns` is in the header."""
    missing = [
        " ou ".join(group) for group in columns if not any(header.has(fold(name)) for name in group)
    ]
    if missing:
        raise FileRefused(
            _("%(label)s : colonnes manquantes : %(missing)s. Ajoutez-les à l'export.")
            % {"label": label, "missing": ", ".join(missing)},
            code="file.missing_columns",
            line=1,
            column=missing[0],
        )
