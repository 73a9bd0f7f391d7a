"""The stock's statistics."""

from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from purchasing.scorecards import scorecards
from sphinx.core import clock
from sphinx.core.events import announce
from sphinx.core.pages import back_office_page
from sphinx.core.replica import figures_from_copy
from sphinx.dashboard import stock_statistics
from sphinx.dashboard.events import measure_wanted
from sphinx.dashboard.tabs import tabs_for
from sphinx.dashboard.workbooks import new_book, sent, sheet

_may_see = permission_required("inventory.view_stockposition", raise_exception=True)


@login_required
@_may_see
@figures_from_copy
def page(request: HttpRequest) -> HttpResponse:
    """Value, cover, ruptures and what sleeps; what isn't measured yet today is asked for."""
    now, before = stock_statistics.last_measured()
    today = clock.today()
    if now is None or now.measured_on < today:
        announce(measure_wanted)
        now, before = stock_statistics.last_measured()
    figures = stock_statistics.stock_figures(now, before) if now else []
    return back_office_page(
        request,
        "dashboard/stock_statistics.html",
        title=_("Statistiques du stock"),
        tab="stock",
        tabs=tabs_for(request.user),
        health=now,
        before=before,
        figures=figures,
        weeks=stock_statistics.value_by_week(now) if now else [],
        classes=stock_statistics.classes(),
        dead=stock_statistics.dead()[: stock_statistics.SHOWN],
        missed=stock_statistics.most_missed()[: stock_statistics.SHOWN],
        suppliers=scorecards(until=today)
        if request.user.has_perm("purchasing.view_purchaseorder")
        else [],
    )


@login_required
@_may_see
@figures_from_copy
def workbook(request: HttpRequest) -> HttpResponse:
    """The same figures and every product's."""
    now, before = stock_statistics.last_measured()
    book = new_book()
    figures = stock_statistics.stock_figures(now, before) if now else []
    sheet(
        book,
        _("Chiffres"),
        (_("Chiffre"), _("Valeur"), _("Avant"), _("Unité"), _("Définition")),
        [(f.label, f.value, f.before, f.unit, f.definition) for f in figures],
    )
    sheet(
        book,
        _("Articles"),
        (
            _("Référence"), _("Article"), _("En stock"), _("Valeur HT"), _("Demandé (90 j)"),
            _("Jours suivis"), _("Jours de rupture"), _("Ventes perdues HT"), _("Dernière vente"),
            _("Dormant"), "ABC", "XYZ",
        ),
        [
            (
                h.product.sku, h.product.label, h.on_hand, h.value_excl_tax, h.asked,
                h.days_watched, h.days_out, h.lost_excl_tax, h.last_sold_on,
                _("oui") if h.is_dead else "", h.abc, h.xyz,
            )
            for h in stock_statistics.by_sku()
        ],
    )  # fmt: skip
    return sent(book, f"stock-{now.measured_on:%Y%m%d}.xlsx" if now else "stock.xlsx")
