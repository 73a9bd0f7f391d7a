"""Writes of the accounts: entries from documents, files for the accountant."""

from accounting_export.services.closing import close_month
from accounting_export.services.entries import PURCHASES_JOURNAL, SALES_JOURNAL
from accounting_export.services.exporting import export_journal, export_new, file_name
from accounting_export.services.fec import FECS, Encoding, Separator, is_long, make_fec
from accounting_export.services.hand_over import (
    answer,
    ask,
    make_pieces,
    mark_imported,
    pieces_path,
    start_pieces,
)
from accounting_export.services.lettering import letter_all, letter_invoices
from accounting_export.services.money import (
    post_arrivals,
    post_money,
    post_payments,
    post_payouts,
)
from accounting_export.services.posting import post_invoice, post_invoices, post_missing
from accounting_export.services.purchases import post_missing_purchases
from accounting_export.services.sending import send_due, send_waiting

__all__ = [
    "FECS",
    "PURCHASES_JOURNAL",
    "SALES_JOURNAL",
    "Encoding",
    "Separator",
    "answer",
    "ask",
    "close_month",
    "export_journal",
    "export_new",
    "file_name",
    "is_long",
    "letter_all",
    "letter_invoices",
    "make_fec",
    "make_pieces",
    "mark_imported",
    "pieces_path",
    "post_arrivals",
    "post_invoice",
    "post_invoices",
    "post_missing",
    "post_missing_purchases",
    "post_money",
    "post_payments",
    "post_payouts",
    "send_due",
    "send_waiting",
    "start_pieces",
]
