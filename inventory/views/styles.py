"""A model by hand: made of several articles, changed, taken apart."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from inventory import services
from inventory.models import MOST_OPTIONS, Product, Style
from inventory.options import rank
from inventory.selectors import find_products
from inventory.services import MOST_ARTICLES, StyleDraft
from inventory.variant_names import read_name
from sphinx.core.errors import InputError, SphinxError
from sphinx.core.history import history_of
from sphinx.core.pages import back_office_page
from sphinx.core.texts import clean
from sphinx.core.typed import key_of

Values = Mapping[int, Sequence[str]]


@login_required
@permission_required("inventory.add_style", raise_exception=True)
def new_style(request: HttpRequest) -> HttpResponse:
    """Make a model of the articles ticked in the list (`?articles=1,2`), or named here."""
    if request.method == "POST":
        draft = _posted(request)
        try:
            (made,) = services.make_styles([_with_added(request, draft)], actor=request.user)
        except SphinxError as error:
            messages.error(request, error.message)
            return _page(request, None, draft)
        messages.success(request, _("Le modèle %s est créé.") % made)
        return redirect("purchasing:style", made.pk)
    ids = [key for text in request.GET.get("articles", "").split(",") if (key := key_of(text))]
    return _page(request, None, _read(ids))


@login_required
@permission_required("inventory.change_style", raise_exception=True)
def edit_style(request: HttpRequest, style_id: int) -> HttpResponse:
    """Change a model's name, options and variants, or take it apart."""
    found = get_object_or_404(Style, pk=style_id)
    if request.method != "POST":
        variants = {p.pk: p.options for p in found.variants.all()}
        draft = StyleDraft(found.label, found.option_names, variants, found.code, found.pk)
        return _page(request, found, draft)
    draft = _posted(request)
    try:
        if request.POST.get("verb") == "undo":
            count = services.undo_style(found.pk, actor=request.user)
            text = _("Le modèle %(style)s est défait : ses %(count)s articles sont gardés.")
            messages.success(request, text % {"style": found, "count": count})
            return redirect("admin:inventory_style_changelist")
        services.change_style(found.pk, _with_added(request, draft), actor=request.user)
    except SphinxError as error:
        messages.error(request, error.message)
        return _page(request, found, draft)
    messages.success(request, _("Le modèle est changé."))
    return redirect("purchasing:style", found.pk)


def _page(request: HttpRequest, found: Style | None, draft: StyleDraft) -> HttpResponse:
    products = Product.objects.in_bulk(list(draft.variants))
    names = [*draft.option_names, "", "", ""][:MOST_OPTIONS]
    rows = [
        (products[pk], [*values, "", "", ""][:MOST_OPTIONS])
        for pk, values in draft.variants.items()
        if pk in products
    ]
    rows.sort(key=lambda row: ([rank(value) for value in row[1]], row[0].sku))
    return back_office_page(
        request,
        "inventory/style.html",
        title=_("Changer le modèle %s") % found if found else _("Réunir des articles en un modèle"),
        style=found,
        history=history_of(found) if found else [],
        draft=draft,
        names=names,
        rows=rows,
        added=request.POST.get("added", ""),
    )


def _read(ids: Sequence[int]) -> StyleDraft:
    """A model as the names of the articles tell it, for a person to complete."""
    products = list(Product.objects.filter(pk__in=ids[:MOST_ARTICLES]).order_by("sku"))
    read = {p.pk: read_name(p.label) for p in products}
    told = [found for found in read.values() if found]
    first = told[0] if told else None
    names = list(first.names) if first else []
    count = max((len(found.values) for found in told), default=1)
    return StyleDraft(
        label=first.base if first else (products[0].label if products else ""),
        option_names=names or [_("Taille"), _("Couleur")][:count],
        variants={pk: list(found.values) if found else [] for pk, found in read.items()},
    )


def _posted(request: HttpRequest) -> StyleDraft:
    """What the page says, but for the articles to add."""
    names = [clean(request.POST.get(f"name-{n}", "")) for n in range(1, MOST_OPTIONS + 1)]
    while names and not names[-1]:
        names.pop()
    ids = [key for text in request.POST.getlist("product") if (key := key_of(text))]
    return StyleDraft(
        label=request.POST.get("label", ""),
        option_names=names,
        variants={
            pk: [request.POST.get(f"option-{pk}-{n}", "") for n in range(1, len(names) + 1)]
            for pk in ids
            if f"remove-{pk}" not in request.POST
        },
        code=request.POST.get("code", ""),
    )


def _with_added(request: HttpRequest, draft: StyleDraft) -> StyleDraft:
    """With the articles named a line each: reference, then its values, parted by semicolons.

    Raises:
        InputError: a line names no article.
    """
    lines = [
        [clean(part) for part in line.split(";")]
        for line in request.POST.get("added", "").splitlines()
        if line.strip()
    ]
    found = find_products(parts[0] for parts in lines)
    variants: dict[int, Any] = dict(draft.variants)
    for parts in lines:
        product = found.get(parts[0])
        if product is None:
            raise InputError(
                _("« %s » n'est pas une référence connue.") % parts[0][:40],
                code="inventory.unknown_code",
            )
        variants[product.pk] = parts[1:]
    return draft._replace(variants=variants)
