"""Orders whose cause was settled here: they come in by themselves, file by file."""

from collections.abc import Collection, Iterator

import structlog
from django.db import transaction
from django.db.models import QuerySet

from ftp_ingest.errors import UNKNOWN_STATUS
from ftp_ingest.models import QuarantinedRow, ReceivedFile
from ftp_ingest.selectors import phrase_of, states_said
from ftp_ingest.services.mending import apply_alone, keys_of, waiting_drafts
from sales.errors import CurrencyUnsaid, NoExchangeRate
from sales.locks import lock_shop
from sphinx.core.errors import SphinxError
from sphinx.core.models import Shop
from sphinx.core.services import record

log = structlog.get_logger(__name__)


def replay_without_rate(*, currencies: Collection[str]) -> int:
    """Apply orders that wait for a rate of these currencies; how many came in."""
    waiting = _by_file(_open(NoExchangeRate.code))
    return sum(_replay(file, rows, set(currencies)) for file, rows in waiting)


def replay_without_currency(*, shop_id: int) -> int:
    """Apply orders that wait for their shop to say its currency; how many came in."""
    waiting = _by_file(_open(CurrencyUnsaid.code).filter(file__shop=shop_id))
    return sum(_replay(file, rows) for file, rows in waiting)


def replay_answered(*, shop_id: int, code: str) -> int:
    """Apply orders of a shop whose question was answered; how many came in.

    Of unknown states those with an answer; of untaxed exports all: what still lacks a rate
    goes on waiting.
    """
    shop = Shop.objects.get(pk=shop_id)
    with transaction.atomic():
        # A chunk that was read before the answer commits first: its rows are seen below.
        lock_shop(shop)
    rows = _open(code).filter(file__shop=shop)
    if code == UNKNOWN_STATUS:
        said = states_said(shop)
        asked = rows.order_by().values_list("subject", flat=True).distinct()
        rows = rows.filter(subject__in=[text for text in asked if phrase_of(text) in said])
    return sum(_replay(file, waiting) for file, waiting in _by_file(rows))


def _open(code: str) -> QuerySet[QuarantinedRow]:
    return QuarantinedRow.objects.filter(
        kind="orders", code=code, status=QuarantinedRow.Status.OPEN, file__purged_at=None
    )


def _by_file(
    rows: QuerySet[QuarantinedRow],
) -> Iterator[tuple[ReceivedFile, list[QuarantinedRow]]]:
    """What waits, by file: each is read once."""
    found: dict[int, list[QuarantinedRow]] = {}
    for row in rows.select_related("file__shop").order_by("file_id", "pk"):
        found.setdefault(row.file_id, []).append(row)
    return ((rows[0].file, rows) for rows in found.values())


def _replay(
    file: ReceivedFile, rows: list[QuarantinedRow], currencies: set[str] | None = None
) -> int:
    """Of one file; one that can't be read any more doesn't stop the others."""
    keys = {key for row in rows for key in keys_of(row)}
    try:
        if currencies is not None:
            keys &= _keys_in(file, keys, currencies)
        if keys:
            apply_alone(file, keys)
    except (SphinxError, OSError) as error:
        log.warning("replay.failed", file_id=file.pk, error=type(error).__name__)
        return 0
    came_in = QuarantinedRow.objects.filter(
        pk__in=[row.pk for row in rows], status=QuarantinedRow.Status.RESOLVED
    )
    record("quarantine.replayed", came_in, status=QuarantinedRow.Status.RESOLVED)
    return len(came_in)


def _keys_in(file: ReceivedFile, keys: set[str], currencies: set[str]) -> set[str]:
    """Of those orders, the ones in some currencies: others would wait again for nothing."""
    return {
        key
        for draft in waiting_drafts(file, keys)
        if (draft.currency or file.shop.currency) in currencies
        for key in (draft.external_id, draft.number)
    }
