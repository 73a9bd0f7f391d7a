"""Forecasts changed for a time: what is in force, what was, and one more."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from purchasing import services
from purchasing.forms import AdjustmentForm
from purchasing.models import DemandAdjustment
from sphinx.core import clock
from sphinx.core.errors import SphinxError
from sphinx.core.pages import back_office_page
from sphinx.core.typed import key_of

# The latest ones; who wants older ones looks into the audit trail.
SHOWN = 100


@login_required
@permission_required("purchasing.view_demandadjustment", raise_exception=True)
def adjustments(request: HttpRequest) -> HttpResponse:
    """The changes of forecasts, each with why and by whom; one more, ended, taken back."""
    verb, _sep, key = request.POST.get("verb", "").partition("-")
    form = AdjustmentForm(
        request.POST if verb == "add" else None,
        initial={"sku": request.GET.get("article", ""), "first_day": clock.today()},
    )
    if request.method == "POST":
        try:
            if verb == "add" and not _add(request, form):
                return _page(request, form)
            if verb != "add":
                _change(request, verb, key_of(key))
        except SphinxError as error:
            messages.error(request, error.message)
            if verb == "add":
                return _page(request, form)
        return redirect("purchasing:adjustments")
    return _page(request, form)


def _page(request: HttpRequest, form: AdjustmentForm) -> HttpResponse:
    found = DemandAdjustment.objects.select_related("product", "category", "supplier", "created_by")
    return back_office_page(
        request,
        "purchasing/adjustments.html",
        title=_("Prévisions changées"),
        form=form,
        adjustments=found[:SHOWN],
        shown=SHOWN,
        today=clock.today(),
    )


def _add(request: HttpRequest, form: AdjustmentForm) -> bool:
    """Whether what was typed could be read, and was kept."""
    if not request.user.has_perm("purchasing.add_demandadjustment"):
        raise Http404
    if not form.is_valid():
        return False
    data = form.cleaned_data
    services.adjust_forecast(
        product=data["sku"],
        category=data["category"],
        supplier=data["supplier"],
        first_day=data["first_day"],
        last_day=data["last_day"],
        percent=data["percent"],
        weekly=data["weekly"],
        reason=data["reason"],
        is_exceptional=data["is_exceptional"],
        at=clock.now(),
        actor=request.user,
    )
    messages.success(request, _("Noté : le calcul suivant en tient compte, et le dit."))
    return True


def _change(request: HttpRequest, verb: str, adjustment_id: int | None) -> None:
    may = request.user.has_perm("purchasing.change_demandadjustment")
    if not may or adjustment_id is None:
        raise Http404
    if not DemandAdjustment.objects.filter(pk=adjustment_id).exists():
        raise Http404
    if verb == "end":
        services.end_adjustment(adjustment_id=adjustment_id, at=clock.now(), actor=request.user)
    elif verb == "withdraw":
        services.withdraw_adjustment(
            adjustment_id=adjustment_id, at=clock.now(), actor=request.user
        )
    elif verb in ("exceptional", "ordinary"):
        services.call_exceptional(
            adjustment_id=adjustment_id,
            is_exceptional=verb == "exceptional",
            actor=request.user,
        )
    else:
        raise Http404
