"""Statistics of customers: who is new, who comes back."""

from typing import Any

from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from sphinx.core import clock
from sphinx.core.events import announce
from sphinx.core.pages import back_office_page
from sphinx.core.replica import figures_from_copy
from sphinx.dashboard import cohorts
from sphinx.dashboard.events import cohorts_wanted
from sphinx.dashboard.models import Cohort
from sphinx.dashboard.tabs import tabs_for
from sphinx.dashboard.workbooks import new_book, sent, sheet

_may_see = permission_required(("sales.view_order", "invoicing.view_invoice"), raise_exception=True)


@login_required
@_may_see
@figures_from_copy
def page(request: HttpRequest) -> HttpResponse:
    """New and returning customers by month, and the cohorts."""
    if not Cohort.objects.exists():
        announce(cohorts_wanted)
    today = clock.today()
    is_per_head = request.GET.get("mesure") == "tete"
    rows = cohorts.cohort_rows(today)
    return back_office_page(
        request,
        "dashboard/cohorts.html",
        title=_("Statistiques des clients"),
        tab="customers",
        tabs=tabs_for(request.user),
        months=cohorts.buyers_by_month(today),
        rows=[_shown(row, is_per_head) for row in rows],
        ages=range(max((len(row.shares) for row in rows), default=0)),
        is_per_head=is_per_head,
        is_measured=Cohort.objects.exists(),
    )


def _shown(row: cohorts.CohortRow, is_per_head: bool) -> dict[str, Any]:
    values = row.per_head if is_per_head else row.shares
    highest = max(values, default=0) if is_per_head else 100
    return {
        "month": row.month,
        "customers": row.customers,
        "cells": [(value, int(value * 100 / highest) if highest else 0) for value in values],
    }


@login_required
@_may_see
@figures_from_copy
def workbook(request: HttpRequest) -> HttpResponse:
    """The same, and every cohort since the first."""
    today = clock.today()
    book = new_book()
    sheet(
        book,
        _("Par mois"),
        (_("Mois"), _("Nouveaux clients"), _("Clients fidèles")),
        [(m.month, m.new, m.returning) for m in cohorts.buyers_by_month(today)],
    )
    sheet(
        book,
        _("Cohortes"),
        (_("Première commande"), _("Mois"), _("Clients"), _("Commandes"), _("Commandé HT")),
        [
            (c.first_month, c.month, c.customers, c.orders, c.ordered_excl_tax)
            for c in Cohort.objects.order_by("first_month", "month")
        ],
    )
    return sent(book, f"clients-{date_format(today, 'Ymd')}.xlsx")
