"""Writes of the accounts: entries from documents, files for the accountant."""

from accounting_export.services.closing import close_month
from accounting_export.services.entries import PURCHASES_JOURNAL, SALES_JOURNAL
from accounting_export.services.exporting import export_journal
from accounting_export.services.lettering import letter_all, letter_invoices
from accounting_export.services.money import (
    post_arrivals,
    post_money,
    post_payments,
    post_payouts,
)
from accounting_export.services.posting import post_invoice, post_invoices, post_missing
from accounting_export.services.purchases import post_missing_purchases

__all__ = [
    "PURCHASES_JOURNAL",
    "SALES_JOURNAL",
    "close_month",
    "export_journal",
    "letter_all",
    "letter_invoices",
    "post_arrivals",
    "post_invoice",
    "post_invoices",
    "post_missing",
    "post_missing_purchases",
    "post_money",
    "post_payments",
    "post_payouts",
]
