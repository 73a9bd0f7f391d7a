"""Sage 100: the parametrable text import, and the PNM file.

Sources: Sage 100's own page "Exemples mappage import texte" (tab-separated, 11 columns, lines of a
piece told by journal, date and number); for PNM a layout that third parties read from real files,
which they don't agree on: to be confirmed.
"""

from accounting_export.formats.base import register
from accounting_export.formats.layouts import (
    ANSI,
    CUT,
    KEEP_END,
    RIGHT,
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
    piece,
    side,
    wording,
)
from accounting_export.formats.texts import comma, dot


@register
class Sage100(Delimited):
    code = "sage100"
    label = "Sage 100 (import texte paramétrable)"
    extension = "txt"
    is_confirmed = True
    separator, charset = "\t", ANSI
    fields = (
        fixed("Type", "G"),
        Field("Jou", journal, 6),
        Field("Date", day("%d%m%y"), 6),
        Field("N°", piece, 13, KEEP_END),
        Field("Général", account, 13),
        Field("Tiers", auxiliary, 17),
        Field("Libellé", wording, 35, CUT),
        Field("Règlement", lambda _row: ""),
        Field("Échéance", due("%d%m%y")),
        Field("Débit", debit(comma)),
        Field("Crédit", credit(comma)),
    )


@register
class SagePnm(FixedWidth):
    code = "sage_pnm"
    label = "Sage 100 (PNM)"
    extension = "pnm"
    is_confirmed = False
    length = 199
    fields = (
        Field("Journal", journal, 3, start=1),
        Field("Date", day("%d%m%y"), 6, start=4),
        Field("Pièce (genre)", document_kind, 2, start=10),
        Field("Compte", account, 13, start=12),
        Field("Type de ligne", lambda row: "X" if row.line.auxiliary else "", 1, start=25),
        Field("Tiers", auxiliary, 13, start=26),
        Field("Pièce", piece, 13, KEEP_END, start=39),
        Field("Libellé", wording, 25, CUT, start=52),
        Field("Échéance", due("%d%m%y"), 6, start=78),
        Field("Sens", side, 1, start=84),
        Field("Montant", amount(dot), 20, start=85, align=RIGHT),
        fixed("Normal", "N", 105),
        Field("N° de ligne", lambda row: str(row.rank), 7, start=110),
        fixed("Devise", "EUR", 139),
    )
