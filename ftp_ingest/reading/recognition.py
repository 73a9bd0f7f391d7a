"""What a file is: its encoding, its delimiter, its header, and whose dialect it speaks."""

import codecs
import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from django.utils.translation import gettext as _

from ftp_ingest.dialects import Dialect, Header, dialects, find_dialect
from ftp_ingest.errors import FileRefused

HEAD_BYTES = 256 * 1024
DELIMITERS = ";,\t|"
MAX_COLUMNS = 2000
# What files that are no CSV start with.
_LOOKS_LIKE = (
    (b"PK\x03\x04", "un ZIP ou un classeur Excel"),
    (b"%PDF", "un PDF"),
    (b"\x1f\x8b", "un fichier compressé (gzip)"),
    (b"\xd0\xcf\x11\xe0", "un ancien classeur Excel"),
    (b"\xff\xfe", "un texte UTF-16"),
    (b"\xfe\xff", "un texte UTF-16"),
)


@dataclass(frozen=True)
class FileFormat:
    """How to read a file. `kind` is customers, orders, or "" for a file without content."""

    encoding: str
    delimiter: str
    header: Header
    header_line: int
    dialect: Dialect | None
    kind: str


def recognise(path: Path, dialect_code: str = "auto", own: Sequence[Dialect] = ()) -> FileFormat:
    """Recognise a file by what it holds, never by its name.

    `own` are the shop's own dialects, from the mapping assistant.

    Raises:
        FileRefused: it isn't CSV, its header is unknown or lacks columns, or it has orders
            without lines. The message says which and what to do.
    """
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    _refuse_foreign(head)
    encoding = detect_encoding(path)
    text = head.decode(encoding, errors="replace")
    found = _first_record(text)
    if found is None:
        return FileFormat(encoding, "", Header([]), 0, None, "")
    start, header_line = found
    candidates = _candidates(dialect_code, own)
    best: tuple[int, FileFormat] | None = None
    widest = Header([])
    for delimiter in DELIMITERS:
        names = _parse_header(start, delimiter)
        header = Header(names)
        if len(names) > len(widest.names):
            widest = header
        for dialect in candidates:
            kind, strength = dialect.recognise(header)
            if kind and (best is None or strength > best[0]):
                best = (
                    strength,
                    FileFormat(encoding, delimiter, header, header_line, dialect, kind),
                )
    if best is None:
        raise FileRefused(
            _(
                "En-tête inconnu (%(columns)s). Ce n'est ni un export de commandes ni un export de "
                "clients reconnu : vérifiez l'export de la boutique, ou dites une fois dans "
                "l'assistant (Passerelle › Assistant) ce que contient chaque colonne."
            )
            % {"columns": ", ".join(widest.names[:8]) or "?"},
            code="file.unknown_header",
            line=header_line,
        )
    chosen = best[1]
    assert chosen.dialect is not None  # noqa: S101
    chosen.dialect.check_header(chosen.header, chosen.kind)
    return chosen


@dataclass(frozen=True)
class Sample:
    """The beginning of a file of whatever kind: its header, some rows."""

    header: Header
    rows: list[list[str]]


def read_sample(path: Path, limit: int = 200) -> Sample:
    """The header and first rows of a CSV whose dialect nobody knows.

    Raises:
        FileRefused: it is no CSV, or holds nothing.
    """
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    _refuse_foreign(head)
    text = head.decode(detect_encoding(path), errors="replace")
    found = _first_record(text)
    if found is None:
        raise FileRefused(_("Ce fichier est vide."), code="file.empty")
    parsed = {d: _parse_header(found[0], d) for d in DELIMITERS}
    delimiter = max(parsed, key=lambda d: len(parsed[d]))
    lines = found[0].splitlines(keepends=True)
    # The last line may be cut.
    whole = lines if len(head) < HEAD_BYTES else lines[:-1]
    try:
        rows = list(islice(csv.reader(whole, delimiter=delimiter), 1, limit + 1))
    except csv.Error:
        rows = []
    return Sample(Header(parsed[delimiter]), [row for row in rows if any(row)])


def _candidates(code: str, own: Sequence[Dialect]) -> list[Dialect]:
    """The dialects to try: one that was named, else the shop's own and all others."""
    mine = [dialect for dialect in own if dialect.code == code]
    if code == "auto" or code.startswith("boutique-v"):
        return mine or [*own, *dialects()]
    return [find_dialect(code)]


def _refuse_foreign(head: bytes) -> None:
    for magic, what in _LOOKS_LIKE:
        if head.startswith(magic):
            raise _not_csv(what)
    if b"\x00" in head:
        raise _not_csv("un fichier binaire ou un texte UTF-16")
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:200].lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        raise _not_csv("une page web ou du XML (souvent une page d'erreur du site)")


def _not_csv(what: str) -> FileRefused:
    return FileRefused(
        _("Ce fichier ressemble à %(what)s, pas à un CSV. Refaites l'export au format CSV (UTF-8).")
        % {"what": what},
        code="file.not_csv",
        line=1,
    )


def detect_encoding(path: Path) -> str:
    """UTF-8 when its bytes agree (with or without mark), else Windows-1252.

    A file that is UTF-8 but for a few bytes stays UTF-8: its bad rows are set aside.
    """
    with path.open("rb") as stream:
        name = "utf-8-sig" if stream.read(3) == codecs.BOM_UTF8 else "utf-8"
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


def _first_record(text: str) -> tuple[str, int] | None:
    """The text from the first line that isn't blank, and its line number.

    Excel's own "sep=;" line is passed over.
    """
    offset = 0
    for number, line in enumerate(text.splitlines(keepends=True), start=1):
        content = line.strip().strip("\ufeff")
        if content and not content.lower().startswith("sep=") and content.strip(';,\t|"'):
            return text[offset:], number
        offset += len(line)
    return None


def _parse_header(text: str, delimiter: str) -> list[str]:
    try:
        row = next(csv.reader(text.splitlines(keepends=True), delimiter=delimiter))
    except (csv.Error, StopIteration):
        return []
    if len(row) > MAX_COLUMNS:
        raise FileRefused(
            _("%(count)s colonnes : c'est plus que les %(limit)s permises.")
            % {"count": len(row), "limit": MAX_COLUMNS},
            code="file.too_many_columns",
            line=1,
        )
    return row
