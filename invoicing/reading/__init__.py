"""Files about money: bank statements, and what payment providers say; told by what they hold."""

from invoicing.reading.payouts import Movement, PayoutFile, read_payouts
from invoicing.reading.statements import BankRow, Statement, read_statement

__all__ = ["BankRow", "Movement", "PayoutFile", "Statement", "read_payouts", "read_statement"]
