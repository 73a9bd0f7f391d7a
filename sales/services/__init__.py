"""Writes of sales: orders in, delivery notes out."""

from sales.services.articles import gather_articles
from sales.services.by_hand import (
    cancel_order,
    confirm_order,
    confirm_orders,
    prioritise_orders,
    withdraw_orders,
)
from sales.services.deliveries import (
    cancel_delivery_note,
    mark_invoiced,
    mark_kept,
    prepare_deliveries,
    prepare_delivery,
    ship_delivery_note,
    ship_delivery_notes,
)
from sales.services.direct import ship_from_supplier
from sales.services.dispatch import (
    CARRIERS,
    Tracked,
    import_tracking,
    mail_shipment,
    notes_to_mail,
    set_tracking,
    ship_parcel,
    tracking_url,
)
from sales.services.documents import render_delivery_pdfs, render_quote, render_return_slip
from sales.services.exemptions import charge_tax_within, explain_no_tax
from sales.services.history import (
    begin_history,
    leave_all_as_history,
    leave_as_history,
    make_history,
    take_over,
)
from sales.services.labels import FORMATS, labels_csv
from sales.services.merging import merge_customers
from sales.services.order_work import OrderChange, OrderResult, Rejection
from sales.services.orders import upsert_orders
from sales.services.parts import shipping_by_rate
from sales.services.pricing import (
    PricedLine,
    PricedOrder,
    RateTotal,
    order_taxes,
    price_order,
)
from sales.services.quote_mails import mail_quote, quotes_to_mail
from sales.services.quotes import (
    MAX_QUOTE_LINES,
    Offered,
    Terms,
    accept_quote,
    copy_quote,
    prolong_quote,
    refuse_quote,
    send_quote,
    start_quote,
    write_quote,
)
from sales.services.refund_answers import explain_refund, likely_pieces
from sales.services.retention import forget_inactive
from sales.services.return_requests import (
    abandon_return,
    announce_return,
    examine_return,
    receive_return,
)
from sales.services.returns import Back, return_goods
from sales.services.shop_shipments import left_without_note, ship_as_shop_did, ship_as_shops_did

__all__ = [
    "CARRIERS",
    "FORMATS",
    "MAX_QUOTE_LINES",
    "Back",
    "Offered",
    "OrderChange",
    "OrderResult",
    "PricedLine",
    "PricedOrder",
    "RateTotal",
    "Rejection",
    "Terms",
    "Tracked",
    "abandon_return",
    "accept_quote",
    "announce_return",
    "begin_history",
    "cancel_delivery_note",
    "cancel_order",
    "charge_tax_within",
    "confirm_order",
    "confirm_orders",
    "copy_quote",
    "examine_return",
    "explain_no_tax",
    "explain_refund",
    "forget_inactive",
    "gather_articles",
    "import_tracking",
    "labels_csv",
    "leave_all_as_history",
    "leave_as_history",
    "left_without_note",
    "likely_pieces",
    "mail_quote",
    "mail_shipment",
    "make_history",
    "mark_invoiced",
    "mark_kept",
    "merge_customers",
    "notes_to_mail",
    "order_taxes",
    "prepare_deliveries",
    "prepare_delivery",
    "price_order",
    "prioritise_orders",
    "prolong_quote",
    "quotes_to_mail",
    "receive_return",
    "refuse_quote",
    "render_delivery_pdfs",
    "render_quote",
    "render_return_slip",
    "return_goods",
    "send_quote",
    "set_tracking",
    "ship_as_shop_did",
    "ship_as_shops_did",
    "ship_delivery_note",
    "ship_delivery_notes",
    "ship_from_supplier",
    "ship_parcel",
    "shipping_by_rate",
    "start_quote",
    "take_over",
    "tracking_url",
    "upsert_orders",
    "withdraw_orders",
    "write_quote",
]
