"""What is handed over to the accountant: files, pieces, and what came back of them."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from accounting_export import services
from accounting_export.forms import ExportForm
from accounting_export.models import ExportBatch, PiecesArchive
from accounting_export.selectors import (
    Choice,
    coverage,
    entries_to_export,
    invoices_to_post,
    month_to_close,
    open_questions,
    purchases_to_post,
    sending_settings,
    stuck_dispatches,
)
from accounting_export.services import SALES_JOURNAL
from accounting_export.tasks import make_pieces_archive, send_batches
from sphinx.core import clock
from sphinx.core.errors import SphinxError
from sphinx.core.pages import back_office_page

SHOWN = 30
_may_export = permission_required("accounting_export.export_journal", raise_exception=True)


@login_required
@_may_export
def export(request: HttpRequest) -> HttpResponse:
    """What waits to be handed over, the form, and the numbered files with what became of them."""
    today = clock.today()
    last = ExportBatch.objects.first()
    form = ExportForm(
        request.POST or None,
        initial={
            "scope": "new",
            "date_from": today.replace(day=1),
            "date_to": today,
            "format_code": last.format if last else "fec",
            "journals": last.journals.split(",") if last else [SALES_JOURNAL],
        },
    )
    if request.method == "POST" and form.is_valid():
        try:
            batch = _export(request, form.cleaned_data)
        except SphinxError as error:
            messages.error(request, error.message)
        else:
            if form.cleaned_data["is_to_send"]:
                send_batches.delay()
            shown = {
                "number": batch.number,
                "entries": batch.entry_count,
                "lines": batch.line_count,
                "debit": batch.debit,
            }
            messages.success(
                request,
                _(
                    "%(number)s : %(entries)s écritures, %(lines)s lignes, "
                    "débit = crédit = %(debit)s €."
                )
                % shown,
            )
            return redirect("accounting_export:export")
    return back_office_page(
        request,
        "accounting_export/export.html",
        title=_("Espace comptable"),
        form=form,
        batches=ExportBatch.objects.select_related("imported", "pieces", "dispatch")[:SHOWN],
        sending=sending_settings(),
        stuck=stuck_dispatches().select_related("batch")[:SHOWN],
        unposted=invoices_to_post().count() + purchases_to_post().count(),
        fresh=entries_to_export(Choice((SALES_JOURNAL,), only_new=True)).count(),
        questions=open_questions().select_related("entry", "asked_by")[:SHOWN],
        coverage=coverage(today),
        month=month_to_close(),
    )


def _export(request: HttpRequest, data: dict[str, Any]) -> ExportBatch:
    journals = [journal.code for journal in data["journals"]]
    common: dict[str, Any] = {
        "format_code": data["format_code"],
        "journals": journals,
        "is_to_send": data["is_to_send"],
        "actor": request.user,
    }
    if data["scope"] == "new":
        return services.export_new(**common)
    return services.export_journal(
        date_from=data["date_from"],
        date_to=data["date_to"],
        only_new=data["scope"] == "period",
        **common,
    )


@login_required
@_may_export
@require_POST
def send(request: HttpRequest) -> HttpResponse:
    """Try what waits to be sent, now."""
    count = services.send_waiting(at=clock.now())
    if count:
        messages.success(
            request,
            ngettext(
                "%s envoi transmis à l'expert-comptable.",
                "%s envois transmis à l'expert-comptable.",
                count,
            )
            % count,
        )
    return redirect("accounting_export:export")


@login_required
@_may_export
def download(request: HttpRequest, batch_id: int) -> FileResponse:
    """The bytes of a batch, as they were made."""
    path = get_object_or_404(ExportBatch, pk=batch_id).file
    if not path.exists():
        raise Http404(_("Ce fichier a été déplacé ; exportez de nouveau la même période."))
    return FileResponse(path.open("rb"), as_attachment=True, filename=path.name)


@login_required
@_may_export
@require_POST
def imported(request: HttpRequest, batch_id: int) -> HttpResponse:
    """The batch is in the accounts."""
    batch = get_object_or_404(ExportBatch, pk=batch_id)
    services.mark_imported(batch_id=batch.pk, at=clock.now(), actor=request.user)
    return redirect("accounting_export:export")


@login_required
@_may_export
def pieces(request: HttpRequest, batch_id: int) -> HttpResponse | FileResponse:
    """The zip of a batch's PDFs once it is ready; asked for by a POST."""
    batch = get_object_or_404(ExportBatch.objects.select_related("pieces"), pk=batch_id)
    if request.method == "POST":
        wanted = services.start_pieces(batch_id=batch.pk, at=clock.now())
        make_pieces_archive.delay(archive_id=wanted.pk)
        return redirect("accounting_export:export")
    path = services.pieces_path(batch)
    if not path.exists():
        raise Http404
    return FileResponse(path.open("rb"), as_attachment=True, filename=path.name)


@login_required
@_may_export
def pieces_progress(request: HttpRequest, batch_id: int) -> JsonResponse:
    """How far the zip is, for the page that waits."""
    found = get_object_or_404(PiecesArchive, batch=batch_id)
    return JsonResponse({"status": found.status, "done": found.done, "total": found.total})
