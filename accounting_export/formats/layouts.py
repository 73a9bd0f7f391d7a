"""The two shapes of text files that programs import, as tables of fields.

A format reads like its documentation: a row a field, with its place, its width, what goes there and
what becomes of a value that is too long. Amounts, accounts and codes that don't fit are refused;
labels are cut and piece numbers keep their end, and each cut is counted.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import BinaryIO, NamedTuple

from django.utils.translation import gettext as _

from accounting_export.errors import DoesNotFit
from accounting_export.formats.texts import in_charset, text
from accounting_export.selectors import ExportLine

Cuts = Counter[str]
REFUSE, CUT, KEEP_END = "refuse", "cut", "keep_end"
LEFT, RIGHT = "left", "right"
ASCII, ANSI, UTF8 = "ascii", "cp1252", "utf-8"


class Row(NamedTuple):
    """A journal line and its place: the line's and its entry's rank in the file, from 1."""

    line: ExportLine
    rank: int
    entry: int


@dataclass(frozen=True)
class Field:
    """One field: its name in the format's documentation, its value, its width in characters.

    `start` is its first position, from 1, where fields have places.
    """

    name: str
    value: Callable[[Row], str]
    width: int = 0
    too_long: str = REFUSE
    start: int = 0
    align: str = LEFT
    pad: str = " "
    is_quoted: bool = False


def fixed(name: str, word: str, start: int = 0) -> Field:
    """A field that always says the same."""
    return Field(name, lambda _row: word, len(word), start=start)


def rows_of(lines: Iterable[ExportLine]) -> Iterator[Row]:
    """The lines with their ranks."""
    entry, last = 0, None
    for rank, line in enumerate(lines, start=1):
        if line.entry_id != last:
            entry, last = entry + 1, line.entry_id
        yield Row(line, rank, entry)


def fit(field: Field, row: Row, charset: str, cuts: Cuts) -> str:
    """The field's value in the charset and no wider than it may be.

    Raises:
        DoesNotFit: it is too long, and it is none of those that are cut.
    """
    value = in_charset(field.value(row), charset)
    if not field.width or len(value) <= field.width:
        return value
    if field.too_long == REFUSE:
        raise DoesNotFit(
            _(
                "Écriture %(entry)s : « %(value)s » est trop long pour le champ %(field)s "
                "(%(width)s caractères) ; rien n'est écrit."
            )
            % {
                "entry": row.line.number,
                "value": value,
                "field": field.name,
                "width": field.width,
            }
        )
    cuts[f"{field.name} ({field.width})"] += 1
    return value[: field.width] if field.too_long == CUT else value[-field.width :]


class Delimited:
    """Values between separators, a line each."""

    separator = ";"
    end = "\r\n"
    charset = UTF8
    has_header = False
    fields: Sequence[Field] = ()

    def write(self, lines: Iterable[ExportLine], stream: BinaryIO) -> Cuts:
        """Write the lines; returns how often each field was cut."""
        cuts: Cuts = Counter()
        if self.has_header:
            self._put(stream, [field.name for field in self.fields])
        for row in rows_of(lines):
            values = [fit(field, row, self.charset, cuts) for field in self.fields]
            pairs = zip(self.fields, values, strict=True)
            self._put(stream, [f'"{v}"' if field.is_quoted else v for field, v in pairs])
        return cuts

    def _put(self, stream: BinaryIO, values: Sequence[str]) -> None:
        stream.write((self.separator.join(values) + self.end).encode(self.charset))


class FixedWidth:
    """Fields at fixed places; each line is `length` bytes."""

    end = "\r\n"
    charset = ASCII
    length = 0
    fields: Sequence[Field] = ()

    def write(self, lines: Iterable[ExportLine], stream: BinaryIO) -> Cuts:
        """Write the lines; returns how often each field was cut."""
        cuts: Cuts = Counter()
        for row in rows_of(lines):
            stream.write(self.record(self.fields, row, cuts, self.length))
        return cuts

    def record(self, fields: Sequence[Field], row: Row, cuts: Cuts, length: int) -> bytes:
        """One line of `length` characters; a byte is a character in these charsets."""
        written = bytearray(b" " * length)
        for field in fields:
            value = fit(field, row, self.charset, cuts)
            whole = (
                value.rjust(field.width, field.pad)
                if field.align == RIGHT
                else value.ljust(field.width, field.pad)
            )
            start = field.start - 1
            written[start : start + field.width] = whole.encode(self.charset)
        return bytes(written) + self.end.encode()


# --- What fields say ------------------------------------------------------------------------


def journal(row: Row) -> str:
    return text(row.line.journal)


def account(row: Row) -> str:
    return text(row.line.account)


def auxiliary(row: Row) -> str:
    return text(row.line.auxiliary)


def third_party_or_account(row: Row) -> str:
    """The auxiliary account where there is one, else the general one."""
    return auxiliary(row) or account(row)


def account_in(width: int) -> Callable[[Row], str]:
    """The same in an account of `width` digits: zeros at the end may go, nothing else."""

    def value(row: Row) -> str:
        found = third_party_or_account(row)
        if row.line.auxiliary or len(found) <= width:
            return found
        return found[:width] if not found[width:].strip("0") else found

    return value


def third_party_or_account_label(row: Row) -> str:
    return text(row.line.auxiliary_label or row.line.account_label)


def account_label(row: Row) -> str:
    return text(row.line.account_label)


def wording(row: Row) -> str:
    return text(row.line.label)


def piece(row: Row) -> str:
    return text(row.line.piece_ref)


def number(row: Row) -> str:
    return text(row.line.number)


def side(row: Row) -> str:
    return "D" if row.line.debit else "C"


_KINDS = {
    "invoice": "FC",
    "credit_note": "AC",
    "purchase": "FF",
    "purchase_credit_note": "AF",
    "payment": "RC",
}


def document_kind(row: Row) -> str:
    """The kind of document as Cegid and Sage code it; OD for what is none of theirs."""
    return _KINDS.get(row.line.document, "OD")


def lettering(row: Row) -> str:
    return row.line.lettering or ""


def section(row: Row) -> str:
    return text(row.line.section)


def day(pattern: str) -> Callable[[Row], str]:
    """The entry's date."""
    return lambda row: row.line.entry_date.strftime(pattern)


def due(pattern: str, none: str = "") -> Callable[[Row], str]:
    """The day on which a customer or supplier must pay, on its own line only."""

    def value(row: Row) -> str:
        found: date | None = row.line.due_on if row.line.auxiliary else None
        return found.strftime(pattern) if found else none

    return value


def amount(write: Callable[..., str]) -> Callable[[Row], str]:
    """The line's amount, whatever its side."""
    return lambda row: write(row.line.debit or row.line.credit)


def debit(write: Callable[..., str], *, blank: bool = False) -> Callable[[Row], str]:
    """The debit; nothing on a line of credit where `blank`, else 0."""
    return lambda row: "" if blank and not row.line.debit else write(row.line.debit)


def credit(write: Callable[..., str], *, blank: bool = False) -> Callable[[Row], str]:
    """The credit; nothing on a line of debit where `blank`, else 0."""
    return lambda row: "" if blank and not row.line.credit else write(row.line.credit)
