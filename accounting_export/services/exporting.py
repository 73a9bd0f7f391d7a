"""The journal's file: written whole or not at all, hashed, its entries marked."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from accounting_export.errors import DoesNotFit, Unbalanced
from accounting_export.formats import JournalFormat, find_format
from accounting_export.models import ExportBatch, ExportedEntry, Journal
from accounting_export.selectors import ExportLine, lines_to_export
from accounting_export.services.entries import PURCHASES_JOURNAL, SALES_JOURNAL
from accounting_export.services.posting import post_missing
from accounting_export.services.purchases import post_missing_purchases
from sphinx.core import clock
from sphinx.core.errors import InputError
from sphinx.core.files import whole_file
from sphinx.core.money import ZERO
from sphinx.core.services import company, record


@dataclass
class _Sums:
    """Counted while the lines pass on to the format."""

    lines: int = 0
    debit: Decimal = ZERO
    credit: Decimal = ZERO
    entry_ids: list[int] = field(default_factory=list)

    def counted(self, lines: Iterable[ExportLine]) -> Iterator[ExportLine]:
        for line in lines:
            self.lines += 1
            self.debit += line.debit
            self.credit += line.credit
            if not self.entry_ids or self.entry_ids[-1] != line.entry_id:
                self.entry_ids.append(line.entry_id)
            yield line


def export_journal(
    *,
    date_from: date,
    date_to: date,
    format_code: str,
    path: Path,
    journals: Sequence[str] = (SALES_JOURNAL,),
    actor: Any = None,
) -> ExportBatch:
    """Write the entries dated in the period (both days included) to `path`.

    Books first what was issued without an entry, so that the file is complete. The same
    period again gives the same entries; they are marked as sent and never change.

    Raises:
        UnknownFormat: no such format.
        DoesNotFit: an account or an amount is longer than the format takes.
        InputError: the period is upside down, a journal is unknown, or the file can't be written.
        Unbalanced: debit and credit differ; no file is left.
    """
    journal_format = find_format(format_code)
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
    if SALES_JOURNAL in journals:
        post_missing()
    if PURCHASES_JOURNAL in journals:
        post_missing_purchases()
    with transaction.atomic():
        if connection.vendor == "postgresql" and not connection.savepoint_ids:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        sums = _Sums()
        found = lines_to_export(date_from, date_to, journals)
        lines = sums.counted(at_length(found, company().account_length))
        sha256, cuts = _write(path, journal_format, lines)
        if sums.debit != sums.credit:
            path.unlink()
            raise Unbalanced(
                _(
                    "Débit %(debit)s, crédit %(credit)s : le journal n'est pas équilibré, aucun "
                    "fichier n'est produit. Lancez « verify »."
                )
                % {"debit": sums.debit, "credit": sums.credit}
            )
        batch, is_new = ExportBatch.objects.get_or_create(
            format=format_code,
            date_from=date_from,
            date_to=date_to,
            sha256=sha256,
            defaults={
                "journals": ",".join(journals),
                "path": str(path),
                "entry_count": len(sums.entry_ids),
                "line_count": sums.lines,
                "debit": sums.debit,
                "credit": sums.credit,
                "cuts": dict(cuts),
                "created_at": clock.now(),
            },
        )
        if is_new:
            ExportedEntry.objects.bulk_create(
                (ExportedEntry(batch=batch, entry_id=pk) for pk in sums.entry_ids),
                batch_size=2000,
            )
            record("journal.exported", [batch], actor=actor, sha256=sha256)
    return batch


def at_length(lines: Iterable[ExportLine], length: int) -> Iterator[ExportLine]:
    """The lines with general accounts of so many digits: zeros at the end come or go.

    Raises:
        DoesNotFit: an account has more digits than that.
    """
    for line in lines:
        number = line.account.rstrip("0").ljust(min(length, _SHORTEST), "0")
        if len(number) > length:
            raise DoesNotFit(
                _("Le compte %(account)s a plus de %(length)s chiffres (Réglages › Société).")
                % {"account": line.account, "length": length}
            )
        yield line._replace(account=number.ljust(length, "0"))


_SHORTEST = 3


def _write(
    path: Path, journal_format: JournalFormat, lines: Iterator[ExportLine]
) -> tuple[str, Counter[str]]:
    try:
        with whole_file(path, durable=True) as stream:
            cuts = journal_format.write(lines, stream)
            stream.seek(0)
            return hashlib.file_digest(stream, "sha256").hexdigest(), cuts
    except OSError as error:
        raise InputError(
            _("Impossible d'écrire %(path)s : %(reason)s.")
            % {"path": path, "reason": error.strerror},
            code="accounting.cannot_write",
        ) from error
