"""EBP, ECRITURES.TXT: commas, labels and pieces in quotes, dot for decimals.

Source: two public descriptions that agree on the columns (ATM's exportcompta for Dolibarr, Odoo's
import_account_move_csv): line, date, journal, account, automatic label, label, piece, amount, side,
due date, currency.
"""

from accounting_export.formats.base import register
from accounting_export.formats.layouts import (
    ANSI,
    CUT,
    KEEP_END,
    Delimited,
    Field,
    account_in,
    amount,
    day,
    due,
    fixed,
    journal,
    piece,
    side,
    wording,
)
from accounting_export.formats.texts import dot


@register
class Ebp(Delimited):
    code = "ebp"
    label = "EBP (ECRITURES.TXT)"
    extension = "txt"
    is_confirmed = True
    separator, charset = ",", ANSI
    fields = (
        Field("Ligne", lambda row: str(row.rank)),
        Field("Date", day("%d%m%y"), 6),
        Field("Journal", journal, 4),
        Field("Compte", account_in(10), 10),
        Field("Libellé automatique", lambda _row: ""),
        Field("Libellé", wording, 40, CUT, is_quoted=True),
        Field("Pièce", piece, 15, KEEP_END, is_quoted=True),
        Field("Montant", amount(dot)),
        Field("Sens", side, 1),
        Field("Échéance", due("%d%m%y")),
        fixed("Devise", "EUR"),
    )
