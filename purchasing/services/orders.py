"""The way of a purchase order from acceptance on."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from inventory.locks import lock_places
from inventory.models import Product, Warehouse
from inventory.services import expect_incoming
from purchasing.errors import WrongState
from purchasing.events import order_to_mail
from purchasing.locks import lock_purchase_orders
from purchasing.models import EXPECTED, PurchaseOrder, PurchaseOrderLine
from purchasing.services.currencies import price_in
from purchasing.services.direct import keep_to_what_is_wanted, pieces_too_many
from sphinx.core.clock import business_date
from sphinx.core.events import announce
from sphinx.core.exchange import indicative_units
from sphinx.core.money import ZERO, plain, to_cents
from sphinx.core.services import allocate_number, record
from suppliers.calendars import OPEN
from suppliers.models import Supplier
from suppliers.selectors import all_offers, calendars_of

Status = PurchaseOrder.Status


def require(order: PurchaseOrder, allowed: Iterable[str]) -> None:
    """Raises WrongState: the order isn't in one of the states."""
    if order.status not in allowed:
        raise WrongState(
            _("La commande %(number)s est « %(status)s » : ce n'est plus possible.")
            % {"number": order.number, "status": order.get_status_display()}
        )


@transaction.atomic
def accept_proposal(*, order_id: int, at: datetime, actor: Any = None) -> PurchaseOrder:
    """Accept a proposal: its goods are expected from now on. A second call changes nothing.

    Raises:
        WrongState: it was refused or cancelled.
    """
    lines = list(PurchaseOrderLine.objects.filter(purchase_order=order_id))
    warehouse = PurchaseOrder.objects.get(pk=order_id).warehouse
    # Stock before documents: the lock order of the house. Two who accept at once take turns.
    lock_places((line.product_id, warehouse.pk) for line in lines)
    order = lock_purchase_orders([order_id]).get()
    if order.status in (Status.REFUSED, Status.CANCELLED):
        require(order, [Status.PROPOSED])
    if order.status != Status.PROPOSED:
        return order
    expect_incoming(
        quantities={line.product_id: line.quantity for line in lines}, warehouse=warehouse
    )
    order.status, order.accepted_at = Status.ACCEPTED, at
    order.save(update_fields=["status", "accepted_at"])
    record("purchase_order.accepted", [order], actor=actor)
    return order


@transaction.atomic
def create_order(
    *,
    supplier: Supplier,
    warehouse: Warehouse,
    quantities: Mapping[int, Decimal],
    at: datetime,
    note: str = "",
    actor: Any = None,
) -> PurchaseOrder:
    """An order made by hand, product id → pieces, at the supplier's prices; goods are expected.

    Raises:
        WrongState: nothing is ordered, or the supplier doesn't sell a product.
    """
    wanted = {pk: pieces for pk, pieces in quantities.items() if pieces > 0}
    if not wanted:
        raise WrongState(_("Commandez au moins un article."))
    lock_places((pk, warehouse.pk) for pk in wanted)
    lines = _lines_by_hand(supplier, supplier.currency, wanted)
    on = business_date(at)
    calendar = calendars_of([supplier.pk]).get(supplier.pk, OPEN)
    order = PurchaseOrder(
        number=allocate_number(series="CF", on=on),
        supplier=supplier,
        warehouse=warehouse,
        status=Status.ACCEPTED,
        proposed_on=on,
        accepted_at=at,
        expected_on=calendar.arrives(on, supplier.lead_time_days),
        note=note[:200],
    )
    currency = supplier.currency
    price_in(order, currency, indicative_units({currency}, on).get(currency), on)
    order.save()
    for line in lines:
        line.purchase_order = order
    PurchaseOrderLine.objects.bulk_create(lines)
    order.total_excl_tax = sum((line.total_excl_tax for line in lines), ZERO)
    order.save(update_fields=["total_excl_tax"])
    expect_incoming(quantities=wanted, warehouse=warehouse)
    record("purchase_order.created", [order], actor=actor)
    return order


def _lines_by_hand(
    supplier: Supplier, currency: str, wanted: Mapping[int, Decimal]
) -> list[PurchaseOrderLine]:
    """Lines of an order in a currency at the supplier's prices, product id → pieces.

    Raises:
        WrongState: the supplier doesn't sell a product.
    """
    offers = {
        pk: next((o for o in found if o.item.supplier_id == supplier.pk), None)
        for pk, found in all_offers(wanted).items()
    }
    unsold = [pk for pk in wanted if offers.get(pk) is None]
    if unsold:
        products = ", ".join(Product.objects.filter(pk__in=unsold).values_list("sku", flat=True))
        raise WrongState(
            _("%(supplier)s ne vend pas %(products)s : ajoutez-le à ses tarifs.")
            % {"supplier": supplier, "products": products}
        )
    if wanted and currency != supplier.currency:
        raise WrongState(
            _(
                "La commande est en %(ordered)s, les prix de %(supplier)s sont en %(now)s depuis : "
                "faites une autre commande."
            )
            % {"ordered": currency, "supplier": supplier, "now": supplier.currency}
        )
    lines = []
    for pk, pieces in sorted(wanted.items()):
        offer = offers[pk]
        assert offer is not None  # noqa: S101
        price = offer.unit_price(pieces)
        lines.append(
            PurchaseOrderLine(
                product_id=pk,
                supplier_sku=offer.item.supplier_sku,
                unit_name=offer.item.unit_name,
                unit_size=offer.item.unit_size,
                quantity=pieces,
                unit_price_excl_tax=price,
                total_excl_tax=to_cents(pieces * price),
                reason={"policy": "by_hand", "unit_price": plain(price), "needed": plain(pieces)},
                is_fixed=True,
            )
        )
    return lines


@transaction.atomic
def change_order(
    *,
    order_id: int,
    lines: Mapping[int, tuple[Decimal, Decimal]],
    added: Mapping[int, Decimal],
    at: datetime,
    actor: Any = None,
) -> PurchaseOrder:
    """Change an accepted order that hasn't left yet; what is expected follows.

    `lines` are line id → (pieces, price excl. tax a piece), no pieces taking the line off; `added`
    product id → pieces, at the supplier's prices.

    Raises:
        WrongState: it left, nothing would be left on it, a product is on it already, the
            supplier doesn't sell one or prices in another currency since, or it is more than the
            customer of a direct order awaits.
    """
    found = PurchaseOrder.objects.get(pk=order_id)
    known = PurchaseOrderLine.objects.filter(purchase_order=found).values_list("product_id")
    lock_places((pk, found.warehouse_id) for pk in [*(p for (p,) in known), *added])
    order = lock_purchase_orders([order_id]).select_related("supplier", "warehouse").get()
    require(order, [Status.ACCEPTED])
    before = {line.pk: line for line in order.lines.select_related("product")}
    twice = [str(line.product) for line in before.values() if line.product_id in added]
    if twice:
        raise WrongState(_("%s est déjà sur la commande : changez sa quantité.") % ", ".join(twice))
    fresh = _lines_by_hand(order.supplier, order.currency, added)
    expected = {line.product_id: line.quantity for line in fresh}
    kept, dropped = list(fresh), []
    for pk, line in before.items():
        quantity, price = lines.get(pk, (line.quantity, line.unit_price_excl_tax))
        expected[line.product_id] = quantity - line.quantity
        if quantity <= 0:
            dropped.append(pk)
            continue
        line.quantity, line.unit_price_excl_tax = quantity, price
        line.total_excl_tax = to_cents(quantity * price)
        kept.append(line)
    if not kept:
        raise WrongState(_("Il ne resterait rien : annulez plutôt la commande."))
    for line in fresh:
        line.purchase_order = order
    PurchaseOrderLine.objects.bulk_create(fresh)
    PurchaseOrderLine.objects.bulk_update(
        [line for line in kept if line not in fresh],
        ["quantity", "unit_price_excl_tax", "total_excl_tax"],
    )
    PurchaseOrderLine.objects.filter(pk__in=dropped).delete()
    if pieces_too_many([order]):
        raise WrongState(_("Le client n'en attend pas autant : %s part chez lui.") % order.number)
    order.total_excl_tax = sum((line.total_excl_tax for line in kept), ZERO)
    order.save(update_fields=["total_excl_tax"])
    expect_incoming(quantities=expected, warehouse=order.warehouse)
    record("purchase_order.changed", [order], actor=actor, total=str(order.total_excl_tax))
    return order


def send_order(
    *, order_id: int, at: datetime, by_email: bool = False, actor: Any = None
) -> PurchaseOrder:
    """Send an accepted order, by e-mail once this is committed, or mark it as sent. Twice is once.

    What goes straight to a customer is first kept to what the customer still wants.

    Raises:
        WrongState: it isn't accepted, or an e-mail is asked for and the supplier has none.
    """
    # In a transaction of its own: what nobody wants is off, even when nothing is left to send.
    keep_to_what_is_wanted(order_id=order_id)
    return _send(order_id, at, by_email=by_email, actor=actor)


@transaction.atomic
def _send(order_id: int, at: datetime, *, by_email: bool, actor: Any) -> PurchaseOrder:
    order = _lock_to_give(order_id)
    if order.status == Status.SENT:
        return order
    require(order, [Status.ACCEPTED])
    if by_email and not order.supplier.email:
        raise WrongState(
            _("%(supplier)s n'a pas d'adresse e-mail : ajoutez-la, ou marquez comme envoyée.")
            % {"supplier": order.supplier}
        )
    order.status, order.sent_at = Status.SENT, at
    order.given_address = _address_given(order)
    order.save(update_fields=["status", "sent_at", "given_address"])
    record("purchase_order.sent", [order], actor=actor, by_email=by_email)
    if by_email:
        announce(order_to_mail, order_id=order.pk)
    return order


def _lock_to_give(order_id: int) -> PurchaseOrder:
    """The order, locked; of a direct one so that its customer cancels before or after.

    Raises:
        WrongState: the customer has just changed what is wanted.
    """
    found = PurchaseOrder.objects.get(pk=order_id)
    if found.direct_delivery_id:
        products = found.lines.values_list("product_id", flat=True)
        lock_places((pk, found.warehouse_id) for pk in products)
    order = lock_purchase_orders([order_id]).select_related("supplier", "direct_delivery").get()
    if order.status == Status.ACCEPTED and pieces_too_many([order]):
        raise WrongState(
            _("Le client de %s vient de changer sa commande : relisez-la.") % order.number
        )
    return order


def _address_given(order: PurchaseOrder) -> str:
    return order.direct_delivery.address_key if order.direct_delivery else ""


def confirm_order(
    *,
    order_id: int,
    expected_on: date,
    at: datetime,
    supplier_reference: str = "",
    actor: Any = None,
) -> PurchaseOrder:
    """Note the supplier's confirmation and the day it promises; again moves the day.

    Raises:
        WrongState: the order isn't accepted, sent or confirmed.
    """
    keep_to_what_is_wanted(order_id=order_id)
    return _confirm(order_id, expected_on, at, supplier_reference, actor)


@transaction.atomic
def _confirm(
    order_id: int, expected_on: date, at: datetime, supplier_reference: str, actor: Any
) -> PurchaseOrder:
    order = _lock_to_give(order_id)
    require(order, EXPECTED)
    order.given_address = order.given_address or _address_given(order)
    if order.status != Status.PARTIALLY_RECEIVED:
        order.status = Status.CONFIRMED
    order.sent_at = order.sent_at or at
    order.confirmed_at, order.expected_on = at, expected_on
    order.supplier_reference = supplier_reference.strip()[:60] or order.supplier_reference
    order.save(
        update_fields=[
            "status",
            "sent_at",
            "confirmed_at",
            "expected_on",
            "supplier_reference",
            "given_address",
        ]
    )
    record("purchase_order.confirmed", [order], actor=actor, expected_on=expected_on.isoformat())
    return order


@transaction.atomic
def close_order(
    *, order_id: int, at: datetime, reason: str = "", actor: Any = None
) -> PurchaseOrder:
    """Expect nothing more of an order: cancelled when nothing came, else closed. Twice is once.

    What was still expected no longer is; the next run proposes it again if it is needed.

    Raises:
        WrongState: it is only proposed, or complete.
    """
    found = PurchaseOrder.objects.get(pk=order_id)
    lines = list(PurchaseOrderLine.objects.filter(purchase_order=order_id))
    lock_places((line.product_id, found.warehouse_id) for line in lines)
    order = lock_purchase_orders([order_id]).select_related("warehouse").get()
    if order.status in (Status.CLOSED, Status.CANCELLED):
        return order
    require(order, EXPECTED)
    lines = list(order.lines.all())
    expect_incoming(
        quantities={
            line.product_id: -max(line.quantity - line.quantity_received, ZERO) for line in lines
        },
        warehouse=order.warehouse,
    )
    came = any(line.quantity_received for line in lines)
    order.status = Status.CLOSED if came else Status.CANCELLED
    order.closed_at, order.note = at, (reason.strip() or order.note)[:200]
    order.save(update_fields=["status", "closed_at", "note"])
    record("purchase_order.closed", [order], actor=actor, reason=reason.strip()[:200])
    return order
