"""Pages of the bins: the walk, what lies where, what is to be put away."""

from collections.abc import Sequence
from decimal import Decimal

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from inventory import services
from inventory.forms import MoveGoodsForm, WalkForm
from inventory.models import Bin, Warehouse
from inventory.selectors import (
    PutAway,
    bin_contents,
    bins_by_code,
    empty_bins,
    scanned_product,
    to_put_away,
    unplaced,
    usual_places,
)
from inventory.services import Placed
from sphinx.core.counting import count_up_to
from sphinx.core.errors import InputError, SphinxError
from sphinx.core.money import plain
from sphinx.core.pages import back_office_page
from sphinx.core.typed import typed_number

SHOWN = 200
PUT_AWAY_AT_ONCE = 50


def _warehouses() -> list[Warehouse]:
    return list(Warehouse.objects.filter(is_direct=False).order_by("-is_default", "code"))


def _asked(request: HttpRequest) -> Warehouse:
    """The warehouse that the address names, else the one that orders draw on."""
    code = request.GET.get("depot", "")
    found = [w for w in _warehouses() if not code or w.code == code]
    return found[0] if found else services.default_warehouse()


def _address(name: str, warehouse: Warehouse) -> str:
    return f"{reverse(name)}?{_query(depot=warehouse.code)}"


def _query(**values: str) -> str:
    query = QueryDict(mutable=True)
    query.update(values)
    return query.urlencode()


@login_required
@permission_required("inventory.view_stockposition", raise_exception=True)
def bins(request: HttpRequest) -> HttpResponse:
    """What lies in which bin of a warehouse, along the walk."""
    warehouse = _asked(request)
    search = request.GET.get("q", "").strip()
    return back_office_page(
        request,
        "inventory/bins.html",
        title=_("Emplacements"),
        warehouse=warehouse,
        warehouses=_warehouses(),
        search=search,
        bin_count=Bin.objects.filter(warehouse=warehouse).count(),
        empty=empty_bins(warehouse).count(),
        waiting=count_up_to(unplaced(warehouse)),
        contents=[
            (
                held,
                _query(
                    depot=warehouse.code,
                    article=held.product.sku,
                    source=held.bin.code,
                    quantity=plain(held.on_hand),
                ),
            )
            for held in bin_contents(warehouse, search)[:SHOWN]
        ],
        shown=SHOWN,
        may_put_away=request.user.has_perm("inventory.change_binstock"),
        may_change=request.user.has_perm("inventory.change_bin"),
    )


@login_required
@permission_required("inventory.change_bin", raise_exception=True)
def walk(request: HttpRequest) -> HttpResponse:
    """The bins of a warehouse, a line each, in the order in which one walks past them."""
    warehouse = _asked(request)
    codes = list(Bin.objects.filter(warehouse=warehouse).values_list("code", flat=True))
    is_new = not codes
    form = WalkForm(
        request.POST or None, initial={"codes": "\n".join(codes or usual_places(warehouse))}
    )
    if request.method == "POST" and form.is_valid():
        try:
            made = services.set_walk(
                warehouse=warehouse,
                codes=form.cleaned_data["codes"].splitlines(),
                actor=request.user,
            )
        except SphinxError as error:
            form.add_error("codes", error.message)
        else:
            said = ngettext(
                "%(n)s emplacement sur le parcours.",
                "%(n)s emplacements sur le parcours.",
                len(made),
            )
            messages.success(request, said % {"n": len(made)})
            return redirect(_address("inventory:bins", warehouse))
    return back_office_page(
        request,
        "inventory/walk.html",
        title=_("Parcours de « %s »") % warehouse,
        warehouse=warehouse,
        form=form,
        is_new=is_new,
    )


@login_required
@permission_required("inventory.change_binstock", raise_exception=True)
def put_away(request: HttpRequest) -> HttpResponse:
    """What came in and lies in no bin yet, each with the bin where it would best go."""
    warehouse = _asked(request)
    typed: dict[int, tuple[str, str]] = {}
    if request.method == "POST":
        try:
            placed = _placed(request, warehouse)
            pieces = services.put_away(warehouse=warehouse, placed=placed, actor=request.user)
        except SphinxError as error:
            messages.error(request, error.message)
            typed = _typed(request)
        else:
            messages.success(request, _("%s pièces rangées.") % plain(pieces))
            return redirect(_address("inventory:put_away", warehouse))
    rows = to_put_away(warehouse, PUT_AWAY_AT_ONCE)
    return back_office_page(
        request,
        "inventory/put_away.html",
        title=_("À ranger"),
        warehouse=warehouse,
        warehouses=_warehouses(),
        rows=[(row, *typed.get(row.product.pk, _proposed(row))) for row in rows],
        codes=list(Bin.objects.filter(warehouse=warehouse).values_list("code", flat=True)),
        waiting=count_up_to(unplaced(warehouse)),
    )


def _proposed(row: PutAway) -> tuple[str, str]:
    return plain(row.quantity), row.bin.code if row.bin else ""


def _typed(request: HttpRequest) -> dict[int, tuple[str, str]]:
    """What was typed, product id → (pieces, bin)."""
    return {
        int(name[1:]): (request.POST[name], request.POST.get(f"b{name[1:]}", ""))
        for name in request.POST
        if name.startswith("q") and name[1:].isdecimal() and len(name) < 12  # noqa: PLR2004
    }


def _placed(request: HttpRequest, warehouse: Warehouse) -> list[Placed]:
    """What is to be put away: the rows with a bin and pieces.

    Raises:
        InputError: a bin that isn't there, a number that is none, or nothing to do.
    """
    bins = bins_by_code(warehouse)
    placed = []
    for product_id, (pieces, code) in sorted(_typed(request).items()):
        quantity = typed_number(pieces)
        if code.strip() and quantity:
            placed.append(Placed(product_id, quantity, _bin_id(bins, code)))
    if not placed:
        raise InputError(_("Dites au moins un emplacement."), code="inventory.nothing_placed")
    return placed


def _bin_id(bins: dict[str, Bin], code: str) -> int:
    found = bins.get(code.strip().casefold())
    if found is None:
        raise InputError(
            _("« %s » n'est pas un emplacement de ce dépôt : ajoutez-le au parcours.") % code[:40],
            code="inventory.unknown_bin",
        )
    return found.pk


@login_required
@permission_required("inventory.change_binstock", raise_exception=True)
def move_goods(request: HttpRequest) -> HttpResponse:
    """Pieces of one article from one bin to another."""
    warehouse = _asked(request)
    given = {name: request.GET.get(name, "") for name in ("article", "source", "quantity")}
    form = MoveGoodsForm(request.POST or None, initial=given)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            _move(request, warehouse, data["article"], data["source"], data["to"], data["quantity"])
        except SphinxError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, _("Déplacé."))
            return redirect(_address("inventory:bins", warehouse))
    return back_office_page(
        request,
        "inventory/form.html",
        title=_("Déplacer dans « %s »") % warehouse,
        form=form,
        verb=_("Déplacer"),
    )


def _move(
    request: HttpRequest, warehouse: Warehouse, article: str, source: str, to: str, pieces: Decimal
) -> None:
    bins = bins_by_code(warehouse)
    placed: Sequence[Placed] = [
        Placed(
            scanned_product(article).pk,
            pieces,
            _bin_id(bins, to),
            _bin_id(bins, source) if source.strip() else None,
        )
    ]
    services.put_away(warehouse=warehouse, placed=placed, actor=request.user)
