"""The rows of an XLSX workbook as texts, in constant memory but for its shared strings."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from sphinx.core.money import plain

MAGIC = b"PK\x03\x04"
# What a workbook may unfold to, told by its own table of contents before anything is read.
MAX_UNFOLDED = 400 * 1024 * 1024
MAX_ROWS = 1_048_576
# Cells of a sheet, blank ones left of a filled one included: a file of a few kilobytes may hold
# one cell at the far end of each of its rows.
MAX_CELLS = 30_000_000
# How many times its own size a part may unfold to: sheets reach some thirty, a bomb a thousand.
MAX_RATIO = 200
_SMALL = 1024 * 1024
# What a zip that is no workbook, or a damaged one, ends in.
ERRORS = (
    zipfile.BadZipFile,
    InvalidFileException,
    KeyError,
    IndexError,
    ValueError,
    TypeError,
    AttributeError,
    OSError,
    EOFError,
    NotImplementedError,
    SyntaxError,  # xml.etree's ParseError is one
)


class TooLarge(ValueError):
    """A workbook that unfolds to more than is read."""


def is_workbook(path: Path) -> bool:
    """True for a zip that holds a workbook."""
    try:
        with zipfile.ZipFile(path) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError):
        return False


@contextmanager
def opened(source: IO[bytes], limit: int = MAX_UNFOLDED) -> Iterator[Any]:
    """An open workbook, values only, closed at the end; its file's name doesn't matter.

    Raises:
        TooLarge: it says that it unfolds to more than `limit` bytes, or than data can.
        one of ERRORS: it isn't a workbook, or is damaged.
    """
    with zipfile.ZipFile(source) as archive:
        parts = archive.infolist()
        if sum(part.file_size for part in parts) > limit or any(map(_is_bomb, parts)):
            raise TooLarge(str(limit))
    book = load_workbook(source, read_only=True, data_only=True)
    try:
        yield book
    finally:
        book.close()


def rows_of(sheet: Any, max_columns: int) -> Iterator[list[str]]:
    """A sheet's rows, as many cells as are there.

    Raises:
        TooLarge: more rows than a sheet can have, or more cells than are read.
    """
    # Some programs write a wrong extent: what is there is read.
    sheet.reset_dimensions()
    seen = 0
    # No last column is named: each row would be filled up to it.
    for number, cells in enumerate(sheet.iter_rows(values_only=True)):
        seen += len(cells)
        if number >= MAX_ROWS or seen > MAX_CELLS:
            raise TooLarge(str(MAX_ROWS))
        yield [_text(cell) for cell in cells[:max_columns]]


def _is_bomb(part: zipfile.ZipInfo) -> bool:
    return part.file_size > _SMALL and part.file_size > MAX_RATIO * part.compress_size


def _text(value: Any) -> str:
    """A cell as it would be typed: numbers without the noise of binary fractions."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        # Excel keeps 15 significant digits; the rest is noise.
        return plain(Decimal(f"{value:.15g}"))
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, (date, time)):
        return value.isoformat()
    return str(value)
