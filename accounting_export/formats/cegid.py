"""Cegid: the delimited file that Loop and Expert map, and TRA (extended journal).

Sources: OpenFlyers' CegidEcrexcel template with its example, and Loop's own help (imports by TRA,
FEC or a delimited file whose columns are mapped); for TRA the field tables of Expensya's "Export
Cegid Standard" and of pycegid, which agree on the places. How amounts are padded is seen once only:
to be confirmed.
"""

from collections.abc import Iterable
from typing import BinaryIO

from accounting_export.formats.base import register
from accounting_export.formats.layouts import (
    ANSI,
    CUT,
    KEEP_END,
    RIGHT,
    Cuts,
    Delimited,
    Field,
    FixedWidth,
    account,
    amount,
    auxiliary,
    credit,
    day,
    debit,
    document_kind,
    due,
    fixed,
    journal,
    number,
    piece,
    side,
    wording,
)
from accounting_export.formats.texts import comma, dot
from accounting_export.selectors import ExportLine


@register
class CegidCsv(Delimited):
    code = "cegid_csv"
    label = "Cegid Loop / Expert (CSV)"
    extension = "csv"
    is_confirmed = True
    fields = (
        Field("Journal", journal, 3),
        Field("Date", day("%d/%m/%Y")),
        Field("Compte général", account, 17),
        Field("Compte auxiliaire", auxiliary, 17),
        Field("Référence", piece, 35, KEEP_END),
        Field("Libellé", wording, 35, CUT),
        Field("Débit", debit(dot, blank=True), 20),
        Field("Crédit", credit(dot, blank=True), 20),
    )


_NO_DAY = "01011900"
# Place and text of each part of the first line.
_HEADER = (
    (1, "***"),
    (4, "S5"),
    (6, "EXP"),
    (9, "JRL"),
    (12, "ETE"),
    (18, _NO_DAY),
    (26, _NO_DAY),
    (34, "011"),
    (42, f"{_NO_DAY}0000"),
    (54, "SPHINX"),
    (124, "-"),
    (137, _NO_DAY),
    (145, "001--"),
)
_HEADER_LENGTH = 165


@register
class CegidTra(FixedWidth):
    code = "cegid_tra"
    label = "Cegid (TRA, journal étendu)"
    extension = "tra"
    is_confirmed = False
    charset = ANSI
    length = 293
    fields = (
        Field("Journal", journal, 3, start=1),
        Field("Date", day("%d%m%Y"), 8, start=4),
        Field("Nature", document_kind, 2, start=12),
        Field("Compte général", account, 17, start=14),
        Field("Type de compte", lambda row: "X" if row.line.auxiliary else "", 1, start=31),
        Field("Auxiliaire", auxiliary, 17, start=32),
        Field("Référence", piece, 35, KEEP_END, start=49),
        Field("Libellé", wording, 35, CUT, start=84),
        Field("Échéance", due("%d%m%Y", _NO_DAY), 8, start=122),
        Field("Sens", side, 1, start=130),
        Field("Montant", amount(comma), 20, start=131, align=RIGHT),
        fixed("Type d'écriture", "N", 151),
        Field("N° de pièce", number, 8, KEEP_END, start=152),
        fixed("Devise", "EUR", 160),
        fixed("Code montant", "E--", 173),
    )

    def write(self, lines: Iterable[ExportLine], stream: BinaryIO) -> Cuts:
        """The header, then a line a movement."""
        header = bytearray(b" " * _HEADER_LENGTH)
        for start, word in _HEADER:
            header[start - 1 : start - 1 + len(word)] = word.encode()
        stream.write(bytes(header) + self.end.encode())
        return super().write(lines, stream)
