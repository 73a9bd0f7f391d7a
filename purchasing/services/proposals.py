"""Needs become proposed purchase orders, one a supplier; asked again, they are refreshed."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from inventory.models import Product, Warehouse
from inventory.selectors import reorder_candidates
from inventory.services import default_warehouse
from purchasing.models import PurchaseOrder, PurchaseOrderLine
from purchasing.replenishment import Purchase, plan_purchase
from sphinx.core.money import ZERO, to_cents
from sphinx.core.services import allocate_number, record
from suppliers.models import Supplier
from suppliers.selectors import Offer, choose_offers


class Proposals(NamedTuple):
    """What was proposed, and what should be bought but no supplier sells."""

    orders: list[PurchaseOrder]
    without_supplier: list[tuple[Product, Purchase]]


class _Wanted(NamedTuple):
    product: Product
    offer: Offer
    purchase: Purchase


@transaction.atomic
def propose_orders(*, on: date) -> Proposals:
    """Compute needs and write one proposal a supplier, each line with its reason.

    A proposal nobody decided on is refreshed in place: same number, today's figures, lines
    gone when the need is gone. What was accepted counts as incoming, so asking twice never
    buys twice.
    """
    # Two runs take turns, and what is being accepted is waited for before needs are read.
    warehouse = Warehouse.objects.select_for_update(no_key=True).get(pk=default_warehouse().pk)
    open_proposals = {
        o.supplier_id: o
        for o in PurchaseOrder.objects.select_for_update(of=("self",), no_key=True)
        .filter(status=PurchaseOrder.Status.PROPOSED, warehouse=warehouse)
        .order_by("pk")
    }
    needs = list(reorder_candidates(warehouse))
    offers = choose_offers(n.product.pk for n in needs)
    wanted: dict[int, list[_Wanted]] = defaultdict(list)
    orphans = []
    for need in needs:
        offer = offers.get(need.product.pk)
        purchase = plan_purchase(need.position, need.rule, need.product, offer)
        if purchase and offer:
            wanted[offer.item.supplier_id].append(_Wanted(need.product, offer, purchase))
        elif purchase:
            orphans.append((need.product, purchase))
    _withdraw([o for s, o in open_proposals.items() if s not in wanted])
    orders = [
        _proposal(open_proposals.get(supplier_id), lines, warehouse.pk, on)
        for supplier_id, lines in sorted(wanted.items())
    ]
    _write_lines(orders, wanted)
    return Proposals(orders, orphans)


def _withdraw(orders: Sequence[PurchaseOrder]) -> None:
    """The need is gone: the proposal is closed and says why."""
    for order in orders:
        order.status = PurchaseOrder.Status.CANCELLED
        order.note = _("Besoin disparu avant décision")
    PurchaseOrder.objects.bulk_update(orders, ["status", "note"])


def _proposal(
    known: PurchaseOrder | None, lines: Sequence[_Wanted], warehouse_id: int, on: date
) -> PurchaseOrder:
    supplier: Supplier = lines[0].offer.item.supplier
    total = sum((_line_total(w.purchase) for w in lines), ZERO)
    lead_time = max(w.offer.lead_time_days for w in lines)
    order = known or PurchaseOrder(
        number=allocate_number(series="CF", on=on),
        supplier=supplier,
        warehouse_id=warehouse_id,
        currency=supplier.currency,
    )
    order.proposed_on = on
    order.expected_on = on + timedelta(days=lead_time)
    order.total_excl_tax = total
    order.note = _remarks(supplier, total)
    order.save()
    if known is None:
        record("purchase_order.proposed", [order])
    return order


def _remarks(supplier: Supplier, total: Decimal) -> str:
    if total < supplier.minimum_order_excl_tax:
        return _("Sous le minimum de commande de %(minimum)s € HT") % {
            "minimum": supplier.minimum_order_excl_tax
        }
    if supplier.carriage_free_excl_tax is not None and total < supplier.carriage_free_excl_tax:
        return _("Il manque %(missing)s € HT pour le franco de port") % {
            "missing": supplier.carriage_free_excl_tax - total
        }
    return ""


def _line_total(purchase: Purchase) -> Decimal:
    return to_cents(purchase.quantity * purchase.unit_price)


def _write_lines(orders: Sequence[PurchaseOrder], wanted: Mapping[int, Sequence[_Wanted]]) -> None:
    PurchaseOrderLine.objects.filter(purchase_order__in=orders).delete()
    PurchaseOrderLine.objects.bulk_create(
        (
            PurchaseOrderLine(
                purchase_order=order,
                product=w.product,
                supplier_sku=w.offer.item.supplier_sku,
                quantity=w.purchase.quantity,
                unit_price_excl_tax=w.purchase.unit_price,
                total_excl_tax=_line_total(w.purchase),
                reason=w.purchase.reason,
            )
            for order in orders
            for w in wanted[order.supplier_id]
        ),
        batch_size=1000,
    )
