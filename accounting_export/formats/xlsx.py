"""Excel workbook for people: journal, documents, balance, VAT, totals; real dates and numbers."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, BinaryIO

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

from accounting_export.formats.base import register
from accounting_export.formats.csv import COLUMNS, cells
from accounting_export.formats.texts import text
from accounting_export.models import AccountRule
from accounting_export.selectors import ExportLine
from sphinx.core.money import ZERO
from sphinx.core.texts import safe_cell

_SALES = frozenset(
    n.value
    for n in AccountRule.Nature
    if n in ("goods", "shipping", "fee", "duties", "tip", "gift_card", "deposit", "discount")
)
_TAX = AccountRule.Nature.TAX.value
_WIDTHS = (9, 12, 14, 18, 12, 34, 14, 30, 44)


@register
class Xlsx:
    code = "xlsx"
    label = "Classeur Excel"
    extension = "xlsx"
    is_confirmed = True

    def write(self, lines: Iterable[ExportLine], stream: BinaryIO) -> Counter[str]:
        book = Workbook(write_only=True)
        journal = _sheet(book, "Journal", COLUMNS)
        documents = _sheet(
            book,
            "Pièces",
            ("Journal", "Date", "N° écriture", "Pièce", "Libellé", "Tiers", "Débit = crédit"),
        )
        sums = _Sums()
        for line in lines:
            _append(journal, self._row(line))
            ended = sums.add(line)
            if ended:
                _append(documents, ended)
        last = sums.end()
        if last:
            _append(documents, last)
        _fill(book, "Balance", ("Compte", "Libellé", "Débit", "Crédit", "Solde"), sums.balance())
        _fill(
            book,
            "TVA",
            ("Régime", "Pays", "Taux (%)", "Base HT", "TVA"),
            sums.taxes(),
        )
        _fill(book, "Totaux", ("Contrôle", "Valeur"), sums.totals())
        book.save(stream)
        return Counter()

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


class _Sums:
    """Added up while the lines pass: by account, by rate of VAT, and the entry in hand."""

    def __init__(self) -> None:
        self._accounts: dict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
        self._rates: dict[tuple[str, str, Decimal | None], list[Decimal]] = defaultdict(
            lambda: [ZERO, ZERO]
        )
        self._entry: ExportLine | None = None
        self._entry_debit = ZERO
        self._entries = self._lines = 0

    def add(self, line: ExportLine) -> list[Any] | None:
        """Count a line; the row of the entry that it ends, if it does."""
        ended = None
        if self._entry is None or self._entry.entry_id != line.entry_id:
            ended = self.end()
            self._entry, self._entry_debit = line, ZERO
            self._entries += 1
        self._lines += 1
        self._entry_debit += line.debit
        account = self._accounts[line.account, line.account_label]
        account[0] += line.debit
        account[1] += line.credit
        if line.nature in _SALES or line.nature == _TAX:
            rate = self._rates[line.regime, line.country or "", line.tax_rate]
            rate[line.nature == _TAX] += line.credit - line.debit
        return ended

    def end(self) -> list[Any] | None:
        """The row of the entry in hand."""
        line = self._entry
        if line is None:
            return None
        number, piece, *_rest, label = cells(line)
        return [
            line.journal,
            line.entry_date,
            number,
            piece,
            label,
            safe_cell(text(line.auxiliary_label)),
            self._entry_debit,
        ]

    def balance(self) -> Iterator[list[Any]]:
        for (account, label), (debit, credit) in sorted(self._accounts.items()):
            yield [account, safe_cell(text(label)), debit, credit, debit - credit]

    def taxes(self) -> Iterator[list[Any]]:
        def order(item: Any) -> tuple[str, str, Decimal]:
            (regime, country, rate), _amounts = item
            return regime, country, -(rate or ZERO)

        for (regime, country, rate), (base, tax) in sorted(self._rates.items(), key=order):
            yield [regime, country, rate, base, tax]

    def totals(self) -> Iterator[list[Any]]:
        debit = sum((sums[0] for sums in self._accounts.values()), ZERO)
        credit = sum((sums[1] for sums in self._accounts.values()), ZERO)
        yield ["Écritures", self._entries]
        yield ["Lignes", self._lines]
        yield ["Débit", debit]
        yield ["Crédit", credit]
        yield ["Écart", debit - credit]


def _sheet(book: Any, title: str, columns: Sequence[str]) -> Any:
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    for place, width in enumerate(_WIDTHS[: len(columns)]):
        sheet.column_dimensions[chr(ord("A") + place)].width = width
    header = [WriteOnlyCell(sheet, value=name) for name in columns]
    for cell in header:
        cell.font = Font(bold=True)
    sheet.append(header)
    return sheet


def _fill(book: Any, title: str, columns: Sequence[str], rows: Iterable[list[Any]]) -> None:
    sheet = _sheet(book, title, columns)
    for row in rows:
        _append(sheet, row)


def _append(sheet: Any, row: Sequence[Any]) -> None:
    sheet.append([_cell(sheet, value) for value in row])


def _cell(sheet: Any, value: Any) -> WriteOnlyCell:
    cell = WriteOnlyCell(sheet, value=value)
    if isinstance(value, Decimal):
        cell.number_format = "#,##0.00"
    elif isinstance(value, date):
        cell.number_format = "dd/mm/yyyy"
    elif isinstance(value, str):
        cell.number_format = "@"
    return cell
