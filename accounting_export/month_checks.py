"""What of a month isn't booked, and what the next one must know."""

from datetime import date, timedelta

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounting_export.distance_sales import distance_sales
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


@asks
def distance_sales_near_threshold(first: date, last: date) -> LeftOpen:
    """Distance sales that near, or are over, the amount from which other states' VAT is due."""
    found = distance_sales(last)
    title = _("Ventes à distance dans l'Union : seuil de 10 000 € proche ou dépassé")
    url = f"{reverse('accounting_export:vat')}?du={first}&au={last}"
    return LeftOpen(
        "distance_sales",
        title,
        int(found.is_near or found.is_over),
        found.amount,
        url,
        "accounting_export.export_journal",
    )
