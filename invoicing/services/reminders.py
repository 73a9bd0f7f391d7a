"""Reminders of overdue invoices: three steps, by e-mail with the PDF, each once."""

from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction
from django.utils import translation
from django.utils.translation import gettext as _

from invoicing.errors import NothingToRemind
from invoicing.models import Invoice, Reminder
from invoicing.receivables import open_invoices, with_balance
from invoicing.services.documents import render_pdfs
from sphinx.core.clock import business_date
from sphinx.core.mailing import firm_message
from sphinx.core.money import to_cents
from sphinx.core.services import company, record
from sphinx.core.templatetags.numbers import bare

Step = Reminder.Step


def next_step(invoice: Invoice) -> int | None:
    """The step that comes next; None after the third."""
    last = max((r.step for r in invoice.reminders.all()), default=0)
    return last + 1 if last < Step.THIRD else None


def send_reminder(*, invoice_id: int, at: datetime, actor: Any = None) -> Reminder:
    """Send the next reminder of an overdue invoice.

    The step is claimed before the e-mail leaves and given back when it can't: twice at once
    sends one.

    Raises:
        NothingToRemind: it is paid, not due, reminded three times, or the customer has no e-mail.
    """
    invoice = with_balance(Invoice.objects.select_related("customer")).get(pk=invoice_id)
    step = next_step(invoice)
    balance = to_cents(invoice.balance)
    if balance <= 0 or step is None or invoice.due_on >= business_date(at):
        raise NothingToRemind(_("%s : rien à relancer.") % invoice)
    if not invoice.customer.email:
        raise NothingToRemind(
            _("%(customer)s n'a pas d'adresse e-mail : relancez par courrier.")
            % {"customer": invoice.customer_name}
        )
    try:
        with transaction.atomic():
            reminder = Reminder.objects.create(
                invoice_id=invoice.pk,
                step=step,
                balance=balance,
                to=invoice.customer.email,
                sent_at=at,
            )
    except IntegrityError:
        raise NothingToRemind(_("%s vient d'être relancée.") % invoice) from None
    try:
        # Customers are written to in French, whoever sends it.
        with translation.override(settings.LANGUAGE_CODE):
            message = _message(invoice, reminder, business_date(at))
        message.send()
    except Exception:
        reminder.delete()
        raise
    record("reminder.sent", [invoice], actor=actor, step=step, to=reminder.to)
    return reminder


def reminders_due(*, on: date) -> list[int]:
    """Professionals' invoices whose next step has come; none unless the firm wants it."""
    firm = company()
    if not firm.sends_reminders:
        return []
    days = [int(part) for part in firm.reminder_days.split(",")]
    overdue = open_invoices().filter(
        balance__gt=0, is_business=True, due_on__lt=on, customer__email__gt=""
    )
    due = []
    for invoice in overdue.prefetch_related("reminders"):
        step = next_step(invoice)
        if step and (on - invoice.due_on).days >= days[step - 1]:
            due.append(invoice.pk)
    return due


def _message(invoice: Any, reminder: Reminder, on: date) -> EmailMessage:
    figures = {
        "number": invoice.number,
        "issued": f"{invoice.issued_on:%d/%m/%Y}",
        "due": f"{invoice.due_on:%d/%m/%Y}",
        "balance": bare(reminder.balance, 2),
        "days": (on - invoice.due_on).days,
    }
    opening = {
        Step.FIRST: _(
            "Sauf erreur de notre part, la facture %(number)s du %(issued)s, échue le %(due)s, "
            "reste à régler pour %(balance)s €."
        ),
        Step.SECOND: _(
            "Malgré notre rappel, la facture %(number)s du %(issued)s, échue depuis %(days)s "
            "jours, reste à régler pour %(balance)s €. Merci de la régler sous huit jours."
        ),
        Step.THIRD: _(
            "Mise en demeure : la facture %(number)s du %(issued)s, échue depuis %(days)s jours, "
            "reste impayée pour %(balance)s €. À défaut de règlement sous huit jours, nous en "
            "poursuivrons le recouvrement."
        ),
    }[Step(reminder.step)]
    lines = [_("Bonjour,"), opening % figures]
    if reminder.step > Step.FIRST:
        lines += invoice.mentions["terms"]
    iban = invoice.mentions["seller"]["iban"]
    if iban:
        lines.append(
            _("Virement : IBAN %(iban)s, référence %(number)s.")
            % {"iban": iban, "number": invoice.number}
        )
    lines.append(_("Si le règlement est parti entre-temps, ne tenez pas compte de ce message."))
    subject = _("%(step)s : facture %(number)s") % {
        "step": reminder.get_step_display(),
        "number": invoice.number,
    }
    message = firm_message(subject, lines, reminder.to)
    pdf = render_pdfs([invoice.pk])[invoice.pk]
    message.attach(f"{invoice.number}.pdf", pdf.read_bytes(), "application/pdf")
    return message
