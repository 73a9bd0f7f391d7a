"""Records grouped into drafts: one order may stand on many rows, even rows far apart.

Two passes: the first sees which keys come back after others (and checks nothing else), the
second holds only those orders in memory until their last row.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from django.utils.translation import gettext as _

from customers.drafts import CustomerDraft
from ftp_ingest.dialects.base import Dialect, OrderReader, Row
from ftp_ingest.reading.recognition import FileFormat
from ftp_ingest.reading.records import Record, read_records
from sales.drafts import OrderDraft
from sphinx.core.errors import InputError


class Fault(NamedTuple):
    """A row or an order that can't become a draft."""

    line: int
    column: str
    code: str
    message: str
    external_id: str = ""
    number: str = ""


@dataclass
class Survey:
    """What the first pass saw: rows with content, and the last line of keys that come back."""

    rows: int = 0
    last_lines: dict[str, int] = field(default_factory=dict)


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
    for record in read_records(path, file_format):
        seen.rows += 1
        if record.fault:
            continue
        key = reader.key(record.cells) or current
        if key != current:
            if key in known:
                seen.last_lines[key] = record.line
            known.add(key)
            current = key
        elif key in seen.last_lines:
            seen.last_lines[key] = record.line
    return seen


def order_drafts(
    path: Path, file_format: FileFormat, seen: Survey
) -> Iterator[OrderDraft | Fault]:
    """The orders of a file, each once, or what is wrong with them."""
    dialect: Dialect | None = file_format.dialect
    assert dialect is not None  # noqa: S101
    reader = dialect.orders(file_format.header)
    for key, rows, broken in _groups(path, file_format, reader, seen):
        if broken:
            # An order with an unreadable row is not half an order.
            yield broken._replace(external_id=key, number=key) if key else broken
        else:
            yield _draft(reader, key, rows)


def _draft(reader: OrderReader, key: str, rows: list[Row]) -> OrderDraft | Fault:
    try:
        return reader.draft(rows)
    except InputError as error:
        return Fault(
            error.line or rows[0].line, error.column, error.code, error.message, key, key
        )


_Group = tuple[str, list[Row], Fault | None]


class _Open:
    """The rows of one order seen so far, and the first fault among them."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.rows: list[Row] = []
        self.fault: Fault | None = None

    def group(self) -> _Group:
        return self.key, self.rows, self.fault


def _groups(
    path: Path, file_format: FileFormat, reader: OrderReader, seen: Survey
) -> Iterator[_Group]:
    apart: dict[str, _Open] = {}
    current: _Open | None = None
    for record in read_records(path, file_format):
        if record.fault:
            key = _key_of_broken(record, reader, len(file_format.header.names))
            if current is not None and key in ("", current.key):
                current.fault = current.fault or _fault(record, current.key)
            elif key in apart:
                apart[key].fault = apart[key].fault or _fault(record, key)
            elif key in seen.last_lines:
                apart[key] = _Open(key)
                apart[key].fault = _fault(record, key)
            else:
                if current is not None and current.key not in apart:
                    yield current.group()
                current = _Open(key)
                current.fault = _fault(record, key)
            continue
        if reader.is_total(record.cells):
            continue
        key = reader.key(record.cells)
        if key and (current is None or key != current.key):
            if current is not None and current.key not in apart:
                yield current.group()
            current = apart.get(key) or _Open(key)
            if key in seen.last_lines:
                apart[key] = current
        if current is None:
            yield "", [], Fault(
                record.line,
                "",
                "row.no_key",
                _("Ligne %(line)s : aucun numéro de commande.") % {"line": record.line},
            )
            continue
        current.rows.append(Row(record.line, record.cells))
        if seen.last_lines.get(current.key) == record.line:
            yield apart.pop(current.key).group()
            current = None
    if current is not None and current.key not in apart:
        yield current.group()
    for held in apart.values():
        yield held.group()


def _key_of_broken(record: Record, reader: OrderReader, width: int) -> str:
    """The key of a row that can't be used, when its cells still show it."""
    cells = (record.cells + [""] * (width + 1))[: width + 1]
    cells[-1] = ""
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
            yield reader.draft(Row(record.line, record.cells))
        except InputError as error:
            yield Fault(error.line or record.line, error.column, error.code, error.message)
