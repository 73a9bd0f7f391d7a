"""Suppliers' electronic invoices in the browser: brought, matched, entered in a click."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from purchasing import services
from purchasing.forms import EinvoiceForm
from purchasing.models import ReceivedInvoice
from purchasing.views.rates import rate_hint
from sphinx.core import clock
from sphinx.core.errors import SphinxError
from sphinx.core.pages import back_office_page
from sphinx.core.typed import typed_rate
from suppliers.models import Supplier


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
    return back_office_page(
        request,
        "purchasing/received.html",
        title=str(found),
        received=found,
        is_open=is_open,
        known_rate=rate_hint(found.currency, found.issued_on),
        matched=services.match_lines(found) if is_open and found.supplier else [],
        suppliers=Supplier.objects.filter(is_active=True) if is_open else [],
    )


def _act(request: HttpRequest, found: ReceivedInvoice) -> int | None:
    """The id of the invoice that was entered, if one was."""
    verb = request.POST.get("verb")
    if verb in ("enter", "lower"):
        return services.enter_received(
            received_id=found.pk,
            at=clock.now(),
            lowers_price=verb == "lower",
            exchange_rate=typed_rate(request.POST.get("exchange_rate", "")),
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
