"""The year's FEC, and the check of any FEC."""

import re
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounting_export.fec_check import Report, check_fec
from accounting_export.forms import FecForm, FecToCheckForm
from accounting_export.selectors import fiscal_years
from accounting_export.services import FECS, Encoding, Separator, is_long, make_fec
from sphinx.core.errors import SphinxError
from sphinx.core.files import here
from sphinx.core.jobs import start_job
from sphinx.core.pages import back_office_page
from sphinx.core.services import company

_NAME = re.compile(r"\d{9}FEC\d{8}\.txt")
_may_export = permission_required("accounting_export.export_journal", raise_exception=True)


@login_required
@_may_export
def fec(request: HttpRequest) -> HttpResponse:
    """Make a year's FEC or check one that is given; either shows what the check found."""
    years = fiscal_years(company().fiscal_year_end_month)
    is_check = "file" in request.FILES
    making = FecForm(None if is_check else request.POST or None, years=years)
    checking = FecToCheckForm(request.POST, request.FILES) if is_check else FecToCheckForm()
    report, name = None, ""
    if is_check and checking.is_valid():
        given = checking.cleaned_data["file"]
        report = check_fec(given.name, given.file)
    elif not is_check and making.is_valid():
        if is_long(date.fromisoformat(making.cleaned_data["year"])):
            asked = {name: making.cleaned_data[name] for name in ("year", "separator", "encoding")}
            started = start_job("accounting_export.fec", actor=request.user, **asked)
            return redirect("core:job", started.pk)
        report, name = _make(request, making.cleaned_data)
    return back_office_page(
        request,
        "accounting_export/fec.html",
        title=_("FEC de l'exercice"),
        years=years,
        making=making,
        checking=checking,
        report=report,
        name=name,
    )


def _make(request: HttpRequest, data: dict[str, Any]) -> tuple[Report | None, str]:
    """The report, and the file's name where it was made."""
    try:
        made = make_fec(
            day=date.fromisoformat(data["year"]),
            separator=Separator[data["separator"]],
            encoding=Encoding[data["encoding"]],
            actor=request.user,
        )
    except SphinxError as error:
        messages.error(request, error.message)
        return error.context.get("report"), ""
    return made.report, made.path.name


@login_required
@_may_export
def download(request: HttpRequest, name: str) -> FileResponse:
    """A year's FEC as it was last made."""
    if not _NAME.fullmatch(name):
        raise Http404
    path = here(Path(settings.DATA_DIR, FECS, name), may_change=True)
    if not path.exists():
        raise Http404
    return FileResponse(path.open("rb"), as_attachment=True, filename=name)
