"""What staff decide on proposals, with a reason that the next runs remember."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from purchasing.errors import WrongState
from purchasing.locks import lock_purchase_orders
from purchasing.models import Decision, PurchaseOrder, PurchaseOrderLine
from purchasing.services.orders import require
from sphinx.core.clock import business_date
from sphinx.core.money import ZERO, plain, to_cents
from sphinx.core.services import record, record_each

Status, Kind = PurchaseOrder.Status, Decision.Kind
# A refusal holds so long, unless customers wait for the product.
REFUSED_DAYS = 30
_DROPPED: dict[str, str] = {
    Kind.POSTPONED: "purchase_order.line_postponed",
    Kind.REFUSED: "purchase_order.line_refused",
}


@transaction.atomic
def set_quantity(
    *, line_id: int, quantity: Decimal, at: datetime, reason: str = "", actor: Any = None
) -> PurchaseOrderLine:
    """Change a proposed quantity (pieces); the next runs keep it, beside what they work out.

    Raises:
        WrongState: the order is no longer a proposal, goes straight to a customer, or the
            quantity isn't positive.
    """
    line, order = _proposed(line_id)
    if order.direct_delivery_id:
        raise WrongState(_("C'est ce que le client attend : acceptez-le, ou refusez la ligne."))
    if quantity <= 0:
        raise WrongState(_("La quantité doit être positive ; pour ne rien commander, refusez."))
    computed = line.reason.get("computed", str(line.quantity))
    decision_of(line, order, Kind.CHANGED, quantity, reason, at, None, actor).save()
    line.reason = {
        **line.reason,
        "computed": computed,
        "set_by_hand": plain(quantity),
        "set_because": reason.strip()[:200],
        "set_by": getattr(actor, "username", ""),
    }
    line.quantity, line.is_fixed = quantity, True
    line.total_excl_tax = to_cents(quantity * line.unit_price_excl_tax)
    line.save(update_fields=["quantity", "total_excl_tax", "reason", "is_fixed"])
    add_up(order)
    record("purchase_order.changed", [order], actor=actor, line=line_id, quantity=str(quantity),
           reason=reason.strip()[:200])  # fmt: skip
    return line


@transaction.atomic
def postpone_line(
    *, line_id: int, until: date, at: datetime, reason: str = "", actor: Any = None
) -> PurchaseOrder:
    """Propose nothing of a product until that day, unless customers wait for it.

    Raises:
        WrongState: the order is no longer a proposal, or the day has passed.
    """
    if until <= business_date(at):
        raise WrongState(_("Choisissez un jour à venir."))
    return _drop_one(line_id, Kind.POSTPONED, until, at, reason, actor)


@transaction.atomic
def postpone_lines(
    *, line_ids: Sequence[int], until: date, at: datetime, reason: str = "", actor: Any = None
) -> int:
    """The same for several lines at once, of whichever proposals; how many were put off.

    Lines that went meanwhile are left out.

    Raises:
        WrongState: the day has passed, or one of the orders is no longer a proposal.
    """
    if until <= business_date(at):
        raise WrongState(_("Choisissez un jour à venir."))
    asked = PurchaseOrderLine.objects.filter(pk__in=line_ids)
    order_ids = set(asked.values_list("purchase_order_id", flat=True))
    orders = {o.pk: o for o in lock_purchase_orders(order_ids)}
    for order in orders.values():
        require(order, [Status.PROPOSED])
    lines = list(asked.filter(purchase_order__in=orders).select_related("product"))
    _drop(lines, orders, Kind.POSTPONED, until, at, reason, actor)
    return len(lines)


@transaction.atomic
def refuse_line(
    *, line_id: int, at: datetime, reason: str = "", actor: Any = None
) -> PurchaseOrder:
    """Don't buy a product now; it isn't proposed again for a month, unless customers wait.

    Raises:
        WrongState: the order is no longer a proposal.
    """
    until = business_date(at) + timedelta(days=REFUSED_DAYS)
    return _drop_one(line_id, Kind.REFUSED, until, at, reason, actor)


@transaction.atomic
def refuse_proposal(
    *, order_id: int, at: datetime, reason: str = "", actor: Any = None
) -> PurchaseOrder:
    """Refuse a whole proposal; its products aren't proposed again for a month. Twice is once.

    Raises:
        WrongState: it was already accepted.
    """
    order = lock_purchase_orders([order_id]).get()
    if order.status == Status.REFUSED:
        return order
    require(order, [Status.PROPOSED])
    until = business_date(at) + timedelta(days=REFUSED_DAYS)
    Decision.objects.bulk_create(
        decision_of(line, order, Kind.REFUSED, ZERO, reason, at, until, actor)
        for line in order.lines.all()
    )
    order.status, order.note = Status.REFUSED, reason.strip()[:200]
    order.save(update_fields=["status", "note"])
    record("purchase_order.refused", [order], actor=actor, reason=reason.strip()[:200])
    return order


def _proposed(line_id: int) -> tuple[PurchaseOrderLine, PurchaseOrder]:
    found = PurchaseOrderLine.objects.get(pk=line_id)
    order = lock_purchase_orders([found.purchase_order_id]).get()
    require(order, [Status.PROPOSED])
    line = PurchaseOrderLine.objects.filter(pk=line_id).first()
    if line is None:
        raise WrongState(_("La proposition vient d'être recalculée : relisez-la."))
    return line, order


def _drop_one(
    line_id: int, kind: str, until: date, at: datetime, reason: str, actor: Any
) -> PurchaseOrder:
    line, order = _proposed(line_id)
    _drop([line], {order.pk: order}, kind, until, at, reason, actor)
    return order


def _drop(
    lines: Sequence[PurchaseOrderLine],
    orders: Mapping[int, PurchaseOrder],
    kind: str,
    until: date,
    at: datetime,
    reason: str,
    actor: Any,
) -> None:
    """Take lines out of their proposals, which are locked; one without lines is refused."""
    said = reason.strip()[:200]
    Decision.objects.bulk_create(
        decision_of(line, orders[line.purchase_order_id], kind, ZERO, reason, at, until, actor)
        for line in lines
    )
    PurchaseOrderLine.objects.filter(pk__in=[line.pk for line in lines]).delete()
    left = dict(
        PurchaseOrderLine.objects.filter(purchase_order__in=orders)
        .values_list("purchase_order")
        .annotate(total=Sum("total_excl_tax"))
    )
    for order in orders.values():
        order.total_excl_tax = to_cents(left.get(order.pk, ZERO))
        if order.pk not in left:
            order.status, order.note = Status.REFUSED, said
    PurchaseOrder.objects.bulk_update(
        orders.values(), ["total_excl_tax", "status", "note"], batch_size=500
    )
    details = {"until": until.isoformat(), "reason": said}
    record_each(
        _DROPPED[kind],
        [(orders[n.purchase_order_id], {"product": n.product.sku, **details}) for n in lines],
        actor=actor,
    )


def decision_of(
    line: PurchaseOrderLine,
    order: PurchaseOrder,
    kind: str,
    decided: Decimal,
    reason: str,
    at: datetime,
    until: date | None,
    actor: Any,
) -> Decision:
    """A decision on a line, not saved."""
    return Decision(
        product_id=line.product_id,
        warehouse_id=order.warehouse_id,
        kind=kind,
        proposed=line.quantity,
        decided=decided,
        reason=reason.strip()[:200],
        until=until,
        decided_at=at,
        decided_by=actor,
    )


def add_up(order: PurchaseOrder) -> None:
    """Have the order's total follow its lines."""
    total = order.lines.aggregate(total=Sum("total_excl_tax"))["total"]
    order.total_excl_tax = to_cents(total or ZERO)
    order.save(update_fields=["total_excl_tax"])
