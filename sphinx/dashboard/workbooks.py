"""Workbooks of figures."""

from io import BytesIO
from typing import Any

from django.http import HttpResponse
from openpyxl import Workbook
from openpyxl.styles import Font

from sphinx.core.texts import safe_cell

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def new_book() -> Workbook:
    """An empty workbook."""
    book = Workbook(write_only=False)
    book.remove(book.worksheets[0])
    return book


def sent(book: Workbook, name: str) -> HttpResponse:
    """The workbook as a file to download."""
    stream = BytesIO()
    book.save(stream)
    response = HttpResponse(stream.getvalue(), content_type=XLSX)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def sheet(book: Workbook, title: str, header: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    """A sheet with a bold header that stays in sight; texts can't be formulas."""
    page = book.create_sheet(title[:31])
    page.append(header)
    for cell in page[1]:
        cell.font = Font(bold=True)
    for row in rows:
        page.append([safe_cell(cell) if isinstance(cell, str) else cell for cell in row])
    page.column_dimensions["A"].width = 34
    page.freeze_panes = "A2"
