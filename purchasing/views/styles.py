"""A model's page: its variants as a table of stock, sales and proposals."""

from typing import Any

from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from inventory.models import Style
from purchasing.matrices import (
    free_pieces,
    matrix,
    proposed_pieces,
    sold_pieces,
    variants_of,
)
from purchasing.models import PurchaseOrder
from sphinx.core import clock
from sphinx.core.pages import back_office_page


@login_required
@permission_required("inventory.view_style", raise_exception=True)
def style(request: HttpRequest, style_id: int) -> HttpResponse:
    """What is free, sold or proposed of each size and colour, with the sums of both."""
    found = get_object_or_404(Style, pk=style_id)
    products = variants_of(found)
    today = clock.today()
    figures: dict[str, tuple[Any, Any]] = {
        "stock": (_("Stock libre"), lambda: free_pieces(products)),
        "vendu-28": (_("Vendu en 28 jours"), lambda: sold_pieces(products, on=today, days=28)),
        "vendu-91": (_("Vendu en 91 jours"), lambda: sold_pieces(products, on=today, days=91)),
        "propose": (_("Proposé à l'achat"), lambda: proposed_pieces(products)),
    }
    shown = request.GET.get("voir", "")
    shown = shown if shown in figures else "stock"
    label, read = figures[shown]
    return back_office_page(
        request,
        "purchasing/style.html",
        title=str(found),
        style=found,
        count=len(products),
        tabs=[(name, title) for name, (title, _read) in figures.items()],
        shown=shown,
        label=label,
        matrix=matrix(found, products, read()),
        proposals=PurchaseOrder.objects.filter(
            status=PurchaseOrder.Status.PROPOSED, lines__product__in=products
        )
        .select_related("supplier")
        .distinct()
        .order_by("number"),
    )
