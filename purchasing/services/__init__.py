"""Writes of purchasing: proposals, decisions, receipts."""

from purchasing.services.adjustments import (
    adjust_forecast,
    call_exceptional,
    end_adjustment,
    withdraw_adjustment,
)
from purchasing.services.backtesting import (
    demand_backtest,
    replay_past,
    run_backtest,
    sample_backtest,
    start_backtest,
)
from purchasing.services.currencies import Terms, terms_on
from purchasing.services.decisions import (
    postpone_line,
    postpone_lines,
    refuse_line,
    refuse_proposal,
    set_quantity,
)
from purchasing.services.direct import bring_to_us, keep_to_what_is_wanted, pieces_too_many
from purchasing.services.expenses import Choice, Proposal, propose_expenses
from purchasing.services.invoices import (
    Charged,
    Expense,
    approve_supplier_invoice,
    cancel_supplier_invoice,
    dispute_supplier_invoice,
    enter_supplier_invoice,
)
from purchasing.services.landed import Share, enter_landed_costs, preview_landed_costs
from purchasing.services.mailing import mail_order, order_csv, order_pdf, orders_to_mail, slip_pdf
from purchasing.services.orders import (
    accept_proposal,
    change_order,
    close_order,
    confirm_order,
    create_order,
    send_order,
)
from purchasing.services.payments import cancel_supplier_payment, pay_supplier
from purchasing.services.policies import Learning
from purchasing.services.proposals import Proposals, propose_orders
from purchasing.services.receipts import (
    Arrived,
    receive_for_customer,
    receive_goods,
    return_to_supplier,
)
from purchasing.services.receptions import (
    Matched,
    enter_received,
    ignore_received,
    match_lines,
    receive_einvoice,
    say_supplier,
)
from purchasing.services.style_lines import spread_style

__all__ = [
    "Arrived",
    "Charged",
    "Choice",
    "Expense",
    "Learning",
    "Matched",
    "Proposal",
    "Proposals",
    "Share",
    "Terms",
    "accept_proposal",
    "adjust_forecast",
    "approve_supplier_invoice",
    "bring_to_us",
    "call_exceptional",
    "cancel_supplier_invoice",
    "cancel_supplier_payment",
    "change_order",
    "close_order",
    "confirm_order",
    "create_order",
    "demand_backtest",
    "dispute_supplier_invoice",
    "end_adjustment",
    "enter_landed_costs",
    "enter_received",
    "enter_supplier_invoice",
    "ignore_received",
    "keep_to_what_is_wanted",
    "mail_order",
    "match_lines",
    "order_csv",
    "order_pdf",
    "orders_to_mail",
    "pay_supplier",
    "pieces_too_many",
    "postpone_line",
    "postpone_lines",
    "preview_landed_costs",
    "propose_expenses",
    "propose_orders",
    "receive_einvoice",
    "receive_for_customer",
    "receive_goods",
    "refuse_line",
    "refuse_proposal",
    "replay_past",
    "return_to_supplier",
    "run_backtest",
    "sample_backtest",
    "say_supplier",
    "send_order",
    "set_quantity",
    "slip_pdf",
    "spread_style",
    "start_backtest",
    "terms_on",
    "withdraw_adjustment",
]
