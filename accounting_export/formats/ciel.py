"""Ciel and Sage 50, XIMPORT.TXT: fixed places, 142 characters a line, since version 2003.

Source: two public writers (Dolibarr's exportCiel, reviewed for Ciel after 2002 and Sage 50;
OpenFlyers' CielXimport template). They part on the decimal sign: comma here, as the first; the
second writes a dot.
"""

from accounting_export.formats.base import register
from accounting_export.formats.layouts import (
    CUT,
    KEEP_END,
    RIGHT,
    Field,
    FixedWidth,
    account_in,
    amount,
    day,
    due,
    fixed,
    journal,
    piece,
    section,
    side,
    third_party_or_account_label,
    wording,
)
from accounting_export.formats.texts import comma


@register
class Ciel(FixedWidth):
    code = "ciel"
    label = "Ciel / Sage 50 (XIMPORT)"
    extension = "txt"
    is_confirmed = True
    length = 142
    fields = (
        Field("N° de mouvement", lambda row: str(row.entry), 5, start=1),
        Field("Journal", journal, 2, start=6),
        Field("Date", day("%Y%m%d"), 8, start=8),
        Field("Échéance", due("%Y%m%d"), 8, start=16),
        Field("Pièce", piece, 12, KEEP_END, start=24),
        Field("Compte", account_in(11), 11, start=36),
        Field("Libellé", wording, 25, CUT, start=47),
        Field("Montant", amount(comma), 13, start=72, align=RIGHT),
        Field("Sens", side, 1, start=85),
        Field("Analytique", section, 6, CUT, start=98),
        Field("Libellé du compte", third_party_or_account_label, 34, CUT, start=104),
        fixed("Euro", "O", 138),
        fixed("Version", "2003", 139),
    )
