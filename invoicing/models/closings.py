"""Days, months and years closed."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from sphinx.core.fields import MoneyField


class Closing(models.Model):
    """A day, month or year closed: its totals, chained to the closing before; never changed."""

    class Kind(models.TextChoices):
        DAY = "day", _("Jour")
        MONTH = "month", _("Mois")
        YEAR = "year", _("Exercice")

    kind = models.CharField(_("période"), max_length=5, choices=Kind)
    first_on = models.DateField(_("du"))
    last_on = models.DateField(_("au"))
    closed_at = models.DateTimeField(_("close le"))
    documents = models.PositiveIntegerField(_("pièces"))
    # The last link of the documents' chain when it was closed.
    chain_index = models.PositiveIntegerField(_("rang dans la chaîne"))
    chain_hash = models.CharField(_("empreinte de la chaîne"), max_length=64)
    # Numbers by series, net and VAT by rate, payments by means: texts, as they are hashed.
    details = models.JSONField(_("détail"))
    invoiced_incl_tax = MoneyField(_("facturé TTC (€)"), max_digits=16)
    credited_incl_tax = MoneyField(_("avoirs TTC (€)"), max_digits=16)
    # Invoices less credit notes since the first document: it never goes back to zero.
    perpetual_incl_tax = MoneyField(_("cumul perpétuel TTC (€)"), max_digits=16)
    position = models.PositiveIntegerField(_("rang"), unique=True)
    previous_hash = models.CharField(_("empreinte précédente"), max_length=64)
    hash = models.CharField(_("empreinte"), max_length=64, unique=True)

    class Meta:
        verbose_name = _("clôture")
        verbose_name_plural = _("clôtures")
        ordering = ["-position"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "first_on"], name="invoicing_closing_once"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.first_on:%d/%m/%Y}"
