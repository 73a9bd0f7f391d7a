"""What invoicing refuses."""

from sphinx.core.errors import BusinessRuleError


class DeliveryNoteNotShipped(BusinessRuleError):
    """Only what has left is invoiced."""

    code = "invoicing.not_shipped"


class NothingToCredit(BusinessRuleError):
    """The invoice is already credited in full, or the amount is not positive."""

    code = "invoicing.nothing_to_credit"
