"""Reads of the accounts."""

from accounting_export.selectors.chart import expense_accounts
from accounting_export.selectors.exports import (
    Choice,
    Coverage,
    ExportLine,
    coverage,
    entries_to_export,
    invoices_of_batch,
    lines_query,
    lines_to_export,
)
from accounting_export.selectors.hand_over import open_questions, sending_settings, stuck_dispatches
from accounting_export.selectors.months import (
    first_open_day,
    fiscal_year,
    fiscal_years,
    month_sums,
    month_to_close,
    next_month,
)
from accounting_export.selectors.posting import (
    invoices_to_post,
    movements_to_post,
    payments_of,
    payments_to_post,
    payouts_to_post,
    purchases_to_post,
    purchases_to_reverse,
    supplier_payments_to_post,
    supplier_payments_to_reverse,
)

__all__ = [
    "Choice",
    "Coverage",
    "ExportLine",
    "coverage",
    "entries_to_export",
    "expense_accounts",
    "first_open_day",
    "fiscal_year",
    "fiscal_years",
    "invoices_of_batch",
    "invoices_to_post",
    "lines_query",
    "lines_to_export",
    "month_sums",
    "month_to_close",
    "movements_to_post",
    "next_month",
    "open_questions",
    "payments_of",
    "payments_to_post",
    "payouts_to_post",
    "purchases_to_post",
    "purchases_to_reverse",
    "sending_settings",
    "stuck_dispatches",
    "supplier_payments_to_post",
    "supplier_payments_to_reverse",
]
