"""What sales refuses."""

from typing import Any

from sphinx.core.errors import BusinessRuleError, InputError


class TotalMismatch(InputError):
    """The parts of an order don't add up to its total, to the cent."""

    code = "order.total_mismatch"


class TaxUndecided(InputError):
    """The VAT rate of a line is neither in the file, nor the product's, nor deducible."""

    code = "order.tax_undecided"


class SharedCause(InputError):
    """What many orders lack alike; `own` is what each has for itself, `common` what all have."""

    def __init__(
        self, text: str, *, own: dict[str, str], common: dict[str, str], **where: Any
    ) -> None:
        shared = common | dict.fromkeys(own, "…")
        super().__init__(text % (common | own), cause=text % shared, **where)


class NoExchangeRate(SharedCause):
    """No rate of the order's currency is known for its day."""

    code = "order.foreign_currency"


class CurrencyUnsaid(SharedCause):
    """The file names no currency, and the shop's isn't known."""

    code = "order.currency_unsaid"


class ChangedAfterDelivery(InputError):
    """The shop changed or cancelled what has already left: a return or credit decides."""

    code = "order.changed_after_delivery"


class NoteNotDraft(BusinessRuleError):
    """Only a delivery note in preparation can be shipped or cancelled."""

    code = "sales.note_not_draft"


class RefundUnexplained(BusinessRuleError):
    """The shop refunded a part before anything left; nobody has said whether pieces stay."""

    code = "sales.refund_unexplained"


class TooManyReturned(BusinessRuleError):
    """More would come back than left, or nothing at all."""

    code = "sales.too_many_returned"


class NotDeliverable(BusinessRuleError):
    """What a supplier sent can't be delivered: cancelled, or in doubt."""

    code = "sales.not_deliverable"


class PackedOtherwise(BusinessRuleError):
    """What is in the parcel isn't what the delivery note says."""

    code = "sales.packed_otherwise"


class ReturnRefused(BusinessRuleError):
    """An announced return isn't at this step, or its count doesn't hold."""

    code = "sales.return_refused"


class QuoteRefused(BusinessRuleError):
    """A quote isn't at this step, or what was typed doesn't make one."""

    code = "sales.quote_refused"


class SameNumber(SharedCause):
    """Another live order of the shop has the same number under another key."""

    code = "order.same_number"


class ExemptionRefused(BusinessRuleError):
    """An answer on an order without VAT that can't be: nothing is asked, or its proof lacks."""

    code = "sales.exemption_refused"
