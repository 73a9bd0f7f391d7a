"""Suppliers' invoices and credit notes."""

from decimal import Decimal

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from purchasing import services
from purchasing.forms import InvoiceForm
from purchasing.models import (
    PurchaseOrder,
    ReceiptLine,
    SupplierInvoice,
)
from sphinx.core import clock
from sphinx.core.errors import SphinxError
from sphinx.core.history import history_of
from sphinx.core.pages import back_office_page


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
    credit_note = SupplierInvoice.Kind.CREDIT_NOTE
    is_credit = credit_note in (request.GET.get("genre"), request.POST.get("kind"))
    form = InvoiceForm(
        request.POST or None,
        lines=lines,
        is_credit=is_credit,
        initial={
            "issued_on": clock.today(),
            "kind": credit_note if is_credit else SupplierInvoice.Kind.INVOICE,
        },
    )
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            made = services.enter_supplier_invoice(
                supplier=found.supplier,
                kind=data["kind"],
                supplier_number=data["supplier_number"],
                issued_on=data["issued_on"],
                due_on=data["due_on"],
                charged=form.charged(),
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
        history=history_of(found),
        invoice=found,
        shares=found.cost_shares.select_related(
            "receipt_line__order_line__product", "receipt_line__receipt"
        ).order_by("pk"),
        lines=found.lines.select_related(
            "receipt_line__order_line__product",
            "receipt_line__order_line__purchase_order",
            "receipt_line__receipt",
        ),
    )
