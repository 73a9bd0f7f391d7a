"""The check of a FEC before it leaves, in words for who is no accountant.

Rules: LPF, art. A47 A-1, VII (the 18 columns, separators, dates, amounts, validation), and those
that the administration's own program refuses a file for (Test-Compta-Demat). What that program
doesn't look at is looked at here too: balance of each entry, numbers without hole, order.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import BinaryIO, NamedTuple

from django.utils.translation import gettext as _

from accounting_export.formats.fec import COLUMNS
from sphinx.core.clock import PARIS
from sphinx.core.money import ZERO

REQUIRED = (
    "JournalCode JournalLib EcritureNum EcritureDate CompteNum CompteLib PieceRef PieceDate "
    "EcritureLib ValidDate"
).split()
_DATES = ("EcritureDate", "PieceDate", "DateLet", "ValidDate")
# Columns that are filled together or not at all.
_PAIRS = (
    ("CompAuxNum", "CompAuxLib"),
    ("EcritureLet", "DateLet"),
    ("Montantdevise", "Idevise"),
)
# The law's other form: an amount and its side in the place of debit and credit.
_WITH_SIDE = [{"Debit": "Montant", "Credit": "Sens"}.get(name, name) for name in COLUMNS]
_DEBIT, _CREDIT = {"D", "+1", "1"}, {"C", "-1"}
_NAME = re.compile(r"^\d{9}FEC(\d{8})(_\d+)?\.txt$", re.IGNORECASE)
_AMOUNT = re.compile(r"^[+-]?\d{1,15}(,\d{1,2})?$")
_ACCOUNT = re.compile(r"^\d{3}")
_RANK = re.compile(r"(\d{1,18})$")
# Of each kind of fault so many lines are named, the others counted.
NAMED = 5


class Fault(NamedTuple):
    """What is wrong: its line (0: the file), column, sentence; `blocks`: it is refused."""

    line: int
    column: str
    message: str
    blocks: bool


@dataclass
class Report:
    """What a check found."""

    name: str
    lines: int = 0
    entries: int = 0
    debit: Decimal = ZERO
    credit: Decimal = ZERO
    faults: list[Fault] = field(default_factory=list)
    # Kind of fault → how many more there are than are named.
    more: dict[str, int] = field(default_factory=dict)
    # Journal → its entries.
    journals: dict[str, int] = field(default_factory=dict)

    @property
    def is_accepted(self) -> bool:
        """The administration would take it."""
        return not any(fault.blocks for fault in self.faults)


def check_fec(name: str, stream: BinaryIO) -> Report:
    """Read a FEC line by line, in constant memory, and say all that is wrong with it."""
    return _Check(name).run(stream)


class _Check:
    def __init__(self, name: str) -> None:
        self.report = Report(name)
        self._count: Counter[str] = Counter()
        self._entry: tuple[str, str] | None = None
        self._balance = ZERO
        self._entry_line = 0
        self._entry_dates: tuple[str, str] = ("", "")
        self._ranks: dict[str, int] = {}
        self._last_valid = ""
        self._columns = COLUMNS
        self._row: dict[str, str] = {}
        self._line = 0

    def run(self, stream: BinaryIO) -> Report:
        if not _NAME.match(self.report.name):
            self._fault(
                "name", "", blocks=False,
                message=_("le nom devrait être SIREN, FEC puis la date de clôture : "
                "123456789FEC20261231.txt"),
            )  # fmt: skip
        rows = self._rows(stream)
        header = next(rows, None)
        if header is None:
            self._fault("empty", "", _("le fichier est vide"))
            return self.report
        if not self._knows(header):
            return self.report
        for row in rows:
            self._read(row)
        self._end_entry()
        self._line = 0
        if self.report.debit != self.report.credit:
            self._fault(
                "total", "",
                _("le total des débits (%(debit)s) n'est pas celui des crédits (%(credit)s)")
                % {"debit": self.report.debit, "credit": self.report.credit},
            )  # fmt: skip
        if not self.report.lines:
            self._fault("empty", "", _("aucune écriture"))
        self.report.faults.sort(key=lambda fault: fault.line)
        return self.report

    # --- The file ----------------------------------------------------------------------------

    def _rows(self, stream: BinaryIO) -> Iterator[list[str]]:
        separator = ""
        for raw in self._text(stream):
            self._line += 1
            text = raw.rstrip("\r\n")
            if not separator:
                separator = "\t" if "\t" in text else "|"
            if not text:
                self._fault("blank", "", _("ligne vide"))
                continue
            if separator == "\t" and "|" in text:
                self._fault("pipe", "", _("le caractère « | » est dans un texte"), blocks=False)
            yield text.split(separator)

    @staticmethod
    def _text(stream: BinaryIO) -> Iterator[str]:
        """UTF-8, else ISO-8859-15: both are allowed."""
        start, encoding = stream.tell(), "utf-8"
        try:
            for raw in stream:
                raw.decode(encoding)
        except UnicodeDecodeError:
            encoding = "iso-8859-15"
        stream.seek(start)
        for raw in stream:
            yield raw.decode(encoding).removeprefix("\ufeff")

    @staticmethod
    def _plain(name: str) -> str:
        return re.sub(r"[^a-z0-9]", "", name.strip().casefold())

    def _knows(self, header: list[str]) -> bool:
        """The 18 columns in their order, with debit and credit or with amount and side."""
        given = [self._plain(name) for name in header]
        for columns in (COLUMNS, _WITH_SIDE):
            if given == [self._plain(name) for name in columns]:
                self._columns = columns
                return True
        missing = [name for name in COLUMNS if self._plain(name) not in given]
        message = (
            _("il manque les colonnes %s") % ", ".join(missing)
            if missing
            else _("les 18 colonnes ne sont pas dans l'ordre imposé, ou il y en a d'autres")
        )
        self._fault("header", "", message)
        return False

    # --- A line --------------------------------------------------------------------------------

    def _read(self, row: list[str]) -> None:
        if len(row) != len(COLUMNS):
            self._fault(
                "width", "",
                _("%(count)s champs au lieu de %(wanted)s")
                % {"count": len(row), "wanted": len(COLUMNS)},
            )  # fmt: skip
            return
        self._row = dict(zip(self._columns, row, strict=True))
        self.report.lines += 1
        for name in REQUIRED:
            if not self._row[name].strip():
                self._fault(f"blank {name}", name, _("champ obligatoire vide"))
        for name in _DATES:
            self._check_date(name)
        for one, other in _PAIRS:
            if bool(self._row[one].strip()) != bool(self._row[other].strip()):
                self._fault(
                    f"pair {one}", one, _("%s doit être rempli avec lui, ou vide aussi") % other,
                    blocks=False,
                )  # fmt: skip
        if self._row["CompteNum"].strip() and not _ACCOUNT.match(self._row["CompteNum"]):
            self._fault(
                "account", "CompteNum",
                _("« %s » : un compte commence par trois chiffres") % self._row["CompteNum"],
            )  # fmt: skip
        if self._columns is COLUMNS:
            self._add(self._amount("Debit"), self._amount("Credit"))
        else:
            self._add_side(self._amount("Montant"), self._row["Sens"].strip().upper())

    def _check_date(self, name: str) -> None:
        text = self._row[name].strip()
        if text and _day(text) is None:
            self._fault(
                f"date {name}", name, _("« %s » n'est pas une date AAAAMMJJ") % text
            )  # fmt: skip

    def _amount(self, name: str) -> Decimal:
        text = self._row[name].strip()
        if not text:
            return ZERO
        if not _AMOUNT.match(text):
            self._fault(
                f"amount {name}", name,
                _("« %s » n'est pas un montant : une virgule, pas d'espace") % text,
            )  # fmt: skip
            return ZERO
        return Decimal(text.replace(",", "."))

    def _add_side(self, amount: Decimal, side: str) -> None:
        if side not in _DEBIT | _CREDIT:
            self._fault("sens", "Sens", _("« %s » n'est ni D ni C (ni +1 ni -1)") % side)
        if side in _CREDIT:
            self._add(ZERO, amount)
        else:
            self._add(amount, ZERO)

    def _add(self, debit: Decimal, credit: Decimal) -> None:
        self.report.debit += debit
        self.report.credit += credit
        if bool(debit) == bool(credit):
            self._fault(
                "side", "Debit", _("une ligne est au débit ou au crédit, pas les deux ni aucun"),
                blocks=False,
            )  # fmt: skip
        entry = (self._row["JournalCode"], self._row["EcritureNum"])
        if entry != self._entry:
            self._end_entry()
            self._begin_entry(entry)
        self._balance += debit - credit
        dates = (self._row["EcritureDate"], self._row["ValidDate"])
        if dates != self._entry_dates:
            self._fault(
                "dates", "EcritureDate", _("les lignes d'une écriture ont des dates différentes")
            )

    # --- An entry ------------------------------------------------------------------------------

    def _begin_entry(self, entry: tuple[str, str]) -> None:
        journal, number = entry
        self._entry, self._balance, self._entry_line = entry, ZERO, self._line
        self._entry_dates = (self._row["EcritureDate"], self._row["ValidDate"])
        self.report.entries += 1
        self.report.journals[journal] = self.report.journals.get(journal, 0) + 1
        valid = self._row["ValidDate"]
        if valid and valid < self._last_valid:
            self._fault(
                "order", "ValidDate", _("validée avant l'écriture précédente"), blocks=False
            )
        self._last_valid = max(valid, self._last_valid)
        rank = _RANK.search(number)
        if rank is None:
            return
        value, before = int(rank.group(1)), self._ranks.get(journal)
        if before is not None and value != before + 1:
            self._fault(
                "number", "EcritureNum",
                _("%(number)s suit le n° %(before)s du journal %(journal)s : il manque un numéro, "
                  "ou l'ordre n'est pas le bon")
                % {"number": number, "before": before, "journal": journal},
                blocks=False,
            )  # fmt: skip
        self._ranks[journal] = value

    def _end_entry(self) -> None:
        if self._entry and self._balance:
            line, self._line = self._line, self._entry_line
            self._fault(
                "balance", "EcritureNum",
                _("l'écriture %(number)s n'est pas équilibrée : écart %(gap)s")
                % {"number": self._entry[1], "gap": f"{self._balance:.2f}".replace(".", ",")},
            )  # fmt: skip
            self._line = line

    def _fault(self, kind: str, column: str, message: str, *, blocks: bool = True) -> None:
        self._count[kind] += 1
        if self._count[kind] <= NAMED:
            self.report.faults.append(Fault(self._line, column, message, blocks))
        else:
            self.report.more[message] = self.report.more.get(message, 0) + 1


def _day(text: str) -> date | None:
    if not re.fullmatch(r"\d{8}", text):
        return None
    try:
        return datetime.strptime(text, "%Y%m%d").replace(tzinfo=PARIS).date()
    except ValueError:
        return None
