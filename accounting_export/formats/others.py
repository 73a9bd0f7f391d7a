"""Other programs of accountants, each with one delimited file.

Source: Dolibarr's public writers (accountancyexport.class.php), each seen there only; ISACOMPTA's
character set is Windows' ANSI.
"""

from accounting_export.formats.base import register
from accounting_export.formats.layouts import (
    ANSI,
    CUT,
    KEEP_END,
    Delimited,
    Field,
    account,
    amount,
    auxiliary,
    credit,
    day,
    debit,
    due,
    fixed,
    journal,
    lettering,
    number,
    piece,
    side,
    third_party_or_account,
    third_party_or_account_label,
    wording,
)
from accounting_export.formats.texts import comma


@register
class Coala(Delimited):
    code = "coala"
    label = "Sage Coala"
    extension = "csv"
    is_confirmed = True
    charset, end = ANSI, "\n"
    fields = (
        Field("Date", day("%d/%m/%Y")),
        Field("Journal", journal),
        Field("Compte", account),
        Field("N° de pièce", number),
        Field("Référence", piece),
        Field("Débit", debit(comma)),
        Field("Crédit", credit(comma)),
        fixed("Monnaie", "E"),
        Field("Auxiliaire", auxiliary),
    )


@register
class SuiteExpert(Delimited):
    code = "acd"
    label = "ACD (i)SuiteExpert"
    extension = "csv"
    is_confirmed = True
    charset = ANSI
    fields = (
        Field("Pièce", number),
        Field("Date", day("%d/%m/%Y")),
        Field("Année", day("%Y")),
        Field("Mois", day("%m")),
        Field("Jour", day("%d")),
        Field("Référence", piece),
        Field("Libellé", wording),
        Field("Compte", third_party_or_account),
        Field("Nom", third_party_or_account_label),
        Field("Débit", debit(comma)),
        Field("Crédit", credit(comma)),
        Field("Montant", amount(comma)),
        Field("Journal", journal),
    )


@register
class Isacompta(Delimited):
    code = "isacompta"
    label = "Isacompta (Agiris)"
    extension = "csv"
    is_confirmed = True
    charset, end = ANSI, "\n"
    fields = (
        Field("Pièce", number),
        Field("Libellé de la pièce", wording),
        Field("Date", day("%d%m%Y")),
        Field("Libellé", wording),
        Field("Compte", third_party_or_account),
        Field("Libellé du compte", third_party_or_account_label),
        Field("Référence", piece),
        Field("Débit", debit(comma)),
        Field("Crédit", credit(comma)),
        Field("Montant", amount(comma)),
        Field("Sens", side, 1),
        Field("Lettrage", lettering),
        Field("Journal", journal),
    )


@register
class Charlemagne(Delimited):
    code = "charlemagne"
    label = "Charlemagne"
    extension = "txt"
    is_confirmed = True
    separator, end, charset, has_header = "\t", "\n", ANSI, True
    fields = (
        Field("Date", day("%Y%m%d")),
        Field("Journal", journal, 6),
        Field("Compte", third_party_or_account, 15),
        Field("Libellé du compte", third_party_or_account_label, 60, CUT),
        Field("Pièce", piece, 20, KEEP_END),
        Field("Libellé", wording, 60, CUT),
        Field("Montant", amount(comma)),
        Field("Sens", side, 1),
    )


@register
class Cogilog(Delimited):
    code = "cogilog"
    label = "Cogilog"
    extension = "txt"
    is_confirmed = True
    separator, end = "\t", "\n"
    fields = (
        Field("Journal", journal),
        Field("Date", day("%d%m%Y")),
        Field("Facture", piece),
        Field("Compte", third_party_or_account),
        Field("Vide", lambda _row: ""),
        Field("Libellé", wording),
        Field("Échéance", due("%d%m%Y")),
        Field("Débit", debit(comma, blank=True)),
        Field("Crédit", credit(comma, blank=True)),
        Field("Référence", number),
        Field("Libellé de la pièce", wording),
    )


@register
class OpenConcerto(Delimited):
    code = "openconcerto"
    label = "OpenConcerto"
    extension = "csv"
    is_confirmed = True
    end = "\n"
    fields = (
        Field("Date", day("%d/%m/%Y")),
        Field("Journal", journal),
        Field("Compte", third_party_or_account),
        Field("Référence", piece),
        Field("Libellé", wording),
        Field("Débit", debit(comma)),
        Field("Crédit", credit(comma)),
    )
