"""Which order a draft is: by the shop's own key first, then by its number.

A shop's key can be missing from a file, or spoilt by a spreadsheet: the number is the second key,
so that one order never stands here twice. Where key and number disagree, a human decides.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from sales.drafts import OrderDraft
from sales.errors import SameNumber
from sales.models import Order
from sales.services.order_work import OrderResult, rejection
from sphinx.core.clock import business_date
from sphinx.core.models import Shop

# What tells whether an order is the draft's, and whether the draft says anything new.
_FIELDS = (
    "external_id number placed_at status content_hash raw_hash total_incl_tax original_currency "
    "shop_changed_at"
).split()


def with_known_orders(
    shop: Shop, drafts: Sequence[OrderDraft], result: OrderResult
) -> tuple[list[OrderDraft], dict[str, Order]]:
    """The drafts, and the orders that they are, by the draft's key; two queries.

    A draft without a key of its own takes its order's; an order made without one is found by its
    number. Another live order under the same number makes the draft a rejection.
    """
    orders = Order.objects.filter(shop=shop).only(*_FIELDS)
    keys = {draft.external_id for draft in drafts}
    known = {order.external_id: order for order in orders.filter(external_id__any_of=keys)}
    unknown = [d for d in drafts if d.external_id not in known and not d.shares_number]
    live = _live_by_number(orders, unknown)
    kept: list[OrderDraft] = []
    # Two new orders of one number in one file: the second waits.
    first_of: dict[str, OrderDraft] = {}
    for draft in drafts:
        if draft.external_id in known or draft.shares_number:
            kept.append(draft)
            continue
        others = live.get(draft.number, [])
        twin = _twin(draft, others)
        first = first_of.setdefault(draft.number, draft)
        if first is not draft or (others and twin is None):
            placed_at = others[0].placed_at if others else first.placed_at
            result.rejections.append(rejection(draft, _same_number(draft, placed_at)))
            continue
        if twin is not None:
            draft = draft if _has_own_key(draft) else draft._replace(external_id=twin.external_id)  # noqa: PLW2901
            known[draft.external_id] = twin
        kept.append(draft)
    return kept, known


def _live_by_number(
    orders: QuerySet[Order], drafts: Sequence[OrderDraft]
) -> dict[str, list[Order]]:
    found: dict[str, list[Order]] = defaultdict(list)
    if drafts:
        live = orders.filter(number__any_of={d.number for d in drafts}, complements=None)
        for order in live.exclude(status=Order.Status.CANCELLED).order_by("pk"):
            found[order.number].append(order)
    return found


def _has_own_key(order: OrderDraft | Order) -> bool:
    return order.external_id != order.number


def _twin(draft: OrderDraft, others: Sequence[Order]) -> Order | None:
    """The one order that the draft is, though its key says nothing: same number, same day.

    Two keys of the shop's own that differ are two orders.
    """
    same = [
        order
        for order in others
        if business_date(order.placed_at) == business_date(draft.placed_at)
        and not (_has_own_key(order) and _has_own_key(draft))
    ]
    return same[0] if len(same) == 1 else None


def _same_number(draft: OrderDraft, placed_at: datetime) -> SameNumber:
    return SameNumber(
        _(
            "Commande %(number)s : une autre commande de cette boutique porte déjà ce numéro "
            "(passée le %(day)s). Si ce n'est pas la même boutique, déclarez-en une seconde ; si "
            "la boutique a recommencé sa numérotation, ajoutez-y un préfixe."
        ),
        own={"number": draft.number, "day": f"{business_date(placed_at):%d/%m/%Y}"},
        common={},
        line=draft.line,
    )
