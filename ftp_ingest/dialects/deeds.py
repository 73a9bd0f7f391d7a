"""Whether an order, or a line of it, left: by a state's own words."""

from collections.abc import Collection

from ftp_ingest.dialects.states import PHRASES, States
from sphinx.core.cells import folded

LEFT = frozenset(("shipped", "delivered"))


def has_left(text: str, own: States | None = None, platform: Collection[str] = ()) -> bool:
    """True when the state says that all has left.

    The shop's own answer comes first, then the platform's own words (folded), then everybody's.
    """
    phrase = folded(text)
    if own and phrase in own:
        return own[phrase] in LEFT
    return phrase in platform or PHRASES.get(phrase) in LEFT
