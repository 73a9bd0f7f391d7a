"""Messages become tasks."""

from typing import Any

from django.dispatch import receiver

from sales.events import quote_to_mail, shops_shipped
from sales.tasks import mail_one_quote, note_shipments


@receiver(quote_to_mail)
def mail_soon(quote_id: int, **_: Any) -> None:
    """Send the e-mail in a worker."""
    mail_one_quote.delay(quote_id=quote_id)


@receiver(shops_shipped)
def note_shipments_soon(order_ids: list[int], **_: Any) -> None:
    """Make delivery notes of what shops shipped, in a worker."""
    note_shipments.delay(order_ids=order_ids)
