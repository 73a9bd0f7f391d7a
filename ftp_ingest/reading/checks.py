"""What holds for the orders and customers of every dialect, whatever its columns are called."""

from django.utils.translation import gettext as _

from customers.drafts import CustomerDraft
from ftp_ingest.dialects.base import Header, OrderReader, Row
from sales.drafts import LineDraft, OrderDraft
from sphinx.core.errors import InputError
from sphinx.core.texts import is_spoilt


def check_first_row(reader: OrderReader, row: Row, header: Header) -> None:
    """An order's first row has its total and its state: a blank cell means neither 0 nor paid.

    Raises:
        InputError: these cells are blank: the order begins elsewhere, or has no total.
    """
    places = [place for place in reader.first_row if place >= 0]
    blank = [place for place in places if not row.cells[place].strip()]
    if not blank:
        return
    number = reader.key(row.cells)
    column = header.shown[blank[0]]
    if len(blank) == len(places) > 1:
        raise InputError(
            _(
                "Commande %(number)s : début de la commande absent. Sa première ligne manque dans "
                "ce fichier, qui a pu être coupé : déposez l'export entier."
            )
            % {"number": number},
            code="order.no_beginning",
            line=row.line,
            column=column,
        )
    raise InputError(
        _("Commande %(number)s, ligne %(line)s : la colonne %(column)s est vide.")
        % {"number": number, "line": row.line, "column": column},
        code="cell.blank",
        line=row.line,
        column=column,
    )


def without_spoilt_keys(draft: OrderDraft) -> OrderDraft:
    """The draft under a key that no spreadsheet has rounded: its number where it has.

    Raises:
        InputError: the number itself is spoilt, or the reference of an article.
    """
    if is_spoilt(draft.number):
        raise InputError(
            _(
                "Ligne %(line)s : le numéro de commande « %(number)s » a été abîmé par Excel. "
                "Déposez le fichier de la boutique sans l'ouvrir dans un tableur."
            )
            % {"line": draft.line, "number": draft.number},
            code="order.spoilt_number",
            line=draft.line,
        )
    if '"' in draft.number:
        # No shop numbers so: a quote that strayed into the row may have moved its cells.
        raise InputError(
            _(
                "Ligne %(line)s : le numéro de commande « %(number)s » contient un guillemet, le "
                "fichier a été abîmé. Déposez le fichier de la boutique tel quel."
            )
            % {"line": draft.line, "number": draft.number},
            code="order.spoilt_number",
            line=draft.line,
        )
    for line in draft.lines:
        if is_spoilt(line.sku):
            raise _spoilt_reference(draft, line)
    if is_spoilt(draft.external_id):
        draft = draft._replace(external_id=draft.number)
    customer = with_a_sure_ref(draft.customer)
    return draft if customer is draft.customer else draft._replace(customer=customer)


def _spoilt_reference(draft: OrderDraft, line: LineDraft) -> InputError:
    message = _(
        "Commande %(number)s, ligne %(line)s : la référence « %(sku)s » a été abîmée par Excel. "
        "Déposez le fichier de la boutique sans l'ouvrir dans un tableur."
    )
    shown = {"number": draft.number, "line": line.line or draft.line, "sku": line.sku}
    return InputError(
        message % shown,
        code="line.spoilt_sku",
        line=line.line or draft.line,
        cause=_(
            "La référence « %s » a été abîmée par Excel. Déposez le fichier de la boutique sans "
            "l'ouvrir dans un tableur."
        )
        % line.sku,
    )


def with_a_sure_ref(draft: CustomerDraft) -> CustomerDraft:
    """A customer known by a reference that no spreadsheet has rounded, else by e-mail.

    Raises:
        InputError: there is no e-mail either.
    """
    if not is_spoilt(draft.ref):
        return draft
    if not draft.email:
        raise InputError(
            _(
                "Ligne %(line)s : la référence du client « %(ref)s » a été abîmée par Excel, et il "
                "n'a pas d'e-mail. Déposez le fichier de la boutique sans l'ouvrir dans un tableur."
            )
            % {"line": draft.line, "ref": draft.ref},
            code="customer.spoilt_ref",
            line=draft.line,
        )
    return draft._replace(ref="")
