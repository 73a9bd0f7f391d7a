"""Goods that come in, by scanner or by list, and those that go back."""

from datetime import date
from decimal import Decimal

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from inventory.selectors import scanned_product, serials_in
from purchasing import services
from purchasing.models import (
    PurchaseOrder,
    PurchaseOrderLine,
    Receipt,
)
from purchasing.selectors import sold_since
from purchasing.views.rates import rate_hint
from sphinx.core import clock
from sphinx.core.errors import SphinxError
from sphinx.core.history import history_of
from sphinx.core.models import AuditEvent
from sphinx.core.money import plain
from sphinx.core.pages import back_office_page
from sphinx.core.typed import typed_day, typed_number, typed_rate
from suppliers.selectors import unit_scanned
from suppliers.units import PIECE, Unit


@login_required
@permission_required("purchasing.add_receipt", raise_exception=True)
def receive(request: HttpRequest, order_id: int) -> HttpResponse:
    """Receive by scanner or by list: each code adds a piece to what arrives; then one button."""
    found = get_object_or_404(
        PurchaseOrder.objects.select_related("supplier", "warehouse"), pk=order_id
    )
    lines = list(found.lines.select_related("product").order_by("product__sku"))
    given = {line.pk: request.POST.get(f"q{line.pk}", "") for line in lines}
    units = {line.pk: _unit_asked(request, line) for line in lines}
    seen, refused = None, ""
    if request.method == "POST":
        try:
            if request.POST.get("verb") == "receive":
                return _received(request, found, lines)
            seen = _scanned(request, found, lines, given, units)
        except SphinxError as error:
            refused = error.message
    rows = [
        {
            "line": line,
            "left": (left := max(line.quantity - line.quantity_received, Decimal(0))),
            "count": line.unit.whole(left) if left else None,
            "unit": "piece" if units[line.pk].is_piece else "unit",
            "unit_price": units[line.pk].price(line.unit_price_excl_tax),
            "given": given[line.pk],
            "damaged": request.POST.get(f"d{line.pk}", ""),
            "price": request.POST.get(f"p{line.pk}", ""),
            "lot": request.POST.get(f"l{line.pk}", ""),
            "serials": request.POST.get(f"s{line.pk}", ""),
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
        exchange_rate=request.POST.get("exchange_rate", ""),
        known_rate=rate_hint(found.currency, clock.today()),
        today=clock.today(),
        receipts=found.receipts.count(),
    )


def _unit_asked(request: HttpRequest, line: PurchaseOrderLine) -> Unit:
    """What the figures typed of a line count: the supplier's unit until somebody says pieces,
    where whole ones are awaited."""
    asked = request.POST.get(f"u{line.pk}", "")
    left = line.quantity - line.quantity_received
    is_unit = asked == "unit" or (not asked and line.unit.whole(left) is not None)
    return line.unit if is_unit else PIECE


def _scanned(
    request: HttpRequest,
    found: PurchaseOrder,
    lines: list[PurchaseOrderLine],
    given: dict[int, str],
    units: dict[int, Unit],
) -> PurchaseOrderLine:
    """One more of what was scanned: a piece, or a box by the box's own code.

    A piece scanned turns its line to pieces. Raises SphinxError: it isn't on the order.
    """
    code = request.POST.get("code", "")
    boxed = unit_scanned(code, found.supplier_id)
    product = boxed or scanned_product(code)
    for line in lines:
        if line.product_id == product.pk:
            before = typed_number(given[line.pk] or "0")
            if boxed is None and not units[line.pk].is_piece:
                before, units[line.pk] = units[line.pk].in_pieces(before), PIECE
            if boxed is not None and not before:
                units[line.pk] = line.unit
            more = line.unit.pieces if boxed is not None and units[line.pk].is_piece else 1
            given[line.pk] = plain(before + more)
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
        unit = _unit_asked(request, line)
        price = typed_number(typed["p"], places=6, digits=8) if typed["p"] else None
        arrived[line.pk] = services.Arrived(
            quantity=unit.in_pieces(typed_number(typed["q"] or "0")),
            damaged=unit.in_pieces(typed_number(typed["d"] or "0")),
            unit_price=None if price is None else unit.piece_price(price),
            lot=typed["l"],
            serials=tuple(serials_in(request.POST.get(f"s{line.pk}", ""))),
            best_before=typed_day(typed["b"]) if typed["b"] else None,
        )
    day = request.POST.get("received_on", "")
    receipt = services.receive_goods(
        order_id=found.pk,
        quantities=arrived,
        received_on=typed_day(day) if day else None,
        supplier_reference=request.POST.get("reference", ""),
        exchange_rate=typed_rate(request.POST.get("exchange_rate", "")),
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
