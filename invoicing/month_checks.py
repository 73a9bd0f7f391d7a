"""What of a month's deliveries isn't invoiced, what of its money isn't explained."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet, Sum
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from invoicing.models import BankLine
from invoicing.payouts import provider_gaps
from invoicing.selectors import notes_to_invoice, orders_off_the_shops_total, orders_to_credit
from sphinx.core.clock import start_of
from sphinx.core.money import ZERO, to_cents
from sphinx.core.month_checks import LeftOpen, asks


@asks
def deliveries_not_invoiced(first: date, last: date) -> LeftOpen:
    """Delivery notes that left by the end of the month without an invoice."""
    notes = notes_to_invoice().filter(shipped_at__lt=start_of(last + timedelta(days=1)))
    title = _("Livraisons pas encore facturées")
    url = reverse("invoicing:to_invoice")
    return LeftOpen("not_invoiced", title, notes.count(), None, url, "invoicing.view_invoice")


@asks
def refunds_without_credit_note(first: date, last: date) -> LeftOpen:
    """What shops gave back and no credit note says yet."""
    title = _("Remboursements sans avoir")
    url = f"{reverse('admin:sales_order_changelist')}?payment_status__exact=refunded"
    return LeftOpen("refunds", title, orders_to_credit().count(), None, url, "sales.view_order")


@asks
def invoices_off_the_shops_total(first: date, last: date) -> LeftOpen:
    """Orders invoiced whole in the month for another amount than the shop charged."""
    orders = orders_off_the_shops_total(first, last)
    title = _("Commandes facturées à un autre montant que la boutique")
    url = reverse("admin:sales_order_changelist")
    return LeftOpen(
        "off_total", title, orders.count(), _sum(orders, "total_incl_tax"), url, "sales.view_order"
    )


@asks
def bank_lines_to_match(first: date, last: date) -> LeftOpen:
    """Money that came to the bank in the month and that nobody matched."""
    lines = BankLine.objects.filter(
        status=BankLine.Status.OPEN, amount__gt=0, booked_on__range=(first, last)
    )
    title = _("Encaissements à la banque à rapprocher")
    url = reverse("invoicing:bank")
    return LeftOpen(
        "bank", title, lines.count(), _sum(lines, "amount"), url, "invoicing.view_bankline"
    )


@asks
def differences_to_providers(first: date, last: date) -> LeftOpen:
    """Orders, or movements without one, on which books and payment providers differ."""
    gaps = provider_gaps()
    amount = sum((abs(gap.provider - (gap.books or ZERO)) for gap in gaps), ZERO)
    title = _("Écarts avec les prestataires de paiement")
    return LeftOpen(
        "providers",
        title,
        len(gaps),
        amount,
        reverse("invoicing:providers"),
        "invoicing.view_providertransaction",
    )


def _sum(rows: QuerySet[Any], field: str) -> Decimal:
    return to_cents(rows.aggregate(total=Sum(field))["total"] or ZERO)
