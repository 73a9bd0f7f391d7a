"""What invoicing refuses."""

from sphinx.core.errors import BusinessRuleError


class DeliveryNoteNotShipped(BusinessRuleError):
    """Only what has left is invoiced."""

    code = "invoicing.not_shipped"


class DownPaymentRefused(BusinessRuleError):
    """An order has no part left that could be invoiced ahead."""

    code = "invoicing.down_payment_refused"


class GroupRefused(BusinessRuleError):
    """These delivery notes can't share an invoice."""

    code = "invoicing.group_refused"


class NothingKept(BusinessRuleError):
    """The shop keeps nothing of the order, or another amount than was shown."""

    code = "invoicing.nothing_kept"


class NothingToCredit(BusinessRuleError):
    """The invoice is already credited in full, or the amount is not positive."""

    code = "invoicing.nothing_to_credit"


class StructureRefused(BusinessRuleError):
    """A professional's document would not be a valid e-invoice: it isn't issued."""

    code = "invoicing.structure_refused"


class TaxUnexplained(StructureRefused):
    """An order without VAT that nothing explains: not invoiced before somebody says why."""

    code = "invoicing.tax_unexplained"


class NotBookable(StructureRefused):
    """The books have no account for a part of it: it gets no number before they have one."""

    code = "invoicing.not_bookable"


class PeriodClosed(BusinessRuleError):
    """The day is closed: nothing is dated in it any more."""

    code = "invoicing.period_closed"


class PaymentRefused(BusinessRuleError):
    """The payment can't be recorded as it is given."""

    code = "invoicing.payment_refused"


class NothingToSettle(BusinessRuleError):
    """There is no difference to write off, too large a one, or nothing to set off."""

    code = "invoicing.nothing_to_settle"


class NothingToRemind(BusinessRuleError):
    """The invoice is paid, not due yet, reminded three times, or nobody can be written to."""

    code = "invoicing.nothing_to_remind"


class PlatformNotReady(BusinessRuleError):
    """The e-invoicing platform isn't in use, or its settings lack something."""

    code = "invoicing.platform_not_ready"


class MovementMatched(BusinessRuleError):
    """The provider's movement is another order's, or isn't proposed for this one any more."""

    code = "invoicing.movement_matched"


class BankLineClosed(BusinessRuleError):
    """The line of the statement was matched or put aside already."""

    code = "invoicing.bank_line_closed"
