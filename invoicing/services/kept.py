"""What a shop keeps of an order of which it took out every article: invoiced, as nothing leaves."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from invoicing.errors import NothingKept
from invoicing.events import invoices_issued
from invoicing.mentions import language_of
from invoicing.models import Invoice, InvoiceLine
from invoicing.selectors import orders_kept
from invoicing.services.building import Builder
from invoicing.services.explained import require_tax_reason
from invoicing.services.issuing import write_documents
from invoicing.services.payments import settle_issued
from sales.locks import lock_orders
from sales.models import Order
from sales.services import mark_kept
from sphinx.core.events import announce
from sphinx.core.money import HUNDRED, ZERO, spread, to_unit_price
from sphinx.core.services import record


@transaction.atomic
def issue_kept(*, order_id: int, kept: Decimal, at: datetime, actor: Any = None) -> Invoice:
    """Invoice what the shop keeps (EUR incl. tax) of an emptied order, which is done with then.

    Carriage first, as it was charged, at its rate; what is more than carriage is a fee at the
    rates of the articles. `kept` is the amount that was shown: when it has changed since, nothing
    is issued. Money that came in for the order goes on it.

    Raises:
        NothingKept: the order isn't emptied, or another amount is kept by now.
        StructureRefused: a professional's document would be no valid e-invoice.
    """
    order = lock_orders([order_id]).get()
    if not orders_kept().filter(pk=order_id).exists() or _kept_of(order) != kept:
        raise NothingKept(
            _("Commande %s : ce que la boutique garde vient de changer, ou d'être facturé.")
            % order.number
        )
    require_tax_reason([order.pk])
    builder = Builder([], {order.pk: order}, at)
    with translation.override(language_of(order)):
        label = _("Somme conservée sur la commande %s") % order.number
    invoice = builder.build(order, None, _lines(builder, order, kept, label))
    invoice.mentions["kept"] = True
    write_documents([invoice], builder.lines, builder.taxes, at)
    settle_issued([invoice], builder.used)
    mark_kept(order_id=order.pk)
    record("invoice.issued", [invoice], actor=actor, kept=str(kept))
    announce(invoices_issued, invoice_ids=[invoice.pk])
    return invoice


def _kept_of(order: Order) -> Decimal:
    return order.total_incl_tax - order.refunded_incl_tax


def _lines(builder: Builder, order: Order, kept: Decimal, label: str) -> list[InvoiceLine]:
    shipping = builder.shipping_lines(order)
    by_rate = {line.tax_rate: line.amount_incl_tax - line.discount_incl_tax for line in shipping}
    charged = sum(by_rate.values(), ZERO)
    carriage = min(kept, max(charged - order.shipping_refunded_incl_tax, ZERO))
    goods: dict[Decimal, Decimal] = defaultdict(lambda: ZERO)
    for line in builder.order_lines[order.pk]:
        goods[line.tax_rate] += line.removed_incl_tax
    fees: dict[Decimal, Decimal] = defaultdict(lambda: ZERO)
    lines = shipping if carriage and carriage == charged else []
    if carriage and not lines:
        _add(fees, by_rate, carriage)
    _add(fees, goods, kept - carriage)
    return lines + [_fee(label, rate, fees[rate]) for rate in sorted(fees, reverse=True)]


def _add(fees: dict[Decimal, Decimal], weights: Mapping[Decimal, Decimal], amount: Decimal) -> None:
    """Spread an amount over rates."""
    rates = [rate for rate, weight in weights.items() if weight > 0]
    shares = spread(amount, [weights[rate] for rate in rates]) if amount else []
    for rate, share in zip(rates, shares, strict=False):
        if share:
            fees[rate] += share


def _fee(label: str, rate: Decimal, amount: Decimal) -> InvoiceLine:
    return InvoiceLine(
        kind=InvoiceLine.Kind.FEE,
        label=label[:200],
        quantity=Decimal(1),
        tax_rate=rate,
        unit_price_excl_tax=to_unit_price(amount * HUNDRED / (HUNDRED + rate)),
        amount_incl_tax=amount,
        discount_incl_tax=ZERO,
    )
