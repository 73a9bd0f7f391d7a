"""What customers owe: by lateness, invoice by invoice; payments by hand, reminders, statements."""

from datetime import datetime, time
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from customers.models import Customer
from invoicing import services
from invoicing.forms import PaymentForm
from invoicing.models import Invoice, Payment
from invoicing.receivables import (
    ageing,
    can_be_written_off,
    open_invoices,
    orders_with_advance,
    to_set_off,
    with_balance,
)
from invoicing.selectors import credited_quantities, line_key, returned_quantities
from sales.models import Order
from sphinx.core import clock
from sphinx.core.clock import PARIS
from sphinx.core.errors import SphinxError
from sphinx.core.four_eyes import asked_or, submit
from sphinx.core.money import ZERO, plain, to_cents
from sphinx.core.pages import back_office_page
from sphinx.core.texts import said
from sphinx.core.typed import key_of, typed_number

SHOWN = 200
# Printed on the credit note when no reason is typed.
RETURNED = "Retour"


@login_required
@permission_required("invoicing.view_invoice", raise_exception=True)
def receivables(request: HttpRequest) -> HttpResponse:
    """Who owes what, since when; a customer's alone when asked."""
    today = clock.today()
    found = open_invoices().select_related("customer").prefetch_related("reminders")
    who = request.GET.get("client", "")
    customer = get_object_or_404(Customer, pk=key_of(who)) if who else None
    if customer is not None:
        found = found.filter(customer=customer)
    invoices = list(found)
    owed = [invoice for invoice in invoices if invoice.balance > 0]
    return back_office_page(
        request,
        "invoicing/receivables.html",
        title=_("À encaisser"),
        customer=customer,
        buckets=ageing(invoices, today),
        total=sum((to_cents(i.balance) for i in owed), ZERO),
        rows=[
            (i, max((today - i.due_on).days, 0), services.next_step(i)) for i in invoices[:SHOWN]
        ],
        count=len(invoices),
        shown=SHOWN,
        # Nothing will take it any more: it is the customer's.
        to_give_back=orders_with_advance()
        .filter(status=Order.Status.CANCELLED)
        .select_related("customer")[:SHOWN],
    )


@login_required
@permission_required("invoicing.view_invoice", raise_exception=True)
def receivable(request: HttpRequest, invoice_id: int) -> HttpResponse:
    """One invoice: what was paid, what is left; a payment noted, a reminder sent.

    A credit note is settled with the invoice that it corrects.
    """
    corrected = Invoice.objects.filter(credit_notes=invoice_id).first()
    if corrected is not None:
        return redirect("invoicing:receivable", corrected.pk)
    invoice = get_object_or_404(
        with_balance(Invoice.objects.select_related("customer")), pk=invoice_id
    )
    balance = to_cents(invoice.balance)
    form = PaymentForm(
        request.POST if request.POST.get("verb") == "pay" else None,
        initial={"amount": abs(balance), "is_refund": balance < 0, "paid_on": clock.today()},
    )
    if request.method == "POST":
        permission = "add_reminder" if request.POST.get("verb") == "remind" else "add_payment"
        if not request.user.has_perm(f"invoicing.{permission}"):
            raise Http404
        try:
            if _acted(request, invoice, form):
                return redirect("invoicing:receivable", invoice.pk)
        except SphinxError as error:
            messages.error(request, error.message)
    set_offs = [
        (other, to_cents(min(abs(other.balance), abs(invoice.balance))))
        for other in to_set_off(invoice)
    ]
    write_offs = [
        (kind.value, kind.label)
        for kind in (Payment.Kind.BANK_FEE, Payment.Kind.ROUNDING)
        if can_be_written_off(to_cents(invoice.balance), kind)
    ]
    return back_office_page(
        request,
        "invoicing/receivable.html",
        set_offs=set_offs,
        write_offs=write_offs,
        settles=bool(set_offs or write_offs),
        title=_("Règlement de %s") % invoice.number,
        invoice=invoice,
        form=form,
        payments=list(invoice.payments.all()),
        credit_notes=list(invoice.credit_notes.all()),
        reminders=list(invoice.reminders.all()),
        late=(clock.today() - invoice.due_on).days,
        next_step=services.next_step(invoice),
    )


def _acted(request: HttpRequest, invoice: Invoice, form: PaymentForm) -> bool:
    """True when something was done. Raises SphinxError: it can't be."""
    if request.POST.get("verb") == "remind":
        services.send_reminder(invoice_id=invoice.pk, at=clock.now(), actor=request.user)
        messages.success(request, _("La relance est partie."))
        return True
    verb, _sep, what = request.POST.get("verb", "").partition("-")
    if verb in ("set_off", "write_off"):
        _settle(request, invoice, verb, what)
        return True
    if not form.is_valid():
        return False
    data = form.cleaned_data
    paid_at = datetime.combine(data["paid_on"], time(12), tzinfo=PARIS)
    if data["is_refund"]:
        made = submit(
            "invoicing.give_back",
            about=_("%(amount)s € à rendre sur %(number)s")
            % said({"amount": data["amount"], "number": invoice.number}),
            actor=request.user,
            invoice_id=invoice.pk,
            amount=str(-data["amount"]),
            method=data["method"],
            reference=data["reference"],
            after_payments=data["payments"],
            paid_at=paid_at.isoformat(),
        )
    else:
        made = services.enter_payment(
            invoice_id=invoice.pk,
            amount=data["amount"],
            method=data["method"],
            reference=data["reference"],
            paid_at=paid_at,
            after_payments=data["payments"],
            actor=request.user,
        )
    messages.success(request, asked_or(made, _("Le règlement est noté.")))
    return True


def _settle(request: HttpRequest, invoice: Any, verb: str, what: str) -> None:
    made: Any
    if verb == "write_off":
        if invoice.balance < 0:
            about = _("Trop-perçu à solder sur %s") % invoice.number
            made = submit(
                "invoicing.write_off",
                about=about, actor=request.user, invoice_id=invoice.pk, reason=what,
            )  # fmt: skip
        else:
            made = services.write_off(
                invoice_id=invoice.pk, kind=what, at=clock.now(), actor=request.user
            )
        messages.success(request, asked_or(made, _("L'écart est soldé.")))
        return
    other = key_of(what)
    if other is None:
        raise Http404
    owed, owing = (invoice.pk, other) if invoice.balance < 0 else (other, invoice.pk)
    made = submit(
        "invoicing.set_off",
        about=_("Compensation sur %s") % invoice.number,
        actor=request.user,
        credited_id=owed,
        invoice_id=owing,
    )
    messages.success(request, asked_or(made, _("La compensation est notée.")))


def told_credit(made: Any) -> str:
    """What was made; blank while a second person is asked."""
    if not isinstance(made, Invoice):
        return ""
    return _("Avoir %(number)s de %(total)s € établi.") % said(
        {"number": made.number, "total": made.total_incl_tax}
    )


@login_required
@permission_required("invoicing.add_invoice", raise_exception=True)
def credit(request: HttpRequest, invoice_id: int) -> HttpResponse:
    """Credit pieces of an invoice: what came back and isn't credited yet is proposed."""
    invoice = get_object_or_404(Invoice, pk=invoice_id, kind=Invoice.Kind.INVOICE)
    lines = list(invoice.lines.all())
    done, returned = credited_quantities(invoice), returned_quantities(invoice)
    if request.method == "POST":
        try:
            made = submit(
                "invoicing.credit_lines",
                about=_("Avoir sur %s") % invoice.number,
                actor=request.user,
                invoice_id=invoice.pk,
                quantities={
                    str(line.pk): str(typed_number(request.POST.get(f"q{line.pk}", "")))
                    for line in lines
                },
                reason=request.POST.get("reason", "").strip() or RETURNED,
                after_credits=int(typed_number(request.POST.get("credits", ""), places=0)),
            )
        except SphinxError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, asked_or(made, told_credit(made)))
            return redirect("invoicing:receivable", invoice.pk)
    rows = []
    for line in lines:
        credited = done.get(line_key(line), Decimal(0))
        back = max(returned.get(line.pk, Decimal(0)) - credited, Decimal(0))
        typed = request.POST.get(f"q{line.pk}", plain(back) if back else "")
        rows.append((line, credited, returned.get(line.pk, Decimal(0)), typed))
    return back_office_page(
        request,
        "invoicing/credit.html",
        title=_("Avoir sur %s") % invoice.number,
        invoice=invoice,
        rows=rows,
        credits=invoice.credit_notes.count(),
        reason=request.POST.get("reason", ""),
    )


@login_required
@permission_required("invoicing.view_invoice", raise_exception=True)
def statement(request: HttpRequest, customer_id: int) -> FileResponse:
    """A customer's statement as a PDF: invoices, credit notes, payments, what is owed."""
    customer = get_object_or_404(Customer, pk=customer_id)
    path = services.statement_pdf(customer=customer, on=clock.today())
    return FileResponse(path.open("rb"), as_attachment=True, filename=path.name)
