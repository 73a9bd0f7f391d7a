"""Models that the names in the shops' files tell: shown first, made when a person says so."""

from hashlib import blake2b
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from inventory.models import Style
from inventory.selectors import recognisable
from inventory.services import StyleDraft, make_styles
from inventory.variant_names import Found
from sales.selectors import names_in_orders
from sphinx.core import clock
from sphinx.core.errors import SphinxError
from sphinx.core.pages import back_office_page
from sphinx.core.texts import clean

SHOWN = 40


@login_required
@permission_required("inventory.add_style", raise_exception=True)
def recognise_styles(request: HttpRequest) -> HttpResponse:
    """What the articles' names tell: the models that would be made, those ticked made."""
    found = {_key(f): f for f in recognisable(names_in_orders(clock.today()))}
    if request.method == "POST":
        _make(request, found)
        return redirect("sales:recognise_styles")
    styles = Style.objects.in_bulk([f.style_id for f in found.values() if f.style_id])
    shown = list(found.items())[:SHOWN]
    return back_office_page(
        request,
        "sales/recognise_styles.html",
        title=_("Modèles reconnus"),
        count=len(found),
        shown=len(shown),
        groups=[(key, f, styles.get(f.style_id or 0)) for key, f in shown],
    )


def _key(found: Found) -> str:
    """What names a group from the page to the button: another as soon as anything differs."""
    told = repr((found.label, found.option_names, found.style_id,
                 [(article.pk, values) for article, values in found.variants]))  # fmt: skip
    return blake2b(told.encode(), digest_size=8).hexdigest()


def _make(request: HttpRequest, found: dict[str, Found]) -> None:
    chosen = request.POST.getlist("style")
    if not chosen:
        messages.error(request, _("Cochez les modèles à créer."))
        return
    if not set(chosen) <= found.keys():
        messages.error(request, _("Des articles ont changé entre-temps : relisez."))
        return
    try:
        made = make_styles([_draft(request, key, found[key]) for key in chosen], actor=request.user)
    except SphinxError as error:
        messages.error(request, error.message)
        return
    text = _("Modèles créés ou complétés : %s.")
    messages.success(request, text % ", ".join(style.label for style in made))


def _draft(request: HttpRequest, key: str, found: Found) -> StyleDraft:
    names: list[Any] = [
        clean(request.POST.get(f"name-{key}-{n}", "")) or name
        for n, name in enumerate(found.option_names, start=1)
    ]
    return StyleDraft(
        label=clean(request.POST.get(f"label-{key}", "")) or found.label,
        option_names=names,
        variants={article.pk: values for article, values in found.variants},
        style_id=found.style_id,
    )
