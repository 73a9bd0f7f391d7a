"""The sizes of a model in a proposal, brought to a number of pieces or a budget together."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from inventory.models import Style
from purchasing.errors import WrongState
from purchasing.locks import lock_purchase_orders
from purchasing.models import Decision, PurchaseOrder, PurchaseOrderLine, StockPolicy
from purchasing.planning.ordering import ONE
from purchasing.planning.spreading import Want, spread
from purchasing.services.decisions import add_up, decision_of
from purchasing.services.orders import require
from purchasing.services.policies import current_positions
from sphinx.core.clock import business_date
from sphinx.core.money import ZERO, plain, to_cents
from sphinx.core.services import record
from sphinx.core.templatetags.numbers import sign
from suppliers.selectors import offers_of

# A size that gets nothing is proposed again after so many days, unless customers wait for it.
LEFT_OUT_DAYS = 14


@transaction.atomic
def spread_style(
    *, order_id: int, style: Style, limit: Decimal, in_money: bool, at: datetime, actor: Any = None
) -> Decimal:
    """Bring a model's lines in a proposal to `limit` pieces at most (`in_money`: EUR excl. tax).

    All sizes then last equally long, in the supplier's packs and minimums; the next runs keep the
    quantities. Sizes that get nothing leave the proposal for two weeks. Returns the pieces.

    Raises:
        WrongState: the order is no longer a proposal, has no line of the model, goes straight to a
            customer, or the limit buys nothing.
    """
    order = lock_purchase_orders([order_id]).get()
    require(order, [PurchaseOrder.Status.PROPOSED])
    lines = list(order.lines.filter(product__style=style).select_related("product"))
    if not lines or order.direct_delivery_id:
        raise WrongState(_("La proposition vient d'être recalculée : relisez-la."))
    bought = spread(limit, _wants(order, lines, in_money))
    if not any(bought.values()):
        raise WrongState(
            _("%s ne suffit pas pour un conditionnement : rien n'est changé.") % plain(limit)
        )
    because = _("Réparti par la courbe du modèle : %(limit)s %(unit)s au plus") % {
        "limit": plain(limit),
        "unit": _("%s HT") % sign(order.currency) if in_money else _("pièces"),
    }
    _decide(order, lines, bought, because, at, actor)
    pieces = sum(bought.values(), ZERO)
    record("purchase_order.style_spread", [order], actor=actor, style=style.label,
           limit=str(limit), in_money=in_money, quantity=str(pieces))  # fmt: skip
    return pieces


def _wants(order: PurchaseOrder, lines: Sequence[PurchaseOrderLine], in_money: bool) -> list[Want]:
    ids = [line.product_id for line in lines]
    positions = current_positions(ids, order.warehouse)
    rates = dict(
        StockPolicy.objects.filter(product__in=ids, warehouse=order.warehouse).values_list(
            "product_id", "demand_per_day"
        )
    )
    if not any(rates.values()):
        # Of what nobody has foretold, what is proposed tells the proportions.
        rates = {line.product_id: line.quantity for line in lines}
    items = {
        pk: offer.item
        for pk, offers in offers_of(ids).items()
        for offer in offers
        if offer.item.supplier_id == order.supplier_id
    }
    return [
        Want(
            key=line.product_id,
            in_sight=positions[line.product_id].forecast,
            per_day=rates.get(line.product_id, ZERO),
            minimum=items[line.product_id].minimum_quantity if line.product_id in items else ONE,
            pack=items[line.product_id].order_multiple if line.product_id in items else ONE,
            price=line.unit_price_excl_tax if in_money else ONE,
        )
        for line in lines
    ]


def _decide(
    order: PurchaseOrder,
    lines: Sequence[PurchaseOrderLine],
    bought: Mapping[int, Decimal],
    because: str,
    at: datetime,
    actor: Any,
) -> None:
    kind = Decision.Kind
    until = business_date(at) + timedelta(days=LEFT_OUT_DAYS)
    changed = [ln for ln in lines if ln.quantity != bought[ln.product_id]]
    kept = [line for line in changed if bought[line.product_id]]
    gone = [line for line in changed if not bought[line.product_id]]
    decisions = [
        decision_of(line, order, kind.CHANGED, bought[line.product_id], because, at, None, actor)
        for line in kept
    ]
    decisions += [
        decision_of(line, order, kind.POSTPONED, ZERO, because, at, until, actor) for line in gone
    ]
    Decision.objects.bulk_create(decisions)
    for line in kept:
        line.reason = {
            **line.reason,
            "computed": line.reason.get("computed", plain(line.quantity)),
            "set_by_hand": plain(bought[line.product_id]),
            "set_because": because[:200],
            "set_by": getattr(actor, "username", ""),
        }
        line.quantity, line.is_fixed = bought[line.product_id], True
        line.total_excl_tax = to_cents(line.quantity * line.unit_price_excl_tax)
    PurchaseOrderLine.objects.bulk_update(
        kept, ["quantity", "total_excl_tax", "reason", "is_fixed"], batch_size=500
    )
    PurchaseOrderLine.objects.filter(pk__in=[line.pk for line in gone]).delete()
    add_up(order)
