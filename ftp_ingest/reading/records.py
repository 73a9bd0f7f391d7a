"""A file's records one by one, in constant memory, with the line where each begins.

A record that its quotes tie to the lines below (an unbalanced quote) is given up alone: reading
starts again on the next line, so that one bad row doesn't swallow the others.
"""

import csv
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TextIO

from ftp_ingest.reading.recognition import FileFormat

# Notes may hold line breaks; more than this in one record is an unbalanced quote.
MAX_RECORD_LINES = 200
MAX_LINE_CHARS = 1_000_000


class Record(NamedTuple):
    """One record: the line where it begins, its cells (one blank cell added at the end).

    `fault` says why it can't be used; "" when it can.
    """

    line: int
    cells: list[str]
    fault: str = ""


class _Lines:
    """Physical lines, remembering those of the record being read so that they can be unread."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._pending: deque[str] = deque()
        self.number = 0
        self.taken: list[str] = []

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._pending.popleft() if self._pending else self._stream.readline(MAX_LINE_CHARS)
        if not line:
            raise StopIteration
        self.number += 1
        self.taken.append(line)
        if len(self.taken) > MAX_RECORD_LINES:
            raise csv.Error("unbalanced")
        return line

    def start_record(self) -> int:
        """Forget the last record; the number of the line where the next one begins."""
        self.taken = []
        return self.number + 1

    def give_back(self) -> None:
        """Unread all lines of the record but its first."""
        self._pending.extendleft(reversed(self.taken[1:]))
        self.number -= len(self.taken) - 1


def read_records(path: Path, file_format: FileFormat) -> Iterator[Record]:
    """The records under the header; blank ones are passed over."""
    width = len(file_format.header.names)
    with path.open(encoding=file_format.encoding, errors="surrogateescape", newline="") as stream:
        lines = _Lines(stream)
        for _skipped in range(file_format.header_line - 1):
            next(lines)
        reader = csv.reader(lines, delimiter=file_format.delimiter)
        is_header = True
        while True:
            start = lines.start_record()
            try:
                cells = next(reader)
                fault = "" if is_header else _fault(cells, width)
            except StopIteration:
                return
            except csv.Error:
                cells, fault = _split(lines.taken[0], file_format.delimiter), "unbalanced"
            if fault and len(lines.taken) > 1:
                lines.give_back()
                reader = csv.reader(lines, delimiter=file_format.delimiter)
                cells, fault = _split(lines.taken[0], file_format.delimiter), "unbalanced"
            if is_header:
                is_header = False
            elif fault:
                yield Record(start, cells, fault)
            elif any(cells):
                yield Record(start, _padded(cells, width))


def _split(line: str, delimiter: str) -> list[str]:
    """The cells of a line whose quotes can't be trusted: good enough to show its key."""
    return [cell.strip().strip('"') for cell in line.split(delimiter)]


def _fault(cells: list[str], width: int) -> str:
    if len(cells) > width and any(cells[width:]):
        return "ragged"
    # Fewer cells than half the header is a cut line, not trailing blanks left out.
    if len(cells) < width // 2 and any(cell.strip() for cell in cells):
        return "cut"
    try:
        "".join(cells).encode()
    except UnicodeEncodeError:
        return "undecodable"
    return ""


def _padded(cells: list[str], width: int) -> list[str]:
    if len(cells) == width:
        cells.append("")
        return cells
    return [*cells[:width], *[""] * (width - len(cells)), ""]
