"""Pages of purchasing: a product's course, proposals with their reasons, receiving, invoices."""

import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from inventory.models import Product, StockPosition
from inventory.selectors import scanned_product
from inventory.services import default_warehouse
from purchasing import services
from purchasing.courses import as_chart, course_of
from purchasing.forms import InvoiceForm, OrderForm
from purchasing.models import (
    Backtest,
    Decision,
    PurchaseOrder,
    PurchaseOrderLine,
    Receipt,
    ReceiptLine,
    StockPolicy,
    SupplierInvoice,
)
from purchasing.reasons import explain, headline
from purchasing.scorecards import scorecards as read_scorecards
from purchasing.tasks import propose_purchase_orders, replay_year
from sphinx.core import clock
from sphinx.core.errors import SphinxError
from sphinx.core.pages import back_office_page
from sphinx.core.typed import typed_number

Status = PurchaseOrder.Status


def _day(text: str) -> date:
    """A day as the browser sends it.

    Raises:
        SphinxError: it isn't a day.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise SphinxError(_("Choisissez un jour."), code="purchasing.day") from None


def _labels() -> dict[str, str]:
    return {
        "asked": _("Demandé par semaine"),
        "stock": _("En stock"),
        "without": _("Prévu sans commande"),
        "with": _("Prévu avec la commande"),
        "point": _("Point de commande"),
    }


@login_required
@permission_required("inventory.view_product", raise_exception=True)
def product(request: HttpRequest, product_id: int) -> HttpResponse:
    """A product's past and future: asked, stock, levels and why; the effect of a proposed line."""
    found = get_object_or_404(Product, pk=product_id)
    warehouse = default_warehouse()
    line = None
    if request.GET.get("ligne", "").isdigit():
        line = (
            PurchaseOrderLine.objects.select_related("purchase_order")
            .filter(pk=int(request.GET["ligne"]), product=found)
            .first()
        )
    policy = StockPolicy.objects.filter(product=found, warehouse=warehouse).first()
    today = clock.today()
    days = 0
    if line is not None and line.purchase_order.expected_on:
        days = max((line.purchase_order.expected_on - today).days, 0)
    course = course_of(
        found,
        warehouse,
        on=today,
        levels=(policy.reorder_point, policy.order_up_to) if policy else (Decimal(0), Decimal(0)),
        buying=line.quantity if line else Decimal(0),
        arrives_in_days=days,
    )
    labels = _labels()
    return back_office_page(
        request,
        "purchasing/product.html",
        title=str(found),
        product=found,
        positions=found.positions.select_related("warehouse"),
        policy=policy,
        line=line,
        told=explain(line.reason) if line else _explain_policy(policy),
        chart=json.dumps(as_chart(course, labels)),
        weeks=course.weeks,
        labels=labels,
        decisions=Decision.objects.filter(product=found).select_related("decided_by")[:10],
    )


def _explain_policy(policy: StockPolicy | None) -> list[Any]:
    """The levels of a product that isn't proposed now."""
    if policy is None or not policy.figures.get("method"):
        return []
    known = StockPosition.objects.filter(
        product_id=policy.product_id, warehouse_id=policy.warehouse_id
    ).first()
    position = {
        name: str(getattr(known, name, Decimal(0)).normalize() if known else 0)
        for name in ("on_hand", "reserved", "incoming", "backordered")
    }
    forecast = (
        known.available + known.incoming - known.backordered if known else Decimal(0)
    ).normalize()
    reason = {
        **policy.figures,
        **position,
        "policy": policy.policy,
        "forecast": f"{forecast:f}",
        "reorder_point": f"{policy.reorder_point.normalize():f}",
        "order_up_to": f"{policy.order_up_to.normalize():f}",
        "needed": "0",
    }
    return [step for step in explain(reason) if step.title != _("Besoin")]


@login_required
@permission_required("purchasing.view_purchaseorder", raise_exception=True)
def proposal(request: HttpRequest, order_id: int) -> HttpResponse:
    """A proposed order: each line with its reason; accept, change, put off, refuse."""
    found = get_object_or_404(
        PurchaseOrder.objects.select_related("supplier", "warehouse"), pk=order_id
    )
    if request.method == "POST":
        if not request.user.has_perm("purchasing.change_purchaseorder"):
            raise Http404
        try:
            _decide(request, found)
        except SphinxError as error:
            messages.error(request, error.message)
        return redirect("purchasing:proposal", found.pk)
    lines = list(found.lines.select_related("product"))
    return back_office_page(
        request,
        "purchasing/proposal.html",
        title=f"{found.number} – {found.supplier}",
        order=found,
        lines=[(line, headline(line.reason), explain(line.reason)) for line in lines],
        is_open=found.status == Status.PROPOSED
        and request.user.has_perm("purchasing.change_purchaseorder"),
        may_end=found.status in ("accepted", "sent", "confirmed", "partially_received"),
        later=clock.today() + timedelta(days=14),
        receipts=found.receipts.all(),
    )


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
        day = _day(request.POST.get("expected_on", ""))
        services.confirm_order(
            order_id=found.pk,
            expected_on=day,
            supplier_reference=request.POST.get("supplier_reference", ""),
            **common,
        )
    elif verb == "close":
        services.close_order(order_id=found.pk, reason=reason, **common)
    elif line.isdigit() and found.lines.filter(pk=int(line)).exists():
        _decide_line(request, verb, int(line), common)
    else:
        raise Http404


def _decide_line(request: HttpRequest, verb: str, line_id: int, common: dict[str, Any]) -> None:
    reason = request.POST.get(f"reason-{line_id}", "")
    if verb == "set":
        quantity = typed_number(request.POST.get(f"quantity-{line_id}", ""))
        services.set_quantity(line_id=line_id, quantity=quantity, reason=reason, **common)
        messages.success(request, _("Quantité changée ; le prochain calcul la garde."))
    elif verb == "later":
        until = _day(request.POST.get(f"until-{line_id}", ""))
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


# --- Receiving ---------------------------------------------------------------------------------


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
            best_before=_day(typed["b"]) if typed["b"] else None,
        )
    receipt = services.receive_goods(
        order_id=found.pk,
        quantities=arrived,
        supplier_reference=request.POST.get("reference", ""),
        accepts_more=request.POST.get("more") == "on",
        after_receipts=int(typed_number(request.POST.get("receipts", ""), places=0)),
        at=clock.now(),
        actor=request.user,
    )
    messages.success(request, _("Réception %s enregistrée : le stock est à jour.") % receipt)
    return redirect("purchasing:proposal", found.pk)


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
        receipt=found,
        rows=[
            (line, line.quantity - line.quantity_returned, request.POST.get(f"q{line.pk}", ""))
            for line in lines
        ],
        returns=returns,
        reason=request.POST.get("reason", ""),
        may_return=request.user.has_perm("purchasing.add_supplierreturn")
        and any(line.quantity > line.quantity_returned for line in lines),
    )


# --- Invoices ----------------------------------------------------------------------------------


@login_required
@permission_required("purchasing.add_supplierinvoice", raise_exception=True)
def enter_invoice(request: HttpRequest, order_id: int) -> HttpResponse:
    """Enter the supplier's invoice against what came of an order."""
    found = get_object_or_404(PurchaseOrder.objects.select_related("supplier"), pk=order_id)
    lines = list(
        ReceiptLine.objects.filter(receipt__purchase_order=found, quantity__gt=0)
        .select_related("order_line__product", "receipt")
        .order_by("pk")
    )
    is_credit = request.GET.get("genre") == SupplierInvoice.Kind.CREDIT_NOTE
    form = InvoiceForm(
        request.POST or None,
        lines=lines,
        is_credit=is_credit,
        initial={
            "issued_on": clock.today(),
            "kind": SupplierInvoice.Kind.CREDIT_NOTE if is_credit else SupplierInvoice.Kind.INVOICE,
        },
    )
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        charged = [
            services.Charged(line.pk, data[f"q{line.pk}"], data[f"p{line.pk}"] or Decimal(0))
            for line in lines
            if data[f"q{line.pk}"]
        ]
        try:
            made = services.enter_supplier_invoice(
                supplier=found.supplier,
                kind=data["kind"],
                supplier_number=data["supplier_number"],
                issued_on=data["issued_on"],
                due_on=data["due_on"],
                charged=charged,
                carriage=data["carriage"] or Decimal("0.00"),
                tax=data["tax"],
                total_incl_tax=data["total_incl_tax"],
                at=clock.now(),
                actor=request.user,
            )
        except SphinxError as error:
            messages.error(request, error.message)
        else:
            return redirect("purchasing:invoice", made.pk)
    return back_office_page(
        request,
        "purchasing/enter_invoice.html",
        title=_("Facture ou avoir de %s") % found.supplier,
        order=found,
        form=form,
    )


@login_required
@permission_required("purchasing.view_supplierinvoice", raise_exception=True)
def invoice(request: HttpRequest, invoice_id: int) -> HttpResponse:
    """A supplier's invoice, its differences to order and receipt, the decision."""
    found = get_object_or_404(SupplierInvoice.objects.select_related("supplier"), pk=invoice_id)
    if request.method == "POST":
        if not request.user.has_perm("purchasing.change_supplierinvoice"):
            raise Http404
        reason = request.POST.get("reason", "")
        try:
            verb = request.POST.get("verb")
            if verb == "approve":
                services.approve_supplier_invoice(
                    invoice_id=found.pk, reason=reason, at=clock.now(), actor=request.user
                )
            elif verb == "cancel":
                services.cancel_supplier_invoice(
                    invoice_id=found.pk, reason=reason, at=clock.now(), actor=request.user
                )
            else:
                services.dispute_supplier_invoice(
                    invoice_id=found.pk, reason=reason, actor=request.user
                )
        except SphinxError as error:
            messages.error(request, error.message)
        return redirect("purchasing:invoice", found.pk)
    return back_office_page(
        request,
        "purchasing/invoice.html",
        title=_("%(kind)s %(number)s de %(supplier)s")
        % {
            "kind": found.get_kind_display(),
            "number": found.supplier_number,
            "supplier": found.supplier,
        },
        invoice=found,
        lines=found.lines.select_related(
            "receipt_line__order_line__product",
            "receipt_line__order_line__purchase_order",
            "receipt_line__receipt",
        ),
    )


@login_required
@permission_required("purchasing.view_purchaseorder", raise_exception=True)
def order_pdf(request: HttpRequest, order_id: int) -> FileResponse:
    """The order as the supplier gets it."""
    found = get_object_or_404(PurchaseOrder.objects.select_related("supplier"), pk=order_id)
    path = services.order_pdf(found)
    return FileResponse(path.open("rb"), as_attachment=True, filename=f"{found.number}.pdf")


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


# --- Looking back ------------------------------------------------------------------------------


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
