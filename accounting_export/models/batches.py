"""Files handed to the accountant, and what each held."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounting_export.models.entries import JournalEntry
from sphinx.core.fields import MoneyField


class ExportBatch(models.Model):
    """A file handed to the accountant: what it held and the hash of its bytes."""

    format = models.CharField(_("format"), max_length=20)
    journals = models.CharField(_("journaux"), max_length=60)
    date_from = models.DateField(_("du"))
    date_to = models.DateField(_("au"))
    path = models.CharField(_("fichier"), max_length=500)
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    entry_count = models.PositiveIntegerField(_("écritures"))
    line_count = models.PositiveIntegerField(_("lignes"))
    debit = MoneyField(_("total débit"), max_digits=16)
    credit = MoneyField(_("total crédit"), max_digits=16)
    # Field and its width → how many values were cut to it.
    cuts = models.JSONField(_("coupés"), default=dict)
    created_at = models.DateTimeField(_("produit le"))

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        ordering = ["-id"]
        permissions = [("export_journal", _("Peut exporter les journaux"))]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(debit=models.F("credit")), name="accounting_batch_balanced"
            ),
            # The same file again is the same batch.
            models.UniqueConstraint(
                fields=["format", "date_from", "date_to", "sha256"],
                name="accounting_batch_unique",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.format} {self.date_from}–{self.date_to}"


class ExportedEntry(models.Model):
    """The mark that an entry went out in a batch; the entry itself never changes."""

    batch = models.ForeignKey(
        ExportBatch, verbose_name=_("export"), on_delete=models.PROTECT, related_name="exported"
    )
    entry = models.ForeignKey(
        JournalEntry, verbose_name=_("écriture"), on_delete=models.PROTECT, related_name="exports"
    )

    class Meta:
        verbose_name = _("écriture exportée")
        verbose_name_plural = _("écritures exportées")
        constraints = [
            models.UniqueConstraint(fields=["batch", "entry"], name="accounting_exported_once"),
        ]

    def __str__(self) -> str:
        return f"{self.entry_id} → {self.batch_id}"
