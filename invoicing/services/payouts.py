"""What payment providers took and gave back, beside what the books say."""

from collections.abc import Collection
from datetime import date
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from invoicing.errors import MovementMatched
from invoicing.events import money_moved
from invoicing.models import ProviderTransaction
from invoicing.provider_matching import orders_found, orders_proposed
from invoicing.reading import read_payouts
from sphinx.core.events import announce
from sphinx.core.services import record

MatchedBy = ProviderTransaction.MatchedBy


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
                description=m.description,
                payment_references=m.payment_references,
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
        link_movements(since=min(m.occurred_on for m in made))
        announce(money_moved)
    record("payouts.imported", made[:1], actor=actor, file=name, new=len(made))
    return PayoutsTaken(len(read.movements), len(made), read.faults)


@transaction.atomic
def link_movements(*, since: date) -> int:
    """Give movements without an order the one that they name; returns how many got theirs.

    What comes before its order is told again at each sweep.
    """
    waiting = ProviderTransaction.objects.filter(order=None, occurred_on__gte=since).exclude(
        kind=ProviderTransaction.Kind.PAYOUT
    )
    locked = list(waiting.select_for_update(of=("self",), no_key=True).order_by("pk"))
    found = orders_found(locked)
    linked = [m for m in locked if m.pk in found]
    for movement in linked:
        movement.order_id, movement.matched_by = found[movement.pk]
    ProviderTransaction.objects.bulk_update(linked, ["order", "matched_by"], batch_size=500)
    return len(linked)


def unlink_movements(*, order_ids: Collection[int]) -> None:
    """Let movements wait again whose order is taken out."""
    ProviderTransaction.objects.filter(order__in=order_ids).update(order=None, matched_by="")


@transaction.atomic
def confirm_movement(*, movement_id: int, order_id: int, actor: Any = None) -> ProviderTransaction:
    """Say that a movement is for an order that looks like it. Twice is once.

    Raises:
        MovementMatched: it is another order's, or that order isn't proposed any more.
    """
    movement = ProviderTransaction.objects.select_for_update(of=("self",), no_key=True).get(
        pk=movement_id
    )
    if movement.order_id == order_id:
        return movement
    proposed = orders_proposed([movement]).get(movement.pk, [])
    if order_id not in [order.pk for order in proposed]:
        raise MovementMatched(
            _("%s : cette commande n'est plus proposée. Relisez la page.") % movement
        )
    movement.order_id, movement.matched_by = order_id, MatchedBy.PROPOSAL
    movement.save(update_fields=["order", "matched_by"])
    record("payouts.confirmed", [movement], actor=actor, order=order_id)
    # Its refunds cite it.
    link_movements(since=movement.occurred_on)
    return movement
