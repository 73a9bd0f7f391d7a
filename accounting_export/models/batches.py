"""Files handed to the accountant, and what each held."""

from pathlib import Path

from django.conf import settings
from django.db import models
from django.db.models import JSONField, Value
from django.utils.translation import gettext_lazy as _

from accounting_export.models.entries import JournalEntry
from sphinx.core.fields import MoneyField
from sphinx.core.files import here


class ExportBatch(models.Model):
    """A file handed to the accountant: what it held and the hash of its bytes."""

    number = models.CharField(_("n° d'envoi"), max_length=20, unique=True)
    format = models.CharField(_("format"), max_length=20)
    journals = models.CharField(_("journaux"), max_length=60)
    date_from = models.DateField(_("du"))
    date_to = models.DateField(_("au"))
    # Below the data folder; those made before batches had numbers may lie anywhere.
    path = models.CharField(_("fichier"), max_length=500)
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    entry_count = models.PositiveIntegerField(_("écritures"))
    line_count = models.PositiveIntegerField(_("lignes"))
    debit = MoneyField(_("total débit"), max_digits=16)
    credit = MoneyField(_("total crédit"), max_digits=16)
    # Field and its width → how many values were cut to it.
    cuts = models.JSONField(_("coupés"), default=dict)
    # Documents of the period that couldn't be booked: {"piece", "reason"} each.
    left_out = models.JSONField(
        _("laissé de côté"), default=list, db_default=Value([], JSONField())
    )
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
        return self.number

    @property
    def file(self) -> Path:
        """Where its bytes lie, on this machine."""
        return here(Path(settings.DATA_DIR, self.path))


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


class ImportedBatch(models.Model):
    """The accountant's word that a batch is in the accounts."""

    batch = models.OneToOneField(
        ExportBatch, verbose_name=_("envoi"), on_delete=models.PROTECT, related_name="imported"
    )
    imported_at = models.DateTimeField(_("importé le"))
    imported_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("par"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )

    class Meta:
        verbose_name = _("envoi importé")
        verbose_name_plural = _("envois importés")

    def __str__(self) -> str:
        return str(self.batch)


class PiecesArchive(models.Model):
    """The PDFs of a batch's invoices in one file with their index, made by a worker."""

    class Status(models.TextChoices):
        RUNNING = "running", _("En préparation")
        DONE = "done", _("Prêt")
        FAILED = "failed", _("Échoué")

    batch = models.OneToOneField(
        ExportBatch, verbose_name=_("envoi"), on_delete=models.PROTECT, related_name="pieces"
    )
    status = models.CharField(_("état"), max_length=10, choices=Status, default=Status.RUNNING)
    asked_at = models.DateTimeField(_("demandé le"))
    total = models.PositiveIntegerField(_("pièces"), default=0)
    done = models.PositiveIntegerField(_("faites"), default=0)
    reason = models.CharField(_("raison"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("archive des pièces")
        verbose_name_plural = _("archives des pièces")

    def __str__(self) -> str:
        return f"{self.batch} : {self.get_status_display()}"


class EntryQuestion(models.Model):
    """What the accountant asks about an entry, and what the firm answers."""

    entry = models.ForeignKey(
        JournalEntry, verbose_name=_("écriture"), on_delete=models.PROTECT, related_name="questions"
    )
    text = models.TextField(_("question"))
    asked_at = models.DateTimeField(_("posée le"))
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("par"),
        on_delete=models.PROTECT,
        related_name="+",
    )
    answer = models.TextField(_("réponse"), blank=True)
    answered_at = models.DateTimeField(_("répondue le"), null=True, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("par"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )

    class Meta:
        verbose_name = _("question sur une écriture")
        verbose_name_plural = _("questions sur les écritures")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(answer="", answered_at__isnull=True)
                | (~models.Q(answer="") & models.Q(answered_at__isnull=False)),
                name="accounting_answer_has_date",
            ),
        ]

    def __str__(self) -> str:
        return self.text[:60]
