"""Pages of the warehouse: counts by scanner, transfers, corrections, the value of stock."""

import csv
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from inventory import services
from inventory.forms import CorrectionForm, CountForm, ScanForm, TransferForm
from inventory.models import (
    Lot,
    LotPosition,
    Product,
    ProductPicture,
    StockCount,
    StockCountLine,
    StockPosition,
    StockTransfer,
    Warehouse,
)
from inventory.selectors import (
    along_the_walk,
    books_of,
    find_bin,
    lots_on_shelf,
    scanned_product,
    stock_value,
)
from sphinx.core import clock
from sphinx.core.errors import SphinxError
from sphinx.core.history import history_of
from sphinx.core.money import plain, to_cents
from sphinx.core.pages import back_office_page
from sphinx.core.texts import safe_cell
from sphinx.core.typed import day_of, key_of, typed_number


@login_required
@permission_required("inventory.add_stockcount", raise_exception=True)
def new_count(request: HttpRequest) -> HttpResponse:
    """Open a count: where, what, blind or not."""
    form = CountForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            count = services.open_count(**form.cleaned_data, at=clock.now(), actor=request.user)
        except SphinxError as error:
            messages.error(request, error.message)
        else:
            return redirect("inventory:count", count.pk)
    return back_office_page(
        request, "inventory/form.html", title=_("Ouvrir un inventaire"), form=form, verb=_("Ouvrir")
    )


@login_required
@permission_required("inventory.view_stockcount", raise_exception=True)
def count(request: HttpRequest, count_id: int) -> HttpResponse:
    """Count by scanner or by hand: each code adds a piece, or sets what was counted."""
    found = get_object_or_404(StockCount.objects.select_related("warehouse"), pk=count_id)
    may_count = request.user.has_perm("inventory.change_stockcount")
    if request.method == "POST" and not may_count:
        raise PermissionDenied
    read = Scanned()
    refused = ""
    form = ScanForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            read = _scan(request, found, form.cleaned_data)
        except SphinxError as error:
            refused = error.message
        else:
            if not read.lots and not read.places:
                said = {"vu": str(read.product.pk)} if read.product else {}
                return redirect(f"{request.path}?{urlencode({**said, 'place': read.place})}")
    lines = along_the_walk(found)
    counted = [line for line in lines if line.counted is not None]
    seen = request.GET.get("vu", "")
    return back_office_page(
        request,
        "inventory/count.html",
        title=_("Inventaire %s") % found.number,
        history=history_of(found),
        count=found,
        may_count=may_count,
        lines=lines,
        counted=len(counted),
        share=100 * len(counted) // len(lines) if lines else 0,
        last=next((line for line in counted if str(line.product_id) == seen), None),
        differences=_differences(found, counted),
        choose=read.lots,
        choose_place=read.places,
        has_bins=any(line.bin_code for line in lines),
        refused=refused,
        place=request.POST.get("place", request.GET.get("place", ""))[:30],
        scanned=request.POST.get("code", "") if read.lots or read.places else "",
        quantity=request.POST.get("quantity", "1") if read.lots or read.places else "1",
    )


class Scanned(NamedTuple):
    """What a code named: a bin to stand at, a product that was counted, or a choice to make."""

    product: Product | None = None
    place: str = ""
    lots: Sequence[Lot] = ()
    places: Sequence[str] = ()


def _scan(request: HttpRequest, found: StockCount, given: dict[str, Any]) -> Scanned:
    """Note what was scanned, or ask for the lot or the bin when there are several.

    Raises:
        SphinxError: nobody knows the code, or it isn't part of the count.
    """
    stands_at = find_bin(found.warehouse, given["code"])
    if stands_at is not None:
        return Scanned(place=stands_at.code)
    product = scanned_product(given["code"])
    place = given["place"]
    lot_id = None
    if product.tracks_lots:
        lots = list(product.lots.all())
        if len(lots) > 1 and not given["lot"]:
            return Scanned(product, place, lots=lots)
        lot_id = given["lot"] or (lots[0].pk if lots else None)
    elif not place and "bin" not in request.POST:
        places = list(found.lines.filter(product=product).values_list("bin_code", flat=True))
        if len(places) > 1:
            return Scanned(product, place, places=places)
        place_of_it = places[0] if places else ""
        given = {**given, "bin": place_of_it}
    quantity = given["quantity"]
    services.record_counted(
        count_id=found.pk,
        product_id=product.pk,
        lot_id=lot_id,
        bin_code=place or given["bin"],
        quantity=Decimal(1) if quantity is None else quantity,
        adds=given["mode"] != "set",
        at=clock.now(),
        actor=request.user,
    )
    return Scanned(product, place)


def _differences(found: StockCount, counted: list[StockCountLine]) -> list[dict[str, Any]]:
    """What differs, dearest first, with its value (EUR excl. tax at average cost)."""
    costs = dict(
        StockPosition.objects.filter(
            warehouse=found.warehouse, product_id__in=[line.product_id for line in counted]
        ).values_list("product_id", "average_cost")
    )
    rows = [
        {
            "line": line,
            "value": to_cents((line.difference or 0) * costs.get(line.product_id, Decimal(0))),
        }
        for line in counted
        if line.difference
    ]
    return sorted(rows, key=lambda row: -abs(row["value"]))


def _levels(found: StockCount) -> dict[int, Decimal]:
    lines = list(found.lines.select_related("product"))
    return books_of(lines, found.warehouse)


@login_required
@permission_required("inventory.change_stockcount", raise_exception=True)
def count_sheet(request: HttpRequest, count_id: int) -> HttpResponse:
    """The count on paper: a line a product, by shelf, with room to write."""
    found = get_object_or_404(StockCount.objects.select_related("warehouse"), pk=count_id)
    levels = {} if found.is_blind else _levels(found)
    return back_office_page(
        request,
        "inventory/count_sheet.html",
        title=_("Feuille d'inventaire %s") % found.number,
        count=found,
        rows=[(line, levels.get(line.pk, Decimal(0))) for line in along_the_walk(found)],
    )


@require_POST
@login_required
@permission_required("inventory.change_stockcount", raise_exception=True)
def end_count(request: HttpRequest, count_id: int, verb: str) -> HttpResponse:
    """Post a count (with or without emptying what nobody counted), or give it up."""
    ended = {
        "valider": lambda: services.post_count(
            count_id=count_id, at=clock.now(), actor=request.user
        ),
        "valider-tout": lambda: services.post_count(
            count_id=count_id, at=clock.now(), missing_are_zero=True, actor=request.user
        ),
        "abandonner": lambda: services.cancel_count(count_id=count_id, actor=request.user),
    }.get(verb)
    get_object_or_404(StockCount, pk=count_id)
    if ended is None:
        raise Http404
    try:
        found = ended()
    except SphinxError as error:
        messages.error(request, error.message)
    else:
        text = _("L'inventaire %(number)s est « %(status)s ».")
        shown = {"number": found.number, "status": found.get_status_display()}
        messages.success(request, text % shown)
    return redirect("inventory:count", count_id)


@login_required
@permission_required("inventory.add_stocktransfer", raise_exception=True)
def new_transfer(request: HttpRequest) -> HttpResponse:
    """Prepare a transfer; `?article=` puts a product into it."""
    given = request.GET.get("article", "")
    form = TransferForm(request.POST or None, initial={"lines": f"{given} 1" if given else ""})
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            found = services.create_transfer(
                source=data["source"],
                destination=data["destination"],
                quantities=data["lines"],
                note=data["note"],
                at=clock.now(),
                actor=request.user,
            )
        except SphinxError as error:
            messages.error(request, error.message)
        else:
            return redirect("inventory:transfer", found.pk)
    return back_office_page(
        request,
        "inventory/form.html",
        title=_("Préparer un transfert"),
        form=form,
        verb=_("Préparer"),
    )


@login_required
@permission_required("inventory.view_stocktransfer", raise_exception=True)
def transfer(request: HttpRequest, transfer_id: int) -> HttpResponse:
    """A transfer and what can be done with it now."""
    found = get_object_or_404(
        StockTransfer.objects.select_related("source", "destination"), pk=transfer_id
    )
    if request.method == "POST":
        if not request.user.has_perm("inventory.change_stocktransfer"):
            raise Http404
        try:
            _move_transfer(request, found)
        except SphinxError as error:
            messages.error(request, error.message)
        return redirect("inventory:transfer", found.pk)
    return back_office_page(
        request,
        "inventory/transfer.html",
        title=_("Transfert %s") % found.number,
        history=history_of(found),
        transfer=found,
        lines=found.lines.select_related("product"),
    )


def _move_transfer(request: HttpRequest, found: StockTransfer) -> None:
    verb = request.POST.get("verb")
    options: dict[str, Any] = {"at": clock.now(), "actor": request.user}
    if verb == "send":
        seen = [key for text in request.POST.getlist("seen") if (key := key_of(text))]
        services.send_transfer(transfer_id=found.pk, seen=seen or None, **options)
    elif verb == "cancel":
        services.cancel_transfer(transfer_id=found.pk, actor=request.user)
    elif verb in ("receive", "close"):
        quantities = {
            line.pk: typed_number(request.POST.get(f"line-{line.pk}", ""))
            for line in found.lines.all()
        }
        services.receive_transfer(
            transfer_id=found.pk, quantities=quantities, closes=verb == "close", **options
        )
    else:
        raise Http404


@login_required
@permission_required("inventory.add_stockmove", raise_exception=True)
def correct(request: HttpRequest, position_id: int) -> HttpResponse:
    """Take lost pieces out, or put a mistake right, with its reason."""
    found = get_object_or_404(
        StockPosition.objects.select_related("product", "warehouse"), pk=position_id
    )
    shelf = lots_on_shelf(found.product_id, found.warehouse_id)
    lots = [(p.lot_id, f"{p.lot} ({plain(p.on_hand)})") for p in shelf]
    form = CorrectionForm(request.POST or None, lots=lots, initial=_to_destroy(request, shelf))
    if request.method == "POST" and form.is_valid():
        try:
            _correct(request, found, form.cleaned_data)
        except SphinxError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, _("Le stock de %s est corrigé.") % found.product)
            return redirect("admin:inventory_product_change", found.product_id)
    return back_office_page(
        request,
        "inventory/form.html",
        title=_("Corriger le stock de %s") % found.product,
        form=form,
        verb=_("Corriger"),
        position=found,
        moves=services.moves_of(found),
    )


def _to_destroy(request: HttpRequest, shelf: Sequence[LotPosition]) -> dict[str, Any]:
    """The form filled in for a lot whose date has passed: the one asked for, else the first."""
    if "perime" not in request.GET:
        return {}
    asked, today = key_of(request.GET["perime"]), clock.today()
    expired = [p for p in shelf if p.is_expired(today)]
    chosen = next((p for p in expired if p.lot_id == asked), expired[0] if expired else None)
    if chosen is None:
        return {}
    return {
        "kind": "loss",
        "lot": chosen.lot_id,
        "quantity": plain(chosen.on_hand),
        "reason": _("Lot périmé"),
    }


def _correct(request: HttpRequest, found: StockPosition, data: dict[str, Any]) -> None:
    common: dict[str, Any] = {
        "product_id": found.product_id,
        "warehouse": found.warehouse,
        "reason": data["reason"],
        "after_moves": int(typed_number(request.POST.get("moves", ""), places=0)),
        "at": clock.now(),
        "actor": request.user,
    }
    if data["kind"] == "loss":
        lot = data.get("lot")
        services.write_off(**common, quantity=data["quantity"], lot_id=int(lot) if lot else None)
        return
    sign = 1 if data["kind"] == "more" else -1
    services.correct_stock(**common, difference=sign * data["quantity"])


def _asked_day(request: HttpRequest) -> date:
    return day_of(request.GET.get("au")) or clock.today()


def _asked_warehouse(request: HttpRequest) -> Warehouse | None:
    return Warehouse.objects.filter(code=request.GET.get("depot", "")).first()


@login_required
@permission_required("inventory.view_stockposition", raise_exception=True)
def value(request: HttpRequest) -> HttpResponse:
    """What lay in stock at the end of any day, and what it was worth."""
    day, warehouse = _asked_day(request), _asked_warehouse(request)
    values = stock_value(day, warehouse)
    moving = [v for v in values if v.is_on_its_way]
    return back_office_page(
        request,
        "inventory/value.html",
        title=_("Valeur du stock"),
        day=day,
        warehouse=warehouse,
        warehouses=Warehouse.objects.all(),
        values=sorted(values, key=lambda v: -v.value)[:200],
        count=len(values),
        total=sum((v.value for v in values), Decimal("0.00")),
        pieces=sum((v.quantity for v in values), Decimal(0)),
        moving=sum((v.value for v in moving), Decimal("0.00")) if moving else None,
    )


@login_required
@permission_required("inventory.view_stockposition", raise_exception=True)
def value_csv(request: HttpRequest) -> HttpResponse:
    """The same, whole, for a spreadsheet."""
    day = _asked_day(request)
    response = HttpResponse(
        "\ufeff",
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="stock-{day.isoformat()}.csv"'},
    )
    writer = csv.writer(response, delimiter=";")
    writer.writerow(["sku", "label", "warehouse", "quantity", "value_excl_tax", "on_its_way"])
    for row in stock_value(day, _asked_warehouse(request)):
        writer.writerow(
            [
                safe_cell(row.product.sku),
                safe_cell(row.product.label),
                row.warehouse.code,
                plain(row.quantity),
                row.value,
                int(row.is_on_its_way),
            ]
        )
    return response


@login_required
@permission_required("inventory.view_product", raise_exception=True)
def picture(request: HttpRequest, product_id: int) -> HttpResponse:
    """An article's picture, for whoever may see the article."""
    found = get_object_or_404(ProductPicture, product=product_id)
    response = HttpResponse(bytes(found.data), content_type="image/jpeg")
    response["X-Content-Type-Options"] = "nosniff"
    return response
