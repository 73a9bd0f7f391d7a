"""The page that crosses sales: choose, look, keep, share, take away."""

import csv
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from sphinx.core.pages import back_office_page
from sphinx.core.replica import figures_from_copy
from sphinx.core.texts import safe_cell
from sphinx.dashboard import rollups
from sphinx.dashboard.models import SavedPivot
from sphinx.dashboard.pivot import DIMENSIONS, MEASURES, Crossed, Pivot, cross
from sphinx.dashboard.services import keep_pivot
from sphinx.dashboard.statistics_views import StatisticsForm, chosen_of, period_of
from sphinx.dashboard.tabs import tabs_for
from sphinx.dashboard.workbooks import new_book, sent, sheet

_may_see = permission_required(("sales.view_order", "invoicing.view_invoice"), raise_exception=True)
_SELECT = {"class": "sx-select"}
# Few points in time are bars, many a line.
_MANY = 31


def _choices(options: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(code, option.label) for code, option in options.items()]


class PivotForm(StatisticsForm):
    """Rows, columns, measure; the period, and of which sales."""

    rows = forms.ChoiceField(
        label=gettext_lazy("Lignes"),
        choices=_choices(DIMENSIONS),
        initial="month",
        widget=forms.Select(_SELECT),
    )
    columns = forms.ChoiceField(
        label=gettext_lazy("Colonnes"),
        choices=[("", gettext_lazy("aucune")), *_choices(DIMENSIONS)],
        required=False,
        widget=forms.Select(_SELECT),
    )
    measure = forms.ChoiceField(
        label=gettext_lazy("Mesure"),
        choices=_choices(MEASURES),
        initial="turnover",
        widget=forms.Select(_SELECT),
    )
    field_order = ["rows", "columns", "measure", "start", "end", "shop", "country", "kind"]
    # Rows and columns can be categories and suppliers: they need no filter of their own.
    against = category = supplier = None  # type: ignore[assignment]

    def clean(self) -> dict[str, Any]:
        """What can be crossed with what."""
        data = super().clean()
        measure = MEASURES.get(data.get("measure", ""))
        for name in ("rows", "columns"):
            dimension = DIMENSIONS.get(data.get(name, ""))
            if dimension and measure and dimension.is_of_products and not measure.is_of_products:
                self.add_error(
                    "measure",
                    _("Par %(what)s, seules les marchandises se comptent : choisissez "
                      "« Marchandises HT », « Marge des marchandises HT » ou « Pièces vendues ».")
                    % {"what": str(dimension.label).lower()},
                )  # fmt: skip
                break
        if data.get("rows") and data.get("rows") == data.get("columns"):
            self.add_error("columns", _("Les colonnes sont déjà en lignes : prenez autre chose."))
        return data


def _asked(request: HttpRequest) -> tuple[PivotForm, Pivot | None]:
    period = period_of(None)
    default = {
        "rows": "month",
        "columns": "shop",
        "measure": "turnover",
        "start": period.end.replace(month=1, day=1),
        "end": period.end,
    }
    form = PivotForm(request.GET if "rows" in request.GET else default)
    if not form.is_valid():
        return form, None
    data = form.cleaned_data
    return form, Pivot(
        data["rows"], data["columns"], data["measure"], period_of(data), chosen_of(data)
    )


@login_required
@_may_see
@figures_from_copy
def page(request: HttpRequest) -> HttpResponse:
    """The form, the table and its chart, and what was kept."""
    form, asked = _asked(request)
    rollups.refresh()
    return back_office_page(
        request,
        "dashboard/pivot.html",
        title=_("Croiser les ventes"),
        tab="pivot",
        tabs=tabs_for(request.user),
        form=form,
        asked=asked,
        measure=MEASURES[asked.measure] if asked else None,
        rows_label=DIMENSIONS[asked.rows].label if asked else "",
        crossed=cross(asked) if asked else None,
        chart=_chart(asked) if asked else "",
        query=request.GET.urlencode(),
        kept=SavedPivot.objects.filter(Q(owner=request.user) | Q(is_shared=True)).select_related(
            "owner"
        ),
    )


def _chart(asked: Pivot) -> str:
    is_long = asked.rows == "day" or (asked.rows == "week" and asked.period.days > _MANY * 7)
    return "line" if is_long else "stacked"


@login_required
@_may_see
@figures_from_copy
def take_away(request: HttpRequest, extension: str) -> HttpResponse:
    """The same table as CSV or as a workbook."""
    _form, asked = _asked(request)
    if asked is None:
        return redirect(f"{reverse('dashboard:pivot')}?{request.GET.urlencode()}")
    rollups.refresh()
    rows = _as_rows(asked, cross(asked))
    name = f"ventes-{asked.period.start:%Y%m%d}-{asked.period.end:%Y%m%d}.{extension}"
    if extension == "xlsx":
        book = new_book()
        header, *rest = rows
        sheet(book, str(MEASURES[asked.measure].label), tuple(header), [tuple(r) for r in rest])
        return sent(book, name)
    response = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    writer = csv.writer(response, delimiter=";", lineterminator="\r\n")
    for row in rows:
        writer.writerow(
            safe_cell(cell) if isinstance(cell, str) else str(cell or 0).replace(".", ",")
            for cell in row
        )
    return response


def _as_rows(asked: Pivot, crossed: Crossed) -> list[list[Any]]:
    head = [str(DIMENSIONS[asked.rows].label), *crossed.columns]
    if not crossed.columns:
        return [
            [*head, str(MEASURES[asked.measure].label)],
            *([line.name, line.total] for line in crossed.lines),
            [_("Total"), crossed.total],
        ]
    return [
        [*head, _("Total")],
        *([line.name, *line.values, line.total] for line in crossed.lines),
        [_("Total"), *crossed.totals, crossed.total],
    ]


@login_required
@_may_see
@require_POST
def keep(request: HttpRequest) -> HttpResponse:
    """Keep what is on the page under a name, for oneself or for all."""
    name = request.POST.get("name", "").strip()
    query = request.POST.get("query", "")
    if not name:
        messages.error(request, _("Donnez un nom à cette vue pour la retrouver."))
    else:
        keep_pivot(name=name, query=query, is_shared="shared" in request.POST, owner=request.user)
        messages.success(request, _("La vue « %(name)s » est gardée.") % {"name": name})
    return redirect(f"{reverse('dashboard:pivot')}?{query}")


@login_required
@_may_see
@require_POST
def forget(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget a view of one's own."""
    get_object_or_404(SavedPivot, pk=pk, owner=request.user).delete()
    return redirect("dashboard:pivot")
