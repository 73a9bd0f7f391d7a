"""Links of read-only pages to other rows, for those who may open them; text for the others.

Django links every related row, whoever reads; a link that answers "forbidden" helps nobody.
"""

from typing import Any

from simple_history.models import HistoricalRecords
from unfold.fields import UnfoldAdminReadonlyField

_linked = UnfoldAdminReadonlyField.get_admin_url


def _linked_for_reader(self: Any, remote_field: Any, remote_obj: Any) -> Any:
    # The request that the history middleware keeps for this thread.
    request = getattr(HistoricalRecords.context, "request", None)
    options = remote_field.model._meta
    names = [f"{options.app_label}.{verb}_{options.model_name}" for verb in ("view", "change")]
    if request is not None and not any(request.user.has_perm(name) for name in names):
        return str(remote_obj)
    return _linked(self, remote_field, remote_obj)


def link_for_readers() -> None:
    """Make every read-only page do so."""
    UnfoldAdminReadonlyField.get_admin_url = _linked_for_reader
