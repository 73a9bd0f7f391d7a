"""What a shop did that is to be explained: refunds, parcels without a note, orders of before."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sales import services
from sales.models import Order, OrderLine
from sales.selectors import orders_in_doubt, orders_to_take_over, shipped_by_shops
from sphinx.core import clock
from sphinx.core.errors import InputError, SphinxError
from sphinx.core.models import Shop
from sphinx.core.money import ZERO
from sphinx.core.pages import back_office_page
from sphinx.core.typed import day_of, key_of, typed_number

SHOWN = 50
_MAY_EXPLAIN, _MAY_SHIP = "sales.change_order", "sales.change_deliverynote"


class Doubt(NamedTuple):
    """A refund to explain, with the likely answer: pieces by line."""

    order: Order
    lines: list[tuple[OrderLine, Decimal]]
    is_likely_gesture: bool


class Shipped(NamedTuple):
    """Pieces that a shop says it shipped without a note from here."""

    order: Order
    pieces: list[tuple[OrderLine, Decimal]]


@login_required
@permission_required("sales.view_order", raise_exception=True)
def differences(request: HttpRequest) -> HttpResponse:
    """Each kind of difference, the oldest first, with the answers that there are."""
    if request.method == "POST":
        try:
            _answer(request)
        except SphinxError as error:
            messages.error(request, error.message)
        return redirect("sales:differences")
    doubts, shipped = orders_in_doubt(), shipped_by_shops()
    before = orders_to_take_over()
    return back_office_page(
        request,
        "sales/differences.html",
        title=_("Écarts avec les boutiques"),
        doubts=[_doubt(order) for order in _shown(doubts)],
        doubt_count=doubts.count(),
        shipped=[_shipped(order) for order in _shown(shipped)],
        shipped_count=shipped.count(),
        before=before.select_related("shop", "customer")[:SHOWN],
        before_count=before.count(),
        shops=Shop.objects.filter(is_active=True),
        shown=SHOWN,
        may_explain=request.user.has_perm(_MAY_EXPLAIN),
        may_ship=request.user.has_perm(_MAY_SHIP),
        may_set_shops=request.user.has_perm("core.change_shop"),
    )


def _shown(orders: Any) -> Any:
    return orders.select_related("shop", "customer").prefetch_related("lines")[:SHOWN]


def _doubt(order: Order) -> Doubt:
    likely = services.likely_pieces(order)
    lines = [
        (line, likely.get(line.pk, ZERO)) for line in order.lines.all() if line.quantity_wanted
    ]
    return Doubt(order, lines, is_likely_gesture=not likely)


def _shipped(order: Order) -> Shipped:
    return Shipped(order, services.left_without_note(order.lines.all()))


def _answer(request: HttpRequest) -> None:
    verb = str(request.POST.get("verb", ""))
    permission, act = _VERBS.get(verb, (_MAY_EXPLAIN, _unknown))
    if not request.user.has_perm(permission):
        raise PermissionDenied
    act(request)


def _unknown(request: HttpRequest) -> None:
    raise InputError(_("Choisissez une réponse."), code="sales.no_answer")


def _order_of(request: HttpRequest) -> Order:
    return get_object_or_404(Order, pk=typed_number(request.POST.get("order", ""), places=0))


def _explain(request: HttpRequest, *, with_pieces: bool) -> None:
    order = _order_of(request)
    pieces = {}
    if with_pieces:
        pieces = {
            line.pk: typed_number(request.POST.get(f"pieces-{line.pk}", "") or "0")
            for line in order.lines.all()
        }
        if not any(pieces.values()):
            raise InputError(_("Dites combien de pièces sont retirées."), code="sales.no_pieces")
    services.explain_refund(
        order_id=order.pk,
        pieces={pk: count for pk, count in pieces.items() if count},
        asked=typed_number(request.POST.get("asked", ""), places=2),
        actor=request.user,
    )
    messages.success(request, _("Commande %s : c'est noté, elle peut partir.") % order.number)


def _note(request: HttpRequest) -> None:
    order = _order_of(request)
    note = services.ship_as_shop_did(order_id=order.pk, at=clock.now(), actor=request.user)
    if note is not None:
        shown = {"number": note.number, "order": order.number}
        messages.success(
            request, _("Bon %(number)s pour la commande %(order)s : le stock est sorti.") % shown
        )


def _each(request: HttpRequest, act: Callable[[int], Any]) -> None:
    """Do `act` to each order that was ticked; one that can't be is told, the others go on."""
    given: Any = request.POST
    ids = [key for pk in given.getlist("order") if (key := key_of(pk))]
    if not ids:
        raise InputError(_("Cochez au moins une commande."), code="sales.none_ticked")
    done = 0
    for pk in ids:
        try:
            act(pk)
            done += 1
        except SphinxError as error:
            messages.error(request, error.message)
    text = ngettext("%(n)s commande traitée.", "%(n)s commandes traitées.", done)
    messages.success(request, text % {"n": done})


def _take_over(request: HttpRequest, *, invoiced_elsewhere: bool) -> None:
    _each(
        request,
        lambda pk: services.take_over(
            order_id=pk, invoiced_elsewhere=invoiced_elsewhere, actor=request.user
        ),
    )


def _all_left(request: HttpRequest) -> None:
    shop = get_object_or_404(Shop, code=request.POST.get("shop", ""))
    count = services.leave_all_as_history(shop_id=shop.pk, actor=request.user)
    text = ngettext(
        "%(shop)s : %(n)s commande payée de la reprise notée comme déjà partie.",
        "%(shop)s : %(n)s commandes payées de la reprise notées comme déjà parties.",
        count,
    )
    messages.success(request, text % {"shop": shop, "n": count})


def _begin(request: HttpRequest) -> None:
    shop = get_object_or_404(Shop, code=request.POST.get("shop", ""))
    until = day_of(request.POST.get("until"))
    if until is None:
        raise InputError(_("Donnez le dernier jour de la reprise."), code="sales.no_day")
    if until > clock.today():
        raise InputError(
            _("La reprise s'arrête aujourd'hui au plus tard."), code="sales.day_to_come"
        )
    count = services.begin_history(shop_id=shop.pk, until=until, actor=request.user)
    text = ngettext(
        "%(shop)s : %(n)s commande passée en reprise, les fichiers suivants sont lus ainsi.",
        "%(shop)s : %(n)s commandes passées en reprise, les fichiers suivants sont lus ainsi.",
        count,
    )
    messages.success(request, text % {"shop": shop, "n": count})


_VERBS: dict[str, tuple[str, Callable[[HttpRequest], None]]] = {
    "pieces": (_MAY_EXPLAIN, lambda request: _explain(request, with_pieces=True)),
    "gesture": (_MAY_EXPLAIN, lambda request: _explain(request, with_pieces=False)),
    "note": (_MAY_SHIP, _note),
    "history": (
        _MAY_EXPLAIN,
        lambda request: _each(
            request, lambda pk: services.make_history(order_id=pk, actor=request.user)
        ),
    ),
    "take_over": (_MAY_SHIP, lambda request: _take_over(request, invoiced_elsewhere=False)),
    "take_over_invoiced": (_MAY_SHIP, lambda request: _take_over(request, invoiced_elsewhere=True)),
    "left": (
        _MAY_EXPLAIN,
        lambda request: _each(
            request, lambda pk: services.leave_as_history(order_id=pk, actor=request.user)
        ),
    ),
    "all_left": (_MAY_EXPLAIN, _all_left),
    "begin": ("core.change_shop", _begin),
}
