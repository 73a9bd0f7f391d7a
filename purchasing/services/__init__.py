"""Writes of purchasing: proposals, decisions, receipts."""

from purchasing.services.backtesting import run_backtest, sample_backtest
from purchasing.services.decisions import (
    postpone_line,
    refuse_line,
    refuse_proposal,
    set_quantity,
)
from purchasing.services.orders import accept_proposal, send_order
from purchasing.services.policies import Learning
from purchasing.services.proposals import Proposals, propose_orders
from purchasing.services.receipts import receive_goods

__all__ = [
    "Learning",
    "Proposals",
    "accept_proposal",
    "postpone_line",
    "propose_orders",
    "receive_goods",
    "refuse_line",
    "refuse_proposal",
    "run_backtest",
    "sample_backtest",
    "send_order",
    "set_quantity",
]
