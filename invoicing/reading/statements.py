"""Lines of a bank statement, whatever the bank writes: OFX 1 and 2, CAMT.053, CSV, Excel.

Sources: OFX 1.6 and 2.2 (STMTTRN), ISO 20022 camt.053.001.02 to .08 (Ntry). Columns of a CSV are
told by their names, in the ways French banks write them.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from html import unescape
from typing import NamedTuple

from django.utils.translation import gettext as _
from lxml import etree

from sphinx.core import cells
from sphinx.core.errors import InputError
from sphinx.core.money import to_cents
from sphinx.core.tables import read_table
from sphinx.core.texts import clean, fold
from sphinx.core.typed import is_of_the_books

_NAMES = {
    "day": re.compile(r"^(date( d operation| operation| comptable)?|booking date|dateop)$"),
    "label": re.compile(r"^(libelle|label|designation|description|operation|nature|details?)\b"),
    "amount": re.compile(r"^(montant|amount|valeur)( eur(os)?| de l operation)?$"),
    "debit": re.compile(r"^(debit|sortie)( eur(os)?)?$"),
    "credit": re.compile(r"^(credit|entree)( eur(os)?)?$"),
    "reference": re.compile(r"^(reference|ref|n operation|id|identifiant)\b"),
}
_HEADER_WITHIN = 20


class BankRow(NamedTuple):
    """A line of a statement; `amount` in EUR, above 0 for money that came in.

    `key` names it for good: the bank's own reference, else what it says and which of several
    equal ones it is.
    """

    key: str
    booked_on: date
    amount: Decimal
    label: str
    counterparty: str = ""


class Statement(NamedTuple):
    """The lines of a statement, and a sentence for each that can't be read."""

    rows: list[BankRow]
    faults: list[str]


# A line of a statement, yet to be understood; None says nothing.
_Line = Callable[[], BankRow | None]


def read_statement(name: str, data: bytes) -> Statement:
    """The lines of a statement; one that can't be read doesn't hold the others back.

    Raises:
        InputError: it is no statement, or none of its lines can be read.
    """
    head = data[:2000].lstrip()
    if b"OFXHEADER" in head or b"<OFX" in head:
        lines = _ofx(name, data)
    elif head.startswith((b"<?xml", b"<Document")) or b"camt.053" in head:
        lines = _camt(name, data)
    else:
        lines = _table(name, data)
    found = Statement([], [])
    for understand in lines:
        try:
            row = understand()
        except InputError as error:
            found.faults.append(error.message)
        else:
            found.rows.extend([row] if row else [])
    if not found.rows:
        sentence = _("%s ne contient aucune opération bancaire.") % name
        raise InputError(" ".join([sentence, *found.faults[:1]]), code="bank.empty")
    return found


class _Keys:
    """Names for lines whose bank gives none: equal lines are counted apart."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def of(self, booked_on: date, amount: Decimal, label: str) -> str:
        text = f"{booked_on.isoformat()}|{amount}|{fold(label)}"
        self._seen[text] += 1
        return hashlib.sha256(f"{text}|{self._seen[text]}".encode()).hexdigest()[:32]


def _amount(text: str, line: int, column: str) -> Decimal:
    """EUR in cents; banks write +120.00 too."""
    return to_cents(cells.number(text.lstrip("+"), line, column))


def _tag(block: str, name: str) -> str:
    """The value of a tag, closed (OFX 2) or not (OFX 1)."""
    found = re.search(rf"<{name}>([^<\r\n]*)", block, re.IGNORECASE)
    return clean(unescape(found[1])) if found else ""


def _ofx(name: str, data: bytes) -> Iterator[_Line]:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    account = _tag(text, "ACCTID")
    keys = _Keys()
    blocks = re.split(r"<STMTTRN>", text, flags=re.IGNORECASE)[1:]
    for rank, block in enumerate(blocks, start=1):
        yield partial(_ofx_row, name, rank, block, account, keys)


def _ofx_row(name: str, rank: int, block: str, account: str, keys: _Keys) -> BankRow:
    day, amount = _tag(block, "DTPOSTED")[:8], _tag(block, "TRNAMT")
    booked_on = _day(name, rank, partial(datetime.strptime, day, "%Y%m%d"))
    value = _amount(amount, rank, "TRNAMT")
    label = clean(f"{_tag(block, 'NAME')} {_tag(block, 'MEMO')}")
    own = _tag(block, "FITID")
    key = f"{account}:{own}" if own else keys.of(booked_on, value, label)
    return BankRow(key[:80], booked_on, value, label[:300], _tag(block, "NAME")[:120])


def _day(name: str, rank: int, read: Callable[[], datetime]) -> date:
    """The day of a line.

    Raises:
        InputError: it is none, or none that the books can be about.
    """
    try:
        day = read().date()
    except ValueError:
        raise _unreadable(name, rank) from None
    if not is_of_the_books(day):
        raise _unreadable(name, rank)
    return day


def _unreadable(name: str, rank: int) -> InputError:
    return InputError(
        _("%(name)s, opération %(rank)s : date ou montant illisible.")
        % {"name": name, "rank": rank},
        code="bank.unreadable",
        line=rank,
    )


def _camt(name: str, data: bytes) -> Iterator[_Line]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise InputError(
            _("%(name)s n'est pas un XML lisible (%(reason)s).")
            % {"name": name, "reason": str(error)[:80]},
            code="bank.bad_xml",
        ) from error
    keys = _Keys()
    for rank, entry in enumerate(root.iter("{*}Ntry"), start=1):
        yield partial(_camt_row, name, rank, entry, keys)


def _camt_row(name: str, rank: int, entry: etree._Element, keys: _Keys) -> BankRow:
    text = {
        tag: _texts(entry, tag)
        for tag in ("Amt", "CdtDbtInd", "AcctSvcrRef", "Ustrd", "Nm", "EndToEndId")
    }
    written = entry.findtext("{*}BookgDt/{*}Dt") or entry.findtext("{*}BookgDt/{*}DtTm") or ""
    booked_on = _day(name, rank, partial(datetime.fromisoformat, written.strip()[:10]))
    amount = _amount(next(iter(text["Amt"]), ""), rank, "Amt")
    if next(iter(text["CdtDbtInd"]), "") == "DBIT":
        amount = -amount
    label = clean(" ".join([*text["Nm"][:1], *text["Ustrd"], *text["EndToEndId"][:1]]))
    own = next(iter(text["AcctSvcrRef"]), "")
    key = own or keys.of(booked_on, amount, label)
    return BankRow(key[:80], booked_on, amount, label[:300], next(iter(text["Nm"]), "")[:120])


def _texts(entry: etree._Element, tag: str) -> list[str]:
    return [clean(found.text) for found in entry.iter(f"{{*}}{tag}") if found.text]


def _table(name: str, data: bytes) -> Iterator[_Line]:
    rows = list(read_table(name, data))
    places: dict[str, int] = {}
    start = 0
    for rank, row in enumerate(rows[:_HEADER_WITHIN]):
        names = [fold(cell) for cell in row.cells]
        places = {
            role: next(n for n, text in enumerate(names) if pattern.search(text))
            for role, pattern in _NAMES.items()
            if any(pattern.search(text) for text in names)
        }
        if {"day", "label"} <= places.keys() and {"amount", "credit"} & places.keys():
            start = rank + 1
            break
    else:
        raise InputError(
            _(
                "%s : il faut une colonne de date, une de libellé et une de montant (ou débit et "
                "crédit)."
            )
            % name,
            code="bank.columns",
        )
    keys = _Keys()
    for row in rows[start:]:
        cell = {
            role: row.cells[place] if place < len(row.cells) else ""
            for role, place in places.items()
        }
        yield partial(_table_row, row.line, cell, keys)


def _table_row(line: int, cell: Mapping[str, str], keys: _Keys) -> BankRow | None:
    if not cell["day"] or not any(cell.get(r) for r in ("amount", "debit", "credit")):
        return None
    booked_on = cells.moment(cell["day"], line, "date").date()
    amount = _amount(cell.get("amount", ""), line, "montant")
    if not cell.get("amount"):
        amount = _amount(cell.get("credit", ""), line, "crédit") - abs(
            _amount(cell.get("debit", ""), line, "débit")
        )
    label = clean(cell["label"])
    own = cell.get("reference", "")
    text = f"{label} {own}" if own and own not in label else label
    # A reference alone may be the customer's, not the bank's: it names no line.
    return BankRow(keys.of(booked_on, amount, text), booked_on, amount, text[:300])
