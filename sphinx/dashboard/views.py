"""The home page, what can be done on an order, and the two health pages."""

from collections.abc import Callable
from secrets import compare_digest
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connection
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ftp_ingest.cause_lines import short_lines
from ftp_ingest.models import Feed
from ftp_ingest.selectors import open_causes
from invoicing.selectors import notes_to_invoice
from invoicing.services import credit_refunds, issue_invoices
from sales.models import Order
from sales.selectors import notes_to_ship
from sales.services import cancel_order, confirm_order, prepare_delivery, ship_delivery_notes
from sphinx.core import clock
from sphinx.core.counting import AT_MOST
from sphinx.core.errors import SphinxError
from sphinx.core.pages import back_office_page
from sphinx.dashboard import figures, rollups
from sphinx.dashboard.cards import cards_for
from sphinx.dashboard.first_steps import MAY_TAKE_THEM, first_steps, set_first_steps
from sphinx.dashboard.periods import last_days

MANY_FAILURES = 3
# Causes of quarantine told on the home page; their list has them all.
CAUSES = 5


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """The day's figures and what waits for a hand, by role."""
    period = last_days(clock.today())
    may_see_sales = request.user.has_perm("sales.view_order")
    cards = cards_for(request.user, figures.work_waiting(AT_MOST))
    context: dict[str, Any] = {
        "cards": [card for card in cards if card["count"]],
        "quiet": [card for card in cards if not card["count"]],
        "first_steps": first_steps(request.user),
    }
    if request.user.has_perm("ftp_ingest.view_quarantinedrow"):
        context["causes"] = short_lines(open_causes(), CAUSES, request.user)
    if may_see_sales:
        rollups.refresh()
        now, before = figures.sales_of(period), figures.sales_of(period.before())
        context |= {
            "sales": now,
            "today": figures.sales_of(last_days(clock.today(), 1)),
            "days": figures.orders_by_day(period),
            "period": period,
            "changes": {
                "turnover": figures.percent_change(now.turnover_excl_tax, before.turnover_excl_tax),
                "ordered": figures.percent_change(now.ordered_incl_tax, before.ordered_incl_tax),
                "basket": figures.percent_change(now.average_basket, before.average_basket),
            },
            "last_orders": Order.objects.select_related("customer", "shop")[:8],
        }
    return back_office_page(request, "dashboard/home.html", title=_("Tableau de bord"), **context)


@login_required
@permission_required(MAY_TAKE_THEM, raise_exception=True)
@require_POST
def hide_first_steps(request: HttpRequest) -> HttpResponse:
    """The firm needs them no more; *Réglages › Société* brings them back."""
    set_first_steps(are_hidden=True, actor=request.user)
    return redirect("dashboard:home")


# --- What can be done on an order's page ----------------------------------------------------


def _confirm(order: Order, user: Any) -> None:
    confirm_order(order_id=order.pk, actor=user)


def _cancel(order: Order, user: Any) -> None:
    cancel_order(order_id=order.pk, at=clock.now(), actor=user)


def _prepare(order: Order, user: Any) -> None:
    prepare_delivery(order_id=order.pk, at=clock.now(), actor=user)


def _ship(order: Order, user: Any) -> None:
    drafts = notes_to_ship().filter(order=order).values_list("pk", flat=True)
    ship_delivery_notes(note_ids=list(drafts), at=clock.now(), actor=user)


def _invoice(order: Order, user: Any) -> None:
    notes = notes_to_invoice().filter(order=order).values_list("pk", flat=True)
    issue_invoices(note_ids=list(notes), at=clock.now(), actor=user)
    credit_refunds(at=clock.now(), order_ids=[order.pk])


VERBS: dict[str, tuple[str, Callable[[Order, Any], None]]] = {
    "confirmer": ("sales.change_order", _confirm),
    "annuler": ("sales.change_order", _cancel),
    "preparer": ("sales.change_deliverynote", _prepare),
    "expedier": ("sales.change_deliverynote", _ship),
    "facturer": ("invoicing.add_invoice", _invoice),
}


@login_required
@require_POST
def act_on_order(request: HttpRequest, order_id: int, verb: str) -> HttpResponse:
    """Do one thing with an order, then show it again."""
    if verb not in VERBS:
        raise Http404
    permission, act = VERBS[verb]
    if not request.user.has_perm(permission):
        raise PermissionDenied
    order = get_object_or_404(Order, pk=order_id)
    try:
        act(order, request.user)
    except SphinxError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("C'est fait."))
    return redirect("admin:sales_order_change", order.pk)


# --- Health: no log-in, no detail -------------------------------------------------------------


def healthz(request: HttpRequest) -> HttpResponse:
    """The process is up."""
    return HttpResponse("ok", content_type="text/plain")


def readyz(request: HttpRequest) -> HttpResponse:
    """Database and broker answer, and no feed has been failing for long."""
    ready = _database_answers() and _broker_answers()
    ready = ready and not Feed.objects.filter(is_active=True, failures__gte=MANY_FAILURES).exists()
    return HttpResponse(
        "ok" if ready else "unavailable", status=200 if ready else 503, content_type="text/plain"
    )


def metrics(request: HttpRequest) -> HttpResponse:
    """Measures for Prometheus, to who shows METRICS_TOKEN; none set: there is no such page."""
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not settings.METRICS_TOKEN or not compare_digest(
        given.encode(), settings.METRICS_TOKEN.encode()
    ):
        raise Http404
    from sphinx.dashboard.metrics import text  # only where somebody watches

    return HttpResponse(text(), content_type="text/plain; version=0.0.4; charset=utf-8")


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _broker_answers() -> bool:
    if not settings.REDIS_URL:
        return True
    import redis  # only where there is a broker

    try:
        return bool(redis.from_url(settings.REDIS_URL, socket_timeout=2).ping())
    except redis.RedisError:
        return False
