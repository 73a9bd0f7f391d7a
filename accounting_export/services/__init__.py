"""Writes of the accounts: entries from issued documents, files for the accountant."""

from accounting_export.services.exporting import export_journal
from accounting_export.services.posting import post_invoice, post_invoices, post_missing

__all__ = ["export_journal", "post_invoice", "post_invoices", "post_missing"]
