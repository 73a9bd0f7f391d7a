"""Tiendanube: the sales export, semicolons, Spanish headings.

One row an article; the order's own columns are filled on its first row only, its number on
every one. Prices include tax; the file says nothing of it.
"""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from customers.drafts import AddressDraft, CustomerDraft
from ftp_ingest.dialects.base import (
    ORDERS,
    CustomerReader,
    Dialect,
    Header,
    Row,
    no_lines,
    register,
    require,
)
from ftp_ingest.dialects.columns import Columns, Entry, known_names
from ftp_ingest.dialects.deeds import has_left
from ftp_ingest.dialects.readers import (
    TableOrders,
    blank_cell,
    currency_of,
    key_of_person,
    no_customers,
    no_items,
    payment_references,
    read_states,
)
from sales.drafts import LineDraft, OrderDraft
from sphinx.core.money import ZERO
from sphinx.core.texts import fold

_ALIASES: dict[str, tuple[str, ...]] = {
    "number": ("Número de orden",),
    "order_id": ("Identificador de la orden",),
    "email": ("Email",),
    "date": ("Fecha",),
    "order_status": ("Estado de la orden",),
    "status": ("Estado del pago",),
    "fulfilment": ("Estado del envío",),
    "shipped_at": ("Fecha de envío",),
    "carrier": ("Medio de envío",),
    "tracking_number": ("Código de tracking del envío",),
    "currency": ("Moneda",),
    "discount": ("Descuento",),
    "shipping": ("Costo de envío",),
    "total": ("Total",),
    "payment_reference": ("Identificador de la transacción en el medio de pago",),
    "buyer": ("Nombre del comprador",),
    "phone": ("Teléfono",),
    "ship_name": ("Nombre para el envío",),
    "ship_phone": ("Teléfono para el envío",),
    "street": ("Dirección",),
    "house": ("Número",),
    "floor": ("Piso",),
    "locality": ("Localidad",),
    "city": ("Ciudad",),
    "postcode": ("Código postal",),
    "country": ("País",),
    "payment": ("Medio de pago",),
    "note": ("Notas del comprador",),
    "paid_at": ("Fecha de pago",),
    "name": ("Nombre del producto",),
    "price": ("Precio del producto",),
    "quantity": ("Cantidad del producto",),
    "sku": ("SKU",),
    "cancelled_at": ("Fecha y hora de cancelación",),
}
_NAMES = known_names(_ALIASES)
_SIGNATURE = tuple(map(fold, ("Número de orden", "Estado del pago", "Nombre del comprador")))
_PAYMENTS = {
    "recibido": ("confirmed", "paid"),
    "pagado": ("confirmed", "paid"),
    "pendiente": ("pending", "unpaid"),
    "autorizado": ("pending", "unpaid"),
    "reembolsado": ("confirmed", "refunded"),
    "rechazado": ("cancelled", "unpaid"),
    "anulado": ("cancelled", "unpaid"),
}


@register
class Tiendanube(Dialect):
    code = "tiendanube"
    label = "Tiendanube"

    def recognise(self, header: Header) -> tuple[str, int]:
        return (ORDERS, header.count(_NAMES)) if header.has(*_SIGNATURE) else ("", 0)

    def check_header(self, header: Header, kind: str) -> None:
        if not Columns(header, _ALIASES).has("quantity", "price"):
            raise no_lines(self.label, _("exportez les ventes avec le détail des produits"))
        require(header, self.label, _ALIASES["date"], _ALIASES["total"], _ALIASES["name"])

    def orders(self, header: Header) -> "TiendanubeOrders":
        return TiendanubeOrders(header)

    def customers(self, header: Header) -> CustomerReader:
        raise no_customers(self.label)


class TiendanubeOrders(TableOrders):
    """Reads orders."""

    def __init__(self, header: Header) -> None:
        super().__init__(header, _ALIASES, key="number", date="date", content=("name", "total"))

    def draft(self, rows: Sequence[Row]) -> OrderDraft:
        entries = [self._columns.entry(row) for row in rows]
        entry = entries[0]
        number = entry.plain("number")
        lines = [_line(e) for e in entries if e.raw("quantity").strip() not in ("", "0")]
        if not lines:
            raise no_items(number, entry, "quantity")
        if not entry.filled("total"):
            raise blank_cell(entry, "total")
        total = entry.amount("total")
        state, payment = read_states(entry, self.states, _PAYMENTS)
        stopped = entry.filled("cancelled_at") or fold(entry.raw("order_status")) == "cancelada"
        address = _address(entry)
        return OrderDraft(
            external_id=(entry.plain("order_id") or number)[:80],
            number=number[:80],
            placed_at=entry.moment("date"),
            state="cancelled" if stopped else state,
            payment_status=payment,
            customer=_customer(entry, address),
            lines=tuple(lines),
            total_incl_tax=total,
            billing=address._replace(name=entry.text("buyer") or address.name),
            shipping=address,
            currency=currency_of(entry),
            shipping_amount=entry.amount("shipping"),
            discount=entry.size("discount"),
            refunded=total if payment == "refunded" else ZERO,
            payment_method=entry.text("payment"),
            paid_at=entry.maybe_moment("paid_at"),
            cancelled_at=entry.maybe_moment("cancelled_at"),
            note=entry.text("note"),
            line=entry.line,
            is_shipped=has_left(entry.raw("fulfilment")),
            shipped_at=entry.maybe_moment("shipped_at"),
            carrier=entry.text("carrier") if entry.filled("shipped_at") else "",
            tracking_number=entry.plain("tracking_number"),
            payment_references=payment_references([entry], "payment_reference"),
        )


def _line(entry: Entry) -> LineDraft:
    if not entry.filled("price"):
        raise blank_cell(entry, "price")
    sku, name = entry.plain("sku"), entry.text("name")
    return LineDraft(
        sku=sku[:80],
        label=(name or sku or _("Article"))[:200],
        quantity=entry.quantity("quantity"),
        unit_price=entry.price("price"),
        line=entry.line,
    )


def _told(text: str) -> str:
    """The text, unless the export says that it isn't known."""
    return "" if fold(text) == "no informado" else text


def _address(entry: Entry) -> AddressDraft:
    street = " ".join(filter(None, (entry.text("street"), entry.text("house"))))
    return AddressDraft(
        name=_told(entry.text("ship_name")) or entry.text("buyer"),
        address1=street,
        address2=" ".join(filter(None, (entry.text("floor"), entry.text("locality")))),
        postcode=entry.plain("postcode"),
        city=entry.text("city") or entry.text("locality"),
        country=entry.country("country"),
        phone=entry.plain("ship_phone") or entry.plain("phone"),
    )


def _customer(entry: Entry, address: AddressDraft) -> CustomerDraft:
    first, _space, last = (entry.text("buyer") or address.name).partition(" ")
    email = entry.text("email")
    return CustomerDraft(
        ref="" if email else key_of_person(address),
        email=email,
        first_name=first,
        last_name=last,
        phone=entry.plain("phone"),
        address=address,
        line=entry.line,
    )
