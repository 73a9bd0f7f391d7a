"""Proposals with their reasons, orders until they are closed."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from inventory.forms import GoodsForm
from inventory.models import Style
from purchasing import services
from purchasing.forms import OrderForm
from purchasing.models import PurchaseOrder, PurchaseOrderLine
from purchasing.reasons import explain, headline
from purchasing.tasks import propose_purchase_orders
from sphinx.core import clock
from sphinx.core.errors import SphinxError
from sphinx.core.history import history_of
from sphinx.core.pages import back_office_page
from sphinx.core.templatetags.numbers import bare
from sphinx.core.typed import key_of, typed_day, typed_number

Status = PurchaseOrder.Status


@login_required
@permission_required("purchasing.view_purchaseorder", raise_exception=True)
def proposal(request: HttpRequest, order_id: int) -> HttpResponse:
    """A proposed order: each line with its reason; accept, change, put off, refuse."""
    found = get_object_or_404(
        PurchaseOrder.objects.select_related("supplier", "warehouse", "direct_delivery"),
        pk=order_id,
    )
    if request.method == "POST":
        if not request.user.has_perm("purchasing.change_purchaseorder"):
            raise Http404
        try:
            _decide(request, found)
        except SphinxError as error:
            messages.error(request, error.message)
        return redirect("purchasing:proposal", found.pk)
    lines = list(found.lines.select_related("product__style"))
    over = services.pieces_too_many([found]).get(found.pk, {})
    return back_office_page(
        request,
        "purchasing/proposal.html",
        title=f"{found.number} – {found.supplier}",
        history=history_of(found),
        order=found,
        lines=[(line, headline(line.reason), explain(line.reason)) for line in lines],
        style_lines=_styles(lines) if not found.direct_delivery_id else [],
        is_open=found.status == Status.PROPOSED
        and request.user.has_perm("purchasing.change_purchaseorder"),
        may_change=found.status == Status.ACCEPTED
        and request.user.has_perm("purchasing.change_purchaseorder"),
        may_end=found.status in ("accepted", "sent", "confirmed", "partially_received"),
        too_many=[(ln.product, over[ln.product_id]) for ln in lines if ln.product_id in over],
        later=clock.today() + timedelta(days=14),
        receipts=found.receipts.all(),
    )


def _styles(lines: Sequence[PurchaseOrderLine]) -> list[tuple[Style, int, Decimal, Decimal]]:
    """Models of which several sizes are ordered: how many, their pieces, EUR excl. tax."""
    found: dict[Style, list[PurchaseOrderLine]] = {}
    for line in lines:
        if line.product.style is not None:
            found.setdefault(line.product.style, []).append(line)
    return [
        (
            style,
            len(those),
            sum((line.quantity for line in those), Decimal(0)),
            sum((line.total_excl_tax for line in those), Decimal(0)),
        )
        for style, those in found.items()
        if len(those) > 1
    ]


def _decide(request: HttpRequest, found: PurchaseOrder) -> None:
    verb, _sep, line = request.POST.get("verb", "").partition("-")
    reason = request.POST.get("reason", "")
    common: dict[str, Any] = {"at": clock.now(), "actor": request.user}
    if verb == "accept":
        services.accept_proposal(order_id=found.pk, **common)
        messages.success(request, _("Acceptée : les pièces sont attendues."))
    elif verb == "refuse" and not line:
        services.refuse_proposal(order_id=found.pk, reason=reason, **common)
    elif verb in ("send", "mail"):
        services.send_order(order_id=found.pk, by_email=verb == "mail", **common)
    elif verb == "confirm":
        day = typed_day(request.POST.get("expected_on", ""))
        services.confirm_order(
            order_id=found.pk,
            expected_on=day,
            supplier_reference=request.POST.get("supplier_reference", ""),
            **common,
        )
    elif verb == "close":
        services.close_order(order_id=found.pk, reason=reason, **common)
    elif verb == "home":
        services.bring_to_us(order_id=found.pk, **common)
        messages.success(request, _("Ce qui reste vient chez vous : recevez-le à l'arrivée."))
    elif verb == "spread" and (key := key_of(line)):
        _spread(request, found, get_object_or_404(Style, pk=key), common)
    elif verb == "change":
        _change(request, found, common)
    elif (key := key_of(line)) and found.lines.filter(pk=key).exists():
        _decide_line(request, verb, key, common)
    else:
        raise Http404


def _change(request: HttpRequest, found: PurchaseOrder, common: dict[str, Any]) -> None:
    """Quantities and prices as typed, and the products added."""
    lines = {}
    for line in found.lines.all():
        quantity = request.POST.get(f"quantity-{line.pk}")
        price = request.POST.get(f"price-{line.pk}")
        if quantity is not None and price is not None:
            lines[line.pk] = (typed_number(quantity), typed_number(price, places=6, digits=8))
    added: dict[int, Decimal] = {}
    if request.POST.get("added", "").strip():
        form = GoodsForm({"lines": request.POST["added"]})
        if not form.is_valid():
            raise SphinxError(" ".join(map(str, form.errors["lines"])), code="purchasing.added")
        added = form.cleaned_data["lines"]
    services.change_order(order_id=found.pk, lines=lines, added=added, **common)
    messages.success(request, _("La commande est changée."))


def _spread(
    request: HttpRequest, found: PurchaseOrder, style: Style, common: dict[str, Any]
) -> None:
    """A model's sizes brought to a number of pieces or a budget together."""
    in_money = request.POST.get("unit") == "money"
    limit = typed_number(request.POST.get("limit", ""), places=2 if in_money else 3)
    pieces = services.spread_style(
        order_id=found.pk, style=style, limit=limit, in_money=in_money, **common
    )
    text = _("%(style)s : %(pieces)s pièces, réparties pour que toutes durent autant.")
    messages.success(request, text % {"style": style, "pieces": bare(pieces)})


def _decide_line(request: HttpRequest, verb: str, line_id: int, common: dict[str, Any]) -> None:
    reason = request.POST.get(f"reason-{line_id}", "")
    if verb == "set":
        quantity = typed_number(request.POST.get(f"quantity-{line_id}", ""))
        services.set_quantity(line_id=line_id, quantity=quantity, reason=reason, **common)
        messages.success(request, _("Quantité changée ; le prochain calcul la garde."))
    elif verb == "later":
        until = typed_day(request.POST.get(f"until-{line_id}", ""))
        services.postpone_line(line_id=line_id, until=until, reason=reason, **common)
        messages.success(request, _("Remis à plus tard."))
    elif verb == "refuse":
        services.refuse_line(line_id=line_id, reason=reason, **common)
        messages.success(request, _("Refusé : rien n'en sera proposé pendant un mois."))
    else:
        raise Http404


@require_POST
@login_required
@permission_required("purchasing.change_purchaseorder", raise_exception=True)
def replenish(request: HttpRequest) -> HttpResponse:
    """Work the needs out now, in a worker."""
    propose_purchase_orders.delay()
    messages.success(request, _("Les besoins sont recalculés : les propositions arrivent."))
    return redirect("admin:purchasing_purchaseorder_changelist")


@login_required
@permission_required("purchasing.add_purchaseorder", raise_exception=True)
def new_order(request: HttpRequest) -> HttpResponse:
    """An order by hand."""
    form = OrderForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            made = services.create_order(
                supplier=data["supplier"],
                warehouse=data["warehouse"],
                quantities=data["lines"],
                note=data["note"],
                at=clock.now(),
                actor=request.user,
            )
        except SphinxError as error:
            messages.error(request, error.message)
        else:
            return redirect("purchasing:proposal", made.pk)
    return back_office_page(
        request,
        "inventory/form.html",
        title=_("Commander à la main"),
        form=form,
        verb=_("Commander"),
    )


@login_required
@permission_required("purchasing.view_purchaseorder", raise_exception=True)
def order_pdf(request: HttpRequest, order_id: int) -> FileResponse:
    """The order as the supplier gets it."""
    found = get_object_or_404(
        PurchaseOrder.objects.select_related("supplier", "direct_delivery"), pk=order_id
    )
    path = services.order_pdf(found)
    return FileResponse(path.open("rb"), as_attachment=True, filename=f"{found.number}.pdf")


@login_required
@permission_required("purchasing.view_purchaseorder", raise_exception=True)
def direct_slip(request: HttpRequest, order_id: int) -> FileResponse:
    """The slip for a customer's parcel, which the supplier sends."""
    found = get_object_or_404(
        PurchaseOrder.objects.select_related("direct_delivery"),
        pk=order_id,
        direct_delivery__isnull=False,
    )
    path = services.slip_pdf(found)
    return FileResponse(path.open("rb"), as_attachment=True, filename=path.name)


@login_required
@permission_required("purchasing.view_purchaseorder", raise_exception=True)
def order_csv(request: HttpRequest, order_id: int) -> HttpResponse:
    """Its lines for the supplier's system."""
    found = get_object_or_404(PurchaseOrder, pk=order_id)
    return HttpResponse(
        "\ufeff" + services.order_csv(found),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{found.number}.csv"'},
    )
