"""What stock refuses."""

from sphinx.core.errors import BusinessRuleError


class NotEnoughStock(BusinessRuleError):
    """More would leave than is set aside for it; on hand never goes below zero."""

    code = "inventory.not_enough"
