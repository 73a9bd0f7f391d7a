"""The alerts of the day, and what can be done about each in one click."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from inventory.models import LotPosition
from inventory.services import write_off
from sales.services import cancel_delivery_note, prioritise_orders
from sphinx.core import clock
from sphinx.core.errors import SphinxError
from sphinx.core.pages import back_office_page
from sphinx.dashboard.alerts import stock_alerts


@login_required
@permission_required("inventory.view_stockposition", raise_exception=True)
def alerts(request: HttpRequest) -> HttpResponse:
    """What is wrong with stock, the gravest first."""
    return back_office_page(
        request,
        "dashboard/alerts.html",
        title=_("Alertes de stock"),
        alerts=stock_alerts(),
        may=[
            verb for verb, (permission, _do) in _VERBS.items() if request.user.has_perm(permission)
        ],
    )


def _scrap(pk: int, user: Any) -> None:
    found = get_object_or_404(LotPosition.objects.select_related("lot", "warehouse"), pk=pk)
    write_off(
        product_id=found.lot.product_id,
        warehouse=found.warehouse,
        quantity=found.on_hand,
        reason=_("Lot périmé"),
        lot_id=found.lot_id,
        at=clock.now(),
        actor=user,
    )


_VERBS: dict[str, tuple[str, Callable[[int, Any], object]]] = {
    "first": (
        "sales.change_order",
        lambda pk, user: prioritise_orders(order_ids=[pk], priority=1, actor=user),
    ),
    "cancel-note": (
        "sales.change_deliverynote",
        lambda pk, user: cancel_delivery_note(note_id=pk, actor=user),
    ),
    "scrap": ("inventory.add_stockmove", _scrap),
}


@require_POST
@login_required
def act(request: HttpRequest, verb: str, pk: int) -> HttpResponse:
    """One click."""
    permission, do = _VERBS.get(verb, ("", None))
    if do is None or not request.user.has_perm(permission):
        raise Http404
    try:
        do(pk, request.user)
    except SphinxError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("C'est fait."))
    return redirect("dashboard:alerts")
