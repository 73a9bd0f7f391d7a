"""E-mails of the firm: from one sender, and each document's once."""

from collections.abc import Callable, Sequence
from datetime import datetime

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import QuerySet

from sphinx.core.services import company


def firm_message(subject: str, paragraphs: Sequence[str], to: str) -> EmailMessage:
    """A message signed by the firm; answers go to its own address."""
    firm = company()
    return EmailMessage(
        subject,
        "\n\n".join([*paragraphs, firm.name]),
        settings.DEFAULT_FROM_EMAIL,
        [to],
        reply_to=[firm.email] if firm.email else None,
    )


def mail_once(
    document: QuerySet, *, may: QuerySet, at: datetime, message: Callable[[], EmailMessage]
) -> bool:
    """Send one document's e-mail, once; True when this call sent it.

    `document` is its row, `may` the same row as long as it may be sent. The claim (`mailed_at`) is
    committed before the e-mail leaves and taken back when it can't: twice at once sends one, a
    crash in between sends none rather than two.
    """
    if not may.filter(mailed_at=None).update(mailed_at=at):
        return False
    try:
        message().send()
    except Exception:
        document.update(mailed_at=None)
        raise
    return True
