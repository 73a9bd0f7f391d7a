"""FEC layout: 18 columns, tab or pipe, CRLF, UTF-8 or ISO 8859-15.

Source: LPF art. A47 A-1, VII and annex. As a format of the accountant's it carries the journals
and days that were chosen; the file of a whole year is made by services/fec.py.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import BinaryIO

from accounting_export.formats.base import register
from accounting_export.formats.texts import comma, in_charset, text
from accounting_export.selectors import ExportLine

COLUMNS = (
    "JournalCode JournalLib EcritureNum EcritureDate CompteNum CompteLib CompAuxNum CompAuxLib "
    "PieceRef PieceDate EcritureLib Debit Credit EcritureLet DateLet ValidDate Montantdevise "
    "Idevise"
).split()


@register
class Fec:
    code = "fec"
    label = "FEC (art. A47 A-1 du LPF)"
    extension = "txt"
    is_confirmed = True

    def __init__(self, separator: str = "\t", charset: str = "utf-8") -> None:
        self.separator, self.charset = separator, charset

    def write(self, lines: Iterable[ExportLine], stream: BinaryIO) -> Counter[str]:
        self._put(stream, COLUMNS)
        for line in lines:
            self._put(stream, self._row(line))
        return Counter()

    def _put(self, stream: BinaryIO, values: Sequence[str]) -> None:
        row = in_charset(self.separator.join(values), self.charset)
        stream.write(f"{row}\r\n".encode(self.charset))

    @staticmethod
    def _row(line: ExportLine) -> tuple[str, ...]:
        return (
            text(line.journal),
            text(line.journal_label),
            text(line.number),
            f"{line.entry_date:%Y%m%d}",
            text(line.account),
            text(line.account_label),
            text(line.auxiliary),
            text(line.auxiliary_label),
            text(line.piece_ref),
            f"{line.piece_date:%Y%m%d}",
            text(line.label),
            comma(line.debit),
            comma(line.credit),
            line.lettering or "",
            f"{line.lettered_on:%Y%m%d}" if line.lettered_on else "",
            f"{line.validated_on:%Y%m%d}",
            "",
            "",
        )
