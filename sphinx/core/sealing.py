"""Chains of seals over the rows of a book (payments, entries, the audit trail…), made in bulk.

A seal covers a set of rows by their ids: hash = SHA-256(previous seal's hash ‖ what it covers ‖
the rows as JSON, sorted by id). Rows are sealed after they are committed, a block at a time, so
that writers hold no lock for it: payments and entries at once, the rest each minute, what is left
at each closing and each migrate.
A closing names the last seal of every book (invoicing/services/closing.py). CGI art. 286, I-3° bis.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connection, models, transaction

from sphinx.core import clock
from sphinx.core.models import DocumentSequence, Seal
from sphinx.core.proofs import Proof, proves
from sphinx.core.services import allocate_numbers

GENESIS = "0" * 64
# Rows a seal covers at most, and ids looked back for rows that were committed late.
BLOCK, LATE = 5000, 50_000
_SEALS_AT_ONCE = 500
_SERIES = "SEAL-"
_Run = list[int]


class Book(NamedTuple):
    """A table whose rows never change: its columns as they are sealed."""

    code: str
    label: str
    model: str
    columns: Sequence[str]


_books: dict[str, Book] = {}


def seals(code: str, label: str, model: str, columns: str) -> None:
    """Register a book by `code`, its `model` ("app.Model") and `columns`, apart by spaces.

    A column added later is in the seals made from then on: each seal names its own.
    """
    book = Book(code, label, model, columns.split())
    _books[code] = book

    @proves(f"sealed_{code}")
    def _check(proof: Proof) -> None:
        _prove(book, proof)


def seal_books(*, with_late: bool = False) -> int:
    """Seal what no seal covers yet; returns how many rows. Twice seals nothing twice.

    `with_late` looks for rows too whose transaction ended after others' with higher ids.
    """
    return sum(seal_book(code, with_late=with_late) for code in sorted(_books))


def seal_book(code: str, *, with_late: bool = False) -> int:
    """The same of one book."""
    book, count = _books[code], 0
    while ids := _seal_block(book, with_late):
        count += ids
    return count


def seal_soon(*codes: str) -> None:
    """Seal these books once the current transaction is committed; what fails waits for the beat."""
    for code in codes:
        transaction.on_commit(partial(seal_book, code), robust=True)


def seal_after_migrate(*, using: str = DEFAULT_DB_ALIAS, **_: Any) -> None:
    """Seal what was there before seals were, and what old workers wrote meanwhile.

    A database that was migrated back to before them has no table for it.
    """
    if using == DEFAULT_DB_ALIAS and Seal._meta.db_table in connection.introspection.table_names():
        seal_books(with_late=True)


def heads() -> dict[str, list[Any]]:
    """The last seal of every book, as [position, hash]; what a closing binds."""
    last = Seal.objects.order_by().values("book").annotate(last=models.Max("position"))
    wanted = models.Q(pk__in=())
    for row in last:
        wanted |= models.Q(book=row["book"], position=row["last"])
    return {s.book: [s.position, s.hash] for s in Seal.objects.filter(wanted).order_by("book")}


def positions(code: str, *, from_id: int = 0) -> dict[int, int]:
    """The position of the seal that covers each row of a book, by the row's id from `from_id`."""
    found = Seal.objects.filter(book=code, last_id__gte=from_id)
    return {
        pk: position
        for position, runs in found.values_list("position", "runs")
        for first, last in runs
        for pk in range(first, last + 1)
    }


@transaction.atomic
def _seal_block(book: Book, with_late: bool) -> int:
    # Whoever seals this book holds its counter; a seal deleted at the end leaves it too high.
    today = clock.today()
    series = f"{_SERIES}{book.code}"
    allocate_numbers(series=series, on=today, count=0, yearly=False)
    ids = _unsealed(book, with_late)[:BLOCK]
    if not ids:
        return 0
    number = allocate_numbers(series=series, on=today, count=1, yearly=False)[0]
    before = Seal.objects.filter(book=book.code).order_by("-position").first()
    seal = Seal(
        book=book.code,
        position=int(number.removeprefix(series)),
        columns=list(book.columns),
        runs=_runs(ids),
        last_id=ids[-1],
        rows=len(ids),
        sealed_at=clock.now(),
        previous_hash=before.hash if before else GENESIS,
    )
    rows = _rows(book, seal.columns, seal.runs)
    seal.hash = _hash(seal, [rows[pk] for pk in ids])
    seal.save(force_insert=True)
    return len(ids)


def _unsealed(book: Book, with_late: bool) -> list[int]:
    last = Seal.objects.filter(book=book.code).aggregate(last=models.Max("last_id"))["last"] or 0
    floor = max(0, last - LATE) if with_late else last
    table = _table(book)
    found = table.filter(pk__gt=floor).order_by("pk").values_list("pk", flat=True)
    if floor == last:
        return list(found[:BLOCK])
    sealed = {
        pk
        for runs in Seal.objects.filter(book=book.code, last_id__gt=floor).values_list(
            "runs", flat=True
        )
        for first, end in runs
        for pk in range(max(first, floor), end + 1)
    }
    return [pk for pk in found[: LATE + BLOCK] if pk not in sealed]


def _table(book: Book) -> Any:
    return apps.get_model(book.model)._base_manager.order_by()


def _runs(ids: Sequence[int]) -> list[_Run]:
    """Ids that follow each other as [first, last]."""
    runs: list[_Run] = []
    for pk in ids:
        if runs and runs[-1][1] == pk - 1:
            runs[-1][1] = pk
        else:
            runs.append([pk, pk])
    return runs


def _rows(book: Book, columns: Sequence[str], runs: Sequence[_Run]) -> dict[int, list[Any]]:
    """The rows of these ids that are there, each as its sealed columns, by id."""
    found: dict[int, list[Any]] = {}
    for start in range(0, len(runs), 100):
        wanted = models.Q(pk__in=())
        for first, last in runs[start : start + 100]:
            wanted |= models.Q(pk__range=(first, last))
        for pk, *values in _table(book).filter(wanted).values_list("pk", *columns):
            found[pk] = [pk, *values]
    return found


def _hash(seal: Seal, rows: Iterable[list[Any]]) -> str:
    """SHA-256 of the seal before, of what this one says it covers, and of the rows."""
    head = {name: getattr(seal, name) for name in ("book", "position", "columns", "runs", "rows")}
    form = json.dumps([head, list(rows)], sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256((seal.previous_hash + form).encode()).hexdigest()


# --- Proof ---------------------------------------------------------------------------------------


def _prove(book: Book, proof: Proof) -> None:
    """Every seal follows the one before, and its rows are there as they were sealed."""
    previous, position = GENESIS, 0
    for block in _groups(Seal.objects.filter(book=book.code).order_by("position")):
        rows = _rows(book, block[0].columns, _merged(block))
        for seal in block:
            position += 1
            if seal.position != position or seal.previous_hash != previous:
                proof.faults.append(f"{book.label} : un scellé manque avant le n° {seal.position}")
                position = seal.position
            previous = seal.hash
            _prove_rows(book, seal, rows, proof)
    counter = DocumentSequence.objects.filter(series=f"{_SERIES}{book.code}").first()
    if counter and counter.last_number != position:
        proof.faults.append(
            f"{book.label} : {counter.last_number} scellés faits, le dernier est le n° {position}"
        )


def _prove_rows(book: Book, seal: Seal, rows: dict[int, list[Any]], proof: Proof) -> None:
    ids = [pk for first, last in seal.runs for pk in range(first, last + 1)]
    proof.checked += len(ids)
    missing = [pk for pk in ids if pk not in rows]
    if missing:
        proof.faults += [f"{book.label} n° {pk} : effacé" for pk in missing]
    elif seal.hash != _hash(seal, (rows[pk] for pk in ids)):
        proof.faults.append(
            f"{book.label} n° {ids[0]} à {ids[-1]} : modifié après le scellé n° {seal.position}"
        )


def _groups(found: models.QuerySet[Seal]) -> Iterator[list[Seal]]:
    """Seals one after the other of the same columns, so many that their rows are one question."""
    block: list[Seal] = []
    for seal in found.iterator(chunk_size=_SEALS_AT_ONCE):
        full = len(block) == _SEALS_AT_ONCE or sum(s.rows for s in block) >= BLOCK
        if block and (full or block[0].columns != seal.columns):
            yield block
            block = []
        block.append(seal)
    if block:
        yield block


def _merged(block: Sequence[Seal]) -> list[_Run]:
    ids = {pk for seal in block for first, last in seal.runs for pk in range(first, last + 1)}
    return _runs(sorted(ids))
