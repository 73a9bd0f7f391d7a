"""Tables of sales: quotes, orders, delivery notes, returns."""

from sales.models.deliveries import DeliveryNote, DeliveryNoteLine
from sales.models.orders import DirectOrder, Order, OrderAddresses, OrderLine
from sales.models.quotes import Quote, QuoteLine
from sales.models.returns import GoodsReturn, GoodsReturnLine, ReturnRequest, ReturnRequestLine

__all__ = [
    "DeliveryNote",
    "DeliveryNoteLine",
    "DirectOrder",
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
