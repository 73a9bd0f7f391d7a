"""What payment providers took and gave back, beside what the books say."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.db import transaction

from invoicing.events import money_moved
from invoicing.models import ProviderTransaction
from invoicing.reading import Movement, read_payouts
from sales.models import Order
from sphinx.core.events import announce
from sphinx.core.services import record


class PayoutsTaken(NamedTuple):
    """What a provider's file brought: movements, those that are new, rows left aside."""

    movements: int
    new: int
    faults: list[str]


@transaction.atomic
def import_payouts(*, name: str, data: bytes, actor: Any = None) -> PayoutsTaken:
    """Take in a provider's file; a movement that is known already is passed over.

    No payment is made of it: what the shop says was paid is booked with the order. The provider's
    word confirms it, adds the fees, or contradicts it (`provider_gaps`).

    Raises:
        InputError: it is no file of a known provider.
    """
    read = read_payouts(name, data)
    orders = _orders_of(read.movements)
    keys = {(m.provider, m.reference) for m in read.movements}
    known = set(
        ProviderTransaction.objects.filter(reference__in=[ref for _p, ref in keys]).values_list(
            "provider", "reference"
        )
    )
    fresh = {(m.provider, m.reference): m for m in read.movements} if read.movements else {}
    made = ProviderTransaction.objects.bulk_create(
        (
            ProviderTransaction(
                provider=m.provider,
                reference=m.reference,
                kind=m.kind,
                occurred_on=m.occurred_on,
                order_text=m.order_text,
                order_id=orders.get(_bare(m.order_text)),
                gross=m.gross,
                fee=m.fee,
                net=m.net,
                payout=m.payout,
                source_file=name[:200],
            )
            for key, m in fresh.items()
            if key not in known
        ),
        batch_size=1000,
    )
    if made:
        announce(money_moved)
    record("payouts.imported", made[:1], actor=actor, file=name, new=len(made))
    return PayoutsTaken(len(read.movements), len(made), read.faults)


def _bare(text: str) -> str:
    return text.strip().lstrip("#").casefold()


def _orders_of(movements: Iterable[Movement]) -> dict[str, int]:
    """Orders by the number that a file gives, with or without its #; two of a number are none."""
    texts = {_bare(m.order_text) for m in movements if m.order_text}
    wanted = texts | {f"#{text}" for text in texts} | {text.upper() for text in texts}
    wanted |= {f"#{text.upper()}" for text in texts}
    found: dict[str, set[int]] = {}
    for pk, number, external in Order.objects.filter(number__in=wanted).values_list(
        "pk", "number", "external_id"
    ):
        for name in (number, external):
            found.setdefault(_bare(name), set()).add(pk)
    return {name: next(iter(ids)) for name, ids in found.items() if len(ids) == 1}
