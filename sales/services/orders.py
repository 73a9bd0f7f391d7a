"""Orders of a shop, made or brought up to date, a chunk at a time.

A chunk is one transaction and a fixed number of statements, whatever its size. The shop's
key makes an order, a hash of what it says tells whether anything changed.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from customers.services import Source, upsert_customers
from inventory.locks import Place
from inventory.services import (
    ProductFacts,
    change_reservations,
    ensure_products,
    known_skus,
    warehouse_of,
)
from sales.drafts import OrderDraft
from sales.errors import ChangedAfterDelivery
from sales.events import shops_shipped
from sales.locks import lock_orders, lock_shop
from sales.models import Order, OrderLine
from sales.services.changes import goods_changes, goods_of, order_changes
from sales.services.complements import (
    Delivered,
    addition_of,
    complement_of,
    delivered_with_complements,
    pass_refunds_on,
)
from sales.services.currencies import in_euros, stated_rates, with_currencies
from sales.services.deeds import has_left, has_left_whole
from sales.services.deliveries import prepare_deliveries
from sales.services.direct import readdress
from sales.services.fingerprints import content_hash, lines_hash
from sales.services.free_lines import products_without_sku
from sales.services.identities import with_known_orders
from sales.services.order_deeds import tell_deeds
from sales.services.order_rows import (
    AS_IT_LEFT,
    LinePlan,
    OrderFacts,
    database_values,
    places_of_work,
    raw_hash_to_keep,
)
from sales.services.order_work import OrderChange, OrderResult, Work, rejection
from sales.services.pricing import PricedOrder, price_order
from sales.services.refund_notes import notes_on_refunds
from sales.services.releasing import OPEN_STATES, cancel_drafts, reservations_of
from sales.services.tax_notes import notes_on_tax
from sphinx.core.bulk import insert_rows, reserve_ids, update_rows
from sphinx.core.clock import PARIS, business_date
from sphinx.core.errors import ConflictError, InputError
from sphinx.core.events import announce
from sphinx.core.models import Shop
from sphinx.core.services import company, record_each
from sphinx.core.texts import sku_key

Status = Order.Status
EARLIEST = datetime(1995, 1, 1, tzinfo=PARIS)
# A shop's clock may be ahead, or its zone wrong, by less than a day.
TOMORROW = timedelta(days=1)


@transaction.atomic
def upsert_orders(
    *,
    shop: Shop,
    drafts: Sequence[OrderDraft],
    source: Source,
    at: datetime,
    makes_articles: bool = True,
) -> OrderResult:
    """Make or update the orders of one shop; the same again changes nothing.

    Confirmed orders get their goods set aside in the same transaction, cancelled ones give
    them back. Drafts must not repeat an `external_id`. What can't be applied comes back as
    a rejection; the others go on. Without `makes_articles` goods that have no SKU are free text.
    """
    lock_shop(shop)
    result = OrderResult()
    drafts = with_currencies(shop, drafts, result)
    drafts, known = with_known_orders(shop, drafts, result)
    changed, read_otherwise = _changed(drafts, known, result)
    if changed:
        _apply(shop, changed, known, source, at, result, makes_articles=makes_articles)
    # Last, and only rows that nobody holds: it spares a reading next time, no more.
    _remember_rows(read_otherwise)
    return result


def _apply(
    shop: Shop,
    changed: Sequence[tuple[OrderDraft, str, str]],
    known: Mapping[str, Order],
    source: Source,
    at: datetime,
    result: OrderResult,
    *,
    makes_articles: bool,
) -> None:
    existing = _whole(known, [d.external_id for d, _c, _l in changed])
    changed = _with_known_goods(shop, changed, result)
    products = ensure_products(
        {line.sku: line.label for d, _c, _l in changed for line in d.lines if line.sku}
    )
    if makes_articles:
        standing = _standing(shop, changed, existing)
        products |= products_without_sku(shop, [d for d, _c, _l in changed], standing, result)
    work = _decide(shop, changed, existing, products, at, result)
    if not work:
        return
    fresh = [w for w in work if w.existing is None]
    told = [w for w in work if w.existing is not None]
    # What both touch is locked at once: two locks of a transaction could cross another's.
    places = places_of_work(shop, told, products) if fresh and told else set()
    _insert(shop, fresh, products, source, at, result, places)
    _update(shop, told, products, source, at, result)
    _prepare_complements(shop, fresh, at)
    result.written_ids += [w.draft.external_id for w in work]
    result.applied_ids += result.written_ids
    _announce_shipments(shop, work)


def _announce_shipments(shop: Shop, work: Sequence[Work]) -> None:
    """What a shop that ships itself says has left becomes delivery notes after commit."""
    keys = [w.draft.external_id for w in work if has_left(w.draft)]
    if shop.ships_itself and keys:
        orders = Order.objects.filter(shop=shop, external_id__in=keys)
        announce(shops_shipped, order_ids=list(orders.values_list("pk", flat=True)))


def _whole(known: Mapping[str, Order], keys: Sequence[str]) -> dict[str, Order]:
    """The known orders with all that is compared, by their drafts' keys."""
    by_id = {known[key].pk: key for key in keys if key in known}
    orders = Order.objects.filter(pk__any_of=by_id.keys()).defer("note", "taxes")
    return {by_id[order.pk]: order for order in orders}


def _changed(
    drafts: Sequence[OrderDraft], known: Mapping[str, Order], result: OrderResult
) -> tuple[list[tuple[OrderDraft, str, str]], dict[int, tuple[str, datetime | None]]]:
    """The drafts that say something new, with their hashes; the others are counted.

    Also the rows of orders that say the same in other words: order id → what knows them again,
    and when the shop last changed it.
    """
    changed, read_otherwise = [], {}
    for draft in drafts:
        lines = lines_hash(draft)
        content = content_hash(draft, lines)
        order = known.get(draft.external_id)
        if order is None or not (_is_older(draft, order) or _says_the_same(draft, order, content)):
            changed.append((draft, content, lines))
            continue
        result.unchanged += 1
        # It stands as the file says, or newer: a rejection of an earlier version is settled.
        result.applied_ids.append(draft.external_id)
        if _is_older(draft, order):
            result.changes.append(_older_state(draft, order))
            continue
        raw, changed_at = _raw_hash(order, draft), draft.changed_at or order.shop_changed_at
        if (raw and raw != order.raw_hash) or changed_at != order.shop_changed_at:
            read_otherwise[order.pk] = (raw or order.raw_hash, changed_at)
    return changed, read_otherwise


def _says_the_same(draft: OrderDraft, order: Order, content: str) -> bool:
    return order.content_hash == content and order.external_id == draft.external_id


def _is_older(draft: OrderDraft, order: Order) -> bool:
    """True when the shop has changed the order since this file."""
    known = order.shop_changed_at
    return known is not None and draft.changed_at is not None and draft.changed_at < known


def _older_state(draft: OrderDraft, order: Order) -> OrderChange:
    """What the run's page says of a state that came late: it isn't applied."""
    days = [
        f"{moment.astimezone(PARIS):%d/%m/%Y %H:%M}" if moment else ""
        for moment in (order.shop_changed_at, draft.changed_at)
    ]
    return OrderChange(draft.number, _("état plus ancien, ignoré"), *days)


def _raw_hash(order: Order, draft: OrderDraft) -> str:
    return raw_hash_to_keep(
        draft,
        total=order.total_incl_tax,
        original_currency=order.original_currency,
        is_cancelled=order.status == Status.CANCELLED,
    )


def _remember_rows(known: Mapping[int, tuple[str, datetime | None]]) -> None:
    free = Order.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
    rows = [(pk, *known[pk]) for pk in free.filter(pk__in=known).values_list("pk", flat=True)]
    if rows:
        update_rows(Order, ["raw_hash", "shop_changed_at"], rows)


def _standing(
    shop: Shop, changed: Sequence[tuple[OrderDraft, str, str]], existing: Mapping[str, Order]
) -> set[str]:
    """The keys of the known orders of which no line will be written anew."""
    return {
        draft.external_id
        for draft, _content, lines in changed
        if (known := existing.get(draft.external_id))
        and known.lines_hash == lines
        and (_is_fixed(known) or known.status == _status_of(shop, draft, known))
    }


def _with_known_goods(
    shop: Shop, changed: Sequence[tuple[OrderDraft, str, str]], result: OrderResult
) -> list[tuple[OrderDraft, str, str]]:
    """Without the orders that name an unknown article, where the shop wants those held back."""
    if not shop.quarantines_unknown_skus:
        return list(changed)
    known = known_skus({line.sku for d, _c, _l in changed for line in d.lines if line.sku})
    kept = []
    for item in changed:
        draft = item[0]
        strange = next((x for x in draft.lines if x.sku and sku_key(x.sku) not in known), None)
        if strange is None:
            kept.append(item)
            continue
        message = _(
            "Commande %(number)s, article « %(sku)s » : cette référence n'existe pas. Créez "
            "l'article, ou dites de quel article il s'agit, puis rejouez la commande."
        )
        error = InputError(
            message % {"number": draft.number, "sku": strange.sku},
            code="order.unknown_sku",
            line=strange.line or draft.line,
            column="sku",
        )
        result.rejections.append(rejection(draft, error))
    return kept


def _decide(
    shop: Shop,
    changed: Sequence[tuple[OrderDraft, str, str]],
    existing: Mapping[str, Order],
    products: Mapping[str, ProductFacts],
    at: datetime,
    result: OrderResult,
) -> list[Work]:
    rates = {key: facts.tax_rate for key, facts in products.items()}
    franchise = company().is_tax_exempt
    _learn_of_vat(shop, [draft for draft, _content, _lines in changed])
    exchange = stated_rates(draft for draft, _content, _lines in changed)
    left = delivered_with_complements(
        known
        for draft, _content, lines in changed
        if (known := existing.get(draft.external_id)) and _changed_after_leaving(known, lines)
    )
    work = []
    for given, content, lines in changed:
        draft = given
        known = existing.get(draft.external_id)
        try:
            _check_acceptable(draft, at)
            converted = in_euros(given, exchange, known)
            draft = converted.draft
            is_history = known.is_history if known else _is_before_us(shop, draft)
            status = (
                _status_of(shop, draft, known)
                if known
                else _wanted_status(shop, draft, is_history=is_history)
            )
            priced = price_order(
                draft,
                rates,
                franchise=franchise,
                states_vat=shop.states_vat,
                untaxed_rate=shop.untaxed_rate,
            )
            extra: list[Work] = []
            if known and _is_fixed(known):
                complement = _check_after_delivery(draft, priced, known, status, left.get(known.pk))
                extra = [_complement_work(complement, status, known)] if complement else []
        except InputError as error:
            result.rejections.append(rejection(draft, error))
            continue
        origin = (converted.currency, converted.total, converted.rate)
        keeps = known is not None and _is_fixed(known)
        if status != Status.CANCELLED and not keeps:
            result.notes += notes_on_tax(draft, priced, franchise=franchise)
        result.notes += notes_on_refunds(draft, known)
        work += extra
        work.append(
            Work(
                draft,
                priced,
                status,
                content,
                lines,
                known,
                *origin,
                stays_as_it_left=keeps,
                is_history=is_history,
            )
        )
    return work


def _learn_of_vat(shop: Shop, drafts: Sequence[OrderDraft]) -> None:
    """Note that the shop's exports state VAT; its row is locked."""
    if not shop.states_vat and any(t.amount for d in drafts for t in d.stated_taxes):
        shop.states_vat = True
        shop.save(update_fields=["states_vat"])


def _is_fixed(known: Order) -> bool:
    """True when something of it has left from here: what is sold can't change any more."""
    return not known.is_history and known.status not in OPEN_STATES


def _is_before_us(shop: Shop, draft: OrderDraft) -> bool:
    until = shop.history_until
    return until is not None and business_date(draft.placed_at) <= until


def _changed_after_leaving(known: Order, lines: str) -> bool:
    return _is_fixed(known) and known.lines_hash != lines


def _check_acceptable(draft: OrderDraft, at: datetime) -> None:
    """Refuse what can't be true: impossible dates."""
    if not EARLIEST <= draft.placed_at <= at + TOMORROW:
        raise InputError(
            _("Commande %(number)s : la date %(date)s est impossible.")
            % {"number": draft.number, "date": draft.placed_at.date().isoformat()},
            code="order.impossible_date",
            line=draft.line,
            column="placed_at",
        )


def _status_of(shop: Shop, draft: OrderDraft, known: Order) -> str:
    wanted = _wanted_status(shop, draft, is_history=known.is_history)
    unpaid = known.payment_status == Order.PaymentStatus.UNPAID
    if wanted == Status.DRAFT and known.status == Status.CONFIRMED and unpaid:
        # Somebody confirmed it here, the shop still waits for the money: it stays confirmed.
        return Status.CONFIRMED
    return wanted


def _wanted_status(shop: Shop, draft: OrderDraft, *, is_history: bool = False) -> str:
    refunded = draft.payment_status == Order.PaymentStatus.REFUNDED
    if draft.state == "cancelled" or (refunded and not (is_history and has_left(draft))):
        return Status.CANCELLED
    if is_history and has_left_whole(draft):
        return Status.INVOICED
    if draft.state == "pending" and not shop.confirms_unpaid:
        return Status.DRAFT
    return Status.CONFIRMED


def _check_after_delivery(
    draft: OrderDraft, priced: PricedOrder, known: Order, status: str, left: Delivered | None
) -> OrderDraft | None:
    """What has left stays: only payment and the undelivered rest may still change.

    Returns what the shop added since, if anything; `left` is None when the lines are the same.
    """
    refunded = draft.payment_status == Order.PaymentStatus.REFUNDED
    cancels_all = status == Status.CANCELLED and known.status != Status.PARTIALLY_DELIVERED
    if left is None and not (cancels_all and not refunded):
        return None
    if left is not None and status != Status.CANCELLED:
        addition = addition_of(draft, priced, left)
        if addition is not None:
            return None if addition.is_nothing else complement_of(draft, priced, left, addition)
    raise ChangedAfterDelivery(
        _(
            "Commande %(number)s : la boutique l'a modifiée ou annulée après livraison. "
            "Enregistrez un retour ou un avoir ; la commande reste comme livrée."
        )
        % {"number": draft.number},
        line=draft.line,
    )


def _complement_work(complement: OrderDraft, status: str, known: Order) -> Work:
    """Raises InputError: the goods added don't explain what they add to the total."""
    lines = lines_hash(complement)
    return Work(
        complement,
        price_order(complement, {}),
        status,
        content_hash(complement, lines),
        lines,
        None,
        completes=known,
    )


# --- Writing ------------------------------------------------------------------------------


def _insert(
    shop: Shop,
    work: Sequence[Work],
    products: Mapping[str, ProductFacts],
    source: Source,
    at: datetime,
    result: OrderResult,
    locked_places: Collection[Place] = (),
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
    facts = OrderFacts(shop, source, at, customers.ids)
    rows = [
        facts.values(w, customer_id) for w, customer_id in zip(work, customers.ids, strict=True)
    ]
    columns = ["id", *rows[0]]
    insert_rows(
        Order,
        columns,
        ((pk, *database_values(row)) for pk, row in zip(ids, rows, strict=True)),
    )
    plan = LinePlan(shop, work, products)
    reserved = change_reservations(
        demands=plan.demands, warehouse=warehouse_of(shop), locked_places=locked_places
    )
    plan.write(ids, reserved, result)
    for w in work:
        if w.completes:
            # Counted with the order that it completes.
            result.changes.append(
                OrderChange(w.completes.number, _("commande complémentaire"), "", w.draft.number)
            )
        elif w.status == Status.CANCELLED:
            result.cancelled += 1
        else:
            result.created += 1


def _prepare_complements(shop: Shop, work: Sequence[Work], at: datetime) -> None:
    """Delivery notes in preparation of what is added and there: the warehouse sees them."""
    keys = [w.draft.external_id for w in work if w.completes]
    if keys:
        orders = Order.objects.filter(shop=shop, external_id__in=keys, complements__isnull=False)
        prepare_deliveries(order_ids=orders.values_list("pk", flat=True), at=at)


def _update(
    shop: Shop,
    work: Sequence[Work],
    products: Mapping[str, ProductFacts],
    source: Source,
    at: datetime,
    result: OrderResult,
) -> None:
    if not work:
        return
    rebuilt = [w for w in work if _must_rebuild(w)]
    stopped = [w.known_pk for w in work if _stops_rest(w)]
    anew = [w.known_pk for w in rebuilt]
    told = [w for w in work if w.known_pk not in {*anew, *stopped} and not _changes_goods(w)]
    # Before the orders' locks: products first, then documents. What an order gives back and
    # what it asks anew go together, so that it doesn't lose its turn to those who wait.
    plan = LinePlan(shop, rebuilt, products)
    reserved = change_reservations(
        demands=plan.demands,
        warehouse=warehouse_of(shop),
        release_ids=reservations_of(stopped),
        forgotten_ids=reservations_of(anew),
        locked_ids=reservations_of([w.known_pk for w in told]),
    )
    locked = {o.pk: o for o in lock_orders(w.known_pk for w in work)}
    _check_still_as_read(work, locked)
    cancel_drafts([*anew, *stopped])
    facts = OrderFacts(shop, source, at, [locked[w.known_pk].customer_id for w in work])
    goods = goods_of([w.known_pk for w in work if _changes_goods(w)])
    fields: dict[str, Any] = {}
    for w in work:
        order = locked[w.known_pk]
        fields = facts.values(w, order.customer_id)
        if _is_fixed(order):
            fields |= {"status": order.status, "cancelled_at": order.cancelled_at}
            if _stops_rest(w):
                fields["status"] = Status.DELIVERED
        # A file that doesn't say when leaves what an earlier one said.
        for name in _KEPT_WHERE_UNSAID:
            fields[name] = fields[name] or getattr(order, name)
        if w.stays_as_it_left:
            fields |= {name: getattr(order, name) for name in AS_IT_LEFT}
        if w.status == Status.CANCELLED and order.status in OPEN_STATES:
            result.cancelled += order.status != Status.CANCELLED
            result.updated += order.status == Status.CANCELLED
        else:
            result.updated += 1
        result.changes += order_changes(order, fields)
        if _changes_goods(w) and not w.stays_as_it_left:
            result.changes += goods_changes(order, goods, w.priced.lines)
        for name, value in fields.items():
            setattr(order, name, value)
    Order.objects.bulk_update(locked.values(), [_field_name(n) for n in fields], batch_size=100)
    refunded = pass_refunds_on(o for o in locked.values() if o.status not in OPEN_STATES)
    if refunded:
        Order.objects.bulk_update(refunded, ["refunded_incl_tax", "payment_status"], batch_size=100)
    OrderLine.objects.filter(order_id__in=anew)._raw_delete("default")
    plan.write(anew, reserved, result)
    tell_deeds(shop, told, locked, result)
    readdress(work)
    _record_updates(work, locked, source)


_KEPT_WHERE_UNSAID = (
    "shop_changed_at",
    "shop_shipped_at",
    "shop_carrier",
    "shop_tracking_number",
    "payment_references",
)


def _record_updates(work: Sequence[Work], locked: Mapping[int, Order], source: Source) -> None:
    """Each with the file that it stood as before, so that a run can be undone."""
    record_each(
        "order.updated",
        (
            (
                locked[w.known_pk],
                {
                    "shop": locked[w.known_pk].shop_id,
                    "external_id": w.draft.external_id,
                    "file": source.file,
                    "sha256": source.sha256,
                    "before": w.existing.source_sha256 if w.existing else "",
                },
            )
            for w in work
        ),
    )


def _must_rebuild(work: Work) -> bool:
    order = work.existing
    return (
        order is not None
        and not _is_fixed(order)
        and (order.lines_hash != work.lines_hash or order.status != work.status)
    )


def _changes_goods(work: Work) -> bool:
    return work.existing is not None and work.existing.lines_hash != work.lines_hash


def _stops_rest(work: Work) -> bool:
    order = work.existing
    return (
        order is not None
        and order.status == Status.PARTIALLY_DELIVERED
        and work.status == Status.CANCELLED
    )


def _check_still_as_read(work: Sequence[Work], locked: Mapping[int, Order]) -> None:
    """Raises ConflictError when somebody shipped or cancelled between our reading and lock."""
    for w in work:
        if w.existing is not None and locked[w.existing.pk].status != w.existing.status:
            raise ConflictError(
                _("La commande %(number)s vient de changer d'état : à relire.")
                % {"number": w.draft.number}
            )


_FOREIGN = ("shop_id", "customer_id", "complements_id")


def _field_name(attribute: str) -> str:
    return attribute.removesuffix("_id") if attribute in _FOREIGN else attribute
