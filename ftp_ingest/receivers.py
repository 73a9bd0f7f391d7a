"""Messages become tasks."""

from typing import Any

from django.dispatch import receiver

from ftp_ingest.events import files_waiting, shop_answered
from ftp_ingest.tasks import (
    read_files_of_mapping,
    replay_answered_orders,
    replay_orders_without_currency,
    replay_orders_without_rate,
)
from sphinx.core.exchange_events import rates_changed, shop_currency_said


@receiver(rates_changed)
def replay_for_rates(currencies: list[str], **_: Any) -> None:
    """Orders that waited for a rate of these currencies come in."""
    replay_orders_without_rate.delay(currencies=currencies)


@receiver(shop_currency_said)
def replay_for_shop(shop_id: int, **_: Any) -> None:
    """Orders that waited for their shop's currency come in."""
    replay_orders_without_currency.delay(shop_id=shop_id)


@receiver(shop_answered)
def replay_for_answers(shop_id: int, code: str, **_: Any) -> None:
    """Orders that waited for the answer to a question about their shop come in."""
    replay_answered_orders.delay(shop_id=shop_id, code=code)


@receiver(files_waiting)
def read_soon(dialect_id: int, sha256: str, name: str, **_: Any) -> None:
    """Files that a new mapping reads come in."""
    read_files_of_mapping.delay(dialect_id=dialect_id, sha256=sha256, name=name)
