"""What a newer file changes on orders that are known: told before it is written over."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from sales.models import Order, OrderLine
from sales.services.order_work import OrderChange
from sales.services.pricing import PricedLine
from sphinx.core.clock import PARIS
from sphinx.core.money import plain

# What people want to see; hashes and origins change with every file.
_SHOWN = (
    "status payment_status payment_method placed_at paid_at total_incl_tax total_tax "
    "shipping_incl_tax discount_incl_tax refunded_incl_tax vat_number stated_vat_number note "
    "billing_name billing_company billing_address1 billing_address2 billing_postcode billing_city "
    "billing_country shipping_name shipping_company shipping_address1 shipping_address2 "
    "shipping_postcode shipping_city shipping_country"
).split()


def order_changes(order: Order, values: Mapping[str, Any]) -> list[OrderChange]:
    """The shown fields of `order` that `values` would change."""
    return [
        OrderChange(
            order.number,
            str(getattr(Order._meta.get_field(name), "verbose_name", name)),
            _text(name, getattr(order, name)),
            _text(name, values[name]),
        )
        for name in _SHOWN
        # A deferred note isn't fetched to be compared.
        if name in order.__dict__ and name in values and order.__dict__[name] != values[name]
    ]


def goods_of(order_ids: Sequence[int]) -> dict[int, list[str]]:
    """Each order's goods as "2 × SKU"; one query."""
    found: dict[int, list[str]] = defaultdict(list)
    if not order_ids:
        return found
    rows = OrderLine.objects.filter(order_id__in=order_ids).order_by("order_id", "position")
    for order_id, sku, label, quantity in rows.values_list("order_id", "sku", "label", "quantity"):
        found[order_id].append(f"{plain(quantity)} × {sku or label}")
    return found


def goods_changes(
    order: Order, goods: Mapping[int, Sequence[str]], lines: Sequence[PricedLine]
) -> list[OrderChange]:
    """The goods before and after, when they differ."""
    before = ", ".join(goods.get(order.pk, ()))
    after = ", ".join(f"{plain(p.draft.quantity)} × {p.draft.sku or p.draft.label}" for p in lines)
    return [OrderChange(order.number, _("articles"), before, after)] if before != after else []


def _text(name: str, value: Any) -> str:
    if name == "status":
        return str(Order.Status(value).label)
    if name == "payment_status":
        return str(Order.PaymentStatus(value).label)
    if isinstance(value, datetime):
        return f"{value.astimezone(PARIS):%d/%m/%Y %H:%M}"
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    return str(value or "")
