"""What of a month isn't booked."""

from datetime import date, timedelta

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounting_export.selectors import invoices_to_post, payments_to_post, purchases_to_post
from sphinx.core.clock import start_of
from sphinx.core.month_checks import LeftOpen, asks


@asks
def documents_without_entry(first: date, last: date) -> LeftOpen:
    """Documents and payments by the end of the month that the books don't know."""
    end = start_of(last + timedelta(days=1))
    count = (
        invoices_to_post().filter(issued_on__lte=last).count()
        + purchases_to_post().filter(issued_on__lte=last).count()
        + payments_to_post().filter(paid_at__lt=end).count()
    )
    url = reverse("admin:accounting_export_accountrule_changelist")
    title = _("Pièces et règlements sans écriture")
    return LeftOpen(
        "unposted", title, count, None, url, "accounting_export.view_accountrule", blocks=True
    )
