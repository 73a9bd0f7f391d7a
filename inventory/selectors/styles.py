"""Models and what names tell of them."""

from collections.abc import Mapping

from inventory.models import Product
from inventory.variant_names import Found, Known, read_name, recognise

_NAMES = ("style__option1_name", "style__option2_name", "style__option3_name")
_VALUES = ("option1", "option2", "option3")


def recognisable(other_names: Mapping[int, str] | None = None) -> list[Found]:
    """Models that the names of the active articles tell, in one query.

    `other_names` (product id → name) are read of articles whose own name has no options.
    """
    others = other_names or {}
    rows = Product.objects.filter(is_active=True, components__isnull=True).order_by("pk")
    articles = []
    for pk, sku, label, style_id, *rest in rows.values_list(
        "pk", "sku", "label", "style_id", *_NAMES, *_VALUES
    ):
        name = label if pk not in others or read_name(label) else others[pk]
        names, values = (tuple(filter(None, part)) for part in (rest[:3], rest[3:]))
        articles.append(Known(pk, sku, name, style_id, values, names))
    return recognise(articles)
