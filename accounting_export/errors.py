"""What the accounts refuse."""

from sphinx.core.errors import BusinessRuleError, InputError


class NoAccount(BusinessRuleError):
    """No rule says which account an amount goes to."""

    code = "accounting.no_account"


class Unbalanced(BusinessRuleError):
    """Debit and credit differ: nothing is written."""

    code = "accounting.unbalanced"


class CannotClose(BusinessRuleError):
    """The month can't be closed yet, or is closed already."""

    code = "accounting.cannot_close"


class DoesNotFit(BusinessRuleError):
    """An account, a code or an amount is longer than the format's field: nothing is cut there."""

    code = "accounting.does_not_fit"


class NotAnswerable(BusinessRuleError):
    """A question or an answer that is none, or comes too late."""

    code = "accounting.not_answerable"


class NothingToExport(BusinessRuleError):
    """Only what is new was asked for, and every entry has been handed over."""

    code = "accounting.nothing_to_export"


class FecRefused(BusinessRuleError):
    """The year's FEC would be refused by the administration: no file is left."""

    code = "accounting.fec_refused"


class TooLarge(BusinessRuleError):
    """The file is more than an e-mail carries."""

    code = "accounting.too_large"


class UnknownFormat(InputError):
    """The accountant's format is not one of those that can be written."""

    code = "accounting.unknown_format"
