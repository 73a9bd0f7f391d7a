"""What would have been, and how suppliers kept their word."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from purchasing import services
from purchasing.models import (
    Backtest,
)
from purchasing.scorecards import scorecards as read_scorecards
from purchasing.tasks import replay_year
from sphinx.core import clock
from sphinx.core.errors import SphinxError
from sphinx.core.pages import back_office_page


@login_required
@permission_required("purchasing.view_purchaseorder", raise_exception=True)
def backtest(request: HttpRequest) -> HttpResponse:
    """What the learned levels would have done, beside a fixed minimum and what was bought."""
    if request.method == "POST" and request.user.has_perm("purchasing.change_purchaseorder"):
        try:
            started = services.start_backtest(until=clock.today())
            replay_year.delay(backtest_id=started.pk)
        except SphinxError as error:
            messages.error(request, error.message)
        return redirect("purchasing:backtest")
    names = {
        "learned": _("Sphinx"),
        "fixed": _("Minimum fixe"),
        "real": _("Acheté en vrai"),
    }
    latest = Backtest.objects.filter(status=Backtest.Status.DONE).first()
    running = Backtest.objects.filter(status=Backtest.Status.RUNNING).first()
    return back_office_page(
        request,
        "purchasing/backtest.html",
        title=_("Comparaison sur le passé"),
        latest=latest,
        running=running,
        share=100 * running.products_done // max(running.products, 1) if running else 0,
        classes=latest.outcomes[0].get("classes", []) if latest and latest.outcomes else [],
        outcomes=[
            {**found, "label": names[found["name"]]}
            for found in (latest.outcomes if latest else [])
        ],
    )


@login_required
@permission_required("purchasing.view_purchaseorder", raise_exception=True)
def backtest_progress(request: HttpRequest, backtest_id: int) -> JsonResponse:
    """How far a back-test is, for the page that waits."""
    found = get_object_or_404(Backtest, pk=backtest_id)
    return JsonResponse(
        {"status": found.status, "done": found.products_done, "total": found.products}
    )


@login_required
@permission_required("suppliers.view_supplier", raise_exception=True)
def scorecards(request: HttpRequest) -> HttpResponse:
    """How suppliers kept their word over the last year."""
    return back_office_page(
        request,
        "purchasing/scorecards.html",
        title=_("Fournisseurs : paroles tenues"),
        cards=read_scorecards(until=clock.today()),
    )
