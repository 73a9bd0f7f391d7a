"""E-mails of the firm: from one sender, and each document's once."""

from collections.abc import Callable, Sequence
from datetime import datetime
from smtplib import SMTPException
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from sphinx.core.errors import BusinessRuleError
from sphinx.core.services import company, record
from sphinx.core.texts import clean

log = structlog.get_logger(__name__)


class MailNotSet(BusinessRuleError):
    """No server carries e-mails: nothing has left, and what was to be sent waits."""


class NoServer(BaseEmailBackend):
    """Production without EMAIL_URL: refuses, so that nobody believes that a message left."""

    def send_messages(self, email_messages: Sequence[Any]) -> int:
        """Nothing leaves.

        Raises:
            MailNotSet: always, unless the sender asked for silence; then it is logged.
        """
        if not self.fail_silently:
            raise MailNotSet(
                _("Aucun serveur d'e-mails n'est réglé (EMAIL_URL) : rien n'est parti."),
                code="mail.not_set",
            )
        log.warning("mail.not_set", messages=len(email_messages))
        return 0


def send_test_mail(user: User) -> None:
    """Send who asks a message, by the way that all others take.

    Raises:
        BusinessRuleError: it couldn't leave; the server's reason is told.
    """
    if not user.email:
        raise BusinessRuleError(
            _("Votre compte n'a pas d'e-mail : donnez-lui-en un."), code="mail.no_address"
        )
    message = firm_message(
        _("Essai d'envoi"), [_("Les e-mails de Sphinx arrivent bien à cette adresse.")], user.email
    )
    try:
        message.send()
    except (OSError, SMTPException) as error:
        raise BusinessRuleError(
            _("Le serveur d'e-mails refuse ou ne répond pas : %s") % error, code="mail.refused"
        ) from error
    record("mail.tested", [user], actor=user, to=user.email)


def firm_message(subject: str, paragraphs: Sequence[str], to: str) -> EmailMessage:
    """A message signed by the firm; answers go to its own address.

    The subject is one line, whatever the names in it: a line break would keep it from leaving.
    """
    firm = company()
    return EmailMessage(
        clean(subject),
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
