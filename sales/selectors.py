"""Reads of sales: what is ready, what waits, an order by its number."""

import operator
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import reduce
from typing import Any, NamedTuple

from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Greatest
from django.utils.translation import gettext as _

from customers.selectors import customers_called
from inventory.models import Product
from sales.models import (
    DeliveryNote,
    DeliveryNoteLine,
    Order,
    OrderLine,
    Quote,
    ReturnRequest,
    ReturnRequestLine,
)
from sphinx.core import clock
from sphinx.core.clock import start_of
from sphinx.core.errors import InputError
from sphinx.core.lookups import beginning
from sphinx.core.models import Shop
from sphinx.core.money import HUNDRED, to_unit_price
from sphinx.core.territories import NORTHERN_IRELAND
from sphinx.core.vat import TaxRegime
from sphinx.core.vat_rates import RatePeriod, rate_periods

FOREIGN_RATE_DAYS = 30
# A quote is followed up this many days before it ends.
FOLLOW_UP_DAYS = 7
DELIVERABLE = (Order.Status.CONFIRMED, Order.Status.PARTIALLY_DELIVERED)


# Of a line, the pieces that no delivery note has to take any more.
_NOT_WANTED = F("quantity_delivered") + F("quantity_removed") + F("quantity_gone")


class OrderAsRead(NamedTuple):
    """An order that stands as a file's rows say."""

    raw_hash: str
    external_id: str
    number: str
    status: str
    placed_at: datetime
    total_incl_tax: Decimal


def orders_as_read(shop: Shop, rows: Mapping[str, str]) -> dict[str, OrderAsRead]:
    """Orders whose rows are known, by `raw_hash`; `rows` is the shop's key or number → hash.

    Of a shop that says it sells in another currency none is: it may have said so since.
    """
    hashes = {raw for raw in rows.values() if raw}
    if not hashes or shop.currency not in ("", "EUR"):
        return {}
    known: dict[str, OrderAsRead] = {}
    # Two lookups by an index each: together they would be one without.
    for field in ("external_id__any_of", "number__any_of"):
        keys = {key for key, raw in rows.items() if raw not in known}
        found = Order.objects.filter(shop=shop, **{field: keys}) if keys else Order.objects.none()
        orders = (OrderAsRead(*row) for row in found.values_list(*OrderAsRead._fields))
        known |= {order.raw_hash: order for order in orders if order.raw_hash in hashes}
    return known


def orders_ready_to_deliver(on: date | None = None) -> QuerySet[Order]:
    """Orders with something to pick and no delivery note in preparation, oldest first.

    Something to pick is goods set aside, or what isn't goods (gift card, free text). What a shop
    ships itself, what was sold before its first day here, what a refund leaves in doubt, and what
    comes out after that day (today) isn't prepared.
    """
    pickable = OrderLine.objects.filter(
        Q(reservation__allocated__gt=0)
        | Q(product__isnull=True, quantity_delivered=0, quantity__gt=_NOT_WANTED),
        ~Exists(_not_out_yet(on or clock.today())),
        order=OuterRef("pk"),
    )
    drafts = DeliveryNote.objects.filter(order=OuterRef("pk"), status=DeliveryNote.Status.DRAFT)
    return Order.objects.filter(
        Exists(pickable),
        ~Exists(drafts),
        status__in=DELIVERABLE,
        is_history=False,
        refund_asked_incl_tax=0,
        shop__ships_itself=False,
    ).order_by("placed_at", "pk")


def _not_out_yet(on: date) -> QuerySet[Product]:
    """The line's product, where it or a part of it comes out later."""
    return Product.objects.filter(
        Q(released_on__gt=on) | Q(components__component__released_on__gt=on),
        pk=OuterRef("product"),
    )


def lines_not_out_yet(lines: QuerySet[OrderLine], on: date) -> dict[int, date]:
    """Of lines, those whose goods come out after that day: line id → the day."""
    found = lines.annotate(
        day=Greatest(
            Coalesce("product__released_on", on),
            Coalesce(Max("product__components__component__released_on"), on),
        )
    )
    return dict(found.filter(day__gt=on).values_list("pk", "day"))


def notes_to_ship() -> QuerySet[DeliveryNote]:
    """Delivery notes in preparation, oldest first."""
    return DeliveryNote.objects.filter(status=DeliveryNote.Status.DRAFT).order_by("pk")


def notes_short_of_stock() -> QuerySet[DeliveryNote]:
    """Notes in preparation that hold goods which are no longer set aside for their order."""
    gone = DeliveryNoteLine.objects.filter(
        delivery_note=OuterRef("pk"), quantity__gt=F("order_line__reservation__allocated")
    )
    return DeliveryNote.objects.filter(Exists(gone), status=DeliveryNote.Status.DRAFT)


def notes_in_doubt() -> QuerySet[DeliveryNote]:
    """Notes in preparation of orders whose refund nobody has explained yet."""
    return DeliveryNote.objects.filter(
        status=DeliveryNote.Status.DRAFT, order__refund_asked_incl_tax__gt=0
    )


def orders_in_doubt() -> QuerySet[Order]:
    """Orders of which a part was refunded before they left, nobody has said why; oldest first."""
    return Order.objects.filter(
        status__in=DELIVERABLE, is_history=False, refund_asked_incl_tax__gt=0
    ).order_by("placed_at", "pk")


def orders_without_tax_reason() -> QuerySet[Order]:
    """Orders without VAT, of goods or services that were paid for, where neither the destination
    nor a VAT number nor a person says why; the oldest first."""
    lines = OrderLine.objects.filter(order=OuterRef("pk"))
    paid_for = lines.filter(
        kind__in=(OrderLine.Kind.GOODS, OrderLine.Kind.FEE),
        total_incl_tax__gt=0,
    )
    return Order.objects.filter(
        Exists(paid_for),
        # The VAT of a few cents is 0 too.
        ~Exists(lines.filter(tax_rate__gt=0)),
        tax_regime=TaxRegime.DOMESTIC,
        exemption="",
        total_tax=0,
        total_incl_tax__gt=0,
        is_history=False,
        invoiced_elsewhere=False,
    ).order_by("placed_at", "pk")


def orders_to_take_over() -> QuerySet[Order]:
    """Open orders of before their shop's first day here, oldest first."""
    return Order.objects.filter(
        is_history=True, status__in=(Order.Status.DRAFT, Order.Status.CONFIRMED)
    ).order_by("placed_at", "pk")


def sold_elsewhere() -> QuerySet[Order]:
    """What was sold and invoiced by another program; statistics count it apart."""
    return Order.objects.filter(Q(is_history=True) | Q(invoiced_elsewhere=True)).exclude(
        status__in=(Order.Status.DRAFT, Order.Status.CANCELLED)
    )


def shipped_by_shops() -> QuerySet[Order]:
    """Open orders of which their shop says that more left than by our notes, oldest first."""
    left = OrderLine.objects.filter(
        quantity_shipped__gt=F("quantity_delivered"),
        quantity__gt=F("quantity_delivered") + F("quantity_removed"),
    )
    return Order.objects.filter(
        pk__in=left.values("order"), status__in=DELIVERABLE, is_history=False
    ).order_by("placed_at", "pk")


def lines_still_wanted() -> QuerySet[OrderLine]:
    """Lines of which a delivery note has still to take pieces."""
    return OrderLine.objects.filter(quantity__gt=_NOT_WANTED)


def lines_waiting_for_stock() -> QuerySet[OrderLine]:
    """Lines of open orders for which stock is short, oldest order first.

    What suppliers send themselves waits for no stock, nor does what isn't out yet.
    """
    return (
        OrderLine.objects.filter(
            ~Exists(_not_out_yet(clock.today())),
            order__status__in=DELIVERABLE,
            reservation__quantity__gt=F("reservation__allocated"),
            reservation__direct__isnull=True,
        )
        .select_related("order", "reservation")
        .order_by("order__placed_at", "order_id", "position")
    )


def orders_at_foreign_rates(today: date) -> QuerySet[Order]:
    """Distance sales of the last 30 days with a rate that their destination doesn't know.

    The shop is set up wrongly: VAT is owed there at its own rates (CGI art. 258 A).
    """
    since = today - timedelta(days=FOREIGN_RATE_DAYS)
    recent = [p for p in rate_periods() if p.end is None or p.end > since]
    known = reduce(operator.or_, (_at_rates_of(period) for period in recent))
    foreign = OrderLine.objects.filter(order=OuterRef("pk"), tax_rate__gt=0).exclude(known)
    return Order.objects.filter(
        Exists(foreign), tax_regime=TaxRegime.OSS, placed_at__gte=start_of(since)
    ).exclude(status=Order.Status.CANCELLED)


def _at_rates_of(period: RatePeriod) -> Q:
    destination = Q(order__shipping_country=period.country) | Q(
        order__shipping_country="", order__billing_country=period.country
    )
    if period.country == NORTHERN_IRELAND:
        destination |= Q(order__shipping_country="GB", order__shipping_postcode__startswith="BT")
    then = Q(order__placed_at__gte=start_of(period.start))
    if period.end:
        then &= Q(order__placed_at__lt=start_of(period.end))
    return destination & then & Q(tax_rate__in=period.rates)


def missing_quantity(line: OrderLine) -> Decimal:
    """Pieces that the line still waits for."""
    reservation = line.reservation
    return reservation.quantity - reservation.allocated if reservation else Decimal(0)


# What a page of results asks for several times is looked up once, where it isn't too much.
_FEW = 2000


def orders_numbered(term: str) -> QuerySet[Order]:
    """Orders whose number begins so, with or without a #, or whose key at the shop it is."""
    number = beginning("number", term) | beginning("number", f"#{term}")
    return Order.objects.filter(number | Q(external_id=term))


def orders_found(term: str) -> QuerySet[Order]:
    """Orders called so, and those of the customers called so."""
    people = customers_called(term).values_list("pk", flat=True)
    theirs = Order.objects.filter(customer__in=_looked_up(people)).order_by()
    found = orders_numbered(term).order_by().values_list("pk").union(theirs.values_list("pk"))
    return Order.objects.filter(pk__in=_looked_up(found.values_list("pk", flat=True)))


def _looked_up(keys: QuerySet[Any, int]) -> QuerySet[Any, int] | list[int]:
    few = list(keys[: _FEW + 1])
    return few if len(few) <= _FEW else keys


def find_orders(number: str, shop_code: str | None = None) -> Sequence[Order]:
    """The order called `number` (or keyed so by its shop).

    Raises:
        InputError: there is none, or several shops have one and none was named.
    """
    found = Order.objects.filter(Q(number=number) | Q(external_id=number)).select_related("shop")
    if shop_code:
        found = found.filter(shop__code=shop_code)
    orders = list(found.order_by("pk")[:10])
    if not orders:
        raise InputError(_("Aucune commande « %s ».") % number, code="order.unknown")
    if len({o.shop_id for o in orders}) > 1:
        raise InputError(
            _("Plusieurs boutiques ont une commande « %(number)s » : ajoutez --shop (%(shops)s).")
            % {"number": number, "shops": ", ".join(o.shop.code for o in orders)},
            code="order.ambiguous",
        )
    return orders


def returnable(note: DeliveryNote) -> dict[int, Decimal]:
    """Pieces of each line that left, aren't back and aren't announced, by the line's id."""
    open_states = (ReturnRequest.Status.ANNOUNCED, ReturnRequest.Status.RECEIVED)
    left = {
        line.pk: line.quantity - line.quantity_returned
        for line in note.lines.filter(move__isnull=False)
    }
    announced = ReturnRequestLine.objects.filter(
        request__delivery_note=note, request__status__in=open_states
    )
    for pk, quantity in announced.values_list("note_line_id", "quantity"):
        left[pk] = left.get(pk, Decimal(0)) - quantity
    return left


def returns_to_examine() -> QuerySet[ReturnRequest]:
    """Parcels that came back and that nobody examined yet, oldest first."""
    return ReturnRequest.objects.filter(status=ReturnRequest.Status.RECEIVED).order_by(
        "received_at", "pk"
    )


def last_prices(product_ids: Collection[int]) -> dict[int, Decimal]:
    """What each product was last sold at: EUR excl. tax a piece, before discounts."""
    last = (
        OrderLine.objects.filter(product=OuterRef("product"))
        .order_by("-order__placed_at", "-pk")
        .values("pk")[:1]
    )
    lines = OrderLine.objects.filter(product__in=product_ids, pk=Subquery(last))
    return {
        product_id or 0: to_unit_price(price * HUNDRED / (HUNDRED + rate))
        for product_id, price, rate in lines.values_list(
            "product_id", "unit_price_incl_tax", "tax_rate"
        )
    }


def quotes_to_follow_up(today: date) -> QuerySet[Quote]:
    """Quotes without an answer whose validity ends within a week, or has ended."""
    return Quote.objects.filter(
        status=Quote.Status.SENT, valid_until__lte=today + timedelta(days=FOLLOW_UP_DAYS)
    ).order_by("valid_until", "pk")


# Names in orders older than this tell of what isn't sold any more.
NAMED_DAYS = 365


def names_in_orders(on: date) -> dict[int, str]:
    """How shops named the articles that are of no model yet, by product, the last name of each."""
    rows = (
        OrderLine.objects.filter(
            order__placed_at__gte=start_of(on - timedelta(days=NAMED_DAYS)),
            product__is_active=True,
            product__style__isnull=True,
        )
        .order_by()
        .values_list("product_id", "label")
        .annotate(last=Max("pk"))
    )
    return {pk: label for pk, label, _last in sorted(rows, key=lambda row: row[2]) if pk}


def lines_with_serials(note: DeliveryNote) -> set[int]:
    """The lines of a delivery note with pieces that have serial numbers, in bundles too."""
    itself = Q(order_line__product__tracks_serials=True)
    part = Q(order_line__reservation__components__product__tracks_serials=True)
    return set(note.lines.filter(itself | part).values_list("pk", flat=True))
