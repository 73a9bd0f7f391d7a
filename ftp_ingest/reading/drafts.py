"""Records grouped into drafts: one order may stand on many rows, even rows far apart.

Two passes: the first sees which keys come back after others (and checks nothing else), the
second holds only those orders in memory until their last row.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from django.utils.translation import gettext as _

from customers.drafts import CustomerDraft
from ftp_ingest.dialects.base import Dialect, OrderReader, Row
from ftp_ingest.reading.fingerprints import row_hasher
from ftp_ingest.reading.recognition import FileFormat
from ftp_ingest.reading.records import Record, read_records
from sales.drafts import OrderDraft
from sphinx.core.cells import DateOrder
from sphinx.core.errors import InputError


class Fault(NamedTuple):
    """A row or an order that can't become a draft; `cause` is what it shares with others."""

    line: int
    column: str
    code: str
    message: str
    external_id: str = ""
    number: str = ""
    cause: str = ""


@dataclass
class Survey:
    """What the first pass saw: rows with content, and the last line of keys that come back."""

    rows: int = 0
    last_lines: dict[str, int] = field(default_factory=dict)
    # Whether dates have the day first; None when none of them tells.
    day_first: bool | None = None


_FAULTS = {
    "unbalanced": (
        "row.unbalanced_quotes",
        "Ligne %(line)s : guillemets non refermés ou coupure de ligne dans une cellule. "
        "Corrigez la ligne dans l'export.",
    ),
    "ragged": (
        "row.ragged",
        "Ligne %(line)s : plus de cellules que de colonnes. Un séparateur se trouve sans doute "
        "dans un texte sans guillemets.",
    ),
    "cut": ("row.cut", "Ligne %(line)s : ligne incomplète, le fichier a pu être coupé."),
    "undecodable": (
        "row.undecodable",
        "Ligne %(line)s : caractères illisibles. Exportez tout le fichier en UTF-8.",
    ),
}


def _fault(record: Record, key: str = "") -> Fault:
    code, message = _FAULTS[record.fault]
    return Fault(record.line, "", code, _(message) % {"line": record.line}, key, key)


def survey(path: Path, file_format: FileFormat) -> Survey:
    """Count rows and find the orders whose rows lie apart."""
    seen = Survey()
    if file_format.dialect is None:
        return seen
    if file_format.kind != "orders":
        seen.rows = sum(1 for _record in read_records(path, file_format))
        return seen
    reader = file_format.dialect.orders(file_format.header)
    known: set[str] = set()
    current = ""
    dates = DateOrder()
    for record in read_records(path, file_format):
        seen.rows += 1
        key = _key(record, reader, file_format) or current
        if key in known and (key != current or key in seen.last_lines):
            seen.last_lines[key] = record.line
        known.add(key)
        current = key
        if not record.fault:
            for place in reader.date_places:
                dates.see(record.cells[place])
    seen.day_first = dates.day_first
    return seen


class RawOrder(NamedTuple):
    """The rows of one order, not yet understood; `raw_hash` knows them again."""

    key: str
    rows: list[Row]
    fault: Fault | None
    raw_hash: str

    @property
    def line(self) -> int:
        """Where it begins in the file."""
        return self.fault.line if self.fault else self.rows[0].line


class OrderFile:
    """A file of orders: their rows first, each order once, then what they mean."""

    def __init__(self, path: Path, file_format: FileFormat, seen: Survey) -> None:
        dialect: Dialect | None = file_format.dialect
        assert dialect is not None  # noqa: S101
        self._path, self._format, self._seen = path, file_format, seen
        self._reader = dialect.orders(file_format.header)
        if seen.day_first is not None:
            self._reader.read_dates(day_first=seen.day_first)
        self._hash = row_hasher(file_format, day_first=seen.day_first)

    def raw_orders(self, only: Collection[str] | None = None) -> Iterator[RawOrder]:
        """The orders of the file, of some keys when asked."""
        for key, rows, fault in _groups(self._path, self._format, self._reader, self._seen):
            if only is None or key in only:
                yield RawOrder(key, rows, fault, "" if fault else self._hash(rows))

    def draft(self, raw: RawOrder) -> OrderDraft | Fault:
        """The order, or what is wrong with it."""
        key = raw.key
        if raw.fault is not None:
            # An order with an unreadable row is not half an order.
            return raw.fault._replace(external_id=key, number=key) if key else raw.fault
        try:
            return self._reader.draft(raw.rows)._replace(raw_hash=raw.raw_hash)
        except InputError as error:
            line = error.line or raw.line
            return Fault(line, error.column, error.code, error.message, key, key)


def order_drafts(
    path: Path, file_format: FileFormat, seen: Survey, only: Collection[str] | None = None
) -> Iterator[OrderDraft | Fault]:
    """The orders of a file, each once, or what is wrong with them; of some keys when asked."""
    file = OrderFile(path, file_format, seen)
    return (file.draft(raw) for raw in file.raw_orders(only))


_Group = tuple[str, list[Row], Fault | None]


class _Open:
    """The rows of one order seen so far, and the first fault among them."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.rows: list[Row] = []
        self.fault: Fault | None = None

    def add(self, record: Record) -> None:
        if record.fault:
            self.fault = self.fault or _fault(record, self.key)
        else:
            self.rows.append(Row(record.line, record.cells))

    def group(self) -> _Group:
        return self.key, self.rows, self.fault


class _Grouper:
    """Puts the rows of each order together; gives an order out at its last row."""

    def __init__(self, last_lines: dict[str, int]) -> None:
        self._last_lines = last_lines
        self._apart: dict[str, _Open] = {}
        self._current: _Open | None = None

    def feed(self, key: str, record: Record) -> Iterator[_Group]:
        """Take one row; `key` is blank when it goes on with the order above."""
        if key and (self._current is None or key != self._current.key):
            yield from self._leave_current()
            self._current = self._apart.get(key) or _Open(key)
            if key in self._last_lines:
                self._apart[key] = self._current
        if self._current is None:
            yield "", [], _fault(record) if record.fault else _no_key(record)
            return
        self._current.add(record)
        if self._last_lines.get(self._current.key) == record.line:
            yield self._apart.pop(self._current.key).group()
            self._current = None

    def end(self) -> Iterator[_Group]:
        """What is still open at the end of the file."""
        yield from self._leave_current()
        yield from (held.group() for held in self._apart.values())

    def _leave_current(self) -> Iterator[_Group]:
        if self._current is not None and self._current.key not in self._apart:
            yield self._current.group()
        self._current = None


def _no_key(record: Record) -> Fault:
    message = _("Ligne %(line)s : aucun numéro de commande.") % {"line": record.line}
    return Fault(record.line, "", "row.no_key", message)


def _groups(
    path: Path, file_format: FileFormat, reader: OrderReader, seen: Survey
) -> Iterator[_Group]:
    grouper = _Grouper(seen.last_lines)
    for record in read_records(path, file_format):
        if record.fault or not reader.is_total(record.cells):
            yield from grouper.feed(_key(record, reader, file_format), record)
    yield from grouper.end()


def _key(record: Record, reader: OrderReader, file_format: FileFormat) -> str:
    """The order that a row belongs to, even of a row that can't be used."""
    if not record.fault:
        return reader.key(record.cells)
    width = len(file_format.header.names)
    cells = [*record.cells[:width], *[""] * (width - len(record.cells)), ""]
    return reader.key(cells).encode("utf-8", "replace").decode()


def customer_drafts(path: Path, file_format: FileFormat) -> Iterator[CustomerDraft | Fault]:
    """The customers of a file, or what is wrong with them."""
    dialect = file_format.dialect
    assert dialect is not None  # noqa: S101
    reader = dialect.customers(file_format.header)
    for record in read_records(path, file_format):
        if record.fault:
            yield _fault(record)
            continue
        try:
            draft = reader.draft(Row(record.line, record.cells))
        except InputError as error:
            yield Fault(error.line or record.line, error.column, error.code, error.message)
        else:
            if draft is not None:
                yield draft


def rows_of_order(path: Path, file_format: FileFormat, seen: Survey, key: str) -> list[Row]:
    """The rows of one order as they stand in the file, even those that can't be read."""
    dialect = file_format.dialect
    assert dialect is not None  # noqa: S101
    reader = dialect.orders(file_format.header)
    current, found = "", []
    for record in read_records(path, file_format):
        current = _key(record, reader, file_format) or current
        if current == key:
            found.append(Row(record.line, record.cells))
    return found
