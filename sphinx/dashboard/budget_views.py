"""What to buy first when money is short."""

from datetime import timedelta
from decimal import Decimal

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from purchasing.services import postpone_lines
from sphinx.core import clock
from sphinx.core.errors import SphinxError
from sphinx.core.money import ZERO
from sphinx.core.pages import back_office_page
from sphinx.core.replica import figures_from_copy
from sphinx.core.typed import key_of
from sphinx.dashboard.buying_budget import choose, ranked

WAIT_DAYS = 14
MOST_DAYS = 180


class BudgetForm(forms.Form):
    """What may be spent, and how long the rest would wait."""

    budget = forms.DecimalField(
        label=gettext_lazy("Budget HT (€)"),
        min_value=Decimal(0),
        max_digits=12,
        decimal_places=2,
        localize=True,
        widget=forms.TextInput(attrs={"class": "sx-select", "inputmode": "decimal"}),
    )
    days = forms.IntegerField(
        label=gettext_lazy("Le reste attend (jours)"),
        min_value=1,
        max_value=MOST_DAYS,
        initial=WAIT_DAYS,
        widget=forms.NumberInput(attrs={"class": "sx-select sx-qty"}),
    )


@login_required
@permission_required("purchasing.view_purchaseorder", raise_exception=True)
@figures_from_copy
def page(request: HttpRequest) -> HttpResponse:
    """The proposed lines, the dearest to put off first; what a budget buys of them."""
    form = BudgetForm(request.GET if "budget" in request.GET else None)
    days, budget = WAIT_DAYS, None
    if form.is_bound and form.is_valid():
        days, budget = form.cleaned_data["days"], form.cleaned_data["budget"]
    rows = ranked(on=clock.today(), days=days)
    total = sum((row.cost for row in rows), ZERO)
    return back_office_page(
        request,
        "dashboard/buying_budget.html",
        title=_("Que commander d'abord ?"),
        form=form,
        has_budget=budget is not None,
        choice=choose(rows, total if budget is None else budget),
        total=total,
        days=days,
        until=clock.today() + timedelta(days=days),
        may_decide=request.user.has_perm("purchasing.change_purchaseorder"),
    )


@login_required
@permission_required("purchasing.view_purchaseorder", raise_exception=True)
def postpone(request: HttpRequest) -> HttpResponse:
    """Put off the lines that the page showed as not bought."""
    if not request.user.has_perm("purchasing.change_purchaseorder"):
        raise PermissionDenied
    form = BudgetForm(request.POST)
    if request.method == "POST" and form.is_valid():
        until = clock.today() + timedelta(days=form.cleaned_data["days"])
        ids = [key for text in request.POST.getlist("line") if (key := key_of(text))]
        try:
            number = postpone_lines(
                line_ids=ids,
                until=until,
                at=clock.now(),
                reason=_("Budget : %s €") % form.cleaned_data["budget"],
                actor=request.user,
            )
        except SphinxError as error:
            messages.error(request, error.message)
        else:
            said = ngettext(
                "%(n)s ligne attend jusqu'au %(day)s.",
                "%(n)s lignes attendent jusqu'au %(day)s.",
                number,
            )
            messages.success(request, said % {"n": number, "day": f"{until:%d/%m/%Y}"})
    return redirect("dashboard:buying_budget")
