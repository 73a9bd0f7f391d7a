"""Goods that come in, by scanner or by list, and those that go back."""

from datetime import date
from decimal import Decimal

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from inventory.selectors import scanned_product
from purchasing import services
from purchasing.models import (
    PurchaseOrder,
    PurchaseOrderLine,
    Receipt,
)
from purchasing.selectors import sold_since
from sphinx.core import clock
from sphinx.core.errors import SphinxError
from sphinx.core.history import history_of
from sphinx.core.models import AuditEvent
from sphinx.core.money import plain
from sphinx.core.pages import back_office_page
from sphinx.core.typed import typed_day, typed_number


@login_required
@permission_required("purchasing.add_receipt", raise_exception=True)
def receive(request: HttpRequest, order_id: int) -> HttpResponse:
    """Receive by scanner or by list: each code adds a piece to what arrives; then one button."""
    found = get_object_or_404(
        PurchaseOrder.objects.select_related("supplier", "warehouse"), pk=order_id
    )
    lines = list(found.lines.select_related("product").order_by("product__sku"))
    given = {line.pk: request.POST.get(f"q{line.pk}", "") for line in lines}
    seen, refused = None, ""
    if request.method == "POST":
        try:
            if request.POST.get("verb") == "receive":
                return _received(request, found, lines)
            seen = _scanned(request, lines, given)
        except SphinxError as error:
            refused = error.message
    rows = [
        {
            "line": line,
            "left": max(line.quantity - line.quantity_received, Decimal(0)),
            "given": given[line.pk],
            "damaged": request.POST.get(f"d{line.pk}", ""),
            "price": request.POST.get(f"p{line.pk}", ""),
            "lot": request.POST.get(f"l{line.pk}", ""),
            "best_before": request.POST.get(f"b{line.pk}", ""),
            "seen": line == seen,
        }
        for line in lines
    ]
    return back_office_page(
        request,
        "purchasing/receive.html",
        title=_("Réception de %s") % found.number,
        order=found,
        rows=rows,
        seen=seen,
        refused=refused,
        seen_count=given.get(seen.pk) if seen else "",
        reference=request.POST.get("reference", ""),
        received_on=request.POST.get("received_on", ""),
        today=clock.today(),
        receipts=found.receipts.count(),
    )


def _scanned(
    request: HttpRequest, lines: list[PurchaseOrderLine], given: dict[int, str]
) -> PurchaseOrderLine:
    """One more piece of what was scanned. Raises SphinxError: it isn't on the order."""
    product = scanned_product(request.POST.get("code", ""))
    for line in lines:
        if line.product_id == product.pk:
            given[line.pk] = f"{typed_number(given[line.pk] or '0') + 1:f}"
            return line
    raise SphinxError(
        _("%s n'est pas sur cette commande.") % product, code="purchasing.not_ordered"
    )


def _received(
    request: HttpRequest, found: PurchaseOrder, lines: list[PurchaseOrderLine]
) -> HttpResponse:
    arrived = {}
    for line in lines:
        typed = {name: request.POST.get(f"{name}{line.pk}", "").strip() for name in "qdplb"}
        if not typed["q"] and not typed["d"]:
            continue
        arrived[line.pk] = services.Arrived(
            quantity=typed_number(typed["q"] or "0"),
            damaged=typed_number(typed["d"] or "0"),
            unit_price=typed_number(typed["p"], places=6, digits=8) if typed["p"] else None,
            lot=typed["l"],
            best_before=typed_day(typed["b"]) if typed["b"] else None,
        )
    day = request.POST.get("received_on", "")
    receipt = services.receive_goods(
        order_id=found.pk,
        quantities=arrived,
        received_on=typed_day(day) if day else None,
        supplier_reference=request.POST.get("reference", ""),
        accepts_more=request.POST.get("more") == "on",
        after_receipts=int(typed_number(request.POST.get("receipts", ""), places=0)),
        at=clock.now(),
        actor=request.user,
    )
    messages.success(request, _("Réception %s enregistrée : le stock est à jour.") % receipt)
    if receipt is not None and (told := late_entry(receipt, clock.today())):
        messages.info(request, told)
    return redirect("purchasing:proposal", found.pk)


def late_entry(receipt: Receipt, entered_on: date) -> str:
    """What entering a receipt after its day does to costs; nothing when it was entered that day."""
    day = clock.business_date(receipt.received_at)
    if day >= entered_on:
        return ""
    sold = sold_since(receipt)
    told = _(
        "Entrée le %(entered)s pour le %(day)s. Le CUMP en tient compte à partir de l'entrée. La "
        "valeur du stock au %(day)s et aux jours suivants est recalculée avec elle : une valeur "
        "déjà relevée pour ces jours change."
    ) % {"entered": f"{entered_on:%d/%m/%Y}", "day": f"{day:%d/%m/%Y}"}
    if not sold:
        return told
    kept = _("Les pièces vendues entre-temps (%s) gardent le coût de leur départ.") % plain(sold)
    return f"{told} {kept}"


def _told_late(receipt: Receipt) -> str:
    entered = AuditEvent.objects.filter(
        subject_number=receipt.number,
        subject_kind=receipt._meta.label,
        kind__in=("receipt.recorded", "receipt.direct"),
    ).first()
    return late_entry(receipt, clock.business_date(entered.at)) if entered else ""


@login_required
@permission_required("purchasing.view_receipt", raise_exception=True)
def receipt(request: HttpRequest, receipt_id: int) -> HttpResponse:
    """What came in one go, what became of it; goods sent back to the supplier."""
    found = get_object_or_404(
        Receipt.objects.select_related("purchase_order__supplier", "purchase_order__warehouse"),
        pk=receipt_id,
    )
    lines = list(found.lines.select_related("order_line__product", "move__lot").order_by("pk"))
    if request.method == "POST":
        if not request.user.has_perm("purchasing.add_supplierreturn"):
            raise Http404
        try:
            made = services.return_to_supplier(
                receipt_id=found.pk,
                quantities={
                    line.pk: typed_number(request.POST.get(f"q{line.pk}", "")) for line in lines
                },
                reason=request.POST.get("reason", ""),
                after_returns=int(typed_number(request.POST.get("returns", ""), places=0)),
                at=clock.now(),
                actor=request.user,
            )
        except SphinxError as error:
            messages.error(request, error.message)
        else:
            messages.success(
                request, _("Retour %s enregistré : les pièces ont quitté le stock.") % made
            )
            return redirect("purchasing:receipt", found.pk)
    returns = list(found.returns.prefetch_related("lines__receipt_line__order_line__product"))
    return back_office_page(
        request,
        "purchasing/receipt.html",
        title=_("Réception %s") % found.number,
        history=history_of(found),
        receipt=found,
        late=_told_late(found),
        rows=[
            (line, line.quantity - line.quantity_returned, request.POST.get(f"q{line.pk}", ""))
            for line in lines
        ],
        returns=returns,
        reason=request.POST.get("reason", ""),
        may_share=request.user.has_perm("purchasing.add_supplierinvoice"),
        may_return=request.user.has_perm("purchasing.add_supplierreturn")
        and any(line.quantity > line.quantity_returned for line in lines),
    )
