"""The bank's statement in the browser: brought, matched line by line or all that is sure."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from invoicing import services
from invoicing.forms import StatementForm
from invoicing.matching import SURE, propose
from invoicing.models import BankLine, Invoice, Payment
from invoicing.payouts import arrived_payouts
from invoicing.receivables import payable_order, with_balance
from sphinx.core.errors import InputError, SphinxError
from sphinx.core.four_eyes import asked_or
from sphinx.core.money import to_cents
from sphinx.core.pages import back_office_page
from sphinx.core.typed import key_of

SHOWN = 200


@login_required
@permission_required("invoicing.view_bankline", raise_exception=True)
def bank(request: HttpRequest) -> HttpResponse:
    """Lines that nobody has matched, each with what it most likely paid and why."""
    form = StatementForm(request.POST if "file" in request.FILES else None, request.FILES or None)
    if request.method == "POST":
        if not request.user.has_perm("invoicing.add_payment"):
            raise Http404
        try:
            _act(request, form)
        except SphinxError as error:
            messages.error(request, error.message)
        return redirect("invoicing:bank")
    found = BankLine.objects.filter(status=BankLine.Status.OPEN)
    lines = list(found.order_by("booked_on", "pk")[:SHOWN])
    proposals, arrived = propose(lines), arrived_payouts(lines)
    return back_office_page(
        request,
        "invoicing/bank.html",
        title=_("Banque"),
        form=StatementForm(),
        rows=[(line, proposals.get(line.pk), arrived.get(line.pk)) for line in lines],
        count=found.count(),
        sure=sum(p.certainty == SURE for p in proposals.values()) + len(arrived),
        shown=SHOWN,
        may_match=request.user.has_perm("invoicing.add_payment"),
    )


def _act(request: HttpRequest, form: StatementForm) -> None:
    verb, _sep, key = request.POST.get("verb", "").partition("-")
    pk = key_of(key)
    if verb == "import":
        _import(request, form)
    elif verb == "sure":
        count = services.match_sure_lines(actor=request.user)
        messages.success(request, _("%s opérations rapprochées.") % count)
    elif pk is None:
        raise Http404
    elif verb == "payout":
        services.match_payout(line_id=pk, actor=request.user)
    elif verb == "ignore":
        services.ignore_line(line_id=pk, actor=request.user)
    else:
        line = get_object_or_404(BankLine, pk=pk)
        made = _match(request, line, verb)
        messages.success(request, asked_or(made, _("Rapprochée : %s.") % line))


# What is left after a proposal is settled so: a button each.
_DIFFERENCES = {"fee": Payment.Kind.BANK_FEE, "rounding": Payment.Kind.ROUNDING}


def _match(request: HttpRequest, line: BankLine, verb: str) -> Any:
    """Match a line to what is proposed, or to what somebody typed; returns what came of it."""
    if verb != "accept" and verb not in _DIFFERENCES:
        numbers = request.POST.get(f"numbers-{line.pk}", "").replace(",", " ").split()
        order = payable_order(numbers[0]) if len(numbers) == 1 else None
        shares = [] if order else _typed(numbers, line)
    else:
        proposal = propose([line]).get(line.pk)
        if proposal is None:
            raise InputError(_("Plus rien n'est proposé : relisez la page."), code="bank.stale")
        order = proposal.order
        shares = [(share.invoice.pk, share.amount) for share in proposal.shares]
    if order is not None:
        return services.match_order(line_id=line.pk, order_id=order.pk, actor=request.user)
    return services.match_or_ask(
        line_id=line.pk,
        shares=shares,
        difference=_DIFFERENCES.get(verb, ""),
        actor=request.user,
    )


def _import(request: HttpRequest, form: StatementForm) -> None:
    if not form.is_valid():
        raise InputError(_("Choisissez un relevé."), code="bank.no_file")
    file = form.cleaned_data["file"]
    taken = services.import_statement(name=file.name, data=file.read(), actor=request.user)
    messages.success(
        request,
        _("%(lines)s opérations lues, dont %(new)s nouvelles.")
        % {"lines": taken.lines, "new": taken.new},
    )


def _typed(given: Sequence[str], line: BankLine) -> list[tuple[int, Decimal]]:
    """Numbers of invoices as typed: each takes its balance, the last one the rest."""
    known: dict[str, Any] = {
        i.number: i for i in with_balance(Invoice.objects.filter(number__in=given))
    }
    unknown = [number for number in given if number not in known]
    if unknown or not given:
        raise InputError(
            _("Facture ou commande à payer inconnue : %s.") % (", ".join(unknown) or "?"),
            code="bank.unknown_invoice",
        )
    left, shares = line.amount, []
    for number in dict.fromkeys(given):
        invoice = known[number]
        amount = min(left, to_cents(invoice.balance)) if line.amount > 0 else left
        if amount and left:
            shares.append((invoice.pk, amount))
            left -= amount
    if left and shares:
        shares[-1] = (shares[-1][0], shares[-1][1] + left)
    return shares
