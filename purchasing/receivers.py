"""Messages become tasks."""

from typing import Any

from django.dispatch import receiver

from purchasing.events import order_to_mail
from purchasing.tasks import mail_purchase_order


@receiver(order_to_mail)
def mail_soon(order_id: int, **_: Any) -> None:
    """Send the e-mail in a worker."""
    mail_purchase_order.delay(order_id=order_id)
