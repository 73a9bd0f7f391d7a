"""What of a month's purchases isn't good to pay."""

from datetime import date

from django.db.models import Sum
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from purchasing.models import ReceivedInvoice, SupplierInvoice
from sphinx.core.money import ZERO, to_cents
from sphinx.core.month_checks import LeftOpen, asks


@asks
def invoices_to_decide(first: date, last: date) -> LeftOpen:
    """Suppliers' invoices dated in the month that differ from what came, or are disputed."""
    status = SupplierInvoice.Status
    found = SupplierInvoice.objects.filter(
        status__in=(status.DIFFERS, status.DISPUTED), issued_on__range=(first, last)
    )
    url = f"{reverse('admin:purchasing_supplierinvoice_changelist')}?status__exact=differs"
    amount = to_cents(
        found.aggregate(total=Sum(Coalesce("total_eur", "total_incl_tax")))["total"] or ZERO
    )
    title = _("Factures fournisseurs avec un écart ou contestées")
    return LeftOpen(
        "differing", title, found.count(), amount, url, "purchasing.view_supplierinvoice"
    )


@asks
def invoices_to_enter(first: date, last: date) -> LeftOpen:
    """Suppliers' electronic invoices dated in the month that nobody entered."""
    found = ReceivedInvoice.objects.filter(
        status=ReceivedInvoice.Status.OPEN, issued_on__range=(first, last)
    )
    url = f"{reverse('admin:purchasing_receivedinvoice_changelist')}?status__exact=open"
    return LeftOpen(
        "to_enter",
        _("Factures fournisseurs à saisir"),
        found.count(),
        None,
        url,
        "purchasing.view_receivedinvoice",
    )
