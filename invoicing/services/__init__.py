"""Writes of invoicing: invoices, credit notes, payments, PDFs."""

from invoicing.services.credits import credit_invoice, credit_refunds
from invoicing.services.documents import render_pdfs
from invoicing.services.issuing import issue_invoice, issue_invoices
from invoicing.services.payments import record_payment

__all__ = [
    "credit_invoice",
    "credit_refunds",
    "issue_invoice",
    "issue_invoices",
    "record_payment",
    "render_pdfs",
]
