"""No invoice without VAT before its reason is known: the guard, and the answers from its page."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from invoicing.errors import TaxUnexplained
from invoicing.models import Invoice, InvoicedNote
from sales.errors import ExemptionRefused
from sales.models import Order
from sales.selectors import orders_without_tax_reason
from sales.services import charge_tax_within


def require_tax_reason(orders: Iterable[int]) -> None:
    """Call it with the orders locked.

    Raises:
        TaxUnexplained: one of them bears no VAT, and nothing says why.
    """
    order = orders_without_tax_reason().filter(pk__in=list(orders)).first()
    if order is not None:
        raise TaxUnexplained(
            _(
                "Commande %s : la boutique n'a compté aucune TVA, sans raison connue. Dites "
                "pourquoi sous Facturation › À facturer ; la facture suit."
            )
            % order.number,
            order=order.number,
        )


@transaction.atomic
def take_tax_out_of(*, order_id: int, rate: Decimal, actor: Any = None) -> Order:
    """The shop was wrong: VAT at `rate` (percent) is within what the customer paid.

    Raises:
        ExemptionRefused: part of it is invoiced without, or `charge_tax_within` refuses.
    """
    order = charge_tax_within(order_id=order_id, rate=rate, actor=actor)
    in_group = InvoicedNote.objects.filter(delivery_note__order=order)
    if Invoice.objects.filter(order=order).exists() or in_group.exists():
        raise ExemptionRefused(
            _("Commande %s : une partie est déjà facturée sans TVA. Faites d'abord son avoir.")
            % order.number
        )
    return order
