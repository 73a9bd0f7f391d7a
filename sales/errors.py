"""What sales refuses."""

from sphinx.core.errors import BusinessRuleError, InputError


class TotalMismatch(InputError):
    """The parts of an order don't add up to its total, to the cent."""

    code = "order.total_mismatch"


class TaxUndecided(InputError):
    """The VAT rate of a line is neither in the file, nor the product's, nor deducible."""

    code = "order.tax_undecided"


class NoExchangeRate(InputError):
    """No rate of the order's currency is known for its day."""

    code = "order.foreign_currency"


class CurrencyUnsaid(InputError):
    """The file names no currency, and the shop's isn't known."""

    code = "order.currency_unsaid"


class ChangedAfterDelivery(InputError):
    """The shop changed or cancelled what has already left: a return or credit decides."""

    code = "order.changed_after_delivery"


class NoteNotDraft(BusinessRuleError):
    """Only a delivery note in preparation can be shipped or cancelled."""

    code = "sales.note_not_draft"


class TooManyReturned(BusinessRuleError):
    """More would come back than left, or nothing at all."""

    code = "sales.too_many_returned"


class PackedOtherwise(BusinessRuleError):
    """What is in the parcel isn't what the delivery note says."""

    code = "sales.packed_otherwise"


class ReturnRefused(BusinessRuleError):
    """An announced return isn't at this step, or its count doesn't hold."""

    code = "sales.return_refused"


class QuoteRefused(BusinessRuleError):
    """A quote isn't at this step, or what was typed doesn't make one."""

    code = "sales.quote_refused"
