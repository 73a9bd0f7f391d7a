"""Tasks of the gateway."""

from typing import Any

from celery import shared_task
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from ftp_ingest import selectors, services
from sphinx.core import clock


@shared_task(label=_("Relever les flux dont c'est l'heure"))
def pull_due_feeds(**_extra: Any) -> None:
    """Ask for each feed that is due: several workers share them."""
    for feed_id in services.due_feeds():
        # Asked for again at the next beat: a message that waited longer is of no use.
        pull_feed.apply_async(
            kwargs={"feed_id": feed_id, "only_if_due": True}, expires=5 * settings.BEAT_SECONDS
        )


@shared_task(label=_("Reprendre les passages interrompus"))
def take_over_stale_runs(**_extra: Any) -> None:
    """Take over from workers that died."""
    services.take_over_stale_runs()


@shared_task(label=_("Relever un flux"))
def pull_feed(*, feed_id: int, only_if_due: bool = False, **_extra: Any) -> None:
    """Fetch one feed, now, or if nobody did meanwhile."""
    services.pull_feed_now(feed_id=feed_id, only_if_due=only_if_due)


@shared_task(label=_("Dire aux boutiques ce qui est parti"))
def tell_all_shipments(**_extra: Any) -> None:
    """Ask for each feed whose shop is told: a slow server holds up its own only."""
    for feed in selectors.feeds_that_tell():
        tell_shipments.apply_async(kwargs={"feed_id": feed.pk}, expires=5 * settings.BEAT_SECONDS)


@shared_task(label=_("Dire à une boutique ce qui est parti"))
def tell_shipments(*, feed_id: int, **_extra: Any) -> None:
    """Leave a file of shipments with the shop, if there is anything to tell."""
    services.tell_shipments(feed_id=feed_id, at=clock.now())


@shared_task(label=_("Surveiller les flux"))
def watch(**_extra: Any) -> None:
    """Look for what should have come and didn't."""
    services.watch()


@shared_task(label=_("Retirer les fichiers reçus trop vieux"))
def purge_archive(**_extra: Any) -> None:
    """Drop received files that are older than their feed keeps them."""
    services.purge_archive()


@shared_task(label=_("Rejouer les commandes sans cours"))
def replay_orders_without_rate(*, currencies: list[str], **_extra: Any) -> None:
    """Apply the orders of these currencies that waited for a rate."""
    services.replay_without_rate(currencies=currencies)


@shared_task(label=_("Rejouer les commandes sans devise"))
def replay_orders_without_currency(*, shop_id: int, **_extra: Any) -> None:
    """Apply the orders of a shop that waited for its currency."""
    services.replay_without_currency(shop_id=shop_id)


@shared_task(label=_("Rejouer les commandes dont la question a sa réponse"))
def replay_answered_orders(*, shop_id: int, code: str, **_extra: Any) -> None:
    """Apply the orders of a shop that waited for an answer about its files."""
    services.replay_answered(shop_id=shop_id, code=code)


@shared_task(label=_("Lire les fichiers d'une nouvelle correspondance"))
def read_files_of_mapping(*, dialect_id: int, sha256: str, name: str, **_extra: Any) -> None:
    """Read the file that a mapping was made with, and those that waited for it."""
    services.read_waiting_now(dialect_id=dialect_id, sha256=sha256, name=name)
