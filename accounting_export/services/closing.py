"""Months of the accounts, closed in their order and for good."""

from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounting_export.chart import JOURNALS
from accounting_export.errors import CannotClose
from accounting_export.models import ClosedMonth, Journal
from accounting_export.selectors import month_sums, month_to_close, next_month
from accounting_export.services.posting import post_missing
from accounting_export.services.purchases import post_missing_purchases
from sphinx.core.clock import business_date
from sphinx.core.errors import BusinessRuleError
from sphinx.core.month_checks import LeftOpen, left_open
from sphinx.core.services import record


@transaction.atomic
def close_month(*, month: date, at: datetime, accepts_open: bool, actor: Any = None) -> ClosedMonth:
    """Close the month that begins on `month`: nothing is booked to it any more.

    What is missing is booked first. What comes late afterwards goes to the next open month and
    says so. `accepts_open` is a person's word that what is still open may stay so; it is kept with
    the month.

    Raises:
        CannotClose: it isn't the next one, isn't over, something can't be booked, or something is
            open and nobody accepted it.
    """
    _lock_journals()
    if ClosedMonth.objects.filter(month=month).exists():
        raise CannotClose(_("Ce mois est déjà clos."))
    reason = _book_missing()
    if month != month_to_close():
        raise CannotClose(_("Les mois se ferment dans l'ordre, du premier qui a une écriture."))
    last = next_month(month) - timedelta(days=1)
    if last >= business_date(at):
        raise CannotClose(_("Ce mois n'est pas terminé."))
    waiting = [answer for answer in left_open(month, last) if answer.count]
    blocking = [answer for answer in waiting if answer.blocks]
    if blocking:
        counts = " ".join(f"{b.title} : {b.count}." for b in blocking)
        raise CannotClose(f"{counts} {reason}".strip())
    if waiting and not accepts_open:
        raise CannotClose(
            _("Il reste des points ouverts : réglez-les, ou cochez pour clore ainsi.")
        )
    count, debit, credit = month_sums(month)
    closed = ClosedMonth.objects.create(
        month=month,
        closed_at=at,
        closed_by=actor,
        entry_count=count,
        debit=debit,
        credit=credit,
        left_open=[
            {
                "name": a.name,
                "count": a.count,
                "amount": None if a.amount is None else str(a.amount),
            }
            for a in waiting
        ],
    )
    record("month.closed", [closed], actor=actor, entries=count, debit=str(debit))
    return closed


def _book_missing() -> str:
    """Book what is missing; why something couldn't be, blank when all was."""
    reasons = []
    for post in (post_missing, post_missing_purchases):
        try:
            post()
        except BusinessRuleError as error:
            reasons.append(error.message)
    return " ".join(reasons)


def _kept(answer: LeftOpen) -> dict[str, Any]:
    amount = None if answer.amount is None else str(answer.amount)
    return {"name": answer.name, "count": answer.count, "amount": amount}


def _lock_journals() -> None:
    """All of them, by code: whoever books waits, and then finds the month closed."""
    for code, label in sorted(JOURNALS):
        Journal.objects.get_or_create(code=code, defaults={"label": label})
    list(Journal.objects.select_for_update(no_key=True).order_by("code"))
