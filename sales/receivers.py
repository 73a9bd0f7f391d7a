"""Messages become tasks."""

from typing import Any

from django.dispatch import receiver

from sales.events import quote_to_mail
from sales.tasks import mail_one_quote


@receiver(quote_to_mail)
def mail_soon(quote_id: int, **_: Any) -> None:
    """Send the e-mail in a worker."""
    mail_one_quote.delay(quote_id=quote_id)
