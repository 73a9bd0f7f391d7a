"""Tables of invoicing: documents, payments, closings, the platform."""

from invoicing.models.closings import Closing
from invoicing.models.documents import (
    Invoice,
    InvoicedNote,
    InvoiceLine,
    InvoicePdf,
    TaxBreakdown,
)
from invoicing.models.payments import (
    BankLine,
    Payment,
    ProviderTransaction,
    Reminder,
    Transfer,
)
from invoicing.models.platform import (
    EInvoiceState,
    PlatformMessage,
    PlatformSettings,
    SalesReport,
)

__all__ = [
    "BankLine",
    "Closing",
    "EInvoiceState",
    "Invoice",
    "InvoiceLine",
    "InvoicePdf",
    "InvoicedNote",
    "Payment",
    "PlatformMessage",
    "PlatformSettings",
    "ProviderTransaction",
    "Reminder",
    "SalesReport",
    "TaxBreakdown",
    "Transfer",
]
