"""A whole run undone, while nothing of it has been delivered or invoiced."""

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from ftp_ingest.models import FeedRun, QuarantinedRow, ReceivedFile
from ftp_ingest.reading.drafts import OrderFile, survey
from ftp_ingest.reading.recognition import recognise
from ftp_ingest.selectors import states_said
from ftp_ingest.services.applying import Counts, apply_orders
from ftp_ingest.services.archive import archive_path
from ftp_ingest.services.mappings import own_dialects
from invoicing.receivables import advances_of
from invoicing.services import unlink_movements
from sales.models import Order
from sales.services import withdraw_orders
from sphinx.core import clock
from sphinx.core.errors import BusinessRuleError
from sphinx.core.models import AuditEvent, Shop
from sphinx.core.services import record

_OPEN = (Order.Status.DRAFT, Order.Status.CONFIRMED, Order.Status.CANCELLED)


class Undone(NamedTuple):
    """What an undoing did: orders taken out, orders as they were before, left as they are."""

    withdrawn: int
    restored: int
    kept: int


@transaction.atomic
def undo_run(*, run_id: int, actor: Any = None) -> Undone:
    """Take a run back: its new orders go, those it changed stand as their earlier file says.

    An order that a later file changed since stays as that file says. The files can be read
    again afterwards.

    Raises:
        BusinessRuleError: the run is under way or undone, or an order of it has been delivered,
            invoiced or paid ahead.
    """
    run = FeedRun.objects.select_for_update(no_key=True, of=("self",)).get(pk=run_id)
    if run.status in (FeedRun.Status.RUNNING, FeedRun.Status.UNDONE):
        raise BusinessRuleError(
            _("Ce passage est en cours ou déjà annulé."), code="run.not_undoable"
        )
    Shop.objects.select_for_update(no_key=True).get(pk=run.shop_id)
    hashes = list(run.files.filter(kind="orders").values_list("sha256", flat=True))
    orders = list(Order.objects.filter(shop=run.shop_id, source_sha256__in=hashes))
    gone = [o.number for o in orders if o.status not in _OPEN and not o.is_history]
    if gone:
        raise BusinessRuleError(
            _(
                "Ce passage ne peut plus être annulé : %(count)s commandes sont livrées ou "
                "facturées (%(numbers)s…). Faites des retours ou des avoirs."
            )
            % {"count": len(gone), "numbers": ", ".join(gone[:3])},
            code="run.delivered",
        )
    earlier, touched = _earlier_files(run.shop, hashes)
    fresh = [order.pk for order in orders if order.external_id not in earlier]
    changed = [order for order in orders if order.external_id in earlier]
    _check_unpaid(orders, fresh)
    unlink_movements(order_ids=fresh)
    withdrawn = withdraw_orders(order_ids=fresh, actor=actor)
    _restore(run.shop, changed, earlier)
    run.files.update(status=ReceivedFile.Status.UNDONE)
    QuarantinedRow.objects.filter(file__run=run, status=QuarantinedRow.Status.OPEN).update(
        status=QuarantinedRow.Status.DISMISSED, resolution=_("Passage annulé")
    )
    run.status = FeedRun.Status.UNDONE
    run.save(update_fields=["status"])
    undone = Undone(withdrawn, len(changed), len(touched - {o.external_id for o in changed}))
    record("run.undone", [run], actor=actor, **undone._asdict())
    return undone


def _check_unpaid(orders: Iterable[Order], fresh: Collection[int]) -> None:
    """Raises BusinessRuleError: money came in for an order that would go."""
    paid = advances_of(fresh)
    numbers = [order.number for order in orders if order.pk in paid]
    if numbers:
        raise BusinessRuleError(
            _(
                "Ce passage ne peut plus être annulé : un virement a été reçu pour %s. Annulez "
                "plutôt la commande."
            )
            % ", ".join(numbers[:3]),
            code="run.paid",
        )


def _earlier_files(shop: Shop, hashes: Iterable[str]) -> tuple[dict[str, str], set[str]]:
    """external id → hash of the file that an order stood as before; all that were changed."""
    events = AuditEvent.objects.filter(
        kind="order.updated", details__sha256__in=list(hashes), details__shop=shop.pk
    ).order_by("pk")
    earlier: dict[str, str] = {}
    for details in events.values_list("details", flat=True):
        # The first change of the run tells where the order stood before it.
        earlier.setdefault(details["external_id"], details["before"])
    return {key: sha for key, sha in earlier.items() if sha}, set(earlier)


def _restore(shop: Shop, orders: list[Order], earlier: dict[str, str]) -> None:
    by_file: dict[str, set[str]] = {}
    for order in orders:
        keys = by_file.setdefault(earlier[order.external_id], set())
        keys |= {order.external_id, order.number}
    states = states_said(shop)
    for sha256, keys in sorted(by_file.items()):
        file = ReceivedFile.objects.get(shop=shop, sha256=sha256)
        path = archive_path(sha256)
        found = recognise(path, file.dialect or "auto", own_dialects(shop))
        rows = OrderFile(path, found, survey(path, found), states)
        apply_orders(file, rows, Counts(), at=clock.now(), beat=lambda _line: None, only=keys)
