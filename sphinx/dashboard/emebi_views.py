"""The month's goods sent to other states of the Union, to look at and to take away."""

from datetime import date, timedelta

from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from sphinx.core import clock
from sphinx.core.pages import back_office_page
from sphinx.core.replica import figures_from_copy
from sphinx.core.typed import day_of
from sphinx.dashboard.emebi import exchanges_of
from sphinx.dashboard.tabs import tabs_for
from sphinx.dashboard.workbooks import new_book, sent, sheet

_may_see = permission_required(("sales.view_order", "invoicing.view_invoice"), raise_exception=True)


def _month(request: HttpRequest) -> date:
    """The month asked for, else the last whole one."""
    asked = day_of(f"{request.GET.get('mois', '')}-01")
    return asked or (clock.today().replace(day=1) - timedelta(days=1)).replace(day=1)


@login_required
@_may_see
@figures_from_copy
def page(request: HttpRequest) -> HttpResponse:
    """By customs code, destination and origin; which articles lack what."""
    month = _month(request)
    return back_office_page(
        request,
        "dashboard/emebi.html",
        title=_("Échanges dans l'Union (EMEBI)"),
        tab="emebi",
        tabs=tabs_for(request.user),
        month=month,
        found=exchanges_of(month),
    )


@login_required
@_may_see
@figures_from_copy
def workbook(request: HttpRequest) -> HttpResponse:
    """The same for the customs' form."""
    month = _month(request)
    found = exchanges_of(month)
    book = new_book()
    sheet(
        book,
        f"EMEBI {month:%Y-%m}",
        (
            _("Code douanier"), _("Pays de destination"), _("Pays d'origine"), _("Pièces"),
            _("Masse nette (kg)"), _("Valeur HT (€)"),
        ),
        [tuple(row) for row in found.rows],
    )  # fmt: skip
    sheet(
        book,
        _("À compléter"),
        (_("Article"), _("Code douanier"), _("Pays d'origine"), _("Poids (kg)")),
        [
            (
                m.name,
                _("manque") if m.without_code else "",
                _("manque") if m.without_origin else "",
                _("manque") if m.without_weight else "",
            )
            for m in found.missing
        ],
    )
    return sent(book, f"emebi-{month:%Y-%m}.xlsx")
