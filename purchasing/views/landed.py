"""Freight and customs charged by others, shared out over receipts: shown first, then entered."""

from datetime import timedelta

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from purchasing import services
from purchasing.forms import LandedCostsForm
from sphinx.core import clock
from sphinx.core.errors import SphinxError
from sphinx.core.pages import back_office_page
from sphinx.core.typed import key_of

# Receipts of so many days are offered; older ones come by their own page.
OFFERED_DAYS = 90


@login_required
@permission_required("purchasing.add_supplierinvoice", raise_exception=True)
def landed_costs(request: HttpRequest) -> HttpResponse:
    """Type the invoice, choose the receipts, look at what each would bear, enter it."""
    texts = request.POST.getlist("receipts") or request.GET.get("receptions", "").split(",")
    chosen = [pk for text in texts if (pk := key_of(text)) is not None]
    form = LandedCostsForm(
        request.POST or None,
        since=clock.now() - timedelta(days=OFFERED_DAYS),
        chosen=chosen,
        initial={"issued_on": clock.today(), "receipts": chosen},
    )
    shares: list[services.Share] = []
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        asked = {
            "receipt_ids": [receipt.pk for receipt in data["receipts"]],
            "spread_by": data["spread_by"],
            "amount": data["amount"],
        }
        typed = data["exchange_rate"]
        try:
            if request.POST.get("verb") == "enter":
                made = services.enter_landed_costs(
                    **asked,
                    supplier=data["supplier"],
                    supplier_number=data["supplier_number"],
                    issued_on=data["issued_on"],
                    due_on=data["due_on"],
                    tax=data["tax"],
                    total_incl_tax=data["total_incl_tax"],
                    exchange_rate=typed,
                    at=clock.now(),
                    actor=request.user,
                )
                messages.success(request, _("Frais répartis : le coût de ce qui reste a changé."))
                return redirect("purchasing:invoice", made.pk)
            terms = services.terms_on(data["supplier"].currency, data["issued_on"], typed)
            shares = services.preview_landed_costs(**asked, terms=terms)
        except SphinxError as error:
            messages.error(request, error.message)
    return back_office_page(
        request,
        "purchasing/landed_costs.html",
        title=_("Frais de transport et de douane à répartir"),
        form=form,
        shares=shares,
        added=sum(share.added for share in shares),
    )
