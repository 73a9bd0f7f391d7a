"""Long work in the browser: what runs, how far it is, how it ended, the file that came out."""

import csv
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from sphinx.core.errors import InputError
from sphinx.core.jobs import folder_of, kind_of, stop_job
from sphinx.core.models import Job
from sphinx.core.pages import back_office_page
from sphinx.core.texts import safe_cell

SHOWN = 100


def _seen_by(user: Any) -> QuerySet[Job]:
    """One's own; all of them for who may see the work of others."""
    if user.has_perm("core.view_job"):
        return Job.objects.all()
    return Job.objects.filter(asked_by=user)


def _may_do(user: Any, found: Job) -> bool:
    """Whether the user may ask for such work; what another version asked for, nobody here may."""
    try:
        permission = kind_of(found.kind).permission
    except InputError:
        return False
    return bool(user.has_perm(permission))


def _found(request: HttpRequest, pk: int) -> Job:
    return get_object_or_404(_seen_by(request.user).select_related("asked_by"), pk=pk)


@login_required
def jobs(request: HttpRequest) -> HttpResponse:
    """The last pieces of long work."""
    return back_office_page(
        request,
        "core/jobs.html",
        title=_("Travaux"),
        jobs=_seen_by(request.user).select_related("asked_by")[:SHOWN],
    )


@login_required
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """One piece of work, moving while it runs."""
    found = _found(request, pk)
    return back_office_page(
        request,
        "core/job.html",
        title=found.label,
        job=found,
        is_open=found.status in Job.OPEN,
        may_take=bool(found.file_name) and _may_do(request.user, found),
        refused=found.refused[:SHOWN],
    )


@login_required
def progress(request: HttpRequest, pk: int) -> JsonResponse:
    """How far it is, for the bar."""
    found = _found(request, pk)
    status = "running" if found.status in Job.OPEN else found.status
    return JsonResponse({"status": status, "done": found.done, "total": found.total})


@login_required
@require_POST
def stop(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask it to stop; only who asked for it, or who does the same."""
    found = _found(request, pk)
    if found.asked_by != request.user and not _may_do(request.user, found):
        raise PermissionDenied
    stop_job(found.pk)
    return redirect("core:job", found.pk)


@login_required
def download(request: HttpRequest, pk: int) -> FileResponse:
    """The file that came out of it."""
    found = _found(request, pk)
    if not _may_do(request.user, found):
        raise PermissionDenied
    path = folder_of(found)
    if found.status != Job.Status.DONE or not found.file_name or not path.is_file():
        raise Http404
    return FileResponse(path.open("rb"), as_attachment=True, filename=found.file_name)


@login_required
def refusals(request: HttpRequest, pk: int) -> HttpResponse:
    """What couldn't be done and why, as CSV."""
    found = _found(request, pk)
    response = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="refus-{found.pk}.csv"'
    writer = csv.writer(response, delimiter=";", lineterminator="\r\n")
    writer.writerow([_("Quoi"), _("Pourquoi")])
    for row in found.refused:
        writer.writerow([safe_cell(row["subject"]), safe_cell(row["reason"])])
    return response
