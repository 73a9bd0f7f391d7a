"""Articles made for lines without a SKU: what they are, said by a person."""

import re

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from inventory.selectors import articles_without_sku, find_product
from sales.services import gather_articles
from sphinx.core.errors import SphinxError
from sphinx.core.pages import back_office_page

SHOWN = 200
_ID = re.compile("[0-9]{1,18}")


@login_required
@permission_required("inventory.change_product", raise_exception=True)
def without_sku(request: HttpRequest) -> HttpResponse:
    """The made-up articles, by name; those ticked become one with the real one."""
    if request.method == "POST":
        _gather(request)
        return redirect(request.get_full_path())
    search = request.GET.get("q", "").strip()
    found = articles_without_sku(search)
    return back_office_page(
        request,
        "sales/without_sku.html",
        title=_("Articles sans référence"),
        search=search,
        count=found.count(),
        products=found[:SHOWN],
        shown=SHOWN,
    )


def _gather(request: HttpRequest) -> None:
    code = request.POST.get("into", "").strip()
    chosen = {int(pk) for pk in request.POST.getlist("product") if _ID.fullmatch(pk)}
    real = find_product(code)
    if real is None:
        text = _("« %s » n'est pas la référence d'un article : créez-le d'abord, ou corrigez.")
        messages.error(request, text % code)
        return
    if not chosen - {real.pk}:
        messages.error(request, _("Cochez les articles à réunir."))
        return
    try:
        product, lines = gather_articles(product_ids=chosen, into_id=real.pk, actor=request.user)
    except SphinxError as error:
        messages.error(request, error.message)
        return
    text = _("C'est réuni dans %(product)s ; lignes de commande passées : %(lines)s.")
    messages.success(request, text % {"product": product, "lines": lines})
