"""Watchdogs: what should have come and didn't, and who is told."""

import logging
import re
from datetime import timedelta
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from django.conf import settings
from django.core.mail import send_mail
from django.db.models import F
from django.utils.translation import gettext as _

from ftp_ingest.models import Feed, FeedRun, ReceivedFile, ShipmentFile
from ftp_ingest.selectors import feeds_that_tell
from sales.models import Order
from sphinx.core import clock
from sphinx.core.models import AuditEvent, Shop
from sphinx.core.services import record, record_each
from sphinx.core.texts import clean

logger = logging.getLogger(__name__)
GAP_DAYS = 30
MAX_SHOWN = 20
# Numbers so far apart are two series, not lost orders.
MAX_GAP = 50
RUNS_COMPARED = 10
# A share of refusals above this, and three times the usual, is a jump.
JUMP_SHARE, JUMP_TIMES = 0.1, 3
_TRAILING_NUMBER = re.compile(r"^(.*?)(\d{1,12})(\D*)$")


class Alarm(NamedTuple):
    """Something to look at; `code` and `subject` make it one, however often it is seen."""

    code: str
    subject: str
    text: str


def alarms() -> list[Alarm]:
    """Every alarm there is now."""
    return [*_silent_feeds(), *_missing_numbers(), *_jumps(), *_untold()]


def watch() -> list[Alarm]:
    """Look at everything; tell what is new by e-mail, once a day each."""
    found = alarms()
    today = clock.now() - timedelta(hours=24)
    told = set(
        AuditEvent.objects.filter(kind="feed.alarm", at__gte=today).values_list(
            "details__code", "details__subject"
        )
    )
    new = [alarm for alarm in found if (alarm.code, alarm.subject) not in told]
    for alarm in new:
        logger.warning("feed alarm", extra={"code": alarm.code})
    record_each("feed.alarm", [(Feed(code=a.subject), a._asdict()) for a in new])
    emails = _emails(Feed.objects.filter(is_active=True))
    if new and emails:
        _tell(emails, _("Passerelle : %s choses à regarder") % len(new), [a.text for a in new])
    return found


def warn_failing(feed: Feed, error: str) -> None:
    """Tell by e-mail that a feed has failed too often in a row."""
    record("feed.failing", [feed], failures=feed.failures, error=error[:300])
    emails = _emails([feed])
    if emails:
        text = _(
            "Le flux « %(feed)s » a échoué %(count)s fois de suite. Dernière erreur : %(error)s"
        )
        shown = {"feed": feed.code, "count": feed.failures, "error": error}
        _tell(emails, _("Flux en échec : %s") % feed.code, [text % shown])


def _emails(feeds: object) -> list[str]:
    found: dict[str, None] = {}
    for feed in feeds:  # type: ignore[attr-defined]
        found |= {part.strip(): None for part in feed.warn_emails.split(",") if part.strip()}
    return list(found)


def _tell(emails: list[str], subject: str, lines: list[str]) -> None:
    send_mail(
        clean(subject), "\n".join(lines), settings.DEFAULT_FROM_EMAIL, emails, fail_silently=True
    )


def _silent_feeds() -> list[Alarm]:
    found = []
    now = clock.now()
    for feed in Feed.objects.filter(is_active=True, silent_after_hours__isnull=False):
        files = ReceivedFile.objects.filter(run__feed=feed).order_by("-received_at")
        latest = files.values_list("received_at", flat=True).first()
        hours = feed.silent_after_hours or 0
        if latest is None or latest < now - timedelta(hours=hours):
            text = _("Flux « %(feed)s » : aucun fichier depuis plus de %(hours)s heures.")
            shown = {"feed": feed.code, "hours": hours}
            found.append(Alarm("feed.silent", feed.code, text % shown))
    return found


def missing_numbers(shop: Shop) -> list[str]:
    """Order numbers missing in the shop's sequence over the last days: orders lost, perhaps."""
    since = clock.now() - timedelta(days=GAP_DAYS)
    series: dict[tuple[str, str], dict[int, int]] = {}
    numbers = Order.objects.filter(shop=shop, placed_at__gte=since)
    for number in numbers.values_list("number", flat=True).iterator():
        match = _TRAILING_NUMBER.match(number)
        if match:
            series.setdefault((match[1], match[3]), {})[int(match[2])] = len(match[2])
    return [
        f"{before}{n:0{width}d}{after}"
        for (before, after), known in sorted(series.items())
        for n, width in _gaps(known)
    ][: MAX_SHOWN * 10]


def _gaps(known: dict[int, int]) -> list[tuple[int, int]]:
    values = sorted(known)
    return [
        (n, known[low])
        for low, high in pairwise(values)
        if 1 < high - low <= MAX_GAP
        for n in range(low + 1, high)
    ]


def _missing_numbers() -> list[Alarm]:
    found = []
    for shop in Shop.objects.filter(is_active=True):
        missing = missing_numbers(shop)
        if missing:
            text = _("Boutique « %(shop)s » : numéros de commande manquants : %(numbers)s%(more)s.")
            shown = {
                "shop": shop.code,
                "numbers": ", ".join(missing[:MAX_SHOWN]),
                "more": "…" if len(missing) > MAX_SHOWN else "",
            }
            found.append(Alarm("orders.missing_numbers", shop.code, text % shown))
    return found


def _share(counts: dict[str, dict[str, int]]) -> float | None:
    orders = counts.get("orders", {})
    whole = sum(orders.values())
    return orders.get("quarantined", 0) / whole if whole else None


def _jumps() -> list[Alarm]:
    """Feeds whose last run refused far more than the runs before it."""
    found = []
    for feed in Feed.objects.filter(is_active=True):
        runs = FeedRun.objects.filter(feed=feed).exclude(status=FeedRun.Status.RUNNING)
        counts = runs.values_list("counts", flat=True)[: RUNS_COMPARED + 1]
        shares = [share for c in counts if (share := _share(c)) is not None]
        if len(shares) < 2:  # noqa: PLR2004 (nothing to compare with)
            continue
        last, usual = shares[0], median(shares[1:])
        if last > JUMP_SHARE and last > JUMP_TIMES * usual:
            text = _("Flux « %(feed)s » : %(share)s %% des commandes refusées au dernier passage.")
            shown = {"feed": feed.code, "share": round(100 * last)}
            found.append(Alarm("feed.refusals", feed.code, text % shown))
    return found


def _untold() -> list[Alarm]:
    """Files of shipments that the shop's server refuses again and again."""
    refused = ShipmentFile.objects.filter(
        sent_at=None, failures__gte=F("feed__warn_after"), feed__in=feeds_that_tell()
    )
    text = _(
        "Flux « %(feed)s » : le fichier d'expéditions n'a pas pu être déposé, %(count)s essais. "
        "Dernière erreur : %(error)s"
    )
    return [
        Alarm(
            "feed.untold",
            file.feed.code,
            text % {"feed": file.feed.code, "count": file.failures, "error": file.error},
        )
        for file in refused.select_related("feed")
    ]
