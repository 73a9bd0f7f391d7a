"""Records grouped into drafts: one order may stand on many rows, even rows far apart.

Two passes: the first sees which keys come back after others (and checks nothing else), the
second holds only those orders in memory until their last row.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.drafts import CustomerDraft
from ftp_ingest.dialects.base import Dialect, OrderReader, Row
from ftp_ingest.reading.checks import check_first_row, with_a_sure_ref, without_spoilt_keys
from ftp_ingest.reading.fingerprints import row_hasher
from ftp_ingest.reading.recognition import FileFormat
from ftp_ingest.reading.records import Record, Records, Region
from sales.drafts import OrderDraft
from sphinx.core.cells import DateOrder
from sphinx.core.errors import InputError


class Fault(NamedTuple):
    """A row or an order that can't become a draft; `cause` is what it shares with others.

    `subject` is what it asks about: the words of a state that nobody knows.
    """

    line: int
    column: str
    code: str
    message: str
    external_id: str = ""
    number: str = ""
    cause: str = ""
    subject: str = ""


# An order's key in one of the exports pasted into a file.
_Place = tuple[int, str]


@dataclass
class Survey:
    """What the first pass saw: rows with content, and the last line of keys that come back."""

    rows: int = 0
    last_lines: dict[_Place, int] = field(default_factory=dict)
    # Orders that several of the exports pasted into the file have.
    repeated: set[str] = field(default_factory=set)
    # Lines that broken quotes keep from being told from text.
    held: list[Region] = field(default_factory=list)
    dates: DateOrder = field(default_factory=DateOrder)


_FAULTS = {
    "unbalanced": (
        "row.unbalanced_quotes",
        gettext_lazy(
            "Ligne %(line)s : guillemets non refermés ou coupure de ligne dans une cellule. "
            "Corrigez la ligne dans l'export."
        ),
    ),
    "torn": (
        "row.torn_quotes",
        gettext_lazy(
            "Lignes %(line)s à %(last)s : un guillemet manque, on ne peut plus distinguer les "
            "commandes du texte d'une cellule. Rien n'en est repris : refaites l'export."
        ),
    ),
    "too_long": (
        "row.too_long",
        gettext_lazy(
            "Ligne %(line)s : plus de deux millions de caractères pour une seule ligne du tableau. "
            "Raccourcissez la note à la boutique."
        ),
    ),
    "other_header": (
        "row.other_header",
        gettext_lazy(
            "Ligne %(line)s : un second en-tête, aux colonnes différentes. Rien de ce qui suit "
            "n'est lu : déposez chaque export dans son propre fichier."
        ),
    ),
    "ragged": (
        "row.ragged",
        gettext_lazy(
            "Ligne %(line)s : plus de cellules que de colonnes. Un séparateur se trouve sans doute "
            "dans un texte sans guillemets."
        ),
    ),
    "cut": (
        "row.cut",
        gettext_lazy("Ligne %(line)s : ligne incomplète, le fichier a pu être coupé."),
    ),
    "ended": (
        "row.cut",
        gettext_lazy("Ligne %(line)s : le fichier s'arrête au milieu de cette ligne."),
    ),
    "undecodable": (
        "row.undecodable",
        gettext_lazy("Ligne %(line)s : caractères illisibles. Exportez tout le fichier en UTF-8."),
    ),
}
_HOLDS_THE_ORDER_ABOVE = ("torn", "ended", "other_header")


def _fault(record: Record, key: str = "") -> Fault:
    code, message = _FAULTS[record.fault]
    shown = {"line": record.line, "last": record.last}
    return Fault(record.line, "", code, str(message) % shown, key, key)


def survey(path: Path, file_format: FileFormat) -> Survey:
    """Count rows and find the orders whose rows lie apart."""
    seen = Survey()
    if file_format.dialect is None:
        return seen
    if file_format.kind != "orders":
        records = Records(path, file_format)
        seen.rows = sum(1 for _record in records)
        seen.held = records.torn
        return seen
    reader = file_format.dialect.orders(file_format.header)
    known: set[_Place] = set()
    sections: dict[str, int] = {}
    current: _Place = (0, "")
    records = Records(path, file_format)
    for record in records:
        seen.rows += 1
        place = (record.section, _key(record, reader, file_format) or current[1])
        if place in known and (place != current or place in seen.last_lines):
            seen.last_lines[place] = record.line
        if place not in known and sections.setdefault(place[1], record.section) != record.section:
            seen.repeated.add(place[1])
        known.add(place)
        current = place
        if not record.fault:
            for column in reader.date_places:
                seen.dates.see(record.cells[column])
    seen.held = records.torn
    return seen


class RawOrder(NamedTuple):
    """The rows of one order, not yet understood; `raw_hash` knows them again."""

    key: str
    rows: list[Row]
    fault: Fault | None
    raw_hash: str

    @property
    def line(self) -> int:
        """Where it begins in the file."""
        return self.fault.line if self.fault else self.rows[0].line


class OrderFile:
    """A file of orders: their rows first, each order once, then what they mean.

    `states` is what the shop says of its own states: folded phrase → meaning.
    """

    def __init__(
        self,
        path: Path,
        file_format: FileFormat,
        seen: Survey,
        states: Mapping[str, str] | None = None,
    ) -> None:
        dialect: Dialect | None = file_format.dialect
        assert dialect is not None  # noqa: S101
        self._path, self._format, self._seen = path, file_format, seen
        self._reader = dialect.orders(file_format.header)
        self._reader.read_dates(day_first=seen.dates.day_first)
        self._reader.states = states or {}
        self._hash = row_hasher(file_format, day_first=seen.dates.day_first, states=states)

    def raw_orders(self, only: Collection[str] | None = None) -> Iterator[RawOrder]:
        """The orders of the file, each once; of some keys when asked."""
        repeated: dict[str, list[RawOrder]] = {}
        for key, rows, fault in _groups(self._path, self._format, self._reader, self._seen):
            if only is not None and key not in only:
                continue
            raw = RawOrder(key, rows, fault, "" if fault else self._hash(rows))
            if key in self._seen.repeated:
                repeated.setdefault(key, []).append(raw)
            else:
                yield raw
        yield from map(_only_version, repeated.values())

    def draft(self, raw: RawOrder) -> OrderDraft | Fault:
        """The order, or what is wrong with it."""
        key = raw.key
        if raw.fault is not None:
            # An order with an unreadable row is not half an order.
            return raw.fault._replace(external_id=key, number=key) if key else raw.fault
        try:
            check_first_row(self._reader, raw.rows[0], self._format.header)
            draft = without_spoilt_keys(self._reader.draft(raw.rows))
            return draft._replace(raw_hash=raw.raw_hash)
        except InputError as error:
            line = error.line or raw.line
            shared = error.context.get("cause", ""), error.context.get("status", "")
            return Fault(line, error.column, error.code, error.message, key, key, *shared)


def _only_version(versions: Sequence[RawOrder]) -> RawOrder:
    """An order that several pasted exports have: once, if they agree."""
    first, last = versions[0], versions[-1]
    if any(version.fault or version.raw_hash != first.raw_hash for version in versions):
        message = _(
            "Commande %(number)s : elle figure plusieurs fois dans le fichier, différemment "
            "(lignes %(first)s et %(last)s). Gardez une seule version, la plus récente."
        ) % {"number": first.key, "first": first.line, "last": last.line}
        fault = Fault(last.line, "", "order.contradiction", message, first.key, first.key)
        return first._replace(fault=fault, raw_hash="")
    return first


def order_drafts(
    path: Path,
    file_format: FileFormat,
    seen: Survey,
    only: Collection[str] | None = None,
    states: Mapping[str, str] | None = None,
) -> Iterator[OrderDraft | Fault]:
    """The orders of a file, each once, or what is wrong with them; of some keys when asked."""
    file = OrderFile(path, file_format, seen, states)
    return (file.draft(raw) for raw in file.raw_orders(only))


_Group = tuple[str, list[Row], Fault | None]


class _Open:
    """The rows of one order seen so far, and the first fault among them."""

    def __init__(self, place: _Place) -> None:
        self.place = place
        self.key = place[1]
        self.rows: list[Row] = []
        self.fault: Fault | None = None

    def add(self, record: Record) -> None:
        if record.fault:
            self.fault = self.fault or _fault(record, self.key)
        else:
            self.rows.append(Row(record.line, record.cells))

    def doubt(self, record: Record) -> None:
        """The rows that can't be read may be this order's too."""
        if self.fault is None:
            self.fault = _fault(record, self.key)._replace(line=self.rows[0].line)

    def group(self) -> _Group:
        return self.key, self.rows, self.fault


class _Grouper:
    """Puts the rows of each order together; gives an order out at its last row."""

    def __init__(self, last_lines: dict[_Place, int]) -> None:
        self._last_lines = last_lines
        self._apart: dict[_Place, _Open] = {}
        self._current: _Open | None = None

    def feed(self, key: str, record: Record) -> Iterator[_Group]:
        """Take one row; `key` is blank when it goes on with the order above."""
        above = self._current
        # A key that was cut begins like the whole one.
        if record.fault in _HOLDS_THE_ORDER_ABOVE and above and above.key.startswith(key):
            above.doubt(record)
        place = (record.section, key)
        if key and (self._current is None or place != self._current.place):
            yield from self._leave_current()
            self._current = self._apart.get(place) or _Open(place)
            if place in self._last_lines:
                self._apart[place] = self._current
        if self._current is None:
            yield "", [], _fault(record) if record.fault else _no_key(record)
            return
        self._current.add(record)
        if self._last_lines.get(self._current.place) == record.line:
            yield self._apart.pop(self._current.place).group()
            self._current = None

    def end(self) -> Iterator[_Group]:
        """What is still open at the end of the file."""
        yield from self._leave_current()
        yield from (held.group() for held in self._apart.values())

    def _leave_current(self) -> Iterator[_Group]:
        if self._current is not None and self._current.place not in self._apart:
            yield self._current.group()
        self._current = None


def _no_key(record: Record) -> Fault:
    message = _("Ligne %(line)s : aucun numéro de commande.") % {"line": record.line}
    return Fault(record.line, "", "row.no_key", message)


def _groups(
    path: Path, file_format: FileFormat, reader: OrderReader, seen: Survey
) -> Iterator[_Group]:
    grouper = _Grouper(seen.last_lines)
    for record in Records(path, file_format, seen.held):
        if record.fault or not reader.is_total(record.cells):
            yield from grouper.feed(_key(record, reader, file_format), record)
    yield from grouper.end()


def _key(record: Record, reader: OrderReader, file_format: FileFormat) -> str:
    """The order that a row belongs to, even of a row that can't be used."""
    if not record.fault:
        return reader.key(record.cells)
    width = len(file_format.header.names)
    cells = [*record.cells[:width], *[""] * (width - len(record.cells)), ""]
    return reader.key(cells).encode("utf-8", "replace").decode()


def customer_drafts(
    path: Path, file_format: FileFormat, seen: Survey
) -> Iterator[CustomerDraft | Fault]:
    """The customers of a file, or what is wrong with them."""
    dialect = file_format.dialect
    assert dialect is not None  # noqa: S101
    reader = dialect.customers(file_format.header)
    for record in Records(path, file_format, seen.held):
        if record.fault:
            yield _fault(record)
            continue
        try:
            draft = reader.draft(Row(record.line, record.cells))
            draft = draft and with_a_sure_ref(draft)
        except InputError as error:
            yield Fault(error.line or record.line, error.column, error.code, error.message)
        else:
            if draft is not None:
                yield draft


def rows_of_order(path: Path, file_format: FileFormat, seen: Survey, key: str) -> list[Row]:
    """The rows of one order as they stand in the file, even those that can't be read."""
    dialect = file_format.dialect
    assert dialect is not None  # noqa: S101
    reader = dialect.orders(file_format.header)
    current, found = "", []
    for record in Records(path, file_format, seen.held):
        current = _key(record, reader, file_format) or current
        if current == key:
            found.append(Row(record.line, record.cells))
    return found
