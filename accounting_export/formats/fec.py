"""FEC layout: 18 columns, tab or pipe, CRLF, UTF-8 or ISO 8859-15.

Source: LPF art. A47 A-1, VII and annex. As a format of the accountant's it carries the journals
and days that were chosen; the file of a whole year is made by services/fec.py.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache
from itertools import groupby
from operator import attrgetter
from typing import BinaryIO

from accounting_export.formats.base import register
from accounting_export.formats.texts import comma, in_charset, kept_text, text
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
        for _entry_id, entry in groupby(lines, key=attrgetter("entry_id")):
            shared: Sequence[str] = ()
            for line in entry:
                shared = shared or self._shared(line)
                self._put(stream, self._row(line, shared))
        return Counter()

    def _put(self, stream: BinaryIO, values: Sequence[str]) -> None:
        row = in_charset(self.separator.join(values), self.charset)
        stream.write(f"{row}\r\n".encode(self.charset))

    @staticmethod
    def _shared(line: ExportLine) -> tuple[str, ...]:
        """What an entry's lines share; written out once, it is most of the work."""
        return (
            kept_text(line.journal),
            kept_text(line.journal_label),
            text(line.number),
            _day(line.entry_date),
            text(line.piece_ref),
            _day(line.piece_date),
            text(line.label),
            _day(line.validated_on),
        )

    @staticmethod
    def _row(line: ExportLine, shared: Sequence[str]) -> tuple[str, ...]:
        journal, journal_label, number, day, piece, piece_day, label, validated = shared
        return (
            journal,
            journal_label,
            number,
            day,
            kept_text(line.account),
            kept_text(line.account_label),
            kept_text(line.auxiliary),
            kept_text(line.auxiliary_label),
            piece,
            piece_day,
            label,
            comma(line.debit),
            comma(line.credit),
            line.lettering or "",
            _day(line.lettered_on) if line.lettered_on else "",
            validated,
            "" if line.currency_amount is None else comma(line.currency_amount),
            line.currency,
        )


@lru_cache(maxsize=512)
def _day(day: date) -> str:
    return f"{day:%Y%m%d}"
