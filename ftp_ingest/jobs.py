"""What staff do to many rows that were set aside."""

from django.utils.translation import gettext_lazy as _

from ftp_ingest import services
from ftp_ingest.models import QuarantinedRow
from sphinx.core.jobs import Deed, deed

_CHANGE = "ftp_ingest.change_quarantinedrow"
REPLAY = deed(
    Deed(
        "ftp_ingest.replay",
        _("Rejouer des lignes"),
        _CHANGE,
        QuarantinedRow,
        lambda pk, actor: services.replay_row(row_id=pk, actor=actor),
        _("%(count)s lignes rejouées."),
    )
)
DISMISS = deed(
    Deed(
        "ftp_ingest.dismiss",
        _("Écarter des lignes"),
        _CHANGE,
        QuarantinedRow,
        lambda pk, actor: services.dismiss_row(
            row_id=pk, reason=f"Écartée par {actor}", actor=actor
        ),
        _("%(count)s lignes écartées."),
    )
)
