"""Announced returns in the browser: expected, to examine, done; one page each."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from inventory.selectors import serials_in
from sales import services
from sales.models import ReturnRequest
from sales.selectors import lines_with_serials
from sales.services import Back
from sphinx.core import clock
from sphinx.core.errors import SphinxError
from sphinx.core.history import history_of
from sphinx.core.pages import back_office_page
from sphinx.core.typed import typed_number

SHOWN = 100
Status = ReturnRequest.Status


@login_required
@permission_required("sales.view_returnrequest", raise_exception=True)
def returns(request: HttpRequest) -> HttpResponse:
    """Parcels to examine first, then those expected; a scanned slip opens its return."""
    scanned = request.GET.get("code", "").strip()
    if scanned:
        found = ReturnRequest.objects.filter(number__iexact=scanned).first()
        if found is not None:
            return redirect("sales:return", found.pk)
        messages.error(request, _("Aucun retour « %s ».") % scanned[:40])
    rows = ReturnRequest.objects.select_related("delivery_note__order")
    return back_office_page(
        request,
        "sales/returns.html",
        title=_("Retours clients"),
        groups=[
            (_("À examiner"), "warning", list(rows.filter(status=Status.RECEIVED)[:SHOWN])),
            (_("Attendus"), "info", list(rows.filter(status=Status.ANNOUNCED)[:SHOWN])),
            (_("Examinés"), "success", list(rows.filter(status=Status.EXAMINED)[:20])),
        ],
    )


@login_required
@permission_required("sales.view_returnrequest", raise_exception=True)
def one_return(request: HttpRequest, request_id: int) -> HttpResponse:
    """The step that a return waits for: count it, examine it."""
    found = get_object_or_404(
        ReturnRequest.objects.select_related("delivery_note__order", "goods_return"), pk=request_id
    )
    lines = list(found.lines.select_related("note_line__order_line"))
    may_change = request.user.has_perm("sales.change_returnrequest")
    if request.method == "POST":
        act = _STEPS.get(request.POST.get("verb", ""))
        if act is None or not may_change:
            raise Http404
        try:
            act(request, found, lines)
        except SphinxError as error:
            messages.error(request, error.message)
        return redirect("sales:return", found.pk)
    return back_office_page(
        request,
        "sales/return.html",
        title=_("Retour %s") % found.number,
        history=history_of(found),
        found=found,
        lines=lines,
        with_serials=lines_with_serials(found.delivery_note),
        may_change=may_change,
    )


def _receive(request: HttpRequest, found: ReturnRequest, lines: list[Any]) -> None:
    counts = {line.pk: typed_number(request.POST.get(f"count-{line.pk}", "")) for line in lines}
    services.receive_return(
        request_id=found.pk, quantities=counts, at=clock.now(), actor=request.user
    )
    messages.success(request, _("Colis compté : examinez son contenu."))


def _examine(request: HttpRequest, found: ReturnRequest, lines: list[Any]) -> None:
    accepted = [
        Back(
            line.note_line_id,
            typed_number(request.POST.get(f"{kind}-{line.pk}", "")),
            kind == "scrap",
            serials_in(request.POST.get(f"serials-{kind}-{line.pk}", "")),
        )
        for line in lines
        for kind in ("shelf", "scrap")
    ]
    services.examine_return(
        request_id=found.pk,
        accepted=accepted,
        verdict=request.POST.get("verdict", ""),
        at=clock.now(),
        actor=request.user,
    )
    messages.success(request, _("Retour examiné : le stock est à jour."))


def _abandon(request: HttpRequest, found: ReturnRequest, _lines: list[Any]) -> None:
    services.abandon_return(request_id=found.pk, actor=request.user)


_STEPS: dict[str, Callable[[HttpRequest, ReturnRequest, list[Any]], None]] = {
    "receive": _receive,
    "examine": _examine,
    "abandon": _abandon,
}


@login_required
@permission_required("sales.view_returnrequest", raise_exception=True)
def slip(request: HttpRequest, request_id: int) -> FileResponse:
    """The slip for the customer's parcel."""
    found = get_object_or_404(
        ReturnRequest.objects.select_related("delivery_note__order"), pk=request_id
    )
    path = services.render_return_slip(found)
    return FileResponse(path.open("rb"), as_attachment=True, filename=path.name)
