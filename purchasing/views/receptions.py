"""Suppliers' electronic invoices in the browser: brought, matched, entered in a click."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from purchasing import services
from purchasing.expense_accounts import expense_chart
from purchasing.forms import EinvoiceForm
from purchasing.models import ReceiptLine, ReceivedInvoice
from purchasing.views.rates import rate_hint
from sphinx.core import clock
from sphinx.core.errors import SphinxError
from sphinx.core.money import plain
from sphinx.core.pages import back_office_page
from sphinx.core.typed import typed_rate
from suppliers.models import Supplier

# Parts of VAT that may be deducted: all of it, four fifths (fuels), none.
_SHARES = ("100", "80", "0")


@login_required
@permission_required("purchasing.add_receivedinvoice", raise_exception=True)
def bring(request: HttpRequest) -> HttpResponse:
    """Bring one or several electronic invoices."""
    form = EinvoiceForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        made = []
        for file in form.cleaned_data["einvoices"]:
            try:
                made.append(
                    services.receive_einvoice(
                        name=file.name or "?", data=file.read(), at=clock.now(), actor=request.user
                    )
                )
            except SphinxError as error:
                messages.error(request, error.message)
        if len(made) == 1:
            return redirect("purchasing:received", made[0].pk)
        if made:
            messages.success(request, _("%s factures reçues.") % len(made))
            return redirect("admin:purchasing_receivedinvoice_changelist")
    return back_office_page(
        request,
        "purchasing/bring_einvoices.html",
        title=_("Recevoir des factures électroniques"),
        form=form,
    )


@login_required
@permission_required("purchasing.view_receivedinvoice", raise_exception=True)
def received(request: HttpRequest, received_id: int) -> HttpResponse:
    """What an electronic invoice charges, beside what came; entered, or put aside."""
    found = get_object_or_404(
        ReceivedInvoice.objects.select_related("supplier", "supplier_invoice"), pk=received_id
    )
    if request.method == "POST":
        if not request.user.has_perm("purchasing.add_supplierinvoice"):
            raise Http404
        try:
            made = _act(request, found)
        except SphinxError as error:
            messages.error(request, error.message)
        else:
            if made is not None:
                return redirect("purchasing:invoice", made)
        return redirect("purchasing:received", found.pk)
    is_open = found.status == ReceivedInvoice.Status.OPEN
    matched = services.match_lines(found) if is_open and found.supplier else []
    return back_office_page(
        request,
        "purchasing/received.html",
        title=str(found),
        received=found,
        is_open=is_open,
        known_rate=rate_hint(found.currency, found.issued_on),
        rows=_rows(found, matched),
        matched=matched,
        chart=expense_chart() if matched else {},
        shares=_SHARES,
        suppliers=Supplier.objects.filter(is_active=True) if is_open else [],
    )


class Row(NamedTuple):
    """A line of the invoice on its page: what came beside it, else the account proposed."""

    place: int
    line: dict[str, str]
    shares: Sequence[tuple[ReceiptLine, Decimal]]
    proposal: services.Proposal | None

    @property
    def share(self) -> str:
        """How much of its VAT is deducted, as the page offers it."""
        return plain(self.proposal.deductible_share) if self.proposal else ""


def _rows(found: ReceivedInvoice, matched: Sequence[services.Matched]) -> list[Row]:
    other = [place for place, m in enumerate(matched) if not m.shares]
    proposals = services.propose_expenses(found, other, clock.today())
    return [Row(place, m.line, m.shares, proposals.get(place)) for place, m in enumerate(matched)]


def _choices(posted: Mapping[str, str], lines: int) -> dict[int, services.Choice]:
    """The accounts chosen, by the place of their line."""
    chosen = {}
    for place in range(lines):
        account = posted.get(f"account-{place}", "").strip()
        share = posted.get(f"share-{place}", "100")
        if account:
            kept = Decimal(share) if share in _SHARES else Decimal(100)
            chosen[place] = services.Choice(account, kept)
    return chosen


def _act(request: HttpRequest, found: ReceivedInvoice) -> int | None:
    """The id of the invoice that was entered, if one was."""
    verb = request.POST.get("verb")
    if verb in ("enter", "lower"):
        return services.enter_received(
            received_id=found.pk,
            at=clock.now(),
            lowers_price=verb == "lower",
            exchange_rate=typed_rate(request.POST.get("exchange_rate", "")),
            choices=_choices(request.POST, len(found.lines)),
            actor=request.user,
        ).pk
    if verb == "supplier":
        supplier = get_object_or_404(Supplier, pk=request.POST.get("supplier") or 0)
        services.say_supplier(received_id=found.pk, supplier=supplier, actor=request.user)
    elif verb == "ignore":
        services.ignore_received(received_id=found.pk, actor=request.user)
    else:
        raise Http404
    return None


@login_required
@permission_required("purchasing.view_receivedinvoice", raise_exception=True)
def received_file(request: HttpRequest, received_id: int) -> HttpResponse:
    """The file as it came."""
    found = get_object_or_404(ReceivedInvoice, pk=received_id)
    data = bytes(found.data)
    kind = "pdf" if data.startswith(b"%PDF") else "xml"
    return HttpResponse(
        data,
        content_type="application/octet-stream",
        headers={
            "Content-Disposition": f'attachment; filename="facture-{found.pk}.{kind}"',
            "X-Content-Type-Options": "nosniff",
        },
    )
