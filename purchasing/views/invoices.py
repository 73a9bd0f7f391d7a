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
    ReceivedInvoice,
    SupplierInvoice,
)
from purchasing.selectors import Owing, what_is_owed
from purchasing.views.rates import rate_hint
from sphinx.core import clock
from sphinx.core.errors import SphinxError
from sphinx.core.history import history_of
from sphinx.core.pages import back_office_page
from sphinx.core.typed import key_of, typed_day, typed_number, typed_rate

# So many of a supplier's latest credit notes are offered.
_CREDITS = 50


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
        currency=found.currency,
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
                exchange_rate=data.get("exchange_rate"),
                tax_eur=data.get("tax_eur"),
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
        if not _may(request):
            raise Http404
        reason = request.POST.get("reason", "")
        try:
            verb = request.POST.get("verb", "")
            if verb == "approve":
                services.approve_supplier_invoice(
                    invoice_id=found.pk, reason=reason, at=clock.now(), actor=request.user
                )
            elif verb == "pay":
                _pay(request, found)
            elif verb.startswith("unpay-"):
                _take_back(request, found, verb.removeprefix("unpay-"), reason)
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
    (owing,) = what_is_owed([found])
    may_pay = request.user.has_perm("purchasing.add_supplierpayment")
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
        owing=owing,
        parts=found.payment_parts.select_related("payment").order_by("payment_id"),
        credits=_credits(found) if may_pay else [],
        may_pay=may_pay,
        may_take_back=request.user.has_perm("purchasing.change_supplierpayment"),
        today=clock.today(),
        known_rate=rate_hint(found.currency, clock.today()),
        received=ReceivedInvoice.objects.filter(supplier_invoice=found).only("pk").first(),
        expenses=found.expenses.order_by("position"),
        shares=found.cost_shares.select_related(
            "receipt_line__order_line__product", "receipt_line__receipt"
        ).order_by("pk"),
        lines=found.lines.select_related(
            "receipt_line__order_line__product",
            "receipt_line__order_line__purchase_order",
            "receipt_line__receipt",
        ),
    )


def _may(request: HttpRequest) -> bool:
    """Whether the verb that was asked for is the user's."""
    verb = request.POST.get("verb", "")
    asked = {"pay": "add_supplierpayment", "unpay": "change_supplierpayment"}
    known = asked.get(verb.partition("-")[0], "change_supplierinvoice")
    return request.user.has_perm(f"purchasing.{known}")


def _credits(found: SupplierInvoice) -> list[Owing]:
    """The supplier's credit notes that can be taken off what is paid."""
    if found.kind == SupplierInvoice.Kind.CREDIT_NOTE:
        return []
    notes = SupplierInvoice.objects.filter(
        supplier=found.supplier,
        currency=found.currency,
        kind=SupplierInvoice.Kind.CREDIT_NOTE,
        status=SupplierInvoice.Status.APPROVED,
    ).order_by("-pk")
    return [owing for owing in what_is_owed(notes[:_CREDITS]) if owing.left > 0]


def _pay(request: HttpRequest, found: SupplierInvoice) -> None:
    """Note what was typed; euros are positive on the page, whichever way they went."""
    wanted = set(request.POST.getlist("credit"))
    taken = [c for c in _credits(found) if str(c.invoice.pk) in wanted]
    amount = typed_number(request.POST.get("amount", ""), places=2, digits=10)
    net = found.sign * amount - sum(c.left for c in taken)
    euros = request.POST.get("paid_eur", "")
    typed = typed_number(euros, places=2, digits=10) if euros.strip() else None
    payment = services.pay_supplier(
        parts={found.pk: amount} | {c.invoice.pk: c.left for c in taken},
        paid_on=typed_day(request.POST.get("paid_on", "")),
        paid_eur=-typed if typed is not None and net < 0 else typed,
        exchange_rate=typed_rate(request.POST.get("exchange_rate", "")),
        reference=request.POST.get("reference", ""),
        after_payments={found.pk: key_of(request.POST.get("payments")) or 0},
        at=clock.now(),
        actor=request.user,
    )
    messages.success(request, _("Règlement %s noté.") % payment)


def _take_back(request: HttpRequest, found: SupplierInvoice, key: str, reason: str) -> None:
    pk = key_of(key)
    part = found.payment_parts.filter(payment=pk).first() if pk else None
    if part is None:
        raise Http404
    services.cancel_supplier_payment(
        payment_id=part.payment_id, reason=reason, at=clock.now(), actor=request.user
    )
    messages.success(request, _("Règlement repris : la facture est de nouveau due."))
