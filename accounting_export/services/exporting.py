"""The journal's file: written whole or not at all, hashed, kept, its entries marked."""

import hashlib
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import Max, Min
from django.utils.translation import gettext as _

from accounting_export.errors import DoesNotFit, NothingToExport, Unbalanced
from accounting_export.formats import JournalFormat, find_format
from accounting_export.models import Dispatch, ExportBatch, ExportedEntry, Journal
from accounting_export.selectors import Choice, ExportLine, entries_to_export, lines_to_export
from accounting_export.services.entries import PURCHASES_JOURNAL, SALES_JOURNAL
from accounting_export.services.left_out import LeftOut
from accounting_export.services.lettering import letter_all
from accounting_export.services.posting import sweep_sales
from accounting_export.services.purchases import sweep_purchases
from accounting_export.services.supplier_payments import sweep_supplier_payments
from sphinx.core import clock
from sphinx.core.errors import InputError
from sphinx.core.files import put_once, whole_file
from sphinx.core.money import ZERO
from sphinx.core.services import allocate_number, company, record

FOLDER = "exports"
_TURNS = 5
# PostgreSQL's words for "somebody was first": serialization failure, unique violation.
_TURNED_AWAY = ("40001", "23505")
_SHORTEST = 3


@dataclass
class _Sums:
    """Counted while the lines pass on to the format."""

    lines: int = 0
    entries: int = 0
    debit: Decimal = ZERO
    credit: Decimal = ZERO
    last_entry: int | None = None

    def counted(self, lines: Iterable[ExportLine]) -> Iterator[ExportLine]:
        for line in lines:
            self.lines += 1
            self.debit += line.debit
            self.credit += line.credit
            if line.entry_id != self.last_entry:
                self.entries, self.last_entry = self.entries + 1, line.entry_id
            yield line


def export_journal(
    *,
    date_from: date,
    date_to: date,
    format_code: str,
    path: Path | None = None,
    journals: Sequence[str] = (SALES_JOURNAL,),
    only_new: bool = False,
    is_to_send: bool = False,
    actor: Any = None,
) -> ExportBatch:
    """Hand over the entries dated in the period (both days included), as a numbered batch.

    Books first what was issued without an entry, so that the file is complete; what can't be booked
    is left out and named in the batch (`left_out`). The file is kept
    under its number, and copied to `path` when one is given. The same entries again are the same
    bytes and the same batch; `only_new` leaves out what a batch has already. With
    `is_to_send` it goes to the accountant afterwards.

    Raises:
        UnknownFormat: no such format.
        NothingToExport: only what is new was asked for, and nothing is.
        DoesNotFit: an account or an amount is longer than the format takes.
        InputError: the period is upside down, a journal is unknown, or the file can't be written.
        Unbalanced: debit and credit differ; no file is left.
    """
    journal_format = find_format(format_code)
    _check(date_from, date_to, journals)
    left_out = [
        {"piece": left.piece, "reason": left.reason}
        for left in book_what_can_be(journals)
        if date_from <= left.day <= date_to
    ]
    choice = Choice(tuple(journals), date_from, date_to, only_new)
    for turn in range(1, _TURNS + 1):
        try:
            with transaction.atomic():
                batch = _export(choice, journal_format, path, left_out, actor)
                if is_to_send:
                    Dispatch.objects.get_or_create(batch=batch, defaults={"asked_at": clock.now()})
                return batch
        except DatabaseError as error:
            # Two hand-overs at once: the second looks again at what is new.
            if turn == _TURNS or getattr(error.__cause__, "pgcode", "") not in _TURNED_AWAY:
                raise
    raise AssertionError


def export_new(
    *,
    format_code: str,
    journals: Sequence[str] = (SALES_JOURNAL,),
    is_to_send: bool = False,
    actor: Any = None,
) -> ExportBatch:
    """Hand over every entry of these journals that no batch has; see `export_journal`.

    Raises:
        NothingToExport: there is none.
    """
    _check(date.min, date.max, journals)
    book_what_can_be(journals)
    days = entries_to_export(Choice(tuple(journals), only_new=True)).aggregate(
        first=Min("entry_date"), last=Max("entry_date")
    )
    if days["first"] is None:
        raise _nothing_new()
    return export_journal(
        date_from=days["first"],
        date_to=days["last"],
        format_code=format_code,
        journals=journals,
        only_new=True,
        is_to_send=is_to_send,
        actor=actor,
    )


def _nothing_new() -> NothingToExport:
    return NothingToExport(_("Rien de nouveau : tout a déjà été envoyé."))


def file_name(format_code: str, journals: Sequence[str], date_from: date, date_to: date) -> str:
    """What the file is called; a FEC as checkers want it: SIREN, FEC, last day."""
    if format_code == "fec":
        return f"{company().siren or '000000000'}FEC{date_to:%Y%m%d}.txt"
    extension = find_format(format_code).extension
    period = f"{date_from:%Y%m%d}-{date_to:%Y%m%d}"
    return f"journal-{'-'.join(journals)}-{format_code}-{period}.{extension}"


def _check(date_from: date, date_to: date, journals: Sequence[str]) -> None:
    if date_from > date_to:
        raise InputError(
            _(
                "La période va du %(start)s au %(end)s : mettez la date de début avant "
                "la date de fin."
            )
            % {"start": date_from.isoformat(), "end": date_to.isoformat()},
            code="accounting.bad_period",
        )
    known = set(Journal.objects.values_list("code", flat=True))
    if not journals or not known.issuperset(journals):
        raise InputError(
            _("Journal inconnu : %(asked)s. Ceux qu'il y a : %(known)s.")
            % {"asked": ", ".join(journals), "known": ", ".join(sorted(known))},
            code="accounting.unknown_journal",
        )


def book_missing(journals: Sequence[str]) -> None:
    """Book what the journals still miss, all of it.

    Raises:
        BusinessRuleError: the first reason of what can't be booked; the rest is.
    """
    for left in book_what_can_be(journals):
        raise left.error


def book_what_can_be(journals: Sequence[str]) -> list[LeftOut]:
    """Book what the journals still miss; what can't be, and why.

    Purchases have their own journal; all others come of sales.
    """
    left_out: list[LeftOut] = []
    if set(journals) - {PURCHASES_JOURNAL}:
        left_out += sweep_sales().left_out
        letter_all()
    if PURCHASES_JOURNAL in journals:
        left_out += sweep_purchases().left_out
    left_out += sweep_supplier_payments().left_out
    return left_out


def _export(
    choice: Choice,
    journal_format: JournalFormat,
    path: Path | None,
    left_out: list[dict[str, str]],
    actor: Any,
) -> ExportBatch:
    """In one snapshot: the lines written are those whose entries are marked."""
    if connection.vendor == "postgresql" and not connection.savepoint_ids:
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    assert choice.date_from is not None  # noqa: S101 (both are given, by `export_journal`)
    assert choice.date_to is not None  # noqa: S101
    aside = Path(settings.DATA_DIR, FOLDER, f"{uuid4().hex}.part")
    try:
        sums = _Sums()
        lines = sums.counted(at_length(lines_to_export(choice), company().account_length))
        sha256, cuts = _write(aside, journal_format, lines)
        if choice.only_new and not sums.entries:
            raise _nothing_new()
        if sums.debit != sums.credit:
            raise Unbalanced(
                _(
                    "Débit %(debit)s, crédit %(credit)s : le journal n'est pas équilibré, aucun "
                    "fichier n'est produit. Lancez « verify »."
                )
                % {"debit": sums.debit, "credit": sums.credit}
            )
        if path:
            _copy(aside, path)
        known = ExportBatch.objects.filter(
            format=journal_format.code,
            date_from=choice.date_from,
            date_to=choice.date_to,
            sha256=sha256,
        ).first()
        if known:
            # Kept as it was; who asks now hears what is missing now.
            known.left_out = left_out
            return known
        number = allocate_number(series="EX", on=clock.today(), yearly=False)
        name = file_name(journal_format.code, choice.journals, choice.date_from, choice.date_to)
        kept = Path(FOLDER, number, name)
        batch = ExportBatch.objects.create(
            number=number,
            format=journal_format.code,
            journals=",".join(choice.journals),
            date_from=choice.date_from,
            date_to=choice.date_to,
            path=str(kept),
            sha256=sha256,
            entry_count=sums.entries,
            line_count=sums.lines,
            debit=sums.debit,
            credit=sums.credit,
            cuts=dict(cuts),
            left_out=left_out,
            created_at=clock.now(),
        )
        _mark(batch, choice)
        record("journal.exported", [batch], actor=actor, sha256=sha256)
        target = Path(settings.DATA_DIR, batch.path)
        target.parent.mkdir(parents=True, exist_ok=True)
        aside.replace(target)
        put_once(target)
        return batch
    finally:
        aside.unlink(missing_ok=True)


def _mark(batch: ExportBatch, choice: Choice) -> None:
    """Mark the entries of a choice as handed over, in one statement."""
    chosen = entries_to_export(choice).order_by().values("id")
    select, params = chosen.query.sql_with_params()
    table = connection.ops.quote_name(ExportedEntry._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (batch_id, entry_id) "  # noqa: S608 (names of our own)
            f"SELECT %s, chosen.id FROM ({select}) AS chosen",
            [batch.pk, *params],
        )


def at_length(lines: Iterable[ExportLine], length: int) -> Iterator[ExportLine]:
    """The lines with general accounts of so many digits: zeros at the end come or go.

    Raises:
        DoesNotFit: an account has more digits than that.
    """
    for line in lines:
        number = _number_at_length(line.account, length)
        yield line if number == line.account else line._replace(account=number)


@lru_cache(maxsize=1024)
def _number_at_length(account: str, length: int) -> str:
    number = account.rstrip("0").ljust(min(length, _SHORTEST), "0")
    if len(number) > length:
        raise DoesNotFit(
            _("Le compte %(account)s a plus de %(length)s chiffres (Réglages › Société).")
            % {"account": account, "length": length}
        )
    return number.ljust(length, "0")


def _write(
    path: Path, journal_format: JournalFormat, lines: Iterator[ExportLine]
) -> tuple[str, Counter[str]]:
    try:
        with whole_file(path, durable=True) as stream:
            cuts = journal_format.write(lines, stream)
            stream.seek(0)
            return hashlib.file_digest(stream, "sha256").hexdigest(), cuts
    except OSError as error:
        raise _cannot_write(path, error) from error


def _copy(source: Path, path: Path) -> None:
    try:
        with source.open("rb") as kept, whole_file(path) as stream:
            shutil.copyfileobj(kept, stream)
    except OSError as error:
        raise _cannot_write(path, error) from error


def _cannot_write(path: Path, error: OSError) -> InputError:
    return InputError(
        _("Impossible d'écrire %(path)s : %(reason)s.") % {"path": path, "reason": error.strerror},
        code="accounting.cannot_write",
    )
