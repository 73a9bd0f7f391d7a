"""Pages of suppliers: a price list received, what it would change, taken over."""

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from sphinx.core import clock
from sphinx.core.errors import SphinxError
from sphinx.core.history import history_of
from sphinx.core.pages import back_office_page
from sphinx.core.typed import key_of
from suppliers import services
from suppliers.forms import PriceListForm
from suppliers.models import PriceList, SupplierProduct
from suppliers.reading import ROLES

# Rows on the page; the file itself has them all.
SHOWN = 300
_FIRST_LOOKED_AT = ("up", "down", "new", "other")


@login_required
@permission_required("suppliers.add_pricelist", raise_exception=True)
def new_price_list(request: HttpRequest) -> HttpResponse:
    """Bring a supplier's list."""
    initial = {"applies_on": clock.today(), "supplier": request.GET.get("fournisseur")}
    form = PriceListForm(request.POST or None, request.FILES or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            made = services.receive_price_list(
                supplier=data["supplier"],
                name=data["file"].name,
                data=data["file"].read(),
                applies_on=data["applies_on"],
                at=clock.now(),
                actor=request.user,
            )
        except SphinxError as error:
            messages.error(request, error.message)
        else:
            return redirect("suppliers:price_list", made.pk)
    return back_office_page(
        request,
        "suppliers/new_price_list.html",
        title=_("Recevoir un tarif"),
        form=form,
    )


@login_required
@permission_required("suppliers.view_pricelist", raise_exception=True)
def price_list(request: HttpRequest, price_list_id: int) -> HttpResponse:
    """What a list would change, or what it changed; columns corrected, taken over, put aside."""
    found = get_object_or_404(PriceList.objects.select_related("supplier"), pk=price_list_id)
    if request.method == "POST":
        if not request.user.has_perm("suppliers.change_pricelist"):
            raise Http404
        try:
            _decide(request, found)
        except SphinxError as error:
            messages.error(request, error.message)
        return redirect("suppliers:price_list", found.pk)
    is_open = found.status in services.OPEN
    return back_office_page(
        request,
        "suppliers/price_list.html",
        title=_("Tarif – %s") % found.supplier,
        history=history_of(found),
        price_list=found,
        is_open=is_open,
        may_change=is_open and request.user.has_perm("suppliers.change_pricelist"),
        shown=SHOWN,
        **(_previewed(found) if is_open else {"past": found.outcome}),
    )


def _previewed(found: PriceList) -> dict[str, Any]:
    preview = services.preview_price_list(found)
    comparison = preview.comparison
    changes = sorted(
        (c for c in comparison.changes if c.kind != "same"),
        key=lambda c: (
            -abs(c.percent or Decimal(0)),
            _FIRST_LOOKED_AT.index(c.kind),
            c.priced.line,
        ),
    )
    return {
        "preview": preview,
        "changes": changes[:SHOWN],
        "change_count": len(changes),
        "counts": {kind: comparison.count(kind) for kind in (*_FIRST_LOOKED_AT, "same")},
        "average": comparison.average(),
        "strange": sum(change.is_strange for change in changes),
        "unknown": comparison.unknown[:SHOWN],
        "missing": comparison.missing[:SHOWN],
        "unsized": comparison.unsized[:SHOWN],
        "faults": preview.reading.faults[:SHOWN],
        "choices": [
            (role, label, preview.columns.places.get(role, -1)) for role, label in ROLES.items()
        ],
        "header": list(enumerate(preview.columns.header)),
        "condition_labels": [
            (field.name, field.verbose_name) for field in SupplierProduct._meta.fields
        ],
        "tiers": [(preview.columns.header[n], start) for n, start in preview.columns.tiers],
    }


def _decide(request: HttpRequest, found: PriceList) -> None:
    verb = request.POST.get("verb", "")
    if verb == "columns":
        given = {role: request.POST.get(f"column-{role}", "") for role in ROLES}
        places = {
            role: place for role, text in given.items() if (place := key_of(text)) is not None
        }
        services.choose_columns(price_list_id=found.pk, places=places, actor=request.user)
    elif verb == "accept":
        done = services.accept_price_list(
            price_list_id=found.pk, at=clock.now(), actor=request.user
        )
        if done.status == PriceList.Status.APPLIED:
            messages.success(request, _("Le tarif est appliqué aux prochaines propositions."))
        else:
            messages.success(
                request,
                _("Le tarif s'appliquera le %s.") % done.applies_on.strftime("%d/%m/%Y"),
            )
    elif verb == "discard":
        services.discard_price_list(price_list_id=found.pk, actor=request.user)
        messages.success(request, _("Le tarif est écarté : rien n'a changé."))
    else:
        raise Http404
