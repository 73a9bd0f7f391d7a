"""FEC layout: 18 columns, tab, CRLF, UTF-8. Source: LPF art. A47 A-1, VII and annex.

A sales journal in FEC layout, for import; the accountant's software makes the legal FEC of
the year, all journals together.
"""

from collections import Counter
from collections.abc import Iterable
from typing import BinaryIO

from accounting_export.formats.base import register
from accounting_export.formats.texts import comma, text
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

    def write(self, lines: Iterable[ExportLine], stream: BinaryIO) -> Counter[str]:
        stream.write("\t".join(COLUMNS).encode() + b"\r\n")
        for line in lines:
            stream.write("\t".join(self._row(line)).encode() + b"\r\n")
        return Counter()

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
