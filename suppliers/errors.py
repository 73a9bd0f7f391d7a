"""What suppliers refuse."""

from sphinx.core.errors import BusinessRuleError


class PriceListClosed(BusinessRuleError):
    """The price list was applied or put aside: it changes nothing any more."""

    code = "price_list.closed"
