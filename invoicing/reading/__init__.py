"""Bank statements as files: CSV, OFX, CAMT.053; told by what they hold."""

from invoicing.reading.statements import BankRow, read_statement

__all__ = ["BankRow", "read_statement"]
