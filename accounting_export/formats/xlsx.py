"""Excel workbook: real dates and numbers, accounts and pieces as text."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any, BinaryIO

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

from accounting_export.formats.base import register, text
from accounting_export.formats.csv import COLUMNS, cells
from accounting_export.selectors import ExportLine
from sphinx.core.texts import safe_cell


@register
class Xlsx:
    code = "xlsx"
    label = "Classeur Excel"
    extension = "xlsx"

    def write(self, lines: Iterable[ExportLine], stream: BinaryIO) -> None:
        book = Workbook(write_only=True)
        sheet = book.create_sheet("Journal")
        sheet.freeze_panes = "A2"
        header = [WriteOnlyCell(sheet, value=name) for name in COLUMNS]
        for cell in header:
            cell.font = Font(bold=True)
        sheet.append(header)
        for line in lines:
            sheet.append([_cell(sheet, value) for value in self._row(line)])
        book.save(stream)

    @staticmethod
    def _row(line: ExportLine) -> list[Any]:
        number, *texts = cells(line)
        return [
            line.journal,
            line.entry_date,
            number,
            *texts,
            line.debit,
            line.credit,
            line.due_on,
            line.tax_rate,
            line.regime,
            line.country or "",
            safe_cell(text(line.order_number or "")),
            line.delivery_note or "",
            line.lettering or "",
            safe_cell(text(line.section)),
        ]


def _cell(sheet: Any, value: Any) -> WriteOnlyCell:
    cell = WriteOnlyCell(sheet, value=value)
    if isinstance(value, Decimal):
        cell.number_format = "#,##0.00"
    elif isinstance(value, date):
        cell.number_format = "dd/mm/yyyy"
    else:
        cell.number_format = "@"
    return cell
