"""What a file is: its encoding, its delimiter, its header, and whose dialect it speaks."""

import codecs
import csv
import io
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from django.utils.translation import gettext as _

from ftp_ingest.dialects import Dialect, Header, dialects, find_dialect
from ftp_ingest.dialects.base import CUSTOMERS
from ftp_ingest.dialects.vocabulary import sells_goods
from ftp_ingest.errors import FileRefused
from sphinx.core import workbooks

HEAD_BYTES = 256 * 1024
# Lines that programs write above the header: a title, the shop, the period.
HEAD_RECORDS = 20
DELIMITERS = ";,\t|"
MAX_COLUMNS = 2000
LEAST_COLUMNS = 2
WORKBOOK = "xlsx"
# What files that are no table start with.
_LOOKS_LIKE = (
    (b"%PDF", "un PDF"),
    (b"\x1f\x8b", "un fichier compressé (gzip)"),
    (b"\xd0\xcf\x11\xe0", "un ancien classeur Excel (.xls) : enregistrez-le en .xlsx ou en CSV"),
)
_UTF16 = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
# Excel saves a row that it took for one cell so: quoted whole, its quotes doubled.
_WRAPPED = re.compile(r'"((?:[^"]|"")*)"[;,\t ]*')
# A title of a column: words, some signs, a number perhaps; no letters and digits mixed as in keys.
_TITLE = re.compile(r"[^\W\d_][\w .,:()\[\]/'’%°€$#?&*+-]{0,59}")
_CODE = re.compile(r"[^\W_]{21}|\d{5}|(?:[A-Za-z]+\d+){2}|\d[A-Za-z]+\d")


@dataclass(frozen=True)
class FileFormat:
    """How to read a file. `kind` is customers, orders, or "" for a file without content.

    `sheet` names the sheet of a workbook; "" for a text.
    """

    encoding: str
    delimiter: str
    header: Header
    header_line: int
    dialect: Dialect | None
    kind: str
    sheet: str = ""


class _Head(NamedTuple):
    """The first records of a file, read one way: line and cells."""

    delimiter: str
    sheet: str
    records: list[tuple[int, list[str]]]


def recognise(
    path: Path, dialect_code: str = "auto", own: Sequence[Dialect] = (), usual: str = "auto"
) -> FileFormat:
    """Recognise a file by what it holds, never by its name.

    `own` are the shop's own dialects, from the mapping assistant; `usual` is the one that the
    shop is set to, where `dialect_code` names none.

    Raises:
        FileRefused: it is no table, its header is unknown or lacks columns, or it has orders
            without lines. The message says which and what to do.
    """
    encoding, heads = _heads(path, HEAD_RECORDS)
    if not any(head.records for head in heads):
        return FileFormat(encoding, "", Header([]), 0, None, "")
    candidates = _candidates(dialect_code, own, usual)
    best: tuple[int, FileFormat] | None = None
    for head in heads:
        found = _header_in(head, encoding, candidates)
        if found is not None and (best is None or found[0] > best[0]):
            best = found
    if best is None:
        raise _unknown_header(heads)
    chosen = best[1]
    assert chosen.dialect is not None  # noqa: S101
    chosen.dialect.check_header(chosen.header, chosen.kind)
    return chosen


def _header_in(
    head: _Head, encoding: str, candidates: Sequence[Dialect]
) -> tuple[int, FileFormat] | None:
    """The first record that some dialect knows as its header, and how many columns agree."""
    for line, names in head.records:
        # Read with the wrong delimiter, or a title.
        if sum(bool(name.strip()) for name in names) < LEAST_COLUMNS:
            continue
        header = Header(names)
        best: tuple[int, Dialect, str] | None = None
        for dialect in candidates:
            kind, strength = dialect.recognise(header)
            if kind == CUSTOMERS and sells_goods(header):
                continue
            if kind and (best is None or strength > best[0]):
                best = (strength, dialect, kind)
        if best is not None:
            strength, dialect, kind = best
            found = FileFormat(encoding, head.delimiter, header, line, dialect, kind, head.sheet)
            return strength, found
    return None


def _unknown_header(heads: Sequence[_Head]) -> FileRefused:
    _head, (line, names) = _likely_header(heads)
    return FileRefused(
        _(
            "En-tête inconnu (%(columns)s). Ce n'est ni un export de commandes ni un export de "
            "clients reconnu : vérifiez l'export de la boutique, ou dites une fois dans "
            "l'assistant (Passerelle › Assistant) ce que contient chaque colonne."
        )
        % {"columns": ", ".join(titles(names)[:8]) or "?"},
        code="file.unknown_header",
        line=line,
    )


def titles(names: Sequence[str]) -> list[str]:
    """Those that look like titles of columns; none of a record that isn't made of them.

    What nobody recognised may be anything that lay in a folder: a key, a list of passwords.
    """
    filled = [name.strip() for name in names if name.strip()]
    found = [name for name in filled if _TITLE.fullmatch(name) and not _CODE.search(name)]
    return found if len(found) > 1 and len(found) * 2 > len(filled) else []


def _likely_header(heads: Sequence[_Head]) -> tuple[_Head, tuple[int, list[str]]]:
    """The first record that has most cells filled: what stands above is a title."""
    filled = [
        (sum(bool(cell.strip()) for cell in record[1]), -record[0], head, record)
        for head in heads
        for record in head.records
    ]
    _most, _line, head, record = max(filled, key=lambda item: item[:2])
    return head, record


@dataclass(frozen=True)
class Sample:
    """The beginning of a file of whatever kind: its header, some rows."""

    header: Header
    rows: list[list[str]]


def read_sample(path: Path, limit: int = 200) -> Sample:
    """The header and first rows of a table whose dialect nobody knows.

    Raises:
        FileRefused: it is no table, or holds nothing.
    """
    _encoding, heads = _heads(path, limit + HEAD_RECORDS)
    if not any(head.records for head in heads):
        raise FileRefused(_("Ce fichier est vide."), code="file.empty")
    tops = [head._replace(records=head.records[:HEAD_RECORDS]) for head in heads]
    head, (line, names) = _likely_header(tops)
    whole = next(h for h in heads if (h.delimiter, h.sheet) == (head.delimiter, head.sheet))
    rows = [cells for number, cells in whole.records if number > line]
    return Sample(Header(names), rows[:limit])


def _heads(path: Path, limit: int) -> tuple[str, list[_Head]]:
    """The file's encoding, and its first records read every way that it may be read."""
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    if head.startswith(workbooks.MAGIC):
        return WORKBOOK, _workbook_heads(path, limit)
    _refuse_foreign(head)
    encoding = detect_encoding(path)
    # The last line of what was read may be cut.
    text = head.decode(encoding, errors="replace")
    if len(head) == HEAD_BYTES:
        text = text[: text.rfind("\n") + 1] or text
    return encoding, [_Head(d, "", _csv_records(text, d, limit)) for d in DELIMITERS]


def _csv_records(text: str, delimiter: str, limit: int) -> list[tuple[int, list[str]]]:
    """The first records that aren't blank; Excel's own "sep=;" line is passed over."""
    # Lines as the whole file will be read: a vertical tab, which splitlines() knows, ends none.
    lines = map(unwrapped, io.StringIO(text, newline=""))
    reader = csv.reader(lines, delimiter=delimiter)
    found: list[tuple[int, list[str]]] = []
    before = 0
    try:
        for cells in islice(reader, limit * 5):
            line, before = before + 1, reader.line_num
            if len(cells) > MAX_COLUMNS:
                raise _too_many_columns(len(cells), line)
            first = cells[0].strip().strip("\ufeff").lower() if cells else ""
            if any(cell.strip(" \ufeff;,\t|") for cell in cells) and not first.startswith("sep="):
                found.append((line, cells))
            if len(found) >= limit:
                break
    except csv.Error:
        return found
    return found


def _workbook_heads(path: Path, limit: int) -> list[_Head]:
    """The first rows of each sheet, in the book's order."""
    if not workbooks.is_workbook(path):
        raise _not_csv("un ZIP (décompressez-le)")
    heads = []
    try:
        with path.open("rb") as stream, workbooks.opened(stream) as book:
            for sheet in book.worksheets:
                rows = enumerate(workbooks.rows_of(sheet, MAX_COLUMNS), start=1)
                filled = ((n, cells) for n, cells in islice(rows, limit * 5) if any(cells))
                heads.append(_Head("", sheet.title, list(islice(filled, limit))))
    except workbooks.ERRORS as error:
        raise unreadable_workbook(error) from error
    return heads


def lines_as_received(
    path: Path, encoding: str, wanted: Collection[int]
) -> Iterator[tuple[int, str]]:
    """Some lines of a file as they came, no further than the last; of a workbook its first sheet.

    `encoding` is what the file was recognised to have, "" for one that was refused.
    """
    if encoding == WORKBOOK:
        for head in _workbook_heads(path, max(wanted))[:1]:
            yield from ((n, " ; ".join(cells)) for n, cells in head.records if n in wanted)
        return
    with path.open(encoding=encoding or "utf-8", errors="replace", newline="") as stream:
        for number, text in enumerate(islice(stream, max(wanted)), start=1):
            if number in wanted:
                yield number, text.rstrip("\r\n")


def unreadable_workbook(error: Exception) -> FileRefused:
    """The refusal of a workbook that is damaged or too large."""
    if isinstance(error, workbooks.TooLarge):
        return FileRefused(
            _(
                "Ce classeur se déplie en plus de %(limit)s Mo, ou en trop de lignes : "
                "il n'est pas lu. Exportez au format CSV, par période."
            )
            % {"limit": workbooks.MAX_UNFOLDED // 1024**2},
            code="file.too_large",
        )
    return FileRefused(
        _("Ce classeur Excel est illisible : enregistrez-le à nouveau, ou exportez en CSV."),
        code="file.bad_workbook",
    )


def unwrapped(line: str) -> str:
    """The line that Excel took for one cell, as it was; any other as it is.

    No line inside a quoted cell looks so: quotes in it are doubled.
    """
    if line[:1] != '"':
        return line
    match = _WRAPPED.fullmatch(line.rstrip("\r\n"))
    if match is None or not any(sign in match[1] for sign in DELIMITERS):
        return line
    return match[1].replace('""', '"') + "\n"


def _candidates(code: str, own: Sequence[Dialect], usual: str) -> list[Dialect]:
    """The dialects to try: one that was named, else the shop's own, and its usual one or all."""
    if _is_open(code):
        mine = [dialect for dialect in own if dialect.code == code]
        return mine or [*own, *(dialects() if _is_open(usual) else [find_dialect(usual)])]
    return [find_dialect(code)]


def _is_open(code: str) -> bool:
    """True where no dialect of the product is named; a shop's own may have a newer version."""
    return code == "auto" or code.startswith("boutique-v")


def _refuse_foreign(head: bytes) -> None:
    for magic, what in _LOOKS_LIKE:
        if head.startswith(magic):
            raise _not_csv(what)
    if b"\x00" in head and not _utf16(head):
        raise _not_csv("un fichier binaire")
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:200].lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        raise _not_csv("une page web ou du XML (souvent une page d'erreur du site)")


def _utf16(head: bytes) -> str:
    """UTF-16 by its mark, or by the zero in each pair of bytes; "" for anything else."""
    if head[:2] in _UTF16:
        return _UTF16[head[:2]]
    start = head[:200]
    if len(start) >= 4 and start[1::2].count(0) * 10 >= len(start) * 4 and 0 not in start[::2]:  # noqa: PLR2004
        return "utf-16-le"
    return ""


def _not_csv(what: str) -> FileRefused:
    return FileRefused(
        _("Ce fichier ressemble à %(what)s, pas à un CSV. Refaites l'export au format CSV (UTF-8).")
        % {"what": what},
        code="file.not_csv",
        line=1,
    )


def _too_many_columns(count: int, line: int) -> FileRefused:
    return FileRefused(
        _("%(count)s colonnes : c'est plus que les %(limit)s permises.")
        % {"count": count, "limit": MAX_COLUMNS},
        code="file.too_many_columns",
        line=line,
    )


def detect_encoding(path: Path) -> str:
    """UTF-16 by its mark, UTF-8 when its bytes agree (with or without mark), else Windows-1252.

    A file that is UTF-8 but for a few bytes stays UTF-8: its bad rows are set aside.
    """
    with path.open("rb") as stream:
        start = stream.read(200)
    if utf16 := _utf16(start):
        return utf16
    name = "utf-8-sig" if start.startswith(codecs.BOM_UTF8) else "utf-8"
    good = bad = 0
    for text in _blocks(path):
        if text.isascii():
            continue
        # Counted by what encoding leaves out: a tenth of what a pattern costs.
        escaped = len(text) - len(text.encode("utf-8", "ignore").decode())
        bad += escaped
        good += len(text) - len(text.encode("ascii", "ignore")) - escaped
    return "cp1252" if bad >= good and bad else name


def _blocks(path: Path) -> Iterator[str]:
    """The file as UTF-8, block by block, with the bytes that aren't escaped."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            yield decoder.decode(block)
        yield decoder.decode(b"", final=True)
