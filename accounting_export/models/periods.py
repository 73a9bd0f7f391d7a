"""Months of the accounts that are closed."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from sphinx.core.fields import MoneyField


class ClosedMonth(models.Model):
    """A month to which nothing is booked any more; what comes late goes to the next open one."""

    # The first day of the month; months close in their order.
    month = models.DateField(_("mois"), unique=True)
    closed_at = models.DateTimeField(_("clos le"))
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("par"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    # Of the entries dated in the month, all journals: what `verify` finds again.
    entry_count = models.PositiveIntegerField(_("écritures"))
    debit = MoneyField(_("total débit"), max_digits=16)
    credit = MoneyField(_("total crédit"), max_digits=16)
    # What was left open, as the checklist said it: [{"name", "count", "amount"}].
    left_open = models.JSONField(_("laissé en suspens"), default=list)

    class Meta:
        verbose_name = _("mois clos")
        verbose_name_plural = _("mois clos")
        ordering = ["-month"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(month__day=1), name="accounting_month_first_day"
            ),
            models.CheckConstraint(
                condition=models.Q(debit=models.F("credit")), name="accounting_month_balanced"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.month:%m/%Y}"
