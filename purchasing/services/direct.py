"""What suppliers send straight to customers: proposed, and kept to what is still wanted."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from inventory.locks import lock_places
from inventory.models import Product, Warehouse
from inventory.selectors import awaited_from_suppliers
from inventory.services import default_warehouse, direct_warehouse, expect_incoming
from purchasing.errors import WrongState
from purchasing.locks import lock_purchase_orders
from purchasing.models import EXPECTED, PurchaseOrder, PurchaseOrderLine
from purchasing.planning.ordering import Purchase
from purchasing.services.currencies import price_in
from purchasing.services.policies import terms_of
from sphinx.core import clock
from sphinx.core.money import ZERO, plain, to_cents
from sphinx.core.services import allocate_number, record
from suppliers.calendars import Calendar
from suppliers.selectors import Offer, calendars_of, offers_of

Status = PurchaseOrder.Status
# Of an order at a supplier, product id → pieces.
_Pieces = dict[int, Decimal]


class _Wanted(NamedTuple):
    """Pieces of a product that one order awaits, by the offer chosen."""

    product_id: int
    pieces: Decimal
    offer: Offer

    @property
    def price(self) -> Decimal:
        """Excl. tax a piece, in the supplier's currency."""
        return self.offer.unit_price(self.pieces)

    @property
    def price_eur(self) -> Decimal:
        return terms_of(self.offer).unit_price(self.pieces)


def propose_direct_orders(
    *, on: date
) -> tuple[list[PurchaseOrder], list[tuple[Product, Purchase]]]:
    """Propose what suppliers are to send straight to customers: one an order and supplier.

    Exactly what the customer awaits, whatever the supplier's packs. Proposals are refreshed in
    place; of what was accepted and hasn't left, what is no longer wanted is taken off. Returns
    the proposals, and what nobody sells.
    """
    accepted = PurchaseOrder.objects.filter(
        status=Status.ACCEPTED, direct_delivery__isnull=False
    ).order_by("pk")
    for order_id in accepted.values_list("pk", flat=True):
        keep_to_what_is_wanted(order_id=order_id)
    if awaited_from_suppliers() or _open_proposals().exists():
        return _propose(on)
    return [], []


def _open_proposals() -> QuerySet[PurchaseOrder]:
    return PurchaseOrder.objects.filter(
        status=Status.PROPOSED, direct_delivery__isnull=False
    ).order_by("pk")


# What to ask, by direct delivery and supplier.
_ByOrder = dict[tuple[int, int], list[_Wanted]]


@transaction.atomic
def _propose(on: date) -> tuple[list[PurchaseOrder], list[tuple[Product, Purchase]]]:
    warehouse = direct_warehouse()
    # Two runs take turns.
    Warehouse.objects.select_for_update(no_key=True).get(pk=warehouse.pk)
    known = {
        (o.direct_delivery_id or 0, o.supplier_id): o
        for o in _open_proposals().select_for_update(of=("self",), no_key=True)
    }
    calendars = calendars_of()
    wanted, unsold = _wanted(on, calendars)
    gone = [order for key, order in known.items() if key not in wanted]
    for order in gone:
        order.status, order.note = Status.CANCELLED, _("Besoin disparu avant décision")
    PurchaseOrder.objects.bulk_update(gone, ["status", "note"])
    orders = [
        _proposal(known.get(key), key, lines, warehouse, on, calendars)
        for key, lines in sorted(wanted.items())
    ]
    PurchaseOrderLine.objects.filter(purchase_order__in=orders).delete()
    PurchaseOrderLine.objects.bulk_create(
        (
            _line(order, item)
            for order in orders
            for item in wanted[order.direct_delivery_id or 0, order.supplier_id]
        ),
        batch_size=1000,
    )
    return orders, unsold


def _wanted(
    on: date, calendars: Mapping[int, Calendar]
) -> tuple[_ByOrder, list[tuple[Product, Purchase]]]:
    """What no supplier was asked yet, by direct delivery and supplier; and what nobody sells."""
    due = {(row.delivery_id, row.product_id): row.pieces for row in awaited_from_suppliers()}
    for key, pieces in _on_the_way({delivery for delivery, _p in due}).items():
        due[key] = due.get(key, ZERO) - pieces
    due = {key: pieces for key, pieces in due.items() if pieces > 0}
    offers = offers_of({product for _d, product in due}, on=on)
    wanted: dict[tuple[int, int], list[_Wanted]] = defaultdict(list)
    orphans: _Pieces = defaultdict(Decimal)
    for (delivery, product), pieces in due.items():
        choices = [_Wanted(product, pieces, offer) for offer in offers.get(product, ())]
        if not choices:
            orphans[product] += pieces
            continue
        best = min(choices, key=lambda choice: (choice.price_eur, choice.offer.item.pk))
        # What isn't out yet is ordered for its day.
        day = best.offer.item.product.released_on
        if day and day > best.offer.arrives_on(on, calendars):
            continue
        wanted[delivery, best.offer.item.supplier_id].append(best)
    return dict(wanted), _unsold(orphans)


def _unsold(orphans: Mapping[int, Decimal]) -> list[tuple[Product, Purchase]]:
    products = Product.objects.in_bulk(orphans)
    return [
        (products[pk], Purchase(pieces, ZERO, _reason(pieces, ZERO)))
        for pk, pieces in sorted(orphans.items())
    ]


def _on_the_way(delivery_ids: set[int]) -> dict[tuple[int, int], Decimal]:
    """Pieces accepted or sent and not confirmed gone, by direct delivery and product."""
    lines = PurchaseOrderLine.objects.filter(
        purchase_order__direct_delivery__in=delivery_ids, purchase_order__status__in=EXPECTED
    )
    found: dict[tuple[int, int], Decimal] = defaultdict(Decimal)
    for delivery, product, pieces in lines.annotate(
        left=F("quantity") - F("quantity_received")
    ).values_list("purchase_order__direct_delivery_id", "product_id", "left"):
        found[delivery or 0, product] += max(pieces, ZERO)
    return found


def _proposal(
    known: PurchaseOrder | None,
    key: tuple[int, int],
    lines: Sequence[_Wanted],
    warehouse: Warehouse,
    on: date,
    calendars: Mapping[int, Calendar],
) -> PurchaseOrder:
    delivery_id, _supplier_id = key
    supplier = lines[0].offer.item.supplier
    order = known or PurchaseOrder(
        number=allocate_number(series="CF", on=max(on, clock.today())),
        supplier=supplier,
        warehouse=warehouse,
        direct_delivery_id=delivery_id,
    )
    price_in(order, supplier.currency, lines[0].offer.units, on)
    order.proposed_on = on
    order.expected_on = max(w.offer.arrives_on(on, calendars) for w in lines)
    order.total_excl_tax = sum((to_cents(w.pieces * w.price) for w in lines), ZERO)
    order.save()
    if known is None:
        record("purchase_order.proposed", [order])
    return order


def _line(order: PurchaseOrder, item: _Wanted) -> PurchaseOrderLine:
    return PurchaseOrderLine(
        purchase_order=order,
        product_id=item.product_id,
        supplier_sku=item.offer.item.supplier_sku,
        unit_name=item.offer.item.unit_name,
        unit_size=item.offer.item.unit_size,
        quantity=item.pieces,
        unit_price_excl_tax=item.price,
        total_excl_tax=to_cents(item.pieces * item.price),
        reason=_reason(item.pieces, item.price_eur),
    )


def _reason(pieces: Decimal, price: Decimal) -> dict[str, str]:
    return {"policy": "drop_ship", "needed": plain(pieces), "unit_price": plain(price)}


def pieces_too_many(orders: Iterable[PurchaseOrder]) -> dict[int, _Pieces]:
    """What the customers of direct orders no longer await of them: order id → product id → pieces.

    Orders of which everything is awaited aren't in it.
    """
    under_way = {o.pk: o for o in orders if o.direct_delivery_id and o.status in EXPECTED}
    if not under_way:
        return {}
    deliveries = {o.direct_delivery_id or 0 for o in under_way.values()}
    wanted = {
        (row.delivery_id, row.product_id): row.pieces for row in awaited_from_suppliers(deliveries)
    }
    coming = _on_the_way(deliveries)
    found: dict[int, _Pieces] = defaultdict(dict)
    for line in PurchaseOrderLine.objects.filter(purchase_order__in=under_way):
        key = (under_way[line.purchase_order_id].direct_delivery_id or 0, line.product_id)
        left = max(line.quantity - line.quantity_received, ZERO)
        others = coming[key] - left
        too_many = left - max(wanted.get(key, ZERO) - others, ZERO)
        if too_many > 0:
            found[line.purchase_order_id][line.product_id] = too_many
    return dict(found)


@transaction.atomic
def keep_to_what_is_wanted(*, order_id: int) -> PurchaseOrder:
    """Take off an accepted direct order, not sent yet, what its customer no longer wants.

    Cancelled when nothing is left of it. Other orders are left as they are. Twice is once.
    """
    found = PurchaseOrder.objects.get(pk=order_id)
    lines = PurchaseOrderLine.objects.filter(purchase_order=order_id)
    lock_places((pk, found.warehouse_id) for pk in lines.values_list("product_id", flat=True))
    order = lock_purchase_orders([order_id]).select_related("warehouse").get()
    is_given = order.status != Status.ACCEPTED
    too_many = {} if is_given else pieces_too_many([order]).get(order.pk, {})
    if not too_many:
        return order
    kept = []
    for line in order.lines.all():
        line.quantity -= too_many.get(line.product_id, ZERO)
        line.total_excl_tax = to_cents(line.quantity * line.unit_price_excl_tax)
        if line.quantity > 0:
            kept.append(line)
    if kept:
        order.lines.exclude(pk__in=[line.pk for line in kept]).delete()
        PurchaseOrderLine.objects.bulk_update(kept, ["quantity", "total_excl_tax"])
        order.total_excl_tax = sum((line.total_excl_tax for line in kept), ZERO)
    else:
        order.status, order.closed_at = Status.CANCELLED, clock.now()
        order.note = _("Le client n'en veut plus")
    order.save(update_fields=["total_excl_tax", "status", "closed_at", "note"])
    expect_incoming(
        quantities={pk: -pieces for pk, pieces in too_many.items()}, warehouse=order.warehouse
    )
    record(
        "purchase_order.follows_customer",
        [order],
        removed={str(pk): plain(pieces) for pk, pieces in too_many.items()},
    )
    return order


@transaction.atomic
def bring_to_us(*, order_id: int, at: datetime, actor: Any = None) -> PurchaseOrder:
    """Let what is left of a direct order come to the default warehouse. Twice is once.

    For goods that the customer no longer wants, or that came back from the carrier.

    Raises:
        WrongState: it is no longer under way.
    """
    found = PurchaseOrder.objects.get(pk=order_id)
    home = default_warehouse()
    lines = PurchaseOrderLine.objects.filter(purchase_order=order_id)
    products = list(lines.values_list("product_id", flat=True))
    lock_places((pk, place) for pk in products for place in (found.warehouse_id, home.pk))
    order = lock_purchase_orders([order_id]).select_related("warehouse", "direct_delivery").get()
    if order.direct_delivery is None:
        return order
    if order.status not in EXPECTED:
        raise WrongState(_("La commande %s n'est plus en cours.") % order.number)
    left = {line.product_id: max(line.quantity - line.quantity_received, ZERO) for line in lines}
    expect_incoming(quantities={pk: -n for pk, n in left.items()}, warehouse=order.warehouse)
    expect_incoming(quantities=left, warehouse=home)
    of = order.direct_delivery.origin_number
    order.note = _("Commandée pour %s, ramenée chez vous") % of
    order.direct_delivery, order.warehouse, order.given_address = None, home, ""
    order.save(update_fields=["direct_delivery", "warehouse", "given_address", "note"])
    record("purchase_order.brought_home", [order], actor=actor, order=of)
    return order
