"""Tables that people bring: whatever they hold, they cost what they weigh."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from sphinx.core import workbooks
from sphinx.core.errors import InputError
from sphinx.core.tables import read_table

LAST_ROW = 1_048_576


def saved(*cells: tuple[int, int, str]) -> bytes:
    """A workbook of one sheet: row, column, text."""
    book = Workbook()
    for row, column, text in cells:
        book.active.cell(row=row, column=column, value=text)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def with_sheet(change: Callable[[bytes], bytes]) -> bytes:
    """The same, its sheet's XML changed."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(saved((1, 1, "SKU"), (1, 2, "Prix")))) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for part in source.infolist():
            data = source.read(part)
            target.writestr(
                part.filename, change(data) if part.filename.endswith("sheet1.xml") else data
            )
    return out.getvalue()


def test_a_row_at_the_very_end_is_read() -> None:
    data = saved((1, 1, "SKU"), (1, 2, "Prix"), (LAST_ROW, 1, "A"), (LAST_ROW, 2, "12"))

    assert [(row.line, row.cells) for row in read_table("x.xlsx", data)] == [
        (1, ["SKU", "Prix"]),
        (LAST_ROW, ["A", "12"]),
    ]


def test_rows_have_as_many_cells_as_are_there() -> None:
    book = load_workbook(io.BytesIO(saved((1, 1, "SKU"), (3, 2, "x"))), read_only=True)

    assert list(workbooks.rows_of(book.active, 2000)) == [["SKU"], [], ["", "x"]]


def test_what_stands_beyond_the_last_column_is_left_out() -> None:
    data = saved((1, 1, "SKU"), (1, 16_384, "loin"))

    assert [row.cells for row in read_table("x.xlsx", data)] == [["SKU"]]


def test_a_sheet_that_unfolds_a_thousand_times_is_refused_unread() -> None:
    data = with_sheet(
        lambda xml: xml.replace(b"</sheetData>", b"<row/>" * 900_000 + b"</sheetData>")
    )
    assert len(data) < 20_000

    with pytest.raises(InputError):
        list(read_table("x.xlsx", data))


def test_a_cell_at_the_far_end_of_each_row_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "MAX_CELLS", 100_000)
    data = saved(*((row, 16_384, "x") for row in range(1, 11)))

    with pytest.raises(InputError):
        list(read_table("x.xlsx", data))


def test_what_is_no_bomb_is_none(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    path.write_bytes(saved(*((row, 1, "même texte") for row in range(1, 20_001))))

    with path.open("rb") as stream, workbooks.opened(stream) as book:
        assert sum(1 for _row in workbooks.rows_of(book.active, 200)) == 20_000
