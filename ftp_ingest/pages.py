"""Pages of trust: what a run did, what was set aside and how to mend it."""

import csv
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ftp_ingest import services
from ftp_ingest.cause_lines import lines_of
from ftp_ingest.errors import UNKNOWN_STATUS
from ftp_ingest.models import Feed, FeedRun, QuarantinedRow
from ftp_ingest.selectors import reason_of_now
from ftp_ingest.services.mending import OrderText, order_text
from ftp_ingest.what_to_do import WHAT_TO_DO
from inventory.models import Product
from sales.errors import TaxUndecided
from sphinx.core import cells
from sphinx.core.errors import InputError, SphinxError
from sphinx.core.pages import back_office_page
from sphinx.core.texts import safe_cell, sku_key
from sphinx.core.vat import FRENCH_RATES


@login_required
@permission_required("ftp_ingest.view_feedrun", raise_exception=True)
def run(request: HttpRequest, run_id: int) -> HttpResponse:
    """One passage: its files, what became of every row, each cause of trouble and what to do."""
    found = get_object_or_404(FeedRun.objects.select_related("feed", "shop"), pk=run_id)
    files = list(found.files.all())
    rows = QuarantinedRow.objects.filter(file__run=found)
    causes, more_causes = lines_of(rows, request.user)
    return back_office_page(
        request,
        "ftp_ingest/run.html",
        title=_("Passage du %s") % f"{localtime(found.started_at):%d/%m/%Y %H:%M}",
        run=found,
        files=files,
        seconds=((found.finished_at or found.heartbeat_at) - found.started_at).total_seconds(),
        causes=causes,
        more_causes=more_causes,
        problem_count=rows.count(),
        share=100 * found.rows_done // found.rows_total if found.rows_total else 0,
        may_undo=bool(files)
        and found.status not in (FeedRun.Status.RUNNING, FeedRun.Status.UNDONE)
        and request.user.has_perm("ftp_ingest.change_feed"),
    )


@login_required
@permission_required("ftp_ingest.view_feedrun", raise_exception=True)
def run_progress(request: HttpRequest, run_id: int) -> JsonResponse:
    """How far a passage is, for the page that waits."""
    found = get_object_or_404(FeedRun, pk=run_id)
    return JsonResponse(
        {"status": found.status, "done": found.rows_done, "total": found.rows_total}
    )


@login_required
@permission_required("ftp_ingest.view_quarantinedrow", raise_exception=True)
def run_problems(request: HttpRequest, run_id: int) -> HttpResponse:
    """The problems of a passage as CSV, for the shop's own people."""
    found = get_object_or_404(FeedRun, pk=run_id)
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="anomalies-{found.pk}.csv"'
    answer.write("\ufeff")
    writer = csv.writer(answer, delimiter=";")
    writer.writerow(
        [_("fichier"), _("ligne"), _("colonne"), _("commande"), _("motif"), _("explication"),
         _("que faire"), _("état")]
    )  # fmt: skip
    rows = QuarantinedRow.objects.filter(file__run=found).select_related("file").order_by("line")
    for row in rows.iterator():
        values = [row.file.name, row.line, row.column, row.number, row.code, row.message]
        values += [WHAT_TO_DO.get(row.code, ""), row.get_status_display()]
        writer.writerow([safe_cell(str(value)) for value in values])
    return answer


@require_POST
@login_required
@permission_required("ftp_ingest.change_feed", raise_exception=True)
def undo(request: HttpRequest, run_id: int) -> HttpResponse:
    """Take a whole passage back."""
    found = get_object_or_404(FeedRun, pk=run_id)
    try:
        undone = services.undo_run(run_id=found.pk, actor=request.user)
    except SphinxError as error:
        messages.error(request, error.message)
    else:
        messages.success(
            request,
            _(
                "Passage annulé : %(withdrawn)s commandes retirées, %(restored)s remises comme "
                "avant, %(kept)s laissées (modifiées depuis)."
            )
            % undone._asdict(),
        )
    return redirect("ftp_ingest:run", run_id)


@login_required
@permission_required("ftp_ingest.change_feed", raise_exception=True)
def probe(request: HttpRequest, feed_id: int) -> HttpResponse:
    """Test a feed's connection, step by step; confirm the host key that it presents."""
    feed = get_object_or_404(Feed.objects.select_related("shop"), pk=feed_id)
    steps: list[services.Step] = []
    if request.method == "POST":
        try:
            if key := request.POST.get("key"):
                feed = services.accept_host_key(feed_id=feed.pk, key=key, actor=request.user)
                messages.success(request, _("Clé d'hôte retenue."))
            steps = services.probe(feed)
        except SphinxError as error:
            messages.error(request, error.message)
    return back_office_page(
        request,
        "ftp_ingest/probe.html",
        title=_("Essai de la connexion : %s") % feed.code,
        feed=feed,
        steps=steps,
    )


@login_required
@permission_required("ftp_ingest.change_quarantinedrow", raise_exception=True)
def mend(request: HttpRequest, row_id: int) -> HttpResponse:
    """An order that was set aside: its rows to correct, or the choice that it waits for."""
    row = get_object_or_404(QuarantinedRow.objects.select_related("file__shop"), pk=row_id)
    text: OrderText | None = None
    try:
        text = order_text(row)
    except SphinxError as error:
        messages.warning(request, error.message)
    if request.method == "POST":
        try:
            row = _mend(request, row, text)
        except SphinxError as error:
            messages.error(request, error.message)
        else:
            if row.status == QuarantinedRow.Status.RESOLVED:
                messages.success(request, _("Commande intégrée."))
                return redirect("admin:ftp_ingest_quarantinedrow_changelist")
            row = reason_of_now(row)
            messages.error(request, _("Toujours refusée : %s") % row.message)
            return redirect("ftp_ingest:mend", row.pk)
    return back_office_page(
        request,
        "ftp_ingest/mend.html",
        title=_("Ligne %(line)s de %(file)s") % {"line": row.line, "file": row.file.name},
        row=row,
        advice=WHAT_TO_DO.get(row.code, ""),
        text=text,
        fields=_fields(text) if text else [],
        skus=_skus(row, text) if row.code in _DECIDED else [],
        rates=[f"{rate.normalize():f}" for rate in FRENCH_RATES],
        decided=_DECIDED.get(row.code, ""),
        asks_once=row.code in (UNKNOWN_STATUS, TaxUndecided.code),
    )


_DECIDED = {"order.tax_undecided": "rate", "order.unknown_sku": "product"}


def _fields(text: OrderText) -> list[tuple[str, list[tuple[str, str]]]]:
    """(column, [(input's name, value) a row]) of the columns that hold something."""
    return [
        (name, [(f"cell_{r}_{c}", row[c]) for r, row in enumerate(text.rows)])
        for c, name in enumerate(text.columns)
        if any(row[c].strip() for row in text.rows) or c < _FIRST_COLUMNS
    ]


_FIRST_COLUMNS = 12


def _skus(row: QuarantinedRow, text: OrderText | None) -> list[dict[str, Any]]:
    """What the order sells, with what is known of it here."""
    if text is None:
        return []
    found = services.order_goods(row)
    known = {p.sku_key: p for p in Product.objects.filter(sku_key__in=[g.key for g in found])}
    return [{"sku": g.sku, "label": g.label, "product": known.get(g.key)} for g in found]


def _mend(request: HttpRequest, row: QuarantinedRow, text: OrderText | None) -> QuarantinedRow:
    given = request.POST
    if "replay" in given:
        return services.replay_row(row_id=row.pk, actor=request.user)
    if "rates" in given:
        rates = {
            key.removeprefix("rate_"): _rate(str(value))
            for key, value in given.items()
            if key.startswith("rate_") and value
        }
        return services.decide_rates(row_id=row.pk, rates=rates, actor=request.user)
    if "product" in given:
        product = Product.objects.filter(sku_key=sku_key(given.get("product_sku", ""))).first()
        if product is None:
            raise InputError(_("Aucun article de cette référence."), code="product.unknown")
        return services.decide_product(
            row_id=row.pk, sku=given["product"], product_id=product.pk, actor=request.user
        )
    if text is None:
        raise InputError(_("Rien à corriger."), code="quarantine.no_order")
    rows = [
        [given.get(f"cell_{r}_{c}", value) for c, value in enumerate(cells_)]
        for r, cells_ in enumerate(text.rows)
    ]
    return services.correct_row(row_id=row.pk, rows=rows, actor=request.user)


def _rate(text: str) -> Decimal:
    rate = cells.rate(text, 0, "TVA")
    if rate is None:
        raise InputError(_("Donnez un taux."), code="cell.bad_rate")
    return rate
