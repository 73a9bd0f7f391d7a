"""Orders of a shop, made or brought up to date, a chunk at a time.

A chunk is one transaction and a fixed number of statements, whatever its size. The shop's
key makes an order, a hash of what it says tells whether anything changed.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from customers.models import Customer
from customers.services import Source, upsert_customers
from inventory.services import (
    Demand,
    ProductFacts,
    Reserved,
    change_reservations,
    default_warehouse,
    ensure_products,
)
from sales.drafts import OrderDraft
from sales.errors import ChangedAfterDelivery
from sales.locks import lock_orders, lock_shop
from sales.models import DeliveryNote, DeliveryNoteLine, Order, OrderLine
from sales.services.pricing import PricedLine, PricedOrder, price_order
from sphinx.core.bulk import insert_rows, reserve_ids
from sphinx.core.clock import PARIS
from sphinx.core.errors import BusinessRuleError, ConflictError, InputError
from sphinx.core.models import Company, Shop
from sphinx.core.services import company, record
from sphinx.core.texts import sku_key
from sphinx.core.validators import compact_vat_number, is_vat_number
from sphinx.core.vat import regime_of

Status = Order.Status
# Until something has left, an order may still become any of these.
OPEN_STATES = frozenset({Status.DRAFT, Status.CONFIRMED, Status.CANCELLED})

_LINE_COLUMNS = (
    "order_id position product_id sku label quantity quantity_delivered unit_price_incl_tax "
    "tax_rate discount_incl_tax total_incl_tax order_discount_incl_tax reservation_id source_line"
).split()
_NOTHING = Decimal(0)
EARLIEST = datetime(1995, 1, 1, tzinfo=PARIS)
# A shop's clock may be ahead, or its zone wrong, by less than a day.
TOMORROW = timedelta(days=1)


class Rejection(NamedTuple):
    """An order that was set aside: where in the file, why, what to do."""

    line: int
    column: str
    code: str
    message: str
    external_id: str
    number: str


@dataclass
class OrderResult:
    """What became of the drafts of a chunk; each is counted once."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    cancelled: int = 0
    customers_created: int = 0
    lines: int = 0
    reserved: Decimal = _NOTHING
    rejections: list[Rejection] = field(default_factory=list)
    applied_ids: list[str] = field(default_factory=list)


class _Work(NamedTuple):
    """A draft that passed, with what it will become."""

    draft: OrderDraft
    priced: PricedOrder
    status: str
    content_hash: str
    lines_hash: str
    existing: Order | None


def rejection(draft: OrderDraft, error: InputError) -> Rejection:
    """The error as a rejection of this order."""
    return Rejection(
        error.line or draft.line,
        error.column,
        error.code,
        error.message,
        draft.external_id,
        draft.number,
    )


@transaction.atomic
def upsert_orders(
    *, shop: Shop, drafts: Sequence[OrderDraft], source: Source, at: datetime
) -> OrderResult:
    """Make or update the orders of one shop; the same again changes nothing.

    Confirmed orders get their goods set aside in the same transaction, cancelled ones give
    them back. Drafts must not repeat an `external_id`. What can't be applied comes back as
    a rejection; the others go on.
    """
    lock_shop(shop)
    result = OrderResult()
    existing = {
        o.external_id: o
        for o in Order.objects.filter(
            shop=shop, external_id__in=[d.external_id for d in drafts]
        ).defer("note", "taxes")
    }
    changed = _changed(drafts, existing, result)
    if not changed:
        return result
    products = ensure_products(
        {line.sku: line.label for d, _c, _l in changed for line in d.lines if line.sku}
    )
    work = _decide(shop, changed, existing, products, at, result)
    if not work:
        return result
    fresh = [w for w in work if w.existing is None]
    known = [w for w in work if w.existing is not None]
    _insert(shop, fresh, products, source, at, result)
    _update(shop, known, products, source, at, result)
    result.applied_ids += [w.draft.external_id for w in work]
    return result


def _changed(
    drafts: Sequence[OrderDraft], existing: Mapping[str, Order], result: OrderResult
) -> list[tuple[OrderDraft, str, str]]:
    changed = []
    for draft in drafts:
        lines_hash = _lines_hash(draft)
        content_hash = _content_hash(draft, lines_hash)
        known = existing.get(draft.external_id)
        if known and known.content_hash == content_hash:
            result.unchanged += 1
            # It stands as the file says: a rejection of an earlier version is settled.
            result.applied_ids.append(draft.external_id)
        else:
            changed.append((draft, content_hash, lines_hash))
    return changed


def _digest(parts: Iterable[Any]) -> str:
    return hashlib.blake2b("\x1f".join(map(str, parts)).encode(), digest_size=16).hexdigest()


def _lines_hash(draft: OrderDraft) -> str:
    """What is sold and for how much; amounts in one form so that 4.9 and 4.90 are the same."""
    return _digest(
        [
            draft.prices_include_tax,
            draft.charges_include_tax,
            draft.total_incl_tax.normalize(),
            draft.shipping_amount.normalize(),
            draft.shipping_tax_rate,
            draft.discount.normalize(),
            *(
                f"{line.sku}\x1e{line.label}\x1e{line.quantity.normalize()}"
                f"\x1e{line.unit_price.normalize()}\x1e{line.tax_rate}\x1e{line.discount.normalize()}"
                for line in draft.lines
            ),
        ]
    )


def _content_hash(draft: OrderDraft, lines_hash: str) -> str:
    customer = draft.customer
    return _digest(
        [
            lines_hash,
            draft.number,
            draft.placed_at.isoformat(),
            draft.state,
            draft.payment_status,
            draft.currency,
            draft.payment_method,
            draft.paid_at,
            draft.cancelled_at,
            draft.refunded.normalize(),
            draft.note,
            customer.ref,
            customer.email,
            customer.vat_number,
            *draft.billing,
            *draft.shipping,
            *draft.stated_taxes,
        ]
    )


def _decide(
    shop: Shop,
    changed: Sequence[tuple[OrderDraft, str, str]],
    existing: Mapping[str, Order],
    products: Mapping[str, ProductFacts],
    at: datetime,
    result: OrderResult,
) -> list[_Work]:
    rates = {key: facts.tax_rate for key, facts in products.items()}
    work = []
    for draft, content_hash, lines_hash in changed:
        known = existing.get(draft.external_id)
        try:
            _check_acceptable(draft, at)
            status = _wanted_status(shop, draft)
            if known and known.status not in OPEN_STATES:
                _check_after_delivery(draft, known, status, lines_hash)
            priced = price_order(draft, rates)
        except InputError as error:
            result.rejections.append(rejection(draft, error))
            continue
        work.append(_Work(draft, priced, status, content_hash, lines_hash, known))
    return work


def _check_acceptable(draft: OrderDraft, at: datetime) -> None:
    """Refuse what can't be true or can't be booked: impossible dates, other currencies."""
    if not EARLIEST <= draft.placed_at <= at + TOMORROW:
        raise InputError(
            _("Commande %(number)s : la date %(date)s est impossible.")
            % {"number": draft.number, "date": draft.placed_at.date().isoformat()},
            code="order.impossible_date",
            line=draft.line,
            column="placed_at",
        )
    if draft.currency != "EUR":
        raise InputError(
            _(
                "Commande %(number)s en %(currency)s : seules les commandes en euros sont "
                "intégrées ; elle attend en quarantaine."
            )
            % {"number": draft.number, "currency": draft.currency},
            code="order.foreign_currency",
            line=draft.line,
            column="currency",
        )


def _wanted_status(shop: Shop, draft: OrderDraft) -> str:
    refunded = draft.payment_status == Order.PaymentStatus.REFUNDED
    if draft.state == "cancelled" or refunded:
        return Status.CANCELLED
    if draft.state == "pending" and not shop.confirms_unpaid:
        return Status.DRAFT
    return Status.CONFIRMED


def _check_after_delivery(draft: OrderDraft, known: Order, status: str, lines_hash: str) -> None:
    """What has left stays: only payment and the undelivered rest may still change."""
    refunded = draft.payment_status == Order.PaymentStatus.REFUNDED
    cancels_all = status == Status.CANCELLED and known.status != Status.PARTIALLY_DELIVERED
    if known.lines_hash != lines_hash or (cancels_all and not refunded):
        raise ChangedAfterDelivery(
            _(
                "Commande %(number)s : la boutique l'a modifiée ou annulée après livraison. "
                "Enregistrez un retour ou un avoir ; la commande reste comme livrée."
            )
            % {"number": draft.number},
            line=draft.line,
        )


# --- Writing ------------------------------------------------------------------------------


def _insert(
    shop: Shop,
    work: Sequence[_Work],
    products: Mapping[str, ProductFacts],
    source: Source,
    at: datetime,
    result: OrderResult,
) -> None:
    if not work:
        return
    customers = upsert_customers(
        shop=shop,
        drafts=[w.draft.customer for w in work],
        source=source,
        at=at,
        overwrite=False,
    )
    result.customers_created += customers.created
    ids = reserve_ids(Order, len(work))
    facts = _OrderFacts(shop, source, at, customers.ids)
    rows = [
        facts.values(w, customer_id) for w, customer_id in zip(work, customers.ids, strict=True)
    ]
    columns = ["id", *_attribute_columns(rows[0])]
    insert_rows(
        Order,
        columns,
        ((pk, *_database_values(row)) for pk, row in zip(ids, rows, strict=True)),
    )
    plan = _LinePlan(work, products)
    reserved = change_reservations(demands=plan.demands, warehouse=default_warehouse())
    plan.write(ids, reserved, result)
    for w in work:
        if w.status == Status.CANCELLED:
            result.cancelled += 1
        else:
            result.created += 1


def _update(
    shop: Shop,
    work: Sequence[_Work],
    products: Mapping[str, ProductFacts],
    source: Source,
    at: datetime,
    result: OrderResult,
) -> None:
    if not work:
        return
    rebuilt = [w for w in work if _must_rebuild(w)]
    withdrawn = [_pk(w) for w in work if _must_rebuild(w) or _stops_rest(w)]
    # Before the orders' locks: products first, then documents. What an order gives back and
    # what it asks anew go together, so that it doesn't lose its turn to those who wait.
    plan = _LinePlan(rebuilt, products)
    reserved = change_reservations(
        demands=plan.demands,
        warehouse=default_warehouse(),
        release_ids=_reservations_of(withdrawn),
    )
    locked = {o.pk: o for o in lock_orders(_pk(w) for w in work)}
    _check_still_as_read(work, locked)
    _cancel_drafts(withdrawn)
    facts = _OrderFacts(shop, source, at, [locked[_pk(w)].customer_id for w in work])
    fields: dict[str, Any] = {}
    for w in work:
        order = locked[_pk(w)]
        fields = facts.values(w, order.customer_id)
        if order.status not in OPEN_STATES:
            fields |= {"status": order.status, "cancelled_at": order.cancelled_at}
            if _stops_rest(w):
                fields["status"] = Status.DELIVERED
        if w.status == Status.CANCELLED and order.status in OPEN_STATES:
            result.cancelled += order.status != Status.CANCELLED
            result.updated += order.status == Status.CANCELLED
        else:
            result.updated += 1
        for name, value in fields.items():
            setattr(order, name, value)
    Order.objects.bulk_update(locked.values(), [_field_name(n) for n in fields], batch_size=100)
    OrderLine.objects.filter(order_id__in=[_pk(w) for w in rebuilt])._raw_delete("default")
    plan.write([_pk(w) for w in rebuilt], reserved, result)
    record("order.updated", locked.values(), file=source.file, sha256=source.sha256)


def _pk(work: _Work) -> int:
    assert work.existing is not None  # noqa: S101  (narrowing for the reader and the checker)
    return work.existing.pk


def _must_rebuild(work: _Work) -> bool:
    order = work.existing
    return (
        order is not None
        and order.status in OPEN_STATES
        and (order.lines_hash != work.lines_hash or order.status != work.status)
    )


def _stops_rest(work: _Work) -> bool:
    order = work.existing
    return (
        order is not None
        and order.status == Status.PARTIALLY_DELIVERED
        and work.status == Status.CANCELLED
    )


def _check_still_as_read(work: Sequence[_Work], locked: Mapping[int, Order]) -> None:
    """Raises ConflictError when somebody shipped or cancelled between our reading and lock."""
    for w in work:
        if w.existing is not None and locked[w.existing.pk].status != w.existing.status:
            raise ConflictError(
                _("La commande %(number)s vient de changer d'état : à relire.")
                % {"number": w.draft.number}
            )


def _reservations_of(order_ids: Sequence[int]) -> list[int]:
    held = OrderLine.objects.filter(order_id__in=order_ids, reservation__isnull=False)
    return [pk for pk in held.values_list("reservation_id", flat=True) if pk is not None]


def _cancel_drafts(order_ids: Sequence[int]) -> None:
    """Drop what was picked for the orders; call with the orders locked."""
    drafts = DeliveryNote.objects.filter(order_id__in=order_ids, status=DeliveryNote.Status.DRAFT)
    DeliveryNoteLine.objects.filter(delivery_note__in=drafts)._raw_delete("default")
    drafts.update(status=DeliveryNote.Status.CANCELLED)


class _OrderFacts:
    """Turns a piece of work into the columns of Order, with what is the same for a chunk."""

    def __init__(
        self, shop: Shop, source: Source, at: datetime, customer_ids: Sequence[int]
    ) -> None:
        self.shop = shop
        self.source = source
        self.at = at
        self.firm: Company = company()
        self.vat_numbers = dict(
            Customer.objects.filter(pk__in=set(customer_ids))
            .exclude(vat_number="")
            .values_list("pk", "vat_number")
        )

    def values(self, work: _Work, customer_id: int) -> dict[str, Any]:
        """Every column of the order but its id, by attribute name."""
        draft, priced = work.draft, work.priced
        given = compact_vat_number(draft.customer.vat_number)
        vat_number = given if is_vat_number(given) else self.vat_numbers.get(customer_id, "")
        destination = draft.shipping if draft.shipping.country else draft.billing
        regime = regime_of(
            country=destination.country,
            postcode=destination.postcode,
            vat_number=vat_number,
            charged=priced.total_tax > 0,
            franchise=self.firm.is_tax_exempt,
            oss=self.firm.uses_oss,
        )
        cancelled = work.status == Status.CANCELLED
        return {
            "source_file": self.source.file,
            "source_sha256": self.source.sha256,
            "source_line": draft.line,
            **_address_columns("billing", draft.billing),
            **_address_columns("shipping", draft.shipping),
            "shop_id": self.shop.pk,
            "external_id": draft.external_id,
            "number": draft.number,
            "customer_id": customer_id,
            "status": work.status,
            "payment_status": draft.payment_status,
            "payment_method": draft.payment_method[:80],
            "placed_at": draft.placed_at,
            "paid_at": draft.paid_at,
            "cancelled_at": (draft.cancelled_at or self.at) if cancelled else None,
            "currency": draft.currency,
            "vat_number": vat_number,
            "tax_regime": regime,
            "total_incl_tax": draft.total_incl_tax,
            "total_tax": priced.total_tax,
            "shipping_incl_tax": priced.shipping,
            "shipping_tax_rate": priced.shipping_tax_rate,
            "discount_incl_tax": priced.discount,
            "refunded_incl_tax": draft.refunded,
            "taxes": [
                {"rate": str(t.rate), "total_incl_tax": str(t.total), "tax": str(t.tax)}
                for t in priced.taxes
            ],
            "note": draft.note,
            "content_hash": work.content_hash,
            "lines_hash": work.lines_hash,
        }


def _address_columns(prefix: str, address: Any) -> dict[str, str]:
    return {
        f"{prefix}_name": address.name[:120],
        f"{prefix}_company": address.company[:120],
        f"{prefix}_address1": address.address1[:120],
        f"{prefix}_address2": address.address2[:120],
        f"{prefix}_postcode": address.postcode[:16],
        f"{prefix}_city": address.city[:80],
        f"{prefix}_country": address.country[:2],
    }


def _attribute_columns(values: Mapping[str, Any]) -> list[str]:
    return list(values)


def _database_values(values: Mapping[str, Any]) -> list[Any]:
    return [json.dumps(v) if isinstance(v, list) else v for v in values.values()]


def _field_name(attribute: str) -> str:
    return attribute.removesuffix("_id") if attribute in ("shop_id", "customer_id") else attribute


class _LinePlan:
    """The lines to write for some orders, and the goods to set aside for the confirmed ones."""

    def __init__(self, work: Sequence[_Work], products: Mapping[str, ProductFacts]) -> None:
        self.demands: list[Demand] = []
        # An order's place in `work`, rank, product, line, place in `demands`.
        self._rows: list[tuple[int, int, int | None, PricedLine, int | None]] = []
        for place, w in enumerate(work):
            for position, line in enumerate(w.priced.lines, start=1):
                product = products.get(sku_key(line.draft.sku)) if line.draft.sku else None
                demand: int | None = None
                if product and w.status == Status.CONFIRMED:
                    demand = len(self.demands)
                    self.demands.append(
                        Demand(product.pk, line.draft.quantity, w.draft.placed_at, w.draft.number)
                    )
                self._rows.append((place, position, product and product.pk, line, demand))

    def write(self, order_ids: Sequence[int], reserved: Reserved, result: OrderResult) -> None:
        """Insert the lines; `order_ids` in the order of the work, goods as set aside."""
        insert_rows(
            OrderLine,
            _LINE_COLUMNS,
            (
                (
                    order_ids[place],
                    position,
                    product_id,
                    line.draft.sku[:80],
                    line.draft.label[:200],
                    line.draft.quantity,
                    _NOTHING,
                    line.unit_price,
                    line.tax_rate,
                    line.discount,
                    line.total,
                    line.order_discount,
                    None if demand is None else reserved.reservation_ids[demand],
                    line.draft.line,
                )
                for place, position, product_id, line, demand in self._rows
            ),
        )
        result.lines += len(self._rows)
        result.reserved += reserved.allocated


# --- By hand ------------------------------------------------------------------------------


@transaction.atomic
def confirm_order(*, order_id: int, actor: Any = None) -> Order:
    """Confirm an order that waited (payment seen elsewhere) and set its goods aside, once.

    Raises:
        BusinessRuleError: the order is cancelled.
    """
    order = Order.objects.get(pk=order_id)
    lines = list(order.lines.filter(product__isnull=False, reservation__isnull=True))
    if order.status == Status.DRAFT:
        reserved = change_reservations(
            demands=[
                Demand(line.product_id or 0, line.quantity, order.placed_at, order.number)
                for line in lines
            ],
            warehouse=default_warehouse(),
        )
    order = lock_orders([order_id]).get()
    if order.status == Status.CANCELLED:
        raise BusinessRuleError(
            _("La commande %(number)s est annulée : elle ne peut plus être confirmée.")
            % {"number": order.number},
            code="sales.order_cancelled",
        )
    if order.status != Status.DRAFT:
        return order
    for line, reservation_id in zip(lines, reserved.reservation_ids, strict=True):
        line.reservation_id = reservation_id
    OrderLine.objects.bulk_update(lines, ["reservation"])
    order.status = Status.CONFIRMED
    order.save(update_fields=["status"])
    record("order.confirmed", [order], actor=actor)
    return order


@transaction.atomic
def cancel_order(*, order_id: int, at: datetime, actor: Any = None) -> Order:
    """Cancel an order of which nothing has left; its goods go to who waits. Twice is once.

    Raises:
        BusinessRuleError: something has been delivered.
    """
    if Order.objects.get(pk=order_id).status in (Status.DRAFT, Status.CONFIRMED):
        change_reservations(
            demands=[],
            warehouse=default_warehouse(),
            release_ids=_reservations_of([order_id]),
        )
    order = lock_orders([order_id]).get()
    if order.status == Status.CANCELLED:
        return order
    if order.status not in OPEN_STATES:
        raise BusinessRuleError(
            _("La commande %(number)s est déjà livrée : faites un retour ou un avoir.")
            % {"number": order.number},
            code="sales.order_delivered",
        )
    _cancel_drafts([order_id])
    order.status, order.cancelled_at = Status.CANCELLED, at
    order.save(update_fields=["status", "cancelled_at"])
    record("order.cancelled", [order], actor=actor)
    return order
