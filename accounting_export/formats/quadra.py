"""Cegid Quadra (Quadratus), ASCII: fixed places, M lines of movements, C lines of third parties.

Source: the field table that public writers agree on (Dolibarr's exportQuadratus, CAERP's treasury
export), after QuadraCompta's "Fichier d'entrée ASCII". Quadra accounts have 8 characters.
"""

from collections.abc import Iterable
from typing import BinaryIO

from accounting_export.formats.base import register
from accounting_export.formats.layouts import (
    CUT,
    KEEP_END,
    RIGHT,
    Cuts,
    Field,
    FixedWidth,
    Row,
    account,
    account_in,
    amount,
    auxiliary,
    day,
    due,
    fixed,
    journal,
    number,
    piece,
    rows_of,
    side,
    third_party_or_account_label,
    wording,
)
from accounting_export.formats.texts import cents
from accounting_export.selectors import ExportLine

_SHORT = 2


def _short_journal(row: Row) -> str:
    """Blank where it has more characters: then the one on 3 counts."""
    return journal(row) if len(journal(row)) <= _SHORT else ""


_MOVEMENT = (
    fixed("Type", "M", 1),
    Field("Compte", account_in(8), 8, start=2),
    Field(
        "Journal court",
        lambda row: journal(row) if len(journal(row)) <= _SHORT else "",
        2,
        start=10,
    ),
    fixed("Folio", "000", 12),
    Field("Date", day("%d%m%y"), 6, start=15),
    Field("Libellé court", wording, 20, CUT, start=22),
    Field("Sens", side, 1, start=42),
    fixed("Signe", "+", 43),
    Field("Montant en centimes", amount(cents), 12, start=44, align=RIGHT, pad="0"),
    Field("Échéance", due("%d%m%y", "000000"), 6, start=64),
    Field("Pièce courte", number, 5, KEEP_END, start=75),
    Field("Pièce", number, 8, KEEP_END, start=100),
    fixed("Devise", "EUR", 108),
    Field("Journal", journal, 3, start=111),
    Field("Libellé", wording, 30, CUT, start=117),
    Field("Pièce longue", piece, 10, KEEP_END, start=149),
)
_THIRD_PARTY = (
    fixed("Type", "C", 1),
    Field("Compte", auxiliary, 8, start=2),
    Field("Libellé", third_party_or_account_label, 30, CUT, start=10),
    Field("Clé alpha", lambda row: third_party_or_account_label(row).upper(), 7, CUT, start=40),
    Field("Collectif", account, 8, start=99),
    # Blank: an account that is there already is left as it is.
    Field("Mise à jour", lambda _row: "", 1, start=217),
    Field("Nature", lambda row: "F" if account(row).startswith("40") else "C", 1, start=218),
)
_MOVEMENT_LENGTH, _THIRD_PARTY_LENGTH = 231, 453


@register
class Quadra(FixedWidth):
    code = "quadra"
    label = "Cegid Quadra (Quadratus ASCII)"
    extension = "txt"
    is_confirmed = True
    length = _MOVEMENT_LENGTH
    fields = _MOVEMENT

    def write(self, lines: Iterable[ExportLine], stream: BinaryIO) -> Cuts:
        """A third party's line comes once, before its first movement."""
        cuts: Cuts = Cuts()
        known: set[str] = set()
        for row in rows_of(lines):
            name = auxiliary(row)
            if name and name not in known:
                known.add(name)
                stream.write(self.record(_THIRD_PARTY, row, cuts, _THIRD_PARTY_LENGTH))
            stream.write(self.record(self.fields, row, cuts, self.length))
        return cuts
