"""Invoices by hand: of what left, alone or together, and of what hasn't left yet."""

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from invoicing import services
from invoicing.forms import ElsewhereForm
from invoicing.selectors import (
    OF_ELSEWHERE,
    left_to_invoice,
    notes_ready_to_invoice,
    orders_kept,
    orders_to_explain,
)
from invoicing.services.building import group_key
from invoicing.views.receivables import told_credit
from sales.models import DeliveryNote, Order
from sales.services import cancel_order, explain_no_tax
from sphinx.core import clock
from sphinx.core.errors import InputError, SphinxError
from sphinx.core.four_eyes import asked_or, submit
from sphinx.core.jobs import start_job
from sphinx.core.money import HUNDRED, ZERO, to_cents
from sphinx.core.pages import back_office_page
from sphinx.core.services import company
from sphinx.core.texts import said
from sphinx.core.typed import key_of, typed_number
from sphinx.core.vat import FRENCH_RATES

# Usual shares of an order, in percent.
SHARES = (20, 30, 40, 50)
SHOWN = 300


@login_required
@permission_required("invoicing.add_invoice", raise_exception=True)
def down_payment(request: HttpRequest, order_id: int) -> HttpResponse:
    """Invoice a part of an order ahead: a usual share, or an amount."""
    order = get_object_or_404(Order, pk=order_id)
    if request.method == "POST":
        try:
            made = services.issue_down_payment(
                order_id=order.pk,
                amount=_amount(request, order),
                at=clock.now(),
                after_invoices=int(typed_number(request.POST.get("invoices", ""), places=0)),
                actor=request.user,
            )
        except SphinxError as error:
            messages.error(request, error.message)
        else:
            messages.success(
                request,
                _("Facture d'acompte %(number)s de %(total)s € émise.")
                % said({"number": made.number, "total": made.total_incl_tax}),
            )
            return redirect("invoicing:receivable", made.pk)
    left = left_to_invoice(order)
    return back_office_page(
        request,
        "invoicing/down_payment.html",
        title=_("Acompte sur %s") % order.number,
        order=order,
        left=sum(left.values(), ZERO),
        shares=[(share, to_cents(order.total_incl_tax * share / HUNDRED)) for share in SHARES],
        invoices=list(order.invoices.order_by("chain_index")),
        typed=request.POST.get("amount", ""),
    )


def _amount(request: HttpRequest, order: Order) -> Decimal:
    """The button's share of the order, else what was typed (EUR incl. tax).

    Raises:
        InputError: what was typed is no amount.
    """
    share = key_of(request.POST.get("share"))
    if share in SHARES:
        return to_cents(order.total_incl_tax * share / HUNDRED)
    return typed_number(request.POST.get("amount", ""), places=2)


@login_required
@permission_required("invoicing.add_invoice", raise_exception=True)
def credit_elsewhere(request: HttpRequest, order_id: int) -> HttpResponse:
    """Credit pieces of an order that another system invoiced, with that invoice's number."""
    order = get_object_or_404(
        Order.objects.filter(Q(is_history=True) | Q(invoiced_elsewhere=True)), pk=order_id
    )
    lines = list(order.lines.order_by("position"))
    form = ElsewhereForm(request.POST or None)
    if form.is_valid():
        try:
            made = submit(
                "invoicing.credit_elsewhere",
                about=_("Avoir sur %s") % form.cleaned_data["number"],
                actor=request.user,
                order_id=order.pk,
                number=form.cleaned_data["number"],
                issued_on=form.cleaned_data["issued_on"].isoformat(),
                quantities={
                    str(line.pk): str(typed_number(request.POST.get(f"q{line.pk}", "")))
                    for line in lines
                },
                with_shipping="shipping" in request.POST,
                reason=form.cleaned_data["reason"],
                after_credits=int(typed_number(request.POST.get("credits", ""), places=0)),
            )
        except SphinxError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, asked_or(made, told_credit(made)))
            return redirect("invoicing:credit_elsewhere", order.pk)
    left = services.left_to_credit_elsewhere(order, lines)
    return back_office_page(
        request,
        "invoicing/credit_elsewhere.html",
        title=_("Avoir sur %s") % order.number,
        order=order,
        form=form,
        rows=[(ln, left.pieces[ln.pk], request.POST.get(f"q{ln.pk}", "")) for ln in lines],
        has_shipping=left.has_shipping,
        credit_notes=list(order.invoices.filter(OF_ELSEWHERE).order_by("chain_index")),
    )


@login_required
@permission_required("invoicing.view_invoice", raise_exception=True)
def pro_forma(request: HttpRequest, order_id: int) -> FileResponse:
    """The order as it will be invoiced, without number or accounting value."""
    order = get_object_or_404(Order, pk=order_id)
    path = services.pro_forma_pdf(order=order, at=clock.now())
    return FileResponse(path.open("rb"), as_attachment=True, filename=path.name)


@login_required
@permission_required("invoicing.view_invoice", raise_exception=True)
def to_invoice(request: HttpRequest) -> HttpResponse:
    """What left and isn't invoiced, by what may share an invoice; one button each."""
    may_issue = request.user.has_perm("invoicing.add_invoice")
    if request.method == "POST":
        if not may_issue:
            raise Http404
        if request.POST.get("verb") == "all":
            return redirect("core:job", start_job("invoicing.issue", actor=request.user).pk)
        answer = _ANSWERS.get(request.POST.get("verb", ""), _issue)
        try:
            answer(request)
        except SphinxError as error:
            messages.error(request, error.message)
        return redirect("invoicing:to_invoice")
    ready = notes_ready_to_invoice().select_related("order__customer", "order__shop")
    notes = list(ready[: SHOWN + 1])
    groups: dict[Any, list[DeliveryNote]] = {}
    for note in notes[:SHOWN]:
        groups.setdefault(group_key(note.order), []).append(note)
    return back_office_page(
        request,
        "invoicing/to_invoice.html",
        title=_("À facturer"),
        groups=[(found[0].order, found) for found in groups.values()],
        has_more=len(notes) > SHOWN,
        kept=list(orders_kept().select_related("customer", "shop")[:SHOWN]),
        to_explain=list(orders_to_explain().select_related("customer", "shop")[:SHOWN]),
        exemptions=_exemptions(),
        rates=[rate for rate in FRENCH_RATES if rate],
        may_issue=may_issue,
        may_cancel=request.user.has_perm("sales.change_order"),
    )


def _keep(request: HttpRequest) -> None:
    made = services.issue_kept(
        order_id=int(typed_number(request.POST.get("order", ""), places=0)),
        kept=typed_number(request.POST.get("kept", ""), places=2),
        at=clock.now(),
        actor=request.user,
    )
    messages.success(request, _("Émises : %s.") % made.number)


def _give_back(request: HttpRequest) -> None:
    """Nothing is sold: the order is cancelled, and what came in for it is to be given back."""
    if not request.user.has_perm("sales.change_order"):
        raise PermissionDenied
    order = get_object_or_404(
        orders_kept(), pk=typed_number(request.POST.get("order", ""), places=0)
    )
    cancel_order(order_id=order.pk, at=clock.now(), actor=request.user)
    messages.success(
        request,
        _("Commande %s annulée : rien n'est facturé, ce qui reste encaissé est à rendre.")
        % order.number,
    )


def _exemptions() -> list[tuple[str, str]]:
    """The reasons to choose from; the small firms' one where the firm is one."""
    small = company().is_tax_exempt
    return [
        (value, str(label))
        for value, label in Order.Exemption.choices
        if small or value != Order.Exemption.EXEMPT
    ]


def _explain(request: HttpRequest) -> None:
    order = explain_no_tax(
        order_id=int(typed_number(request.POST.get("order", ""), places=0)),
        exemption=request.POST.get("exemption", ""),
        vat_number=request.POST.get("vat_number", ""),
        sentence=request.POST.get("sentence", ""),
        actor=request.user,
    )
    messages.success(request, _("Commande %s : la raison est notée.") % order.number)


def _tax_within(request: HttpRequest) -> None:
    order = services.take_tax_out_of(
        order_id=int(typed_number(request.POST.get("order", ""), places=0)),
        rate=typed_number(request.POST.get("rate", ""), places=2),
        actor=request.user,
    )
    text = _("Commande %(number)s : %(tax)s € de TVA sont pris dans le total payé.")
    shown = {"number": order.number, "tax": order.total_tax}
    messages.success(request, text % said(shown))


_ANSWERS = {
    "keep": _keep,
    "give_back": _give_back,
    "explain": _explain,
    "tax_within": _tax_within,
}


def _issue(request: HttpRequest) -> None:
    """The notes that were ticked, together or each on its own.

    Raises:
        GroupRefused: they can't share an invoice.
    """
    ids = [key for pk in request.POST.getlist("note") if (key := key_of(pk))]
    if not ids:
        raise InputError(_("Cochez au moins un bon."), code="invoicing.nothing_ticked")
    if request.POST.get("verb") == "together":
        made = [services.issue_grouped(note_ids=ids, at=clock.now(), actor=request.user)]
    else:
        made = services.issue_invoices(note_ids=ids, at=clock.now(), actor=request.user)
    numbers = ", ".join(invoice.number for invoice in made)
    messages.success(request, _("Émises : %s.") % numbers)
