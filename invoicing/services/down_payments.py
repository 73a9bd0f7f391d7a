"""Down-payment invoices: a part of an order, invoiced before it is delivered."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from invoicing.errors import DownPaymentRefused
from invoicing.events import invoices_issued
from invoicing.mentions import language_of
from invoicing.models import Invoice, InvoiceLine
from invoicing.selectors import left_to_invoice
from invoicing.services.building import Builder
from invoicing.services.deposits import deposit_line
from invoicing.services.explained import require_tax_reason
from invoicing.services.issuing import write_documents
from invoicing.services.payments import settle_issued
from sales.locks import lock_orders
from sales.models import Order
from sphinx.core.events import announce
from sphinx.core.money import ZERO, spread
from sphinx.core.services import record
from sphinx.core.texts import said

OPEN = (Order.Status.DRAFT, Order.Status.CONFIRMED, Order.Status.PARTIALLY_DELIVERED)


@transaction.atomic
def issue_down_payment(
    *,
    order_id: int,
    amount: Decimal,
    at: datetime,
    after_invoices: int | None = None,
    actor: Any = None,
) -> Invoice:
    """Invoice `amount` (EUR incl. tax) of an order ahead, at its rates in proportion.

    The invoices of its deliveries take it off. `after_invoices` is how many documents the order
    had when somebody looked: the same form sent twice invoices once.

    Raises:
        DownPaymentRefused: the order is delivered or cancelled, or less than that is left.
        StructureRefused: a professional's document would be no valid e-invoice.
    """
    order = lock_orders([order_id]).get()
    if order.status not in OPEN:
        raise DownPaymentRefused(
            _("Commande %s : un acompte se facture avant la livraison.") % order.number
        )
    if after_invoices is not None and order.invoices.count() != after_invoices:
        raise DownPaymentRefused(
            _("Une pièce vient d'être émise pour %s : relisez ce qui reste.") % order.number
        )
    left = left_to_invoice(order)
    whole = sum(left.values(), ZERO)
    # All of it at once is no down payment: the goods' invoice would have nothing left to say.
    if not 0 < amount < whole:
        raise DownPaymentRefused(
            _("Commande %(number)s : l'acompte doit être compris entre 0 et %(left)s € TTC.")
            % said({"number": order.number, "left": whole})
        )
    with translation.override(language_of(order)):
        label = _("Acompte sur la commande %s") % order.number
    rates = [rate for rate, share in left.items() if share > 0]
    shares = spread(amount, [left[rate] for rate in rates])
    lines: list[InvoiceLine] = [
        deposit_line(label, rate, share, pieces=Decimal(1))
        for rate, share in zip(rates, shares, strict=True)
        if share
    ]
    require_tax_reason([order.pk])
    builder = Builder([], {order.pk: order}, at)
    invoice = builder.build(order, None, lines)
    invoice.is_down_payment = True
    write_documents([invoice], builder.lines, builder.taxes, at)
    settle_issued([invoice], builder.used)
    record("down_payment.issued", [invoice], actor=actor, order=order.number)
    announce(invoices_issued, invoice_ids=[invoice.pk])
    return invoice
