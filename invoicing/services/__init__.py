"""Writes of invoicing: invoices, credit notes, payments, PDFs."""

from invoicing.services.archiving import Archived, make_archive
from invoicing.services.banking import (
    confirm_paid_ahead,
    give_back_advance,
    ignore_line,
    import_statement,
    match_line,
    match_or_ask,
    match_order,
    match_orders,
    match_payout,
    match_proposed_orders,
    match_sure_lines,
)
from invoicing.services.closing import close_periods
from invoicing.services.credits import credit_invoice, credit_lines
from invoicing.services.documents import pdf_places, render_pdfs
from invoicing.services.down_payments import issue_down_payment
from invoicing.services.elsewhere import credit_elsewhere, left_to_credit_elsewhere
from invoicing.services.explained import take_tax_out_of
from invoicing.services.issuing import (
    Issued,
    issue_grouped,
    issue_invoice,
    issue_invoices,
    issue_shipped,
)
from invoicing.services.kept import issue_kept
from invoicing.services.payments import (
    enter_payment,
    record_payment,
    settle_paid_orders,
    settle_refunds,
)
from invoicing.services.payouts import (
    confirm_movement,
    import_payouts,
    link_movements,
    unlink_movements,
)
from invoicing.services.platform import Synced, sync_platform
from invoicing.services.pro_forma import pro_forma_pdf
from invoicing.services.refunds import credit_refunds
from invoicing.services.reminders import next_step, reminders_due, send_reminder
from invoicing.services.reporting import build_report, correct_report, make_due_reports
from invoicing.services.settling import set_off, write_off
from invoicing.services.statements import closing_pdf, statement_pdf
from invoicing.services.structured import structured_xml

__all__ = [
    "Archived",
    "Issued",
    "Synced",
    "build_report",
    "close_periods",
    "closing_pdf",
    "confirm_movement",
    "confirm_paid_ahead",
    "correct_report",
    "credit_elsewhere",
    "credit_invoice",
    "credit_lines",
    "credit_refunds",
    "enter_payment",
    "give_back_advance",
    "ignore_line",
    "import_payouts",
    "import_statement",
    "issue_down_payment",
    "issue_grouped",
    "issue_invoice",
    "issue_invoices",
    "issue_kept",
    "issue_shipped",
    "left_to_credit_elsewhere",
    "link_movements",
    "make_archive",
    "make_due_reports",
    "match_line",
    "match_or_ask",
    "match_order",
    "match_orders",
    "match_payout",
    "match_proposed_orders",
    "match_sure_lines",
    "next_step",
    "pdf_places",
    "pro_forma_pdf",
    "record_payment",
    "reminders_due",
    "render_pdfs",
    "send_reminder",
    "set_off",
    "settle_paid_orders",
    "settle_refunds",
    "statement_pdf",
    "structured_xml",
    "sync_platform",
    "take_tax_out_of",
    "unlink_movements",
    "write_off",
]
