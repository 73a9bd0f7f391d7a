"""Writes to stock: reservations, issues, receipts. Each is set-based and twice-safe.

The position of a product is always the sum of its moves and of its reservations; while stock
is available nobody waits for it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from inventory.errors import NotEnoughStock
from inventory.locks import lock_positions
from inventory.models import Product, ProductAlias, Reservation, StockMove, StockPosition, Warehouse
from sphinx.core.bulk import insert_rows, reserve_ids, update_rows
from sphinx.core.errors import BusinessRuleError
from sphinx.core.money import to_unit_price
from sphinx.core.texts import clean, sku_key


class Demand(NamedTuple):
    """Pieces of a product wanted by one order line."""

    product_id: int
    quantity: Decimal
    requested_at: datetime
    origin_number: str


class Issue(NamedTuple):
    """Pieces that leave for one line of a document, out of what was set aside for it."""

    reservation_id: int
    product_id: int
    quantity: Decimal
    origin_number: str
    origin_line: int


class Entry(NamedTuple):
    """Pieces that come in, at a cost (EUR excl. tax a piece)."""

    product_id: int
    quantity: Decimal
    unit_cost: Decimal
    origin_number: str
    origin_line: int


class ProductFacts(NamedTuple):
    """What an order needs to know of a product; `tax_rate` in percent, None when unknown."""

    pk: int
    tax_rate: Decimal | None


class Reserved(NamedTuple):
    """What `change_reservations` made: an id a demand, and the pieces set aside in all."""

    reservation_ids: list[int]
    allocated: Decimal


def default_warehouse() -> Warehouse:
    """The warehouse that orders draw on; made when the installation is new."""
    found = Warehouse.objects.filter(is_default=True).first()
    return (
        found
        or Warehouse.objects.get_or_create(
            code="principal", defaults={"name": _("Dépôt principal"), "is_default": True}
        )[0]
    )


def ensure_products(skus: Mapping[str, str]) -> dict[str, ProductFacts]:
    """Products by sku_key for SKU → label; unknown ones are made, to be completed by hand.

    A shop may sell what nobody entered yet: the order must not be lost for it.
    """
    wanted = {sku_key(sku): (sku, label) for sku, label in skus.items()}
    found = _product_facts(wanted)
    missing = [key for key in wanted if key not in found]
    if missing:
        Product.objects.bulk_create(
            (
                Product(
                    sku=clean(wanted[key][0], 80),
                    sku_key=key,
                    label=clean(wanted[key][1], 200),
                    is_incomplete=True,
                )
                for key in missing
            ),
            ignore_conflicts=True,
        )
        found |= _product_facts(missing)
    return found


def _product_facts(keys: Iterable[str]) -> dict[str, ProductFacts]:
    """By SKU or by another reference of the product."""
    wanted = list(keys)
    rows = Product.objects.filter(sku_key__in=wanted).values_list(
        "sku_key", "pk", "tax_rate", "category__tax_rate"
    )
    others = ProductAlias.objects.filter(sku_key__in=wanted).values_list(
        "sku_key", "product_id", "product__tax_rate", "product__category__tax_rate"
    )
    return {
        key: ProductFacts(pk, category_rate if own is None else own)
        for key, pk, own, category_rate in (*rows, *others)
    }


def known_skus(skus: Iterable[str]) -> set[str]:
    """Those of the SKU keys that name a product, by themselves or as an alias."""
    return set(_product_facts(sku_key(sku) for sku in skus))


@transaction.atomic
def map_sku(*, sku: str, product_id: int) -> ProductAlias:
    """From now on `sku` names that product; twice is once.

    Raises:
        BusinessRuleError: the SKU is a product's own, with stock or orders of its own.
    """
    key = sku_key(sku)
    own = Product.objects.filter(sku_key=key).exclude(pk=product_id).first()
    if own is not None:
        if not own.is_incomplete or own.moves.exists():
            raise BusinessRuleError(
                _("« %(sku)s » est un article à part entière, il ne peut en désigner un autre.")
                % {"sku": own.sku},
                code="inventory.sku_taken",
            )
        # Made by an order before anybody said what it was: it steps aside.
        own.sku_key = f"{key}#{own.pk}"[:80]
        own.is_active = False
        own.save(update_fields=["sku_key", "is_active"])
    alias, _created = ProductAlias.objects.update_or_create(
        sku_key=key, defaults={"product_id": product_id}
    )
    return alias


@transaction.atomic
def set_tax_rate(*, sku: str, rate: Decimal) -> Product:
    """Give a product its VAT rate (percent), making the product when it is new."""
    ensure_products({sku: sku})
    facts = _product_facts([sku_key(sku)])[sku_key(sku)]
    product = Product.objects.select_for_update(no_key=True).get(pk=facts.pk)
    product.tax_rate = rate
    product.save(update_fields=["tax_rate"])
    return product


@transaction.atomic
def change_reservations(
    *,
    demands: Sequence[Demand],
    warehouse: Warehouse,
    release_ids: Iterable[int] = (),
) -> Reserved:
    """Free the reservations `release_ids`, set goods aside for `demands`, refill who waits.

    Oldest demand first. What isn't there waits and is served when goods arrive. Products in
    just-in-time supply are no exception: leftovers are used first, the rest is a shortage
    that purchasing sees.
    """
    released = list(
        Reservation.objects.filter(pk__in=list(release_ids)).values_list(
            "pk", "product_id", "warehouse_id"
        )
    )
    products = {d.product_id for d in demands} | {product_id for _pk, product_id, _w in released}
    if not products:
        return Reserved([], Decimal(0))
    positions = lock_positions(product_ids=products, warehouse_id=warehouse.pk)
    _release([pk for pk, _product, _warehouse in released], positions)
    reserved = _allocate(demands, warehouse, positions)
    _refill(positions, warehouse)
    _save(positions.values())
    return reserved


def _release(reservation_ids: list[int], positions: dict[int, StockPosition]) -> None:
    held = (
        Reservation.objects.select_for_update(no_key=True)
        .filter(pk__in=reservation_ids)
        .order_by("pk")
    )
    for reservation in held:
        position = positions[reservation.product_id]
        position.reserved -= reservation.allocated
        position.backordered -= reservation.quantity - reservation.allocated
    Reservation.objects.filter(pk__in=reservation_ids).update(quantity=0, allocated=0)


def _allocate(
    demands: Sequence[Demand], warehouse: Warehouse, positions: dict[int, StockPosition]
) -> Reserved:
    ids = reserve_ids(Reservation, len(demands))
    rows = []
    total = Decimal(0)
    for index in sorted(range(len(demands)), key=lambda i: demands[i].requested_at):
        demand = demands[index]
        position = positions[demand.product_id]
        allocated = min(demand.quantity, max(position.available, Decimal(0)))
        position.reserved += allocated
        position.backordered += demand.quantity - allocated
        total += allocated
        rows.append(
            (
                ids[index],
                demand.product_id,
                warehouse.pk,
                demand.quantity,
                allocated,
                demand.requested_at,
                demand.origin_number,
            )
        )
    columns = ("id product_id warehouse_id quantity allocated requested_at origin_number").split()
    insert_rows(Reservation, columns, rows)
    return Reserved(ids, total)


def _refill(positions: Mapping[int, StockPosition], warehouse: Warehouse) -> None:
    """Give what became available to who waits for it, oldest first."""
    free = [
        product_id for product_id, p in positions.items() if p.available > 0 and p.backordered > 0
    ]
    if not free:
        return
    waiting = Reservation.objects.select_for_update(no_key=True).filter(
        product_id__in=free, warehouse=warehouse, quantity__gt=0
    )
    served = []
    for reservation in waiting.order_by("requested_at", "pk"):
        position = positions[reservation.product_id]
        more = min(position.available, reservation.quantity - reservation.allocated)
        if more > 0:
            reservation.allocated += more
            position.reserved += more
            position.backordered -= more
            served.append(reservation)
    update_rows(Reservation, ["allocated"], [(r.pk, r.allocated) for r in served])


def _save(positions: Iterable[StockPosition]) -> None:
    """Write the figures of locked positions, ordered by product."""
    update_rows(
        StockPosition,
        ["on_hand", "reserved", "backordered", "incoming", "average_cost"],
        [
            (p.pk, p.on_hand, p.reserved, p.backordered, p.incoming, p.average_cost)
            for p in sorted(positions, key=lambda p: p.product_id)
        ],
    )


@transaction.atomic
def issue_stock(
    *, issues: Sequence[Issue], warehouse: Warehouse, at: datetime, origin_kind: str
) -> dict[tuple[str, int], StockMove]:
    """Take reserved goods out; returns the moves by (origin number, origin line).

    Issues leave at the weighted average cost and don't change it.

    Raises:
        NotEnoughStock: more is asked than a reservation holds.
    """
    positions = lock_positions(
        product_ids=(i.product_id for i in issues), warehouse_id=warehouse.pk
    )
    reservations = {
        r.pk: r
        for r in Reservation.objects.select_for_update(no_key=True)
        .filter(pk__in=[i.reservation_id for i in issues])
        .order_by("pk")
    }
    ids = iter(reserve_ids(StockMove, len(issues)))
    moves = []
    for issue in issues:
        reservation = reservations[issue.reservation_id]
        if issue.quantity > reservation.allocated:
            raise NotEnoughStock(
                _("%(number)s : %(asked)s pièces demandées, %(held)s mises de côté.")
                % {
                    "number": issue.origin_number,
                    "asked": issue.quantity,
                    "held": reservation.allocated,
                }
            )
        reservation.quantity -= issue.quantity
        reservation.allocated -= issue.quantity
        position = positions[issue.product_id]
        position.on_hand -= issue.quantity
        position.reserved -= issue.quantity
        moves.append(
            StockMove(
                pk=next(ids),
                product_id=issue.product_id,
                warehouse=warehouse,
                kind=StockMove.Kind.SALE,
                quantity=-issue.quantity,
                unit_cost=position.average_cost,
                at=at,
                origin_kind=origin_kind,
                origin_number=issue.origin_number,
                origin_line=issue.origin_line,
            )
        )
    # Before the positions: the unique key stops a second run here, nothing half-applied.
    StockMove.objects.bulk_create(moves, batch_size=2000)
    update_rows(
        Reservation,
        ["quantity", "allocated"],
        [(r.pk, r.quantity, r.allocated) for r in reservations.values()],
    )
    _save(positions.values())
    return {(m.origin_number, m.origin_line): m for m in moves}


@transaction.atomic
def receive_stock(
    *,
    entries: Sequence[Entry],
    warehouse: Warehouse,
    at: datetime,
    kind: str,
    origin_kind: str,
    incoming: Mapping[int, Decimal] | None = None,
) -> dict[tuple[str, int], StockMove]:
    """Take goods in and serve who waits for them; returns the moves by (number, line).

    The average cost moves with each entry: (Q₀·C₀ + q·c) / (Q₀ + q), Q₀ at least 0 (PCG,
    art. 213-34, weighted average cost). `incoming` lowers what is expected, by product.
    """
    products = {e.product_id for e in entries} | set(incoming or ())
    positions = lock_positions(product_ids=products, warehouse_id=warehouse.pk)
    ids = iter(reserve_ids(StockMove, len(entries)))
    moves = []
    for entry in entries:
        position = positions[entry.product_id]
        position.average_cost = _average_cost(position, entry)
        position.on_hand += entry.quantity
        moves.append(
            StockMove(
                pk=next(ids),
                product_id=entry.product_id,
                warehouse=warehouse,
                kind=kind,
                quantity=entry.quantity,
                unit_cost=entry.unit_cost,
                at=at,
                origin_kind=origin_kind,
                origin_number=entry.origin_number,
                origin_line=entry.origin_line,
            )
        )
    for product_id, quantity in (incoming or {}).items():
        position = positions[product_id]
        position.incoming = max(position.incoming - quantity, Decimal(0))
    StockMove.objects.bulk_create(moves, batch_size=2000)
    _refill(positions, warehouse)
    _save(positions.values())
    return {(m.origin_number, m.origin_line): m for m in moves}


def _average_cost(position: StockPosition, entry: Entry) -> Decimal:
    before = max(position.on_hand, Decimal(0))
    after = before + entry.quantity
    if after <= 0:
        return position.average_cost
    return to_unit_price(
        (before * position.average_cost + entry.quantity * entry.unit_cost) / after
    )


@transaction.atomic
def expect_incoming(*, quantities: Mapping[int, Decimal], warehouse: Warehouse) -> None:
    """Add to what is expected from suppliers, by product (negative takes back)."""
    positions = lock_positions(product_ids=quantities, warehouse_id=warehouse.pk)
    for product_id, quantity in quantities.items():
        position = positions[product_id]
        position.incoming = max(position.incoming + quantity, Decimal(0))
    _save(positions.values())


@transaction.atomic
def adjust_stock(
    *,
    product: Product,
    warehouse: Warehouse,
    counted: Decimal,
    at: datetime,
    number: str,
    note: str,
) -> StockMove | None:
    """Set what is on hand to `counted` pieces by one count move; None when nothing differs.

    Raises:
        NotEnoughStock: fewer pieces were counted than are set aside for orders.
    """
    position = lock_positions(product_ids=[product.pk], warehouse_id=warehouse.pk)[product.pk]
    difference = counted - position.on_hand
    if not difference:
        return None
    if counted < position.reserved:
        raise NotEnoughStock(
            _(
                "%(product)s : %(reserved)s pièces sont réservées pour des commandes ; "
                "libérez-les avant de compter moins."
            )
            % {"product": product, "reserved": position.reserved}
        )
    move = StockMove.objects.create(
        product=product,
        warehouse=warehouse,
        kind=StockMove.Kind.COUNT,
        quantity=difference,
        unit_cost=position.average_cost,
        at=at,
        origin_kind="count",
        origin_number=number,
        note=note,
    )
    position.on_hand = counted
    positions = {product.pk: position}
    _refill(positions, warehouse)
    _save(positions.values())
    return move


def open_stock(
    *, opening: Mapping[int, tuple[Decimal, Decimal]], warehouse: Warehouse, at: datetime
) -> set[int]:
    """Open the stock of products that have no move yet: product id → (pieces, unit cost).

    Returns the products that were opened; the others already live and are left alone.
    """
    with transaction.atomic():
        lock_positions(product_ids=opening, warehouse_id=warehouse.pk)
        moved = set(
            StockMove.objects.filter(product_id__in=opening, warehouse=warehouse).values_list(
                "product_id", flat=True
            )
        )
        fresh = {p: v for p, v in opening.items() if p not in moved and v[0] > 0}
        receive_stock(
            entries=[
                Entry(product_id, quantity, cost, "OUVERTURE", 0)
                for product_id, (quantity, cost) in sorted(fresh.items())
            ],
            warehouse=warehouse,
            at=at,
            kind=StockMove.Kind.OPENING,
            origin_kind="opening",
        )
    return set(fresh)
