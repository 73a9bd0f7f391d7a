"""Tables that people bring: a CSV or the first sheet of an Excel workbook, as rows of text."""

import csv
import io
from collections.abc import Iterator
from typing import NamedTuple

from django.utils.translation import gettext as _

from sphinx.core import workbooks
from sphinx.core.errors import InputError

DELIMITERS = ";,\t|"
MAX_ROWS = 100_000
MAX_COLUMNS = 200
# A workbook is a ZIP: what it unfolds to, in bytes.
MAX_UNFOLDED = 300 * 1024 * 1024
_HEAD_LINES = 20


class TableRow(NamedTuple):
    """A row that holds something, and its line in the file (from 1)."""

    line: int
    cells: list[str]


def read_table(name: str, data: bytes) -> Iterator[TableRow]:
    """The rows of a file that aren't blank; what it is, is told by its content.

    Raises:
        InputError: it is neither, it is damaged, or it has too many rows.
    """
    rows = _workbook(name, data) if data.startswith(workbooks.MAGIC) else _csv(name, data)
    for count, row in enumerate(filter(_holds_something, rows)):
        if count >= MAX_ROWS:
            raise InputError(
                _("%(name)s : plus de %(limit)s lignes. Découpez le fichier.")
                % {"name": name, "limit": MAX_ROWS},
                code="table.too_long",
                line=row.line,
            )
        cells = [cell.strip() for cell in row.cells[:MAX_COLUMNS]]
        while not cells[-1]:
            cells.pop()
        yield TableRow(row.line, cells)


def _holds_something(row: TableRow) -> bool:
    return any(cell.strip() for cell in row.cells[:MAX_COLUMNS])


def _unreadable(name: str) -> InputError:
    return InputError(
        _("%(name)s n'est ni un CSV ni un classeur Excel (.xlsx) lisible.") % {"name": name},
        code="table.unreadable",
    )


def _csv(name: str, data: bytes) -> Iterator[TableRow]:
    text = _decoded(name, data)
    head = text.splitlines()[:_HEAD_LINES]
    # The sign that stands on the most lines is the delimiter; a decimal comma is on fewer.
    first = next((line for line in head if line.strip()), "")
    delimiter = max(
        DELIMITERS, key=lambda sign: (sum(sign in line for line in head), first.count(sign))
    )
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    before = 0
    try:
        for cells in reader:
            yield TableRow(before + 1, cells)
            before = reader.line_num
    except csv.Error as error:
        raise InputError(
            _("%(name)s, ligne %(line)s : illisible (%(reason)s).")
            % {"name": name, "line": reader.line_num, "reason": error},
            code="table.bad_row",
            line=reader.line_num,
        ) from error


def _decoded(name: str, data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", errors="replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("cp1252", errors="replace")
    if "\0" in text:
        raise _unreadable(name)
    return text


def _workbook(name: str, data: bytes) -> Iterator[TableRow]:
    try:
        with workbooks.opened(io.BytesIO(data), MAX_UNFOLDED) as book:
            rows = workbooks.rows_of(book.worksheets[0], MAX_COLUMNS)
            for line, cells in enumerate(rows, start=1):
                yield TableRow(line, cells)
    except workbooks.ERRORS as error:
        raise _unreadable(name) from error
