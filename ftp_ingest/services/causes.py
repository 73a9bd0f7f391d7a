"""What was set aside, told by cause: a hundred orders that lack the same thing lack it once."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from ftp_ingest.reading.drafts import Fault


def causes(faults: Iterable[Fault]) -> list[dict[str, Any]]:
    """Each cause once, with how many it sets aside; the most frequent first."""
    counted = Counter((fault.code, _cause(fault)) for fault in faults)
    return [
        {"code": code, "message": message, "count": count}
        for (code, message), count in counted.most_common()
    ]


def _cause(fault: Fault) -> str:
    """The message without what only this order has: its number and its line."""
    if fault.cause:
        return fault.cause
    own = [re.escape(text) for text in (fault.number, str(fault.line or "")) if text]
    if not own:
        return fault.message
    return re.sub(rf"(?<![\w.,/-])(?:{'|'.join(own)})(?![\w/-]|[.,]\w)", "…", fault.message)
