"""The gateway in the browser: bring files by hand, fetch an archived one."""

import tempfile
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from ftp_ingest.cause_lines import lines_of_report
from ftp_ingest.forms import UploadForm
from ftp_ingest.models import ReceivedFile
from ftp_ingest.services import IngestReport, ingest_paths
from ftp_ingest.services.archive import archive_path
from ftp_ingest.uploads import keep_upload
from sphinx.core.errors import SphinxError
from sphinx.core.pages import back_office_page


@login_required
@permission_required("ftp_ingest.change_feed", raise_exception=True)
def upload(request: HttpRequest) -> HttpResponse:
    """Read files brought by hand, as a feed would, and show what became of each row."""
    form = UploadForm(request.POST or None, request.FILES or None)
    report: IngestReport | None = None
    if request.method == "POST" and form.is_valid():
        try:
            report = _ingest(form)
        except SphinxError as error:
            messages.error(request, error.message)
    return back_office_page(
        request,
        "ftp_ingest/upload.html",
        title=_("Déposer des fichiers"),
        form=form,
        report=report.as_kept() if report else None,
        **_causes(report, form, request.user),
    )


def _causes(report: IngestReport | None, form: UploadForm, user: Any) -> dict[str, Any]:
    if report is None:
        return {}
    causes, more = lines_of_report(report, form.cleaned_data["shop"], user)
    return {"causes": causes, "more_causes": more}


def _ingest(form: UploadForm) -> IngestReport:
    data = form.cleaned_data
    with tempfile.TemporaryDirectory() as folder:
        paths = [
            keep_upload(Path(folder) / str(n), data[name])
            for n, name in enumerate(("customers", "orders"))
            if data[name]
        ]
        return ingest_paths(shop=data["shop"], paths=paths, dry_run=data["dry_run"])


@login_required
@permission_required(("ftp_ingest.view_receivedfile", "ftp_ingest.view_feed"), raise_exception=True)
def archived(request: HttpRequest, file_id: int) -> FileResponse:
    """The bytes of a received file, as they came, where they are a shop's."""
    file = get_object_or_404(ReceivedFile, pk=file_id)
    if not file.is_recognised:
        raise Http404
    return FileResponse(
        archive_path(file.sha256).open("rb"),
        as_attachment=True,
        filename=file.name,
        content_type="application/octet-stream",
    )
