"""Accountants' web programs: Pennylane, MyUnisoft, Tiime.

Sources: Pennylane's help ("Importer un FEC": the 18 columns, accounts mapped on screen);
MyUnisoft's published model of its CSV import (columns found by their titles, dates AAAAMMJJ,
lettering on 3 characters). Nothing public was found for Tiime: the 18 columns, to be confirmed.
"""

from accounting_export.formats.base import register
from accounting_export.formats.fec import Fec
from accounting_export.formats.layouts import (
    KEEP_END,
    Delimited,
    Field,
    account,
    auxiliary,
    credit,
    day,
    debit,
    due,
    journal,
    lettering,
    number,
    piece,
    third_party_or_account_label,
    wording,
)
from accounting_export.formats.texts import comma


@register
class Pennylane(Fec):
    code = "pennylane"
    label = "Pennylane (FEC)"
    is_confirmed = True


@register
class Tiime(Fec):
    code = "tiime"
    label = "Tiime (FEC)"
    is_confirmed = False


@register
class MyUnisoft(Delimited):
    code = "myunisoft"
    label = "MyUnisoft (CSV)"
    extension = "csv"
    is_confirmed = True
    has_header = True
    fields = (
        Field("JournalCode", journal),
        Field("EcritureDate", day("%Y%m%d")),
        Field("CompteNum", account),
        Field("EcritureLib", wording),
        Field("Piece 1", piece),
        Field("Piece 2", number),
        Field("Debit", debit(comma, blank=True)),
        Field("Credit", credit(comma, blank=True)),
        Field("Auxiliaire", auxiliary),
        Field("DateEcheance", due("%Y%m%d")),
        Field("LibelleCompte", third_party_or_account_label),
        Field("CodeLettrage", lettering, 3, KEEP_END),
    )
