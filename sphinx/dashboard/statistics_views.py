"""The statistics page and its workbook."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required, permission_required
from django.http import FileResponse, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_countries import countries

from inventory.models import ProductCategory
from sphinx.core import clock
from sphinx.core.models import Shop
from sphinx.core.pages import back_office_page
from sphinx.core.replica import figures_from_copy
from sphinx.dashboard import foretelling, products, rollups, statistics
from sphinx.dashboard.figures import Chosen
from sphinx.dashboard.models import SalesDay
from sphinx.dashboard.periods import Period, last_days
from sphinx.dashboard.tabs import tabs_for
from sphinx.dashboard.weekly import weekly_pdf
from sphinx.dashboard.workbooks import new_book, sent, sheet
from suppliers.models import Supplier

_INPUT = {"class": "sx-select"}
_may_see = permission_required(("sales.view_order", "invoicing.view_invoice"), raise_exception=True)


class StatisticsForm(forms.Form):
    """The period, what it is compared with, and of which sales."""

    start = forms.DateField(
        label=gettext_lazy("Du"), widget=forms.DateInput({**_INPUT, "type": "date"}, "%Y-%m-%d")
    )
    end = forms.DateField(
        label=gettext_lazy("au"), widget=forms.DateInput({**_INPUT, "type": "date"}, "%Y-%m-%d")
    )
    against = forms.ChoiceField(
        label=gettext_lazy("comparé à"),
        choices=[
            ("before", gettext_lazy("la période d'avant")),
            ("year", gettext_lazy("un an avant")),
        ],
        required=False,
        widget=forms.Select(_INPUT),
    )
    shop = forms.ModelChoiceField(
        Shop.objects.order_by("name"),
        label=gettext_lazy("Boutique"),
        required=False,
        empty_label=gettext_lazy("toutes"),
        widget=forms.Select(_INPUT),
    )
    country = forms.ChoiceField(
        label=gettext_lazy("Pays"), required=False, widget=forms.Select(_INPUT)
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("Clientèle"),
        choices=[
            ("", gettext_lazy("toute")),
            ("0", gettext_lazy("Particuliers")),
            ("1", gettext_lazy("Professionnels")),
        ],
        required=False,
        widget=forms.Select(_INPUT),
    )

    category = forms.ModelChoiceField(
        ProductCategory.objects.order_by("name"),
        label=gettext_lazy("Catégorie"),
        required=False,
        empty_label=gettext_lazy("toutes"),
        widget=forms.Select(_INPUT),
    )
    supplier = forms.ModelChoiceField(
        Supplier.objects.order_by("name"),
        label=gettext_lazy("Fournisseur"),
        required=False,
        empty_label=gettext_lazy("tous"),
        widget=forms.Select(_INPUT),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sold_to = SalesDay.objects.order_by().values_list("country", flat=True).distinct()
        names = sorted((countries.name(code), code) for code in sold_to if code)
        field = self.fields["country"]
        field.choices = [  # type: ignore[attr-defined]
            ("", _("tous")),
            *((code, name) for name, code in names),
        ]

    def clean(self) -> dict[str, Any]:
        """A period the right way round."""
        data = super().clean() or {}
        start, end = data.get("start"), data.get("end")
        if start and end and start > end:
            data["start"], data["end"] = end, start
        return data


def _asked(request: HttpRequest) -> tuple[StatisticsForm, Period, Period, Chosen]:
    """The form, the period, the one to compare with, and of which sales; 30 days by default."""
    default = last_days(clock.today())
    given = request.GET if "start" in request.GET else {"start": default.start, "end": default.end}
    form = StatisticsForm(given)
    data = form.cleaned_data if form.is_valid() else {}
    period = period_of(data)
    before = period.year_before() if data.get("against") == "year" else period.before()
    return form, period, before, chosen_of(data)


def period_of(data: Mapping[str, Any] | None) -> Period:
    """The period that a form gives; the last 30 days of an empty one or one the wrong way round."""
    default = last_days(clock.today())
    data = data or {}
    period = Period(data.get("start") or default.start, data.get("end") or default.end)
    return period if period.start <= period.end else default


def chosen_of(data: Mapping[str, Any]) -> Chosen:
    """Of which sales, as a form says."""
    return Chosen(
        data["shop"].pk if data.get("shop") else None,
        data.get("country", ""),
        {"0": False, "1": True}.get(data.get("kind", "")),
        data["category"].pk if data.get("category") else None,
        data["supplier"].pk if data.get("supplier") else None,
    )


@login_required
@_may_see
def weekly(request: HttpRequest) -> FileResponse:
    """The sheet of the week that ended last Sunday, as it goes out by e-mail."""
    path = weekly_pdf(clock.today())
    return FileResponse(path.open("rb"), filename=path.name, content_type="application/pdf")


def _presets(today: date) -> list[tuple[str, Period]]:
    month = today.replace(day=1)
    last_month = month - timedelta(days=1)
    return [
        (_("7 jours"), last_days(today, 7)),
        (_("30 jours"), last_days(today)),
        (_("ce mois"), Period(month, today)),
        (_("le mois dernier"), Period(last_month.replace(day=1), last_month)),
        (_("cette année"), Period(today.replace(month=1, day=1), today)),
        (_("12 mois"), last_days(today, 365)),
    ]


def _by_group(period: Period, chosen: Chosen) -> dict[str, list[products.Sold]]:
    return {
        _("Par catégorie"): products.sold_by("category", period, chosen, limit=None),
        _("Par fournisseur"): products.sold_by("supplier", period, chosen, limit=None),
    }


@login_required
@_may_see
@figures_from_copy
def page(request: HttpRequest) -> HttpResponse:
    """The figures of a period beside another's."""
    form, period, before, chosen = _asked(request)
    rollups.refresh()
    sold = products.sellers(period, chosen)
    return back_office_page(
        request,
        "dashboard/statistics.html",
        title=_("Statistiques"),
        form=form,
        period=period,
        before=before,
        presets=_presets(clock.today()),
        query=request.GET.urlencode(),
        chosen=chosen,
        figures=statistics.figures_of(period, before, chosen),
        standing=statistics.standing(clock.today()),
        bars=(shown := statistics.bars(period, before, chosen)),
        has_history=any(bar.history or bar.history_before for bar in shown),
        by_month=period.days > statistics.MOST_DAYS,
        parts=statistics.parts(period, chosen),
        foretold=foretelling.weeks_to_come(clock.today(), chosen),
        products=sold.products,
        least=sold.least,
        sold_by={_("Par catégorie"): sold.categories, _("Par fournisseur"): sold.suppliers},
        tab="sales",
        tabs=tabs_for(request.user),
    )


@login_required
@_may_see
@figures_from_copy
def workbook(request: HttpRequest) -> HttpResponse:
    """The same figures as a workbook, every product included."""
    _form, period, before, chosen = _asked(request)
    rollups.refresh()
    book = new_book()
    sheet(
        book,
        _("Chiffres"),
        (_("Chiffre"), _("Valeur"), _("Avant"), _("Définition")),
        [
            (f.label, f.value, f.before, f.definition)
            for f in statistics.figures_of(period, before, chosen)
        ],
    )
    sheet(
        book,
        _("Dans le temps"),
        (_("Date"), _("Chiffre d'affaires HT"), _("Avant"), _("Repris HT"), _("Repris, avant")),
        [
            (b.day, b.value, b.before, b.history, b.history_before)
            for b in statistics.bars(period, before, chosen)
        ],
    )
    for title, rows in statistics.parts(period, chosen).items():
        sheet(
            book,
            title,
            ("", _("Chiffre d'affaires HT"), _("Pièces"), "%", _("Repris HT")),
            [(part.label, part.value, part.counted, part.share, part.history) for part in rows],
        )
    for title, sold in _by_group(period, chosen).items():
        sheet(
            book,
            title,
            ("", *_sold_columns()),
            [(s.label or _("Sans"), *_sold_values(s)) for s in sold],
        )
    sheet(
        book,
        _("Articles"),
        (_("Référence"), _("Article"), *_sold_columns()),
        [
            (s.key, s.label, *_sold_values(s))
            for s in products.sold_by("sku", period, chosen, limit=None)
        ],
    )
    return sent(book, f"statistiques-{period.start:%Y%m%d}-{period.end:%Y%m%d}.xlsx")


def _sold_columns() -> tuple[str, ...]:
    return (
        _("Chiffre d'affaires HT"),
        _("Quantité"),
        _("Marge"),
        _("Repris HT"),
        _("Pièces reprises"),
    )


def _sold_values(sold: products.Sold) -> tuple[Any, ...]:
    return sold.net, sold.pieces, sold.margin, sold.history, sold.history_pieces
