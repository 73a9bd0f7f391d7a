"""Payment providers' files in the browser: brought, summed, compared with the books."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from invoicing import services
from invoicing.forms import PayoutForm
from invoicing.payouts import matched_movements, payouts, provider_gaps
from invoicing.provider_matching import orders_proposed
from sphinx.core.errors import SphinxError
from sphinx.core.pages import back_office_page
from sphinx.core.typed import key_of

SHOWN = 100


@login_required
@permission_required("invoicing.view_providertransaction", raise_exception=True)
def providers(request: HttpRequest) -> HttpResponse:
    """Payouts with their fees, and every movement that the books don't confirm."""
    form = PayoutForm(request.POST or None, request.FILES or None)
    if request.method == "POST":
        if not request.user.has_perm("invoicing.add_payment"):
            raise Http404
        if "confirm" in request.POST:
            _confirm(request)
        elif form.is_valid():
            _import(request, form)
        else:
            messages.error(request, _("Choisissez un fichier."))
        return redirect("invoicing:providers")
    gaps = provider_gaps()
    shown = gaps[:SHOWN]
    proposed = orders_proposed([gap.movement for gap in shown if gap.movement])
    return back_office_page(
        request,
        "invoicing/providers.html",
        title=_("Prestataires de paiement"),
        form=form,
        payouts=payouts(),
        gaps=[(gap, proposed.get(gap.movement.pk, []) if gap.movement else []) for gap in shown],
        matched=matched_movements(),
        may_confirm=request.user.has_perm("invoicing.add_payment"),
        gap_count=len(gaps),
        shown=SHOWN,
    )


def _confirm(request: HttpRequest) -> None:
    first, _sep, second = request.POST["confirm"].partition("-")
    movement, order = key_of(first), key_of(second)
    if movement is None or order is None:
        raise Http404
    try:
        found = services.confirm_movement(movement_id=movement, order_id=order, actor=request.user)
    except SphinxError as error:
        messages.error(request, error.message)
        return
    messages.success(request, _("Rattaché à la commande %s.") % found.order)


def _import(request: HttpRequest, form: PayoutForm) -> None:
    file = form.cleaned_data["file"]
    try:
        taken = services.import_payouts(name=file.name, data=file.read(), actor=request.user)
    except SphinxError as error:
        messages.error(request, error.message)
        return
    messages.success(
        request,
        _("%(count)s opérations lues, dont %(new)s nouvelles.")
        % {"count": taken.movements, "new": taken.new},
    )
    for fault in taken.faults[:20]:
        messages.warning(request, fault)
