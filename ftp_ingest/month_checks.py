"""What of a month's files is still set aside."""

from datetime import date, timedelta

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from ftp_ingest.models import QuarantinedRow
from sphinx.core.clock import start_of
from sphinx.core.month_checks import LeftOpen, asks


@asks
def rows_set_aside(first: date, last: date) -> LeftOpen:
    """Rows of files that came in the month and that nobody settled."""
    rows = QuarantinedRow.objects.filter(
        status=QuarantinedRow.Status.OPEN,
        file__received_at__gte=start_of(first),
        file__received_at__lt=start_of(last + timedelta(days=1)),
    )
    url = f"{reverse('admin:ftp_ingest_quarantinedrow_changelist')}?status__exact=open"
    return LeftOpen(
        "quarantine",
        _("Lignes de fichier en quarantaine"),
        rows.count(),
        None,
        url,
        "ftp_ingest.view_quarantinedrow",
    )
