"""Goods sent to other states of the Union in a month, as the EMEBI asks for them.

The monthly survey on exchanges of goods within the Union (customs) wants, by customs code (CN8),
country of destination and country of origin: net mass in kg and value excl. tax. Goods count in
the month in which they left (regulation (EU) 2019/2152; BOD of the customs).
"""

from collections.abc import Iterable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from sales.models import DeliveryNote, DeliveryNoteLine
from sphinx.core.clock import start_of
from sphinx.core.money import HUNDRED, ZERO, to_cents
from sphinx.core.territories import EU_COUNTRIES, vat_place

_GRAM = Decimal("0.001")
_OTHERS = EU_COUNTRIES - {"FR"}
# How shops write them: Greece by the letters of its VAT numbers too, Northern Ireland as Britain.
_WRITTEN = _OTHERS | {"EL", "GB"}


class Sent(NamedTuple):
    """Goods of one code, destination and origin: pieces, net mass (kg), value (EUR excl. tax)."""

    customs_code: str
    country: str
    origin: str
    pieces: Decimal
    mass: Decimal
    value: Decimal


class Missing(NamedTuple):
    """An article that went to another state and lacks what the survey asks for."""

    product_id: int
    name: str
    without_code: bool
    without_origin: bool
    without_weight: bool


class Exchanges(NamedTuple):
    """What was sent in a month, and what can't be declared yet; blanks stay blank in the rows."""

    rows: list[Sent]
    missing: list[Missing]

    @property
    def mass(self) -> Decimal:
        return sum((row.mass for row in self.rows), ZERO)

    @property
    def value(self) -> Decimal:
        return sum((row.value for row in self.rows), Decimal("0.00"))


def exchanges_of(month: date) -> Exchanges:
    """Goods that left for other states in the civil month (Europe/Paris) of a day."""
    first = month.replace(day=1)
    after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    sums: dict[tuple[str, str, str], list[Decimal]] = {}
    missing: dict[int, Missing] = {}
    for line in _lines(first, after):
        ordered = line.order_line
        product = ordered.product
        assert product is not None  # noqa: S101 (chosen by it)
        weight = product.weight
        lacks = (not product.customs_code, not product.origin_country, weight is None)
        if any(lacks):
            missing[product.pk] = Missing(product.pk, str(product), *lacks)
        key = (product.customs_code, _destination(line), product.origin_country)
        found = sums.setdefault(key, [ZERO, ZERO, ZERO])
        found[0] += line.quantity
        found[1] += line.quantity * (weight or ZERO)
        found[2] += _value(line)
    rows = [
        Sent(*key, pieces, mass.quantize(_GRAM, rounding=ROUND_HALF_UP), to_cents(value))
        for key, (pieces, mass, value) in sorted(sums.items())
    ]
    return Exchanges(rows, sorted(missing.values(), key=lambda m: m.name))


def _lines(first: date, after: date) -> Iterable[DeliveryNoteLine]:
    lines = (
        DeliveryNoteLine.objects.filter(
            delivery_note__status=DeliveryNote.Status.SHIPPED,
            delivery_note__shipped_at__gte=start_of(first),
            delivery_note__shipped_at__lt=start_of(after),
            delivery_note__order__shipping_country__in=_WRITTEN,
            order_line__product__isnull=False,
        )
        .select_related("order_line__product", "delivery_note__order")
        .order_by("pk")
    )
    return (line for line in lines.iterator(chunk_size=2000) if _destination(line) in _OTHERS)


def _destination(line: DeliveryNoteLine) -> str:
    """Northern Ireland is XI; parts of a state that goods are exported to are none of the Union."""
    order = line.delivery_note.order
    return vat_place(order.shipping_country, order.shipping_postcode)


def _value(line: DeliveryNoteLine) -> Decimal:
    """What the customer pays for the pieces that left, VAT taken out (EUR)."""
    ordered = line.order_line
    paid = ordered.total_incl_tax - ordered.order_discount_incl_tax
    net = paid * HUNDRED / (HUNDRED + (ordered.tax_rate or ZERO))
    return net * line.quantity / ordered.quantity if ordered.quantity else ZERO
