"""A file's records one by one, in constant memory, with the line where each begins.

What stands between quotes is text, whatever it looks like: a shopper's note may hold lines shaped
like rows. So a record that can't be used is given up as a whole, never read again line by line.
Where quotes are broken, nobody can tell text from rows: reading goes on at the next line only if
the broken line, taken alone, has exactly the header's columns (a stray quote in it); else the rows
in doubt are held together, up to the last broken quote.
"""

import csv
import re
from collections import deque
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import NamedTuple, TextIO

from ftp_ingest.reading.recognition import MAX_COLUMNS, FileFormat, unreadable_workbook, unwrapped
from sphinx.core import workbooks
from sphinx.core.texts import fold

# One record, notes included; a limit in characters, since a note may have any number of lines.
MAX_RECORD_CHARS = 2_000_000
csv.field_size_limit(MAX_RECORD_CHARS)
# The end of a quoted cell.
_CLOSING = re.compile(r'"(?:[;,\t|]|\s*$)')


def _php_quote(delimiter: str) -> re.Pattern[str]:
    """A quote that PHP's fputcsv leaves undoubled, as it does after a backslash.

    Before a delimiter or the line's end it closes the cell, whose last sign the backslash is.
    """
    end = rf"(?:{re.escape(delimiter)}|\s*$)"
    return re.compile(rf'\\"(?!"|{end})|\\"(?="{end})')


class Record(NamedTuple):
    """One record: the line where it begins, its cells (one blank cell added at the end).

    `fault` says why it can't be used; "" when it can; `last` is the last line held with it.
    `section` counts the headers repeated above it: several exports pasted into one file.
    """

    line: int
    cells: list[str]
    fault: str = ""
    section: int = 0
    last: int = 0


def _undecodable(cells: list[str]) -> str:
    """The fault of a record with bytes that are no text; blank for all others."""
    try:
        "".join(cells).encode()
    except UnicodeEncodeError:
        return "undecodable"
    return ""


class _Lines:
    """Physical lines, remembering those of the record being read so that they can be unread."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._pending: deque[str] = deque()
        self._size = 0
        self.number = 0
        self.taken: list[str] = []

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._read()
        if line[:1] == '"':
            line = unwrapped(line)
        self.taken.append(line)
        self._size += len(line)
        if self._size > MAX_RECORD_CHARS:
            raise csv.Error("too long")
        return line

    def _read(self) -> str:
        if self._pending:
            line = self._pending.popleft()
        else:
            line = self._stream.readline(MAX_RECORD_CHARS + 1)
        if not line:
            raise StopIteration
        self.number += 1
        return line

    @property
    def is_too_long(self) -> bool:
        return self._size > MAX_RECORD_CHARS

    def start_record(self) -> int:
        """Forget the last record; the number of the line where the next one begins."""
        self.taken = []
        self._size = 0
        return self.number + 1

    def give_back(self, keep: int = 1) -> None:
        """Unread all lines of the record but its first ones."""
        self._pending.extendleft(reversed(self.taken[keep:]))
        self.number -= len(self.taken) - keep
        self._size = sum(map(len, self.taken[:keep]))
        del self.taken[keep:]

    def skip_record(self) -> None:
        """Pass over the rest of a record that is too long: up to where its quotes close."""
        quotes = sum(line.count('"') for line in self.taken)
        try:
            while quotes % 2 or not self.taken[-1].endswith(("\n", "\r")):
                self.taken = [self._read()]
                quotes += self.taken[0].count('"')
        except StopIteration:
            return

    def skip_to(self, line: int) -> None:
        """Pass over everything up to and with a line."""
        try:
            while self.number < line:
                self._read()
        except StopIteration:
            return


# Lines that can't be told from text, first and last.
Region = tuple[int, int]


class Records:
    """The records under a file's header; blank ones and repeated headers are passed over.

    A first reading finds in `torn` the regions where quotes are broken; a second one that is
    given them holds each as one record.
    """

    def __init__(self, path: Path, file_format: FileFormat, held: Sequence[Region] = ()) -> None:
        self._path, self._format = path, file_format
        self._width = len(file_format.header.names)
        self._held = deque(held)
        self.torn: list[Region] = []
        # Of the first reading: a row shorter than the one above, the last sound row with quotes.
        self._short_at = 0
        self._sound_until = file_format.header_line
        self._was_full = True

    def __iter__(self) -> Iterator[Record]:
        section = 0
        names = frozenset(self._format.header.names) - {""}
        for record in self._workbook() if self._format.sheet else self._csv():
            cells = record.cells
            if record.fault:
                yield record._replace(section=section)
            elif cells and cells[0].strip() in names and (known := self._header_share(cells)):
                if known < 1:
                    # Other columns from here on: whatever follows would be misread.
                    yield record._replace(fault="other_header", section=section)
                    return
                section += 1
            elif any(cells):
                if section or len(cells) != self._width:
                    yield Record(record.line, self._padded(cells), "", section)
                else:
                    # As nearly all rows are: the record goes on as it is.
                    cells.append("")
                    yield record

    def _header_share(self, cells: Sequence[str]) -> Fraction | int:
        """How much of a row is the header again: 1 all, 0 less than half."""
        filled = [fold(cell) for cell in cells if cell.strip()]
        if [fold(cell) for cell in cells[: self._width]] == self._format.header.folded:
            return 1
        known = sum(map(self._format.header.has, filled))
        return Fraction(1, 2) if known * 2 > len(filled) > 1 else 0

    # --- CSV ------------------------------------------------------------------------------

    def _csv(self) -> Iterator[Record]:
        encoding = self._format.encoding
        # Bytes that are no text are found again in their row; UTF-16 has no way to keep them.
        errors = "replace" if encoding.startswith("utf-16") else "surrogateescape"
        with self._path.open(encoding=encoding, errors=errors, newline="") as stream:
            lines = _Lines(stream)
            lines.skip_to(self._format.header_line - 1)
            lines.start_record()
            # The header was understood already, quotes that nobody doubled and all.
            if next(csv.reader(lines, delimiter=self._format.delimiter), None) is not None:
                yield from self._csv_records(lines)

    def _reader(self, lines: _Lines) -> Iterator[list[str]]:
        return csv.reader(lines, delimiter=self._format.delimiter, strict=True)

    def _csv_records(self, lines: _Lines) -> Iterator[Record]:
        reader = self._reader(lines)
        while True:
            start = lines.start_record()
            held = self._held
            if held and start >= held[0][0]:
                last = held.popleft()[1]
                cells = self._split(next(lines, ""))
                lines.skip_to(last)
                yield Record(start, cells, "torn", last=lines.number)
                continue
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:
                cells, fault = self._broken(lines)
                reader = self._reader(lines)
            else:
                fault = self._fault_of(start, cells, lines)
            if fault == "torn":
                self._tear(start, lines.number)
            yield Record(start, cells, fault, 0, lines.number)

    def _broken(self, lines: _Lines) -> tuple[list[str], str]:
        """What a record with broken quotes is: too long, a stray quote in a line, or torn."""
        first, is_one_line = lines.taken[0], len(lines.taken) == 1
        if lines.is_too_long:
            lines.skip_record()
            return self._split(first), "too_long"
        if (cells := self._as_php_writes(lines)) is not None:
            return cells, ""
        if is_one_line and first.count('"') % 2 == 0:
            # Quotes that nobody doubled, but each closed on its line: "Lampe "Ardoise"".
            read = next(csv.reader([first], delimiter=self._format.delimiter))
            if len(read) == self._width and not self._fault(read):
                return read, ""
        alone = self._split(first)
        if len(alone) == self._width:
            lines.give_back()
            return alone, "unbalanced"
        return alone, "torn"

    def _as_php_writes(self, lines: _Lines) -> list[str] | None:
        """The cells, where a quote after a backslash is all that breaks the record; else None."""
        quote, taken = _php_quote(self._format.delimiter), list(lines.taken)
        if not any(map(quote.search, taken)):
            return None
        doubled = (quote.sub(r'\\""', line) for line in chain(taken, lines))
        try:
            cells = next(csv.reader(doubled, delimiter=self._format.delimiter, strict=True))
        except (csv.Error, StopIteration):
            cells = []
        if len(cells) == self._width and not self._fault(cells):
            return cells
        lines.give_back(keep=len(taken))
        return None

    def _fault_of(self, start: int, cells: list[str], lines: _Lines) -> str:
        """What is wrong with a record that was read, most often nothing."""
        if len(cells) == self._width and '"' not in lines.taken[0]:
            # As nearly all are: it teaches nothing of quotes.
            self._was_full = True
            return "" if lines.taken[0].isascii() else _undecodable(cells)
        fault = self._end_fault(cells, lines) or self._fault(cells)
        self._learn(start, cells, fault, lines)
        return fault

    def _learn(self, start: int, cells: list[str], fault: str, lines: _Lines) -> None:
        """Where rows can be trusted, and where not, from a record whose own quotes are right."""
        text = lines.taken[0]
        is_short = len(cells) < self._width
        if is_short and self._was_full and not self._short_at:
            self._short_at = start
        self._was_full = not is_short
        if not fault and not is_short and '"' in text:
            self._sound_until = lines.number
        elif len(lines.taken) == 1 and text.count('"') % 2 and _CLOSING.search(text):
            # A cell's end without its beginning: what lies above may be that cell's text.
            self._tear(self._sound_until + 1, lines.number)

    def _tear(self, first: int, last: int) -> None:
        self.torn.append((min(self._short_at or first, first), last))
        self._short_at, self._sound_until = 0, last

    def _end_fault(self, cells: list[str], lines: _Lines) -> str:
        """A last row without its line's end, shorter than the others: the file was cut."""
        is_short = self._was_full and len(cells) < self._width and any(cells)
        return "ended" if is_short and not lines.taken[-1].endswith(("\n", "\r")) else ""

    def _split(self, line: str) -> list[str]:
        """The cells of a line whose quotes can't be trusted: good enough to show its key."""
        return [cell.strip().strip('"') for cell in line.split(self._format.delimiter)]

    def _fault(self, cells: list[str]) -> str:
        width = self._width
        if len(cells) > width and any(cells[width:]):
            return "ragged"
        # Fewer cells than half the header is a cut line, not trailing blanks left out.
        if len(cells) < width // 2 and any(cell.strip() for cell in cells):
            return "cut"
        return _undecodable(cells)

    def _padded(self, cells: list[str]) -> list[str]:
        width = self._width
        return [*cells[:width], *[""] * (width - len(cells)), ""]

    # --- Workbooks ------------------------------------------------------------------------

    def _workbook(self) -> Iterator[Record]:
        try:
            with self._path.open("rb") as stream, workbooks.opened(stream) as book:
                rows = workbooks.rows_of(book[self._format.sheet], MAX_COLUMNS)
                for line, cells in enumerate(rows, start=1):
                    if line > self._format.header_line:
                        while len(cells) > self._width and not cells[-1]:
                            cells.pop()
                        yield Record(line, cells, self._fault(cells) if any(cells) else "")
        except workbooks.ERRORS as error:
            raise unreadable_workbook(error) from error
