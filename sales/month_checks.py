"""What of a month's orders hasn't left."""

from datetime import date, timedelta

from django.db.models import Sum
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from sales.models import Order
from sphinx.core.clock import start_of
from sphinx.core.money import ZERO, to_cents
from sphinx.core.month_checks import LeftOpen, asks

Status = Order.Status


@asks
def orders_paid_and_not_delivered(first: date, last: date) -> LeftOpen:
    """Orders that were paid by the end of the month and have not left: customers' advances."""
    orders = Order.objects.filter(
        status__in=(Status.DRAFT, Status.CONFIRMED, Status.PARTIALLY_DELIVERED),
        payment_status=Order.PaymentStatus.PAID,
        is_history=False,
        placed_at__lt=start_of(last + timedelta(days=1)),
    )
    url = f"{reverse('admin:sales_order_changelist')}?payment_status__exact=paid"
    amount = to_cents(orders.aggregate(total=Sum("total_incl_tax"))["total"] or ZERO)
    title = _("Commandes payées, pas encore livrées (avances de clients)")
    return LeftOpen("paid_not_delivered", title, orders.count(), amount, url, "sales.view_order")
