"""What stock refuses."""

from sphinx.core.errors import BusinessRuleError


class NotEnoughStock(BusinessRuleError):
    """More would leave than is set aside for it; on hand never goes below zero."""

    code = "inventory.not_enough"


class SerialRefused(BusinessRuleError):
    """A serial number is missing, unknown, elsewhere, or given twice."""

    code = "inventory.serial_refused"


class NobodyWaits(BusinessRuleError):
    """A supplier sent a customer more than the order still wants."""

    code = "inventory.nobody_waits"


class CountClosed(BusinessRuleError):
    """The stock count is posted or abandoned; it takes no more figures."""

    code = "inventory.count_closed"


class WrongTransferState(BusinessRuleError):
    """The transfer isn't in a state that allows it."""

    code = "inventory.transfer_state"
