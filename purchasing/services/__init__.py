"""Writes of purchasing: proposals, decisions, receipts."""

from purchasing.services.orders import accept_proposal, refuse_proposal, send_order, set_quantity
from purchasing.services.proposals import Proposals, propose_orders
from purchasing.services.receipts import receive_goods

__all__ = [
    "Proposals",
    "accept_proposal",
    "propose_orders",
    "receive_goods",
    "refuse_proposal",
    "send_order",
    "set_quantity",
]
