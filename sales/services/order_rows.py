"""An order as rows of the database: its columns, its lines, the goods that they ask for."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from customers.models import Customer
from customers.services import Source
from inventory.locks import Place, places_of
from inventory.services import Demand, ProductFacts, Reserved, places_asked, warehouse_of
from sales.drafts import OrderDraft
from sales.models import Order, OrderLine
from sales.services.currencies import EURO
from sales.services.deeds import Deeds, deeds_of_lines, refund_to_explain
from sales.services.direct import deliveries_of_work, is_sent_by_supplier, keep_deliveries
from sales.services.order_work import OrderResult, Work
from sales.services.pricing import PricedLine
from sales.services.releasing import reservations_of
from sphinx.core.bulk import insert_rows
from sphinx.core.exchange import Rate
from sphinx.core.models import Company, Shop
from sphinx.core.money import ZERO
from sphinx.core.services import company
from sphinx.core.texts import whole_words
from sphinx.core.validators import compact_vat_number, is_vat_number, unproven_vat_number
from sphinx.core.vat import regime_of

_NOTHING = Decimal(0)
_REFERENCES = 300
_LINE_COLUMNS = (
    "order_id position kind product_id sku label quantity quantity_delivered quantity_shipped "
    "quantity_refunded refunded_incl_tax quantity_removed removed_incl_tax quantity_gone "
    "unit_price_incl_tax tax_rate discount_incl_tax total_incl_tax order_discount_incl_tax "
    "reservation_id source_line"
).split()
# What was sold, and the file that said so: fixed once it has left.
AS_IT_LEFT = (
    "source_file source_sha256 source_line total_incl_tax total_tax shipping_incl_tax "
    "shipping_tax_rate discount_incl_tax taxes original_currency original_total exchange_rate "
    "exchange_rate_on exchange_rate_source"
).split()


class OrderFacts:
    """Turns a piece of work into the columns of Order, with what is the same for a chunk."""

    def __init__(
        self, shop: Shop, source: Source, at: datetime, customer_ids: Sequence[int]
    ) -> None:
        self.shop = shop
        self.source = source
        self.at = at
        self.firm: Company = company()
        self.vat_numbers = dict(
            Customer.objects.filter(pk__any_of=set(customer_ids))
            .exclude(vat_number="")
            .values_list("pk", "vat_number")
        )

    def values(self, work: Work, customer_id: int) -> dict[str, Any]:
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
        cancelled = work.status == Order.Status.CANCELLED
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
            "payment_references": whole_words(draft.payment_references, _REFERENCES),
            "placed_at": draft.placed_at,
            "paid_at": draft.paid_at,
            "cancelled_at": (draft.cancelled_at or self.at) if cancelled else None,
            "shop_changed_at": draft.changed_at,
            "currency": EURO,
            "original_currency": work.original_currency,
            "original_total": work.original_total,
            **_rate_columns(work.exchange_rate),
            "complements_id": work.completes.pk if work.completes else None,
            "vat_number": vat_number,
            "stated_vat_number": unproven_vat_number(draft.customer.vat_number),
            "tax_regime": regime,
            "total_incl_tax": draft.total_incl_tax,
            "total_tax": priced.total_tax,
            "shipping_incl_tax": priced.shipping,
            "shipping_tax_rate": priced.shipping_tax_rate,
            "discount_incl_tax": priced.discount,
            "refunded_incl_tax": draft.refunded,
            "shipping_refunded_incl_tax": draft.shipping_refunded,
            "refund_asked_incl_tax": self._refund_asked(work),
            "is_history": work.is_history,
            "shop_shipped_at": draft.shipped_at,
            "shop_carrier": draft.carrier[:60],
            "shop_tracking_number": draft.tracking_number[:60],
            "taxes": [
                {"rate": str(t.rate), "total_incl_tax": str(t.total), "tax": str(t.tax)}
                for t in priced.taxes
            ],
            "note": draft.note,
            "content_hash": work.content_hash,
            "lines_hash": work.lines_hash,
            "raw_hash": raw_hash_to_keep(
                draft,
                total=draft.total_incl_tax,
                original_currency=work.original_currency,
                is_cancelled=cancelled,
            )
            if not work.stays_as_it_left
            else "",
        }

    def _refund_asked(self, work: Work) -> Decimal:
        is_ours = not (work.is_history or self.shop.ships_itself)
        if work.status != Order.Status.CONFIRMED or not is_ours or not work.draft.refunded:
            return ZERO
        settled = work.existing.refund_settled_incl_tax if work.existing else ZERO
        return refund_to_explain(work.draft, deeds_of_work(self.shop, work), settled)


def raw_hash_to_keep(
    draft: OrderDraft, *, total: Decimal, original_currency: str, is_cancelled: bool
) -> str:
    """What knows the draft's rows again; blank where the order doesn't stand as they say.

    Who finds the same rows counts the order's own total and state in the shop's day.
    """
    stands_as_read = (
        not original_currency
        and total == draft.total_incl_tax
        and is_cancelled == (draft.state == "cancelled")
    )
    return draft.raw_hash if stands_as_read else ""


def _rate_columns(rate: Rate | None) -> dict[str, Any]:
    units, day, source = rate or (None, None, "")
    return {
        "exchange_rate": units,
        "exchange_rate_on": day,
        "exchange_rate_source": source,
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


def database_values(values: Mapping[str, Any]) -> list[Any]:
    return [json.dumps(v) if isinstance(v, list) else v for v in values.values()]


class LinePlan:
    """The lines to write for some orders, and the goods to set aside for the confirmed ones."""

    def __init__(
        self, shop: Shop, work: Sequence[Work], products: Mapping[str, ProductFacts]
    ) -> None:
        self.demands: list[Demand] = []
        # An order's place in `work`, rank, product, line, its deeds, place in `demands`.
        self._rows: list[tuple[int, int, int | None, PricedLine, Deeds, int | None]] = []
        direct: dict[int, list[int]] = {}
        for place, w in enumerate(work):
            is_wanted = w.status == Order.Status.CONFIRMED or w.is_sold_history
            done = deeds_of_work(shop, w)
            for position, line in enumerate(w.priced.lines, start=1):
                product = products.get(line.draft.article_key)
                deeds = done[position - 1]
                demand: int | None = None
                if product and is_wanted:
                    demand = len(self.demands)
                    self.demands.append(_demand(w.draft, product.pk, line, deeds))
                    if not w.is_history and is_sent_by_supplier(shop, product):
                        direct.setdefault(place, []).append(demand)
                self._rows.append((place, position, product and product.pk, line, deeds, demand))
        # An order's place in `work` → its direct delivery.
        self._deliveries = dict(
            zip(direct, deliveries_of_work([work[place] for place in direct]), strict=True)
        )
        for place, found in direct.items():
            for demand in found:
                self.demands[demand] = self.demands[demand]._replace(
                    direct_delivery_id=self._deliveries[place]
                )

    def write(self, order_ids: Sequence[int], reserved: Reserved, result: OrderResult) -> None:
        """Insert the lines; `order_ids` in the order of the work, goods as set aside."""
        insert_rows(
            OrderLine,
            _LINE_COLUMNS,
            (
                (
                    order_ids[place],
                    position,
                    line.draft.kind,
                    product_id,
                    line.draft.sku[:80],
                    line.draft.label[:200],
                    line.draft.quantity,
                    _NOTHING,
                    *deeds,
                    line.unit_price,
                    line.tax_rate,
                    line.discount,
                    line.total,
                    line.order_discount,
                    None if demand is None else reserved.reservation_ids[demand],
                    line.draft.line,
                )
                for place, position, product_id, line, deeds, demand in self._rows
            ),
        )
        keep_deliveries({order_ids[place]: pk for place, pk in self._deliveries.items()})
        result.lines += len(self._rows)
        result.reserved += reserved.allocated


def deeds_of_work(shop: Shop, work: Work) -> list[Deeds]:
    """What becomes of the lines of an order that is written whole."""
    return deeds_of_lines(
        work.draft,
        work.priced.lines,
        is_history=work.is_history,
        ships_itself=shop.ships_itself,
    )


def places_of_work(
    shop: Shop, work: Sequence[Work], products: Mapping[str, ProductFacts]
) -> set[Place]:
    """Where orders that are known hold goods, or will once they are brought up to date."""
    demands = [
        Demand(
            product.pk,
            line.draft.quantity,
            w.draft.placed_at,
            w.draft.number,
            direct_delivery_id=w.known_pk if is_sent_by_supplier(shop, product) else None,
        )
        for w in work
        for line in w.priced.lines
        if (product := products.get(line.draft.article_key))
    ]
    held = places_of(reservations_of([w.known_pk for w in work]))
    return held | places_asked(demands, warehouse_of(shop))


def _demand(draft: OrderDraft, product_id: int, line: PricedLine, deeds: Deeds) -> Demand:
    return Demand(
        product_id,
        line.draft.quantity - deeds.removed,
        draft.placed_at,
        draft.number,
        gone=deeds.gone,
    )
