"""What a platform says of invoices and reports: CDAR (XML) or a CSV.

Sources: UN/CEFACT Cross Domain Acknowledgement and Response (the life-cycle message, flux 6);
codes of states: DGFiP, Spécifications externes v3.2, annex 7 (G7.08, G7.44). In the CSV the columns
are told by name: document, state, date, reason.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

from django.utils.translation import gettext as _
from lxml import etree

from sphinx.core import cells
from sphinx.core.clock import PARIS
from sphinx.core.errors import InputError
from sphinx.core.tables import TableRow, read_table
from sphinx.core.texts import clean, fold
from sphinx.core.typed import is_of_the_books

_COLUMNS = {
    "document": re.compile(r"^(facture|document|numero|n|invoice|transmission|id)\b"),
    "state": re.compile(r"^(etat|statut|status|state|code)\b"),
    "at": re.compile(r"^(date|le|horodatage|at)\b"),
    "reason": re.compile(r"^(motif|raison|reason|commentaire|message)\b"),
}
# Words that platforms write for the codes.
_WORDS = {
    "deposee": "200",
    "deposited": "200",
    "emise": "201",
    "issued": "201",
    "recue": "202",
    "received": "202",
    "mise a disposition": "203",
    "available": "203",
    "prise en charge": "204",
    "approuvee": "205",
    "approved": "205",
    "approuvee partiellement": "206",
    "en litige": "207",
    "disputed": "207",
    "suspendue": "208",
    "completee": "209",
    "refusee": "210",
    "refused": "210",
    "paiement transmis": "211",
    "encaissee": "212",
    "paid": "212",
    "payee": "212",
    "rejetee": "213",
    "rejected": "213",
}


class Said(NamedTuple):
    """One state of one document (an invoice's number or a report's identifier).

    `fault` says in a sentence why the line can't be used.
    """

    document: str
    state: str
    at: datetime | None
    reason: str
    line: int = 0
    fault: str = ""


def read_message(name: str, data: bytes) -> list[Said]:
    """What a message says, in its order.

    Raises:
        InputError: it says nothing that can be read.
    """
    head = data[:400].lstrip(b"\xef\xbb\xbf \r\n\t")
    said = list(_cdar(name, data) if head.startswith(b"<") else _csv(name, data))
    if not said:
        raise InputError(_("%s ne dit l'état d'aucun document.") % name, code="platform.empty")
    return said


def _csv(name: str, data: bytes) -> Iterator[Said]:
    rows = read_table(name, data)
    first = next(rows, TableRow(1, []))
    header = [fold(cell) for cell in first.cells]
    places = {
        what: next((n for n, cell in enumerate(header) if pattern.match(cell)), -1)
        for what, pattern in _COLUMNS.items()
    }
    if min(places["document"], places["state"]) < 0:
        raise InputError(
            _("%s : colonnes attendues « document » et « etat », puis « date » et « motif ».")
            % name,
            code="platform.columns",
            line=first.line,
        )
    for line, row in rows:
        found = {
            what: row[place] if 0 <= place < len(row) else "" for what, place in places.items()
        }
        state = _WORDS.get(fold(found["state"]), found["state"])
        document, reason = clean(found["document"]), clean(found["reason"], 500)
        try:
            at = cells.maybe_moment(found["at"], line, first.cells[places["at"]])
        except InputError as error:
            yield Said(document, state, None, reason, line, error.message)
        else:
            yield Said(document, state, at, reason, line)


def _cdar(name: str, data: bytes) -> Iterator[Said]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise InputError(
            _("%(name)s n'est pas un XML lisible : %(reason)s.")
            % {"name": name, "reason": error.msg},
            code="platform.xml",
            line=error.lineno or 0,
        ) from error
    stamp = _stamp(root, name)
    for document in root.iterfind(".//{*}ReferenceReferencedDocument"):
        notes = document.iterfind(".//{*}SpecifiedDocumentStatus/{*}Reason")
        more = document.iterfind(".//{*}IncludedNote/{*}Content")
        reason = " ".join(t for n in (*notes, *more) if (t := (n.text or "").strip()))
        yield Said(
            (document.findtext("{*}IssuerAssignedID") or "").strip(),
            (document.findtext("{*}ProcessConditionCode") or "").strip(),
            stamp,
            clean(reason, 500),
            document.sourceline or 0,
        )


def _stamp(root: etree._Element, name: str) -> datetime | None:
    """When the state was taken: of the acknowledgement, else of the message (format 204)."""
    for path in (
        ".//{*}AcknowledgementDocument/{*}IssueDateTime/{*}DateTimeString",
        ".//{*}ExchangedDocument/{*}IssueDateTime/{*}DateTimeString",
    ):
        text = (root.findtext(path) or "").strip()
        if re.fullmatch(r"\d{14}", text):
            return _moment(text, name)
    return None


def _moment(text: str, name: str) -> datetime:
    with suppress(ValueError):
        at = datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=PARIS)
        if is_of_the_books(at.date()):
            return at
    raise InputError(
        _("%(name)s : « %(text)s » n'est pas une date.") % {"name": name, "text": text},
        code="platform.bad_date",
    )
