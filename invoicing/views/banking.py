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
from invoicing.matching import SURE, Proposal, propose
from invoicing.models import BankLine, Invoice, Payment
from invoicing.payouts import arrived_payouts
from invoicing.receivables import orders_with_advance, payable_order, with_balance
from sphinx.core.errors import InputError, SphinxError
from sphinx.core.four_eyes import asked_or, submit
from sphinx.core.money import to_cents
from sphinx.core.pages import back_office_page
from sphinx.core.texts import said
from sphinx.core.typed import key_of

SHOWN = 200
SHOWN_FAULTS = 10


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
        orders = _orders_typed(numbers, line)
        proposal = Proposal(line, [], SURE, "", orders)
        shares = [] if orders else _typed(numbers, line)
    else:
        found = propose([line]).get(line.pk)
        if found is None:
            raise InputError(_("Plus rien n'est proposé : relisez la page."), code="bank.stale")
        proposal = found
        shares = [(share.invoice.pk, share.amount) for share in proposal.shares]
    if proposal.orders and line.amount < 0:
        return _give_back(request, line, proposal.orders[0])
    if proposal.orders:
        return services.match_proposed_orders(proposal, actor=request.user)
    return services.match_or_ask(
        line_id=line.pk,
        shares=shares,
        difference=_DIFFERENCES.get(verb, ""),
        actor=request.user,
    )


def _give_back(request: HttpRequest, line: BankLine, order: Any) -> Any:
    return submit(
        "invoicing.give_back_advance",
        about=_("%(amount)s € d'avance à rendre : commande %(number)s")
        % said({"amount": -line.amount, "number": order.number}),
        actor=request.user,
        line_id=line.pk,
        order_id=order.pk,
    )


def _orders_typed(numbers: Sequence[str], line: BankLine) -> list[Any]:
    """The orders that were typed, where all are: to be paid ahead, or given back to."""
    if line.amount < 0:
        bare = {number.lstrip("#") for number in numbers}
        found = list(orders_with_advance(bare | {f"#{number}" for number in bare}))
        return found if len(found) == 1 else []
    orders = [payable_order(number) for number in dict.fromkeys(numbers)]
    return [order for order in orders if order] if all(orders) else []


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
    for fault in taken.faults[:SHOWN_FAULTS]:
        messages.warning(request, fault)
    if len(taken.faults) > SHOWN_FAULTS:
        more = len(taken.faults) - SHOWN_FAULTS
        messages.warning(request, _("… et %s opérations illisibles de plus.") % more)


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
