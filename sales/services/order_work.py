"""What passes from hand to hand while a chunk of orders is applied."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from sales.drafts import OrderDraft
from sales.models import Order
from sales.services.pricing import PricedOrder
from sphinx.core.errors import InputError
from sphinx.core.exchange import Rate
from sphinx.core.texts import said


class Rejection(NamedTuple):
    """An order that was set aside: where in the file, why, what to do.

    `cause` is the message of all orders set aside for that reason; blank where each has its own.
    """

    line: int
    column: str
    code: str
    message: str
    external_id: str
    number: str
    cause: str = ""


class OrderChange(NamedTuple):
    """One thing that a shop changed on a known order; `field` in the words of the screen."""

    number: str
    field: str
    before: str
    after: str


@dataclass
class OrderResult:
    """What became of the drafts of a chunk; each is counted once."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    cancelled: int = 0
    customers_created: int = 0
    lines: int = 0
    reserved: Decimal = Decimal(0)
    rejections: list[Rejection] = field(default_factory=list)
    # Of orders that came in: what a person should look at.
    notes: list[Rejection] = field(default_factory=list)
    applied_ids: list[str] = field(default_factory=list)
    # Of them, those that were made or changed.
    written_ids: list[str] = field(default_factory=list)
    changes: list[OrderChange] = field(default_factory=list)


class Work(NamedTuple):
    """A draft that passed, with what it will become."""

    draft: OrderDraft
    priced: PricedOrder
    status: str
    content_hash: str
    lines_hash: str
    existing: Order | None
    original_currency: str = ""
    original_total: Decimal | None = None
    exchange_rate: Rate | None = None
    # The order that has left and that this one completes.
    completes: Order | None = None
    # The amounts and lines stay as they left; the complement has what is new.
    stays_as_it_left: bool = False
    # Placed before the shop's first day here.
    is_history: bool = False

    @property
    def is_sold_history(self) -> bool:
        """True for what customers bought before the shop's first day here."""
        return self.is_history and self.status not in (Order.Status.DRAFT, Order.Status.CANCELLED)

    @property
    def known_pk(self) -> int:
        """The id of the order that this one changes.

        Raises:
            ValueError: the order is new.
        """
        if self.existing is None:
            raise ValueError("a new order has no id yet")
        return self.existing.pk


def rejection(draft: OrderDraft, error: InputError) -> Rejection:
    """The error as a rejection of this order."""
    return Rejection(
        error.line or draft.line,
        error.column,
        error.code,
        error.message,
        draft.external_id,
        draft.number,
        error.context.get("cause", ""),
    )


def note(draft: OrderDraft, code: str, text: str, cause: str, **figures: object) -> Rejection:
    """What is to be looked at of an order that came in; `text` is filled with its figures."""
    message = text % said({"number": draft.number, **figures})
    return Rejection(draft.line, "", code, message, draft.external_id, draft.number, cause)
