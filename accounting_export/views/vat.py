"""VAT returns: the CA3, the one-stop shop, sales to the Union; each figure opens its documents."""

import csv
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib.auth.decorators import login_required, permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from accounting_export import vat_returns
from accounting_export.distance_sales import THRESHOLD, distance_sales
from accounting_export.selectors import next_month
from sphinx.core import clock
from sphinx.core.pages import back_office_page
from sphinx.core.services import company
from sphinx.core.territories import place_name
from sphinx.core.texts import safe_cell
from sphinx.core.typed import day_of
from sphinx.core.vat import TaxRegime

SHOWN = 500
_may_see = permission_required("accounting_export.export_journal", raise_exception=True)


def _period(request: HttpRequest) -> tuple[date, date]:
    """The days asked for; last month when none are."""
    first, last = day_of(request.GET.get("du")), day_of(request.GET.get("au"))
    if first is None or last is None:
        last = clock.today().replace(day=1) - timedelta(days=1)
        first = last.replace(day=1)
    return min(first, last), max(first, last)


@login_required
@_may_see
def returns(request: HttpRequest) -> HttpResponse:
    """The returns of a period."""
    first, last = _period(request)
    quarter = vat_returns.quarter_of(last)
    rows, corrections = vat_returns.oss(*quarter)
    month = last.replace(day=1)
    before = month - timedelta(days=1)
    return back_office_page(
        request,
        "accounting_export/vat.html",
        title=_("TVA"),
        first=first,
        last=last,
        before=(before.replace(day=1), before),
        after=(next_month(last), next_month(next_month(last)) - timedelta(days=1)),
        quarter=quarter,
        boxes=vat_returns.ca3(first, last),
        is_exempt=company().is_tax_exempt,
        oss=[(row, place_name(row.country)) for row in rows],
        corrections=[(row, place_name(row.country)) for row in corrections],
        union=vat_returns.union_sales(first, last),
        distance=distance_sales(last),
        threshold=THRESHOLD,
    )


@login_required
@_may_see
def documents(request: HttpRequest) -> HttpResponse:
    """The documents behind a figure."""
    first, last = _period(request)
    given = request.GET
    if given.get("regime") not in TaxRegime.values:
        raise Http404
    try:
        rate = Decimal(given["rate"]) if given.get("rate") else None
    except InvalidOperation:
        raise Http404 from None
    taxed = {"1": True, "0": False}.get(given.get("taxed", ""))
    rows = vat_returns.documents_behind(
        first,
        last,
        regime=given["regime"],
        country=given.get("country", "")[:2],
        rate=rate,
        taxed=taxed,
    )
    found = list(rows)
    return back_office_page(
        request,
        "accounting_export/vat_documents.html",
        title=_("Pièces derrière le chiffre"),
        first=first,
        last=last,
        regime=TaxRegime(given["regime"]).label,
        rows=found[:SHOWN],
        count=len(found),
        base=sum((row["base"] or 0 for row in found), Decimal("0.00")),
        tax=sum((row["tax"] or 0 for row in found), Decimal("0.00")),
    )


@login_required
@_may_see
def oss_file(request: HttpRequest) -> HttpResponse:
    """The one-stop shop's return of a quarter as CSV."""
    first, last = vat_returns.quarter_of(_period(request)[1])
    rows, corrections = vat_returns.oss(first, last)
    header = [
        "Pays de consommation",
        "Type de taux",
        "Taux (%)",
        "Base HT",
        "TVA",
        "Trimestre corrigé",
    ]
    lines: list[list[Any]] = [
        [
            row.country,
            "normal" if row.is_standard else "réduit",
            _comma(row.rate),
            _comma(row.base),
            _comma(row.tax),
            "",
        ]
        for row in rows
    ]
    lines += [
        [c.country, "correction", "", "", _comma(c.tax), _quarter(c.quarter)] for c in corrections
    ]
    return _csv(f"oss-{_quarter(first)}.csv", [header, *lines])


@login_required
@_may_see
def union_file(request: HttpRequest) -> HttpResponse:
    """The recapitulative statement of a period as CSV, in whole euros."""
    first, last = _period(request)
    header = ["N° de TVA de l'acquéreur", "Nom", "Régime", "Montant (€)"]
    lines = [
        [s.vat_number, safe_cell(s.name), s.code, str(vat_returns.whole_euros(s.amount))]
        for s in vat_returns.union_sales(first, last)
    ]
    return _csv(f"etat-recapitulatif-{first:%Y%m%d}-{last:%Y%m%d}.csv", [header, *lines])


def _quarter(first: date) -> str:
    return f"{first.year}-T{(first.month + 2) // 3}"


def _comma(amount: Decimal) -> str:
    return f"{amount:.2f}".replace(".", ",")


def _csv(name: str, rows: list[list[Any]]) -> HttpResponse:
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response.write("\ufeff")
    csv.writer(response, delimiter=";", lineterminator="\r\n").writerows(rows)
    return response
