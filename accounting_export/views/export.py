"""The accountant's page: choose a period and a format, get the file."""

from pathlib import Path

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from accounting_export.formats import find_format
from accounting_export.forms import ExportForm
from accounting_export.models import ExportBatch
from accounting_export.selectors import invoices_to_post, purchases_to_post
from accounting_export.services import SALES_JOURNAL, export_journal
from sphinx.core import clock
from sphinx.core.errors import SphinxError
from sphinx.core.pages import back_office_page
from sphinx.core.services import company

_may_export = permission_required("accounting_export.export_journal", raise_exception=True)


@login_required
@_may_export
def export(request: HttpRequest) -> HttpResponse:
    """The form, and after it the list of exports with the new one on top."""
    today = clock.today()
    form = ExportForm(
        request.POST or None,
        initial={
            "date_from": today.replace(day=1),
            "date_to": today,
            "format_code": "fec",
            "journals": [SALES_JOURNAL],
        },
    )
    if request.method == "POST" and form.is_valid():
        try:
            batch = _export(request, form)
        except SphinxError as error:
            messages.error(request, error.message)
        else:
            messages.success(
                request,
                _("%(entries)s écritures, %(lines)s lignes, débit = crédit = %(debit)s €.")
                % {"entries": batch.entry_count, "lines": batch.line_count, "debit": batch.debit},
            )
            return redirect("accounting_export:export")
    return back_office_page(
        request,
        "accounting_export/export.html",
        title=_("Exporter les journaux"),
        form=form,
        batches=ExportBatch.objects.all()[:20],
        unposted=invoices_to_post().count() + purchases_to_post().count(),
    )


def _export(request: HttpRequest, form: ExportForm) -> ExportBatch:
    data = form.cleaned_data
    extension = find_format(data["format_code"]).extension
    period = f"{data['date_from']:%Y%m%d}-{data['date_to']:%Y%m%d}"
    journals = [journal.code for journal in data["journals"]]
    name = f"journal-{'-'.join(journals)}-{data['format_code']}-{period}.{extension}"
    if data["format_code"] == "fec":
        # The name that checkers want: SIREN, FEC, closing day of the period.
        name = f"{company().siren or '000000000'}FEC{data['date_to']:%Y%m%d}.txt"
    folder = Path(settings.DATA_DIR) / "exports" / f"{clock.now():%Y%m%d-%H%M%S%f}"
    return export_journal(
        date_from=data["date_from"],
        date_to=data["date_to"],
        format_code=data["format_code"],
        path=folder / name,
        journals=journals,
        actor=request.user,
    )


@login_required
@_may_export
def download(request: HttpRequest, batch_id: int) -> FileResponse:
    """The bytes of a batch, as they were made."""
    path = Path(get_object_or_404(ExportBatch, pk=batch_id).path)
    if not path.exists():
        raise Http404(_("Ce fichier a été déplacé ; exportez de nouveau la même période."))
    return FileResponse(path.open("rb"), as_attachment=True, filename=path.name)
