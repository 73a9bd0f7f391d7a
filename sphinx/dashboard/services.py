"""What people keep of the dashboard."""

from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.db import transaction

from sphinx.dashboard.models import SavedPivot

_ASKED = ("rows", "columns", "measure", "start", "end", "shop", "country", "kind")


@transaction.atomic
def keep_pivot(*, name: str, query: str, is_shared: bool, owner: Any) -> SavedPivot:
    """Keep a crossed table under a name; the same name of the same person is replaced.

    Only what the page asks for is kept of `query`.
    """
    asked = {key: value for key, value in parse_qsl(query) if key in _ASKED}
    kept, _is_new = SavedPivot.objects.update_or_create(
        owner=owner,
        name=name[:80],
        # Nonsense that is too long for the page to have asked for it is cut.
        defaults={"query": urlencode(asked)[:400], "is_shared": is_shared},
    )
    return kept
