"""What passes between firm and accountant: batches imported, pieces, questions and answers."""

import csv
import hashlib
import io
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounting_export.errors import NotAnswerable
from accounting_export.models import (
    EntryQuestion,
    ExportBatch,
    ImportedBatch,
    PiecesArchive,
)
from accounting_export.selectors import invoices_of_batch
from invoicing.services import render_pdfs
from sphinx.core.files import here, put, whole_file
from sphinx.core.services import record
from sphinx.core.texts import safe_cell

_BATCH = 100
_LONGEST = 4000


@transaction.atomic
def mark_imported(*, batch_id: int, at: datetime, actor: Any = None) -> ImportedBatch:
    """The accountant has imported a batch. Twice is once."""
    batch = ExportBatch.objects.get(pk=batch_id)
    mark, is_new = ImportedBatch.objects.get_or_create(
        batch=batch, defaults={"imported_at": at, "imported_by": actor}
    )
    if is_new:
        record("journal.imported", [batch], actor=actor)
    return mark


@transaction.atomic
def ask(*, entry_id: int, text: str, at: datetime, actor: Any) -> EntryQuestion:
    """Ask about an entry.

    Raises:
        NotAnswerable: nothing is asked.
    """
    if not text.strip():
        raise NotAnswerable(_("Écrivez votre question."))
    made = EntryQuestion.objects.create(
        entry_id=entry_id, text=text.strip()[:_LONGEST], asked_at=at, asked_by=actor
    )
    record("entry.asked", [made.entry], actor=actor)
    return made


@transaction.atomic
def answer(*, question_id: int, text: str, at: datetime, actor: Any) -> EntryQuestion:
    """Answer a question, once.

    Raises:
        NotAnswerable: it has an answer, or this is none.
    """
    question = EntryQuestion.objects.select_for_update(no_key=True, of=("self",)).get(
        pk=question_id
    )
    if question.answer:
        raise NotAnswerable(_("Cette question a déjà sa réponse."))
    if not text.strip():
        raise NotAnswerable(_("Écrivez la réponse."))
    question.answer, question.answered_at, question.answered_by = text.strip()[:_LONGEST], at, actor
    question.save(update_fields=["answer", "answered_at", "answered_by"])
    record("entry.answered", [question.entry], actor=actor)
    return question


def pieces_path(batch: ExportBatch) -> Path:
    """Where the zip of a batch's pieces lies, as it was last made."""
    return here(_pieces_place(batch), may_change=True)


def _pieces_place(batch: ExportBatch) -> Path:
    return Path(settings.DATA_DIR, batch.path).with_name(f"{batch.number}-pieces.zip")


@transaction.atomic
def start_pieces(*, batch_id: int, at: datetime) -> PiecesArchive:
    """Note that a batch's pieces are wanted; one that failed begins anew."""
    batch = ExportBatch.objects.get(pk=batch_id)
    wanted, _is_new = PiecesArchive.objects.update_or_create(
        batch=batch,
        defaults={
            "status": PiecesArchive.Status.RUNNING,
            "asked_at": at,
            "total": invoices_of_batch(batch).count(),
            "done": 0,
            "reason": "",
        },
    )
    return wanted


def make_pieces(*, archive_id: int) -> PiecesArchive:
    """Write the zip: the PDF of each invoice of the batch, and an index in CSV.

    Running again writes the same; how far it is can be read meanwhile.
    """
    archive = PiecesArchive.objects.select_related("batch").get(pk=archive_id)
    try:
        _write_zip(archive)
    except OSError as error:
        archive.status, archive.reason = archive.Status.FAILED, str(error.strerror)[:200]
    else:
        archive.status = archive.Status.DONE
    archive.save(update_fields=["status", "reason", "done"])
    return archive


def _write_zip(archive: PiecesArchive) -> None:
    batch = archive.batch
    index = io.StringIO()
    writer = csv.writer(index, delimiter=";", lineterminator="\r\n")
    writer.writerow(["Écriture", "Pièce", "Date", "Client", "Total TTC", "Fichier", "SHA-256"])
    rows = list(
        invoices_of_batch(batch).values_list(
            "pk", "entry__number", "number", "issued_on", "customer_name", "total_incl_tax"
        )
    )
    with (
        whole_file(_pieces_place(batch)) as stream,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as package,
    ):
        for start in range(0, len(rows), _BATCH):
            part = rows[start : start + _BATCH]
            paths = render_pdfs(row[0] for row in part)
            for pk, entry, number, issued_on, customer, total in part:
                data = paths[pk].read_bytes()
                package.writestr(f"{number}.pdf", data)
                digest = hashlib.sha256(data).hexdigest()
                day, amount = f"{issued_on:%d/%m/%Y}", f"{total:.2f}".replace(".", ",")
                name = safe_cell(customer)
                writer.writerow([entry, number, day, name, amount, f"{number}.pdf", digest])
            archive.done = min(start + _BATCH, len(rows))
            PiecesArchive.objects.filter(pk=archive.pk).update(done=archive.done)
        package.writestr("index.csv", index.getvalue().encode("utf-8-sig"))
    put(_pieces_place(batch))
