"""The files that we leave with a shop, told by their names: they are never fetched back."""

import posixpath
import re
from datetime import UTC, datetime

from ftp_ingest.models import Feed

_STAMP = re.compile(r"-\d{8}-\d{6}")


def dated_name(setting: str, at: datetime) -> str:
    """`retour/expeditions.csv` → `expeditions-20260302-120000.csv`, to the second, in UTC."""
    stem, suffix = posixpath.splitext(posixpath.basename(setting))
    return f"{stem}-{at.astimezone(UTC):%Y%m%d-%H%M%S}{suffix}"


def is_ours(feed: Feed, name: str) -> bool:
    """True for the feed's file of stock and those of shipments, as they are called now."""
    if feed.stock_file and posixpath.normpath(feed.stock_file) == name:
        return True
    if not feed.shipment_file:
        return False
    stem, suffix = posixpath.splitext(posixpath.normpath(feed.shipment_file))
    return (
        name.startswith(stem)
        and name.endswith(suffix)
        and bool(_STAMP.fullmatch(name[len(stem) : len(name) - len(suffix)]))
    )
