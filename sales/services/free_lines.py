"""Lines of goods without a SKU: each gets the shop's own article, said once when it is made."""

from collections.abc import Collection, Mapping, Sequence

from django.utils.translation import gettext as _

from inventory.services import ProductFacts, articles_of_shop
from sales.drafts import LineDraft, OrderDraft
from sales.services.order_work import OrderResult, Rejection
from sphinx.core.models import Shop


def products_without_sku(
    shop: Shop,
    drafts: Sequence[OrderDraft],
    standing: Collection[str],
    result: OrderResult,
) -> dict[str, ProductFacts]:
    """By article key, the products of the drafts' lines that have no SKU.

    Of `standing` orders (their external ids) the lines stay as they are: none is made for them.
    """
    if shop.keeps_free_lines:
        return {}
    lines = [(draft, line) for draft in drafts for line in draft.lines if not line.sku]
    labels: dict[str, str] = {}
    wanted = set()
    for draft, line in lines:
        if key := line.article_key:
            labels.setdefault(key, line.label)
            if draft.external_id not in standing:
                wanted.add(key)
    found = articles_of_shop(shop, labels, only_known=labels.keys() - wanted)
    if found.made:
        draft, line = next((d, x) for d, x in lines if x.article_key in found.made)
        result.notes.append(_note(draft, line, len(found.made)))
    return found.products


def _note(draft: OrderDraft, line: LineDraft, made: int) -> Rejection:
    text = _(
        "Commande %(number)s, « %(label)s » : pas de référence. Un article est créé pour chacune "
        "de ces lignes, par sa clé à la boutique ou son nom (nouveaux : %(made)s). Réunissez-les "
        "à vos articles dans Stock › Articles sans référence."
    )
    own: Mapping[str, object] = {"number": draft.number, "label": line.label, "made": made}
    return Rejection(
        line.line or draft.line,
        "sku",
        "line.no_sku",
        text % own,
        draft.external_id,
        draft.number,
        text % dict.fromkeys(own, "…"),
    )
