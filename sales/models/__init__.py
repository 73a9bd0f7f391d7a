"""Tables of sales: quotes, orders, delivery notes, returns."""

from sales.models.deliveries import DeliveryNote, DeliveryNoteLine
from sales.models.orders import Order, OrderAddresses, OrderLine
from sales.models.quotes import Quote, QuoteLine
from sales.models.returns import GoodsReturn, GoodsReturnLine, ReturnRequest, ReturnRequestLine

__all__ = [
    "DeliveryNote",
    "DeliveryNoteLine",
    "GoodsReturn",
    "GoodsReturnLine",
    "Order",
    "OrderAddresses",
    "OrderLine",
    "Quote",
    "QuoteLine",
    "ReturnRequest",
    "ReturnRequestLine",
]
