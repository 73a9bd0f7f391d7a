"""What purchasing refuses."""

from sphinx.core.errors import BusinessRuleError


class WrongState(BusinessRuleError):
    """The purchase order isn't in a state that allows it."""

    code = "purchasing.wrong_state"


class AlreadyEntered(BusinessRuleError):
    """The supplier's invoice is known: the same is never entered twice."""

    code = "purchasing.already_entered"


class NoRate(BusinessRuleError):
    """No rate is known of a document's currency on its day."""

    code = "purchasing.no_rate"
