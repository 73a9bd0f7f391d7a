"""What was set aside, told by cause: a hundred orders that lack the same thing lack it once."""

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ftp_ingest.errors import UNKNOWN_STATUS
from ftp_ingest.reading.drafts import Fault

# Reasons whose messages tell each order's own amounts or articles.
_SHARED = {
    "order.total_mismatch": gettext_lazy(
        "Les lignes, le port et la remise ne font pas le total du fichier."
    ),
    "order.tax_undecided": gettext_lazy(
        "Ni le fichier ni la fiche de l'article ne disent le taux de TVA."
    ),
    "order.contradiction": gettext_lazy(
        "La même commande figure plusieurs fois dans le fichier, différemment."
    ),
}


class Group(NamedTuple):
    """A cause with the faults that it explains."""

    code: str
    message: str
    faults: list[tuple[str, Fault]]


def grouped(faults: Iterable[tuple[str, Fault]]) -> list[Group]:
    """Faults (file's name, fault) by cause, the most frequent first."""
    found: dict[tuple[str, str], list[tuple[str, Fault]]] = {}
    for name, fault in faults:
        found.setdefault((fault.code, cause_of(fault)), []).append((name, fault))
    groups = [Group(*cause, members) for cause, members in found.items()]
    return sorted(groups, key=lambda group: -len(group.faults))


def causes(faults: Iterable[Fault]) -> list[dict[str, Any]]:
    """Each cause once, with how many it sets aside; the most frequent first."""
    return [
        {"code": group.code, "message": group.message, "count": len(group.faults)}
        for group in grouped(("", fault) for fault in faults)
    ]


def cause_of(fault: Fault) -> str:
    """The message without what only this order has: its number, its line, its amounts."""
    if fault.cause:
        return fault.cause
    if fault.code == UNKNOWN_STATUS and fault.subject:
        return _("L'état « %(state)s » est inconnu.") % {"state": fault.subject[:200]}
    if fault.code in _SHARED:
        return str(_SHARED[fault.code])
    own = [re.escape(text) for text in (fault.number, str(fault.line or "")) if text]
    if not own:
        return fault.message
    return re.sub(rf"(?<![\w.,/-])(?:{'|'.join(own)})(?![\w/-]|[.,]\w)", "…", fault.message)
