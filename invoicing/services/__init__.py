"""Writes of invoicing: invoices, credit notes, payments, PDFs."""

from invoicing.services.archiving import Archived, make_archive
from invoicing.services.closing import close_periods
from invoicing.services.credits import credit_invoice, credit_refunds
from invoicing.services.documents import render_pdfs
from invoicing.services.issuing import Issued, issue_invoice, issue_invoices, issue_shipped
from invoicing.services.payments import record_payment
from invoicing.services.structured import structured_xml

__all__ = [
    "Archived",
    "Issued",
    "close_periods",
    "credit_invoice",
    "credit_refunds",
    "issue_invoice",
    "issue_invoices",
    "issue_shipped",
    "make_archive",
    "record_payment",
    "render_pdfs",
    "structured_xml",
]
