"""Sending to the accountant by itself: how and when, and what became of each batch."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounting_export.models.batches import ExportBatch
from accounting_export.models.chart import Journal


class Sending(models.Model):
    """How and when new entries go to the accountant: one row."""

    class Rhythm(models.TextChoices):
        DAY = "day", _("Chaque nuit")
        WEEK = "week", _("Chaque lundi")
        MONTH = "month", _("Chaque premier du mois")

    class Way(models.TextChoices):
        EMAIL = "email", _("Par e-mail, fichier joint")
        SFTP = "sftp", _("Sur son serveur SFTP")

    is_active = models.BooleanField(_("en service"), default=False)
    rhythm = models.CharField(_("rythme"), max_length=5, choices=Rhythm, default=Rhythm.MONTH)
    next_on = models.DateField(_("prochain envoi"), null=True, blank=True)
    format = models.CharField(_("format"), max_length=20, default="fec")
    journals = models.ManyToManyField(
        Journal, verbose_name=_("journaux"), blank=True, help_text=_("Aucun : les ventes.")
    )
    way = models.CharField(_("moyen"), max_length=5, choices=Way, default=Way.EMAIL)
    email = models.EmailField(_("e-mail de l'expert-comptable"), blank=True)
    host = models.CharField(_("serveur"), max_length=120, blank=True)
    port = models.PositiveIntegerField(_("port"), default=22)
    username = models.CharField(_("utilisateur"), max_length=80, blank=True)
    # Encrypted (Fernet); written through sphinx.core.credentials, never shown again.
    password_encrypted = models.TextField(blank=True, editable=False)
    private_key_encrypted = models.TextField(blank=True, editable=False)
    host_key = models.TextField(
        _("clé d'hôte"),
        blank=True,
        help_text=_("« ssh-ed25519 AAAA… ». Vide : l'essai montre celle que le serveur présente."),
    )
    directory = models.CharField(_("dossier"), max_length=200, default=".")
    # Why the last batch couldn't be made.
    reason = models.CharField(_("raison"), max_length=500, blank=True, default="", editable=False)

    class Meta:
        verbose_name = _("envoi programmé")
        verbose_name_plural = _("envoi programmé")
        constraints = [
            models.CheckConstraint(condition=models.Q(pk=1), name="accounting_sending_only_one"),
            models.CheckConstraint(
                condition=models.Q(is_active=False)
                | (models.Q(way="email") & ~models.Q(email=""))
                | (models.Q(way="sftp") & ~models.Q(host="") & ~models.Q(username="")),
                name="accounting_sending_has_address",
                violation_error_message=_(
                    "Donnez l'e-mail, ou le serveur et l'utilisateur, avant de mettre en service."
                ),
            ),
        ]

    def __str__(self) -> str:
        return str(_("Envoi programmé à l'expert-comptable"))


class Dispatch(models.Model):
    """A batch that is to go to the accountant, and once it went, the receipt: when, where to."""

    batch = models.OneToOneField(
        ExportBatch, verbose_name=_("envoi"), on_delete=models.PROTECT, related_name="dispatch"
    )
    asked_at = models.DateTimeField(_("demandé le"))
    sent_at = models.DateTimeField(_("transmis le"), null=True, blank=True)
    recipient = models.CharField(_("à"), max_length=500, blank=True)
    # Why the last try failed.
    reason = models.CharField(_("raison"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("transmission")
        verbose_name_plural = _("transmissions")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(sent_at=None, recipient="")
                | (models.Q(sent_at__isnull=False, reason="") & ~models.Q(recipient="")),
                name="accounting_dispatch_receipt",
            ),
        ]

    def __str__(self) -> str:
        return str(self.batch)
