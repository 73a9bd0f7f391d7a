"""What purchasing refuses."""

from sphinx.core.errors import BusinessRuleError


class WrongState(BusinessRuleError):
    """The purchase order isn't in a state that allows it."""

    code = "purchasing.wrong_state"
