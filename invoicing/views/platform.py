"""The e-invoicing platform in the browser: what it refused, where invoices stand, reports."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.db.models import Count
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from invoicing import services
from invoicing.channels import e_invoices_to_send, professionals_without_siren
from invoicing.models import EInvoiceState, PlatformMessage, PlatformSettings, SalesReport
from invoicing.selectors import current_states, platform_settings, refused_e_invoices
from sphinx.core import clock
from sphinx.core.errors import SphinxError
from sphinx.core.files import here
from sphinx.core.pages import back_office_page
from sphinx.core.typed import key_of

SHOWN = 50


@login_required
@permission_required("invoicing.view_einvoicestate", raise_exception=True)
def platform(request: HttpRequest) -> HttpResponse:
    """What waits for somebody first, then the flow of invoices and the reports."""
    may_change = request.user.has_perm("invoicing.change_platformsettings")
    if request.method == "POST":
        if not may_change:
            raise Http404
        try:
            _act(request)
        except SphinxError as error:
            messages.error(request, error.message)
        return redirect("invoicing:platform")
    chosen = platform_settings()
    silent = [m for m in PlatformMessage.objects.all()[:SHOWN] if m.problems]
    return back_office_page(
        request,
        "invoicing/platform.html",
        title=_("Plateforme de facturation"),
        chosen=chosen,
        folder=settings.PLATFORM_DIR,
        may_change=may_change,
        refused=refused_e_invoices()[:SHOWN],
        stages=_stages(chosen) if chosen.starts_on else [],
        reports=SalesReport.objects.all()[:SHOWN],
        without_siren=list(professionals_without_siren(chosen.starts_on))[:SHOWN]
        if chosen.starts_on
        else [],
        silent=silent,
    )


def _stages(chosen: PlatformSettings) -> list[dict[str, Any]]:
    """How many e-invoices stand where, in the order of their life, with their share in percent."""
    assert chosen.starts_on is not None  # noqa: S101
    rows = current_states().order_by().values("state").annotate(count=Count("pk"))
    counts = {row["state"]: row["count"] for row in rows}
    found = [(_("À transmettre"), e_invoices_to_send(chosen.starts_on).count())]
    found += [
        (str(label), counts[state])
        for state, label in EInvoiceState.State.choices
        if state in counts
    ]
    highest = max(count for _label, count in found) or 1
    return [
        {"label": label, "count": count, "share": 100 * count // highest} for label, count in found
    ]


def _act(request: HttpRequest) -> None:
    verb, _sep, pk = request.POST.get("verb", "").partition("-")
    if verb == "sync":
        done = services.sync_platform(at=clock.now(), actor=request.user)
        messages.success(
            request,
            _(
                "%(invoices)s factures et %(reports)s déclarations transmises, "
                "%(states)s états reçus."
            )
            % done._asdict(),
        )
        for problem in done.problems:
            messages.warning(request, problem)
    elif verb == "correct":
        report = get_object_or_404(SalesReport, pk=key_of(pk))
        made = services.correct_report(report_id=report.pk, at=clock.now(), actor=request.user)
        messages.success(request, _("Rectificatif %s produit.") % made.identifier)
    else:
        raise Http404


@login_required
@permission_required("invoicing.view_salesreport", raise_exception=True)
def report_file(request: HttpRequest, report_id: int) -> FileResponse:
    """The e-reporting file as it was made."""
    report = get_object_or_404(SalesReport.objects.exclude(path=""), pk=report_id)
    path = here(settings.DATA_DIR / report.path)
    if not path.exists():
        raise Http404
    return FileResponse(path.open("rb"), as_attachment=True, filename=f"{report.identifier}.xml")
