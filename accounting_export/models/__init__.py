"""Tables of the accounts."""

from accounting_export.models.batches import (
    EntryQuestion,
    ExportBatch,
    ExportedEntry,
    ImportedBatch,
    PiecesArchive,
)
from accounting_export.models.chart import Account, AccountRule, Journal, PaymentMeans
from accounting_export.models.entries import (
    JournalEntry,
    JournalLine,
    LetteredLine,
    PostedTransaction,
)
from accounting_export.models.periods import ClosedMonth
from accounting_export.models.sending import Dispatch, Sending

__all__ = [
    "Account",
    "AccountRule",
    "ClosedMonth",
    "Dispatch",
    "EntryQuestion",
    "ExportBatch",
    "ExportedEntry",
    "ImportedBatch",
    "Journal",
    "JournalEntry",
    "JournalLine",
    "LetteredLine",
    "PaymentMeans",
    "PiecesArchive",
    "PostedTransaction",
    "Sending",
]
