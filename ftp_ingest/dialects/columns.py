"""A row seen by the names of its fields, whatever the file calls its columns."""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from decimal import Decimal

from ftp_ingest.dialects.base import Header, Row, heading
from sphinx.core import cells
from sphinx.core.clock import PARIS
from sphinx.core.money import to_cents

# A field's names, the shop's own first; folded when compared.
Aliases = Mapping[str, tuple[str, ...]]


class Columns:
    """Where the fields of a dialect stand in one file."""

    def __init__(self, header: Header, aliases: Aliases) -> None:
        self.place = {
            field: header.place(*(heading(name) for name in names))
            for field, names in aliases.items()
        }
        # What messages call a column: as the file does, else as the shop usually does.
        self.name = {
            field: header.shown[place] if (place := self.place[field]) >= 0 else names[0]
            for field, names in aliases.items()
        }
        self.day_first: bool | None = True
        self.zone: tzinfo = PARIS

    def has(self, *fields: str) -> bool:
        """True when the file has a column for each of the fields."""
        return all(self.place[field] >= 0 for field in fields)

    def has_any(self, *fields: str) -> bool:
        """True when the file has a column for one of the fields."""
        return any(self.place[field] >= 0 for field in fields)

    def entry(self, row: Row) -> "Entry":
        """The row, to be read field by field."""
        return Entry(self, row)


def known_names(aliases: Aliases) -> frozenset[str]:
    """Every folded name of the fields, to recognise a header by."""
    return frozenset(heading(name) for names in aliases.values() for name in names)


class Entry:
    """One row; every reader raises InputError naming line and column."""

    __slots__ = ("_cells", "_columns", "_name", "_place", "line")

    # Every cell of every file is read here: each method takes its cell itself.
    def __init__(self, columns: Columns, row: Row) -> None:
        self._columns, self._place, self._name = columns, columns.place, columns.name
        self.line, self._cells = row

    def raw(self, field: str) -> str:
        """The cell as it stands; blank when there is no such column."""
        return self._cells[self._place[field]]

    def filled(self, field: str) -> bool:
        """True when the cell holds something."""
        return bool(self._cells[self._place[field]].strip())

    def text(self, field: str) -> str:
        """Cleaned text, without the apostrophe that keeps it from being a formula."""
        return cells.text(self._cells[self._place[field]])

    def maybe(self, field: str) -> str:
        """Cleaned text; blank for a field that this dialect doesn't have."""
        return cells.text(self._cells[self._place.get(field, -1)])

    def plain(self, field: str) -> str:
        """Cleaned text without the apostrophe that keeps spreadsheets from reading a number."""
        return cells.unquoted(self._cells[self._place[field]])

    def number(self, field: str) -> Decimal:
        """A signed number; blank is 0."""
        return cells.number(self._cells[self._place[field]], self.line, self._name[field])

    def cents(self, field: str) -> Decimal:
        """A signed amount in EUR, rounded half up to cents; blank is 0."""
        return to_cents(self.number(field))

    def amount(self, field: str) -> Decimal:
        """An amount in EUR of 0 or more, rounded half up to cents; blank is 0."""
        return cells.amount(self._cells[self._place[field]], self.line, self._name[field])

    def size(self, field: str) -> Decimal:
        """An amount in EUR without its sign: some shops write discounts negative."""
        return abs(self.cents(field))

    def price(self, field: str) -> Decimal:
        """A unit price of 0 or more, with the shop's decimals."""
        return cells.price(self._cells[self._place[field]], self.line, self._name[field])

    def quantity(self, field: str) -> Decimal:
        """Pieces, above 0."""
        return cells.quantity(self._cells[self._place[field]], self.line, self._name[field])

    def pieces(self, field: str) -> Decimal | None:
        """Pieces without their sign (some shops write what came back negative); None when blank.

        Also None for a field that this dialect doesn't have.
        """
        text = self._cells[self._place.get(field, -1)]
        return abs(cells.number(text, self.line, self._name[field])) if text.strip() else None

    def maybe_size(self, field: str) -> Decimal | None:
        """An amount in EUR without its sign; None when blank: it says nothing."""
        return self.size(field) if self.filled(field) else None

    def rate(self, field: str) -> Decimal | None:
        """A VAT rate in percent; None when blank."""
        return cells.rate(self._cells[self._place[field]], self.line, self._name[field])

    def moment(self, field: str) -> datetime:
        """A date and time in the file's order and zone."""
        columns = self._columns
        return cells.moment(
            self.raw(field),
            self.line,
            columns.name[field],
            day_first=columns.day_first,
            zone=columns.zone,
        )

    def maybe_moment(self, field: str) -> datetime | None:
        """The same; None when blank, or for a field that this dialect doesn't have."""
        return self.moment(field) if field in self._place and self.filled(field) else None

    def yes(self, field: str) -> bool:
        """True for yes, oui, true, 1…"""
        return cells.yes(self.raw(field))

    def country(self, field: str) -> str:
        """ISO 3166-1 alpha-2, blank when unknown."""
        return cells.country(self._cells[self._place[field]])

    def column(self, field: str) -> str:
        """What the file calls the field's column."""
        return self._name[field]
