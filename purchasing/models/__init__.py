"""Tables of purchasing: planning, orders, receipts, suppliers' invoices."""

from purchasing.models.invoices import (
    CostShare,
    ExpenseLine,
    ReceivedInvoice,
    SupplierInvoice,
    SupplierInvoiceLine,
)
from purchasing.models.orders import EXPECTED, PurchaseOrder, PurchaseOrderLine
from purchasing.models.payments import SupplierPayment, SupplierPaymentPart
from purchasing.models.planning import (
    Backtest,
    Decision,
    DemandAdjustment,
    ReplenishmentRules,
    StockPolicy,
)
from purchasing.models.receipts import Receipt, ReceiptLine, SupplierReturn, SupplierReturnLine

__all__ = [
    "EXPECTED",
    "Backtest",
    "CostShare",
    "Decision",
    "DemandAdjustment",
    "ExpenseLine",
    "PurchaseOrder",
    "PurchaseOrderLine",
    "Receipt",
    "ReceiptLine",
    "ReceivedInvoice",
    "ReplenishmentRules",
    "StockPolicy",
    "SupplierInvoice",
    "SupplierInvoiceLine",
    "SupplierPayment",
    "SupplierPaymentPart",
    "SupplierReturn",
    "SupplierReturnLine",
]
