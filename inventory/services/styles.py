"""Models and their variants: made, changed, taken apart; several at once, each whole or not at all.

Locks: models by id, then products by id.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from simple_history.utils import bulk_update_with_history

from inventory.models import MOST_OPTIONS, Product, Style
from sphinx.core.errors import BusinessRuleError
from sphinx.core.services import record
from sphinx.core.texts import clean, sku_key

# The fields that say of which model a product is a variant.
PLACED = ["style", "option1", "option2", "option3"]


# A page's worth: more articles than that are put together by a catalogue.
MOST_ARTICLES = 200


class StyleDraft(NamedTuple):
    """A model as it shall be: its options' names, and each variant's values (product id → values).

    `style_id` is that of one that is there already.
    """

    label: str
    option_names: Sequence[str]
    variants: Mapping[int, Sequence[str]]
    code: str = ""
    style_id: int | None = None


@transaction.atomic
def make_styles(drafts: Sequence[StyleDraft], *, actor: Any = None) -> list[Style]:
    """Make models of their variants, or add variants to those that are there.

    A blank code is the label. Variants that a model has already stay.

    Raises:
        BusinessRuleError: a code is taken, options and values don't fit, two variants have the
            same values, or a product is a variant of another model.
    """
    styles = [*_locked(d.style_id for d in drafts if d.style_id).values()]
    by_id = {style.pk: style for style in styles}
    fresh: list[Style] = []
    placed: list[tuple[Style, Mapping[int, Sequence[str]]]] = []
    for draft in drafts:
        style = by_id[draft.style_id] if draft.style_id else _new(draft)
        if not draft.style_id:
            fresh.append(style)
        placed.append((style, draft.variants))
    _refuse_taken(fresh)
    _create(fresh)
    moved = {product.style_id for product in _place(placed)}
    if fresh:
        record("style.made", fresh, actor=actor)
    if changed := [style for style in styles if style.pk in moved]:
        record("style.changed", changed, actor=actor)
    return [style for style, _variants in placed]


@transaction.atomic
def change_style(style_id: int, draft: StyleDraft, *, actor: Any = None) -> Style:
    """Give a model another name, code or options, and just these variants.

    Raises:
        BusinessRuleError: as `make_styles`.
    """
    style = _locked([style_id])[style_id]
    wanted = _new(draft)
    if wanted.code_key != style.code_key:
        _refuse_taken([wanted])
    names = ("code", "code_key", "label", "option1_name", "option2_name", "option3_name")
    for name in names:
        setattr(style, name, getattr(wanted, name))
    style.save(update_fields=names)
    _release(Product.objects.filter(style=style).exclude(pk__in=list(draft.variants)))
    # Values may change places among variants: all leave before any enters.
    _release(Product.objects.filter(style=style), keeps_history=False)
    _place([(style, draft.variants)])
    record("style.changed", [style], actor=actor)
    return style


@transaction.atomic
def undo_style(style_id: int, *, actor: Any = None) -> int:
    """Take a model apart; its articles stay as they are, each by itself. Returns how many."""
    style = _locked([style_id])[style_id]
    released = _release(Product.objects.filter(style=style))
    record("style.undone", [style], actor=actor, label=style.label, articles=released)
    style.delete()
    return released


def leave_styles(products: Collection[Product]) -> None:
    """Note on products (not saved) that they are variants of nothing."""
    for product in products:
        product.style, product.option1, product.option2, product.option3 = None, "", "", ""


def _new(draft: StyleDraft) -> Style:
    label = clean(draft.label, 200)
    code = clean(draft.code, 80) or clean(label, 80)
    names = [clean(name, 40) for name in draft.option_names]
    if not label or not names or not all(names) or len(names) > MOST_OPTIONS:
        raise BusinessRuleError(
            _("Un modèle a une désignation et un à trois critères, chacun avec son nom."),
            code="inventory.style_incomplete",
        )
    if len({name.casefold() for name in names}) < len(names):
        raise BusinessRuleError(
            _("« %s » : deux critères ont le même nom.") % label, code="inventory.style_options"
        )
    names += [""] * (MOST_OPTIONS - len(names))
    return Style(
        code=code,
        code_key=sku_key(code),
        label=label,
        option1_name=names[0],
        option2_name=names[1],
        option3_name=names[2],
    )


def _create(fresh: Sequence[Style]) -> None:
    try:
        with transaction.atomic():
            Style.objects.bulk_create(fresh)
    except IntegrityError:
        # Somebody else has just made one of that code.
        _refuse_taken(fresh)
        raise


def _refuse_taken(fresh: Sequence[Style]) -> None:
    keys = [style.code_key for style in fresh]
    taken = set(Style.objects.filter(code_key__any_of=set(keys)).values_list("code_key", flat=True))
    twice = {key for key in keys if keys.count(key) > 1} if len(set(keys)) < len(keys) else set()
    for style in fresh:
        if style.code_key in taken | twice:
            raise BusinessRuleError(
                _("Le code de modèle « %s » est déjà pris : donnez-en un autre.") % style.code,
                code="inventory.style_taken",
            )


def _locked(ids: Iterable[int]) -> dict[int, Style]:
    wanted = sorted(set(ids))
    found = Style.objects.select_for_update(no_key=True).order_by("pk").in_bulk(wanted)
    if len(found) < len(wanted):
        raise BusinessRuleError(
            _("Ce modèle n'existe plus : il vient d'être défait."), code="inventory.style_gone"
        )
    return found


def _release(products: Any, *, keeps_history: bool = True) -> int:
    found = list(products.select_for_update(no_key=True).order_by("pk"))
    leave_styles(found)
    if keeps_history:
        bulk_update_with_history(found, Product, PLACED, batch_size=500)
    else:
        Product.objects.bulk_update(found, PLACED, batch_size=500)
    return len(found)


def _place(placed: Sequence[tuple[Style, Mapping[int, Sequence[str]]]]) -> list[Product]:
    """Make products the variants of their styles; returns those that weren't so already."""
    ids = [pk for _style, variants in placed for pk in variants]
    if len(set(ids)) < len(ids):
        raise BusinessRuleError(
            _("Un article ne peut être la variante de deux modèles."), code="inventory.two_styles"
        )
    products = (
        Product.objects.select_for_update(of=("self",), no_key=True).order_by("pk").in_bulk(ids)
    )
    changed: list[Product] = []
    for style, variants in placed:
        for pk, values in variants.items():
            product = products.get(pk)
            if product is None:
                raise BusinessRuleError(
                    _("Un article choisi n'existe plus : recommencez."), code="inventory.no_product"
                )
            if _put(product, style, [clean(value, 60) for value in values]):
                changed.append(product)
    _refuse_twice([style for style, _variants in placed], changed)
    bulk_update_with_history(changed, Product, PLACED, batch_size=500)
    return changed


def _put(product: Product, style: Style, values: Sequence[str]) -> bool:
    """Note on a product what variant it is; False when it is that already."""
    if product.style_id not in (None, style.pk):
        raise BusinessRuleError(
            _("« %(product)s » est déjà une variante d'un autre modèle : retirez-le d'abord de là.")
            % {"product": product},
            code="inventory.other_style",
        )
    if len(values) != len(style.option_names) or not all(values):
        raise BusinessRuleError(
            _("« %(product)s » : donnez une valeur à chaque critère (%(names)s).")
            % {"product": product, "names": ", ".join(style.option_names)},
            code="inventory.option_missing",
        )
    wanted = (style.pk, *values, *[""] * (MOST_OPTIONS - len(values)))
    if (product.style_id, product.option1, product.option2, product.option3) == wanted:
        return False
    product.style = style
    product.option1, product.option2, product.option3 = wanted[1:]
    return True


def _refuse_twice(styles: Sequence[Style], changed: Sequence[Product]) -> None:
    """Two variants of a model may not have the same values, whatever their case."""
    moved = {product.pk for product in changed}
    seen: dict[int, dict[tuple[str, ...], Product]] = defaultdict(dict)
    there = Product.objects.filter(style__in=styles).exclude(pk__in=moved)
    for product in [*there.order_by("pk"), *changed]:
        values = tuple(value.casefold() for value in product.options)
        other = seen[product.style_id or 0].setdefault(values, product)
        if other is not product:
            raise BusinessRuleError(
                _("« %(one)s » et « %(other)s » ont les mêmes valeurs (%(values)s).")
                % {"one": other, "other": product, "values": ", ".join(product.options)},
                code="inventory.variant_twice",
            )
