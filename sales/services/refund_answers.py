"""A shop refunded a part before anything left and didn't say of what: somebody does, once."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from inventory.locks import lock_places, places_of
from sales.locks import lock_orders
from sales.models import Order, OrderLine
from sales.services.deeds import worth_of
from sales.services.order_deeds import Changed, settle_lines
from sales.services.releasing import reservations_of
from sphinx.core.errors import BusinessRuleError
from sphinx.core.money import ZERO, plain
from sphinx.core.services import record


def likely_pieces(order: Order) -> dict[int, Decimal]:
    """The pieces that cost what was refunded (line id → pieces); none: more likely a gesture.

    Where the shop names an amount for some lines it is one of those. Of the lines that would do,
    the one that takes most pieces.
    """
    found: dict[int, Decimal] = {}
    lines = list(order.lines.all())
    named = [line for line in lines if line.refunded_incl_tax]
    for line in named or lines:
        for pieces in range(1, int(line.quantity_wanted) + 1):
            taken = Decimal(pieces)
            fits = worth_of(line, line.quantity_removed + taken) - line.removed_incl_tax
            if fits == order.refund_asked_incl_tax and taken > max(found.values(), default=ZERO):
                found = {line.pk: taken}
    return found


@transaction.atomic
def explain_refund(
    *, order_id: int, pieces: Mapping[int, Decimal], asked: Decimal, actor: Any = None
) -> Order:
    """Say what the shop refunded: pieces that won't leave (line id → pieces), or none: a gesture.

    What the pieces don't cost is a gesture. `asked` is the amount that was shown: when the shop
    has refunded more since, the question is asked anew.

    Raises:
        BusinessRuleError: nothing is to be explained, or more is taken out than is still to leave.
    """
    lock_places(places_of(reservations_of([order_id])))
    order = lock_orders([order_id]).get()
    if not order.refund_asked_incl_tax or order.refund_asked_incl_tax != asked:
        raise BusinessRuleError(
            _("Commande %s : ce remboursement vient d'être expliqué ou de changer.") % order.number,
            code="sales.refund_explained",
        )
    changed = []
    for line in OrderLine.objects.filter(order=order).select_related("reservation"):
        taken = pieces.get(line.pk, ZERO)
        if taken < 0 or taken > line.quantity_wanted:
            raise BusinessRuleError(
                _("%(label)s : il reste %(left)s pièces à retirer au plus.")
                % {"label": line.label, "left": plain(line.quantity_wanted)},
                code="sales.too_many_removed",
            )
        if taken:
            before = line.quantity_removed
            line.quantity_removed = line.quantity_removed_by_hand = before + taken
            line.removed_incl_tax = worth_of(line, line.quantity_removed)
            changed.append(Changed(order, line, before))
    settle_lines(changed)
    removed = sum(order.lines.values_list("removed_incl_tax", flat=True), ZERO)
    order.refund_settled_incl_tax = max(
        order.refunded_incl_tax - removed - order.shipping_refunded_incl_tax, ZERO
    )
    order.refund_asked_incl_tax = ZERO
    order.save(update_fields=["refund_settled_incl_tax", "refund_asked_incl_tax"])
    record(
        "order.refund_explained",
        [order],
        actor=actor,
        pieces={c.line.sku or c.line.label: plain(c.line.quantity_removed) for c in changed},
    )
    return order
