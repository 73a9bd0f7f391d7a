"""Personal data (GDPR): what each app holds of a customer, why, how long; told and forgotten.

Each app states its holdings in its privacy.py. What the law has kept (books, invoices: C. com. art.
L123-22, LPF art. L102 B) is told and stays; the rest is forgotten on request (GDPR art. 15 and 17).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from sphinx.core.errors import BusinessRuleError
from sphinx.core.models import Company
from sphinx.core.services import company, record

_Tell = Callable[[int], list[dict[str, Any]]]


@dataclass(frozen=True)
class Holding:
    """A kind of data: its title, purpose, legal basis and period, in words for the register.

    `tell` gives the rows of a customer, `forget` cuts them and says how many; without `forget` the
    law keeps them. `refuses` says why not yet, or "".
    """

    name: str
    title: Any
    purpose: Any
    basis: Any
    period: Any
    tell: _Tell | None = None
    forget: Callable[[int], int] | None = None
    refuses: Callable[[int], str] | None = None

    @property
    def is_forgotten(self) -> bool:
        """Whether it goes on request; the law keeps the rest."""
        return self.forget is not None


_holdings: dict[str, Holding] = {}


def holds(holding: Holding) -> Holding:
    """Enter it in the register."""
    _holdings[holding.name] = holding
    return holding


def holdings() -> list[Holding]:
    """The register (GDPR art. 30), by name."""
    return [_holdings[name] for name in sorted(_holdings)]


def told(customer_id: int) -> dict[str, list[dict[str, Any]]]:
    """All that is held of a customer, by holding (GDPR art. 15 and 20)."""
    return {h.name: h.tell(customer_id) for h in holdings() if h.tell}


def refusals(customer_id: int) -> list[str]:
    """Why the customer can't be forgotten yet; nothing stands against it when empty."""
    asked = (h.refuses(customer_id) for h in holdings() if h.refuses)
    return [reason for reason in asked if reason]


@transaction.atomic
def forget(customer_id: int, *, actor: Any = None) -> dict[str, int]:
    """Cut what the law doesn't keep (GDPR art. 17); how many rows of each holding. Twice is once.

    Raises:
        BusinessRuleError: something with the customer is still under way.
    """
    # Two at once take turns, and so does whoever changes the firm's settings.
    Company.objects.select_for_update(no_key=True).get(pk=company().pk)
    against = refusals(customer_id)
    if against:
        raise BusinessRuleError(" ".join(against), code="privacy.under_way")
    cut = {h.name: h.forget(customer_id) for h in holdings() if h.forget}
    record("customer.forgotten", [company()], actor=actor, customer=customer_id, cut=cut)
    return cut
