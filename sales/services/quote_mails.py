"""A quote's e-mail: the PDF, in the customer's language, once each time that it is asked for."""

from datetime import datetime, timedelta

from django.core.mail import EmailMessage
from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from sales.models import Quote
from sales.services.documents import render_quote
from sphinx.core.letterhead import language_for
from sphinx.core.mailing import firm_message, mail_once
from sphinx.core.services import company, record

# An e-mail asked for and still not sent after that is taken up again; after a day, by hand.
STUCK = timedelta(minutes=10)
MAIL_WITHIN = timedelta(days=1)


def mail_quote(*, quote_id: int, at: datetime) -> bool:
    """Send a quote to its customer, once; True when this call did."""
    row = Quote.objects.filter(pk=quote_id)
    may = row.filter(status=Quote.Status.SENT, by_email=True)
    sent = mail_once(row, may=may, at=at, message=lambda: _message(row))
    if sent:
        quote = row.select_related("customer").get()
        record("quote.mailed", [quote], to=quote.customer.email)
    return sent


def quotes_to_mail(at: datetime) -> list[int]:
    """Quotes whose e-mail was asked for some minutes ago and has not left."""
    waiting = Quote.objects.filter(status=Quote.Status.SENT, by_email=True, mailed_at=None)
    asked = waiting.filter(sent_at__lt=at - STUCK, sent_at__gte=at - MAIL_WITHIN)
    return list(asked.order_by("pk").values_list("pk", flat=True))


def _message(row: QuerySet[Quote]) -> EmailMessage:
    quote = row.select_related("customer").get()
    pdf = render_quote(quote)
    with translation.override(language_for(quote.billing_country or quote.shipping_country)):
        subject = _("Devis %(number)s de %(firm)s") % {
            "number": quote.number,
            "firm": company().name,
        }
        paragraphs = [
            _("Bonjour,"),
            _(
                "Veuillez trouver ci-joint notre devis %(number)s, valable jusqu'au %(day)s. "
                "Pour l'accepter, répondez à ce message ou renvoyez-le signé."
            )
            % {"number": quote.number, "day": f"{quote.valid_until:%d/%m/%Y}"},
        ]
    message = firm_message(subject, paragraphs, quote.customer.email)
    message.attach(f"{quote.number}.pdf", pdf.read_bytes(), "application/pdf")
    return message
