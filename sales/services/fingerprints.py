"""What an order says, as a hash: the same again is known at a glance."""

import hashlib
from collections.abc import Iterable
from typing import Any

from sales.drafts import OrderDraft


def _digest(parts: Iterable[Any]) -> str:
    return hashlib.blake2b("\x1f".join(map(str, parts)).encode(), digest_size=16).hexdigest()


def lines_hash(draft: OrderDraft) -> str:
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
                f"\x1e{line.unit_price.normalize()}\x1e{line.tax_rate}\x1e{line.discount.normalize()}\x1e{line.kind}"
                for line in draft.lines
            ),
        ]
    )


def content_hash(draft: OrderDraft, lines: str) -> str:
    customer = draft.customer
    return _digest(
        [
            lines,
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
            *_deeds(draft),
        ]
    )


def _deeds(draft: OrderDraft) -> list[Any]:
    """What the shop already did; nothing where it did nothing."""
    said = [
        [n, line.shipped, line.cancelled, line.refunded, line.returned, line.refunded_amount]
        for n, line in enumerate(draft.lines)
        if line.shipped is not None
        or line.cancelled
        or line.refunded
        or line.refunded_amount is not None
    ]
    whole = (
        draft.is_shipped,
        draft.shipped_at,
        draft.carrier,
        draft.tracking_number,
        draft.shipping_refunded.normalize(),
    )
    return [said, whole] if said or any(whole) else []
