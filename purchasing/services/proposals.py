"""Needs become proposed purchase orders, one a supplier and warehouse; asked again, refreshed.

First every product is looked at, without a lock (policies.py); then, in one short transaction,
what is due is decided again on the positions of that moment and written. What was accepted
meanwhile counts as incoming, so nothing is proposed twice.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from inventory.models import Product, StockPosition, Warehouse
from inventory.services import (
    Proposed,
    default_warehouse,
    expire_lots,
    propose_transfers,
)
from purchasing.models import Decision, PurchaseOrder, PurchaseOrderLine
from purchasing.planning.ordering import Purchase, needed, plan_purchase
from purchasing.services.completion import Completion, complete
from purchasing.services.currencies import price_in
from purchasing.services.direct import propose_direct_orders
from purchasing.services.moving import Move, Surpluses, refused_lately
from purchasing.services.policies import (
    CHUNK,
    Candidate,
    Learning,
    current_positions,
    keep_classes,
    keep_policies,
)
from sphinx.core import clock
from sphinx.core.exchange import EURO
from sphinx.core.money import ZERO, plain, to_cents
from sphinx.core.services import allocate_number, record
from suppliers.models import Supplier

Status = PurchaseOrder.Status


class Proposals(NamedTuple):
    """What was proposed, and what should be bought but no supplier sells."""

    orders: list[PurchaseOrder]
    without_supplier: list[tuple[Product, Purchase]]


class Wanted(NamedTuple):
    """A product to buy."""

    candidate: Candidate
    purchase: Purchase

    @property
    def supplier(self) -> Supplier:
        assert self.candidate.offer is not None  # noqa: S101
        return self.candidate.offer.item.supplier

    @property
    def unit_price(self) -> Decimal:
        """Excl. tax a piece in the supplier's currency; the purchase's own is in euros."""
        offer = self.candidate.offer
        if offer is None or offer.item.supplier.currency == EURO:
            return self.purchase.unit_price
        # A quantity that somebody set keeps the price of the one worked out.
        return offer.unit_price(
            Decimal(self.purchase.reason.get("computed", self.purchase.quantity))
        )

    @property
    def total(self) -> Decimal:
        """Excl. tax of the line, in the supplier's currency."""
        return to_cents(self.purchase.quantity * self.unit_price)


def propose_orders(*, on: date) -> Proposals:
    """Work out needs as of a day and write one proposal a supplier, each line with its reason.

    A proposal nobody decided on is refreshed in place: same number, today's figures, lines
    gone when the need is gone. What suppliers send to customers themselves is proposed an order at
    a time. A past day learns only from what was asked before it, on the
    stock of that evening.
    """
    orders: list[PurchaseOrder] = []
    orphans: list[tuple[Product, Purchase]] = []
    expire_lots(on=clock.today())
    warehouses = _warehouses()
    # Every warehouse is looked at before anything is written: one may have what another lacks.
    runs = [Learning(warehouse, on, is_past=on < clock.today()) for warehouse in warehouses]
    looked = [(learning, _due(learning)) for learning in runs]
    several = len(warehouses) > 1 and on >= clock.today()
    spare = Surpluses(warehouses, {c.product.pk for _l, due in looked for c in due} if several
                      else ())  # fmt: skip
    for learning, due in looked:
        found = _write(learning, due, spare)
        orders += found.orders
        orphans += found.without_supplier
    if on >= clock.today():
        propose_transfers(proposed=[_proposed(move) for move in spare.moves], at=clock.now())
    direct, unsold = propose_direct_orders(on=on)
    return Proposals([*orders, *direct], [*orphans, *unsold])


def _warehouses() -> list[Warehouse]:
    """The default one first, then those that keep something."""
    first = default_warehouse()
    others = Warehouse.objects.exclude(pk=first.pk).filter(
        is_direct=False, pk__in=StockPosition.objects.values("warehouse")
    )
    return [first, *others.order_by("code")]


def _proposed(move: Move) -> Proposed:
    return Proposed(move.source.pk, move.destination.pk, move.product_id, move.pieces, move.reason)


def _due(learning: Learning) -> list[Candidate]:
    """What a warehouse needs, by the levels worked out now, which are kept."""
    due: list[Candidate] = []
    passed: list[Candidate] = []
    for candidate in learning.candidates():
        passed.append(candidate)
        is_needed = needed(candidate.position, candidate.levels) > 0
        if is_needed and not candidate.is_too_early(learning.on):
            due.append(candidate)
        if len(passed) == CHUNK:
            keep_policies(passed, learning)
            passed = []
    keep_policies(passed, learning)
    if learning.warehouse.is_default and not learning.is_past:
        keep_classes(learning)
    return due


@transaction.atomic
def _write(learning: Learning, due: Sequence[Candidate], spare: Surpluses) -> Proposals:
    # Two runs take turns, and what is being accepted is waited for before needs are read.
    Warehouse.objects.select_for_update(no_key=True).get(pk=learning.warehouse.pk)
    open_proposals = {
        o.supplier_id: o
        for o in PurchaseOrder.objects.select_for_update(of=("self",), no_key=True)
        .filter(status=Status.PROPOSED, warehouse=learning.warehouse)
        .order_by("pk")
    }
    wanted, orphans = _decide(learning, due, spare)
    completions: dict[int, Completion] = {}
    for supplier_id, lines in wanted.items():
        completions[supplier_id] = complete(
            learning, lines[0].supplier, [(w.candidate, w.purchase) for w in lines]
        )
        lines += [Wanted(*pair) for pair in completions[supplier_id].added]
    _withdraw([o for s, o in open_proposals.items() if s not in wanted])
    orders = [
        _proposal(open_proposals.get(s), lines, learning, completions[s].remark)
        for s, lines in sorted(wanted.items())
    ]
    _write_lines(orders, wanted)
    return Proposals(orders, orphans)


def _decide(
    learning: Learning, due: Sequence[Candidate], spare: Surpluses
) -> tuple[dict[int, list[Wanted]], list[tuple[Product, Purchase]]]:
    """What is due on the positions of this moment, by supplier, but for what staff put off."""
    ids = [c.product.pk for c in due]
    if not learning.is_past:
        fresh = current_positions(ids, learning.warehouse)
        due = [c._replace(position=fresh[c.product.pk]) for c in due]
        due = learning.as_it_will_be(due)
    put_off = _put_off(ids, learning)
    fixed = _fixed(learning.warehouse)
    wanted: dict[int, list[Wanted]] = defaultdict(list)
    orphans = []
    refused = refused_lately(learning.warehouse, learning.on)
    for found in due:
        waits = found.position.backordered > 0
        if found.product.pk in put_off and not waits:
            continue
        candidate = _brought(found, learning.warehouse, spare, refused)
        purchase = plan_purchase(
            candidate.position, candidate.levels, candidate.terms, learning.rules.costs
        )
        if purchase is None:
            continue
        purchase.reason.update(candidate.figures)
        purchase = _as_fixed(purchase, fixed.get(candidate.product.pk))
        if candidate.offer is None:
            orphans.append((candidate.product, purchase))
        else:
            wanted[candidate.offer.item.supplier_id].append(Wanted(candidate, purchase))
    return dict(wanted), orphans


def _brought(
    candidate: Candidate,
    warehouse: Warehouse,
    spare: Surpluses,
    refused: Mapping[int, Collection[int]],
) -> Candidate:
    """With what other warehouses can spare of it counted as coming."""
    need = needed(candidate.position, candidate.levels)
    figures = {
        "needed": plain(need),
        "forecast": plain(candidate.position.forecast),
        "reorder_point": plain(candidate.levels.reorder_point),
    }
    pk = candidate.product.pk
    brought = spare.take(pk, warehouse, need, refused.get(pk, ()), figures)
    if not brought:
        return candidate
    position = candidate.position
    return candidate._replace(
        position=position._replace(incoming=position.incoming + brought),
        figures=candidate.figures | {"brought": plain(brought)},
    )


def _put_off(product_ids: Sequence[int], learning: Learning) -> set[int]:
    """Products refused or put off until later than the day of the run."""
    return set(
        Decision.objects.filter(
            Q(kind=Decision.Kind.REFUSED) | Q(kind=Decision.Kind.POSTPONED),
            product_id__in=product_ids,
            warehouse=learning.warehouse,
            until__gt=learning.on,
        ).values_list("product_id", flat=True)
    )


def _fixed(warehouse: Warehouse) -> dict[int, PurchaseOrderLine]:
    """Lines of open proposals whose quantity somebody set."""
    lines = PurchaseOrderLine.objects.filter(
        purchase_order__status=Status.PROPOSED,
        purchase_order__warehouse=warehouse,
        is_fixed=True,
    )
    return {line.product_id: line for line in lines}


def _as_fixed(purchase: Purchase, line: PurchaseOrderLine | None) -> Purchase:
    """With the quantity that somebody set, beside what was worked out."""
    if line is None:
        return purchase
    kept = {key: line.reason.get(key, "") for key in ("set_by_hand", "set_because", "set_by")}
    reason = purchase.reason | kept | {"computed": str(purchase.quantity), "is_fixed": True}
    return purchase._replace(quantity=line.quantity, reason=reason)


def _withdraw(orders: Iterable[PurchaseOrder]) -> None:
    """The need is gone: the proposal is closed and says why."""
    gone = list(orders)
    for order in gone:
        order.status = Status.CANCELLED
        order.note = _("Besoin disparu avant décision")
    PurchaseOrder.objects.bulk_update(gone, ["status", "note"])


def _proposal(
    known: PurchaseOrder | None, lines: Sequence[Wanted], learning: Learning, remark: str
) -> PurchaseOrder:
    supplier = lines[0].supplier
    expected = max(learning.arrives_on(w.candidate.offer) for w in lines if w.candidate.offer)
    order = known or PurchaseOrder(
        number=allocate_number(series="CF", on=max(learning.on, clock.today())),
        supplier=supplier,
        warehouse=learning.warehouse,
    )
    offer = lines[0].candidate.offer
    price_in(order, supplier.currency, offer.units if offer else None, learning.on)
    order.proposed_on = learning.on
    order.expected_on = expected
    order.total_excl_tax = sum((w.total for w in lines), ZERO)
    order.note = remark[:200]
    order.save()
    if known is None:
        record("purchase_order.proposed", [order])
    return order


def _write_lines(orders: Sequence[PurchaseOrder], wanted: Mapping[int, Sequence[Wanted]]) -> None:
    PurchaseOrderLine.objects.filter(purchase_order__in=orders).delete()
    PurchaseOrderLine.objects.bulk_create(
        (
            PurchaseOrderLine(
                purchase_order=order,
                product=w.candidate.product,
                supplier_sku=w.candidate.offer.item.supplier_sku if w.candidate.offer else "",
                unit_name=w.candidate.offer.item.unit_name if w.candidate.offer else "",
                unit_size=w.candidate.offer.item.unit_size if w.candidate.offer else 1,
                quantity=w.purchase.quantity,
                unit_price_excl_tax=w.unit_price,
                total_excl_tax=w.total,
                reason=w.purchase.reason,
                is_fixed=bool(w.purchase.reason.get("is_fixed")),
            )
            for order in orders
            for w in wanted[order.supplier_id]
        ),
        batch_size=1000,
    )
