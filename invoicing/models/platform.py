"""What goes to the e-invoicing platform and what it said: states of invoices, reports, messages."""

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from invoicing.models.documents import Invoice
from sphinx.core.fields import MoneyField


class PlatformSettings(models.Model):
    """The merchant's certified platform: one row."""

    class Rhythm(models.TextChoices):
        TEN_DAYS = "ten_days", _("Tous les dix jours (réel normal mensuel)")
        MONTH = "month", _("Chaque mois (réel normal trimestriel, réel simplifié)")
        TWO_MONTHS = "two_months", _("Tous les deux mois (franchise en base)")

    adapter = models.CharField(_("liaison"), max_length=30, default="folder")
    is_active = models.BooleanField(
        _("en service"),
        default=False,
        help_text=_("Les factures des professionnels partent, les états reviennent."),
    )
    starts_on = models.DateField(
        _("à partir du"),
        null=True,
        blank=True,
        help_text=_("Ce qui est daté avant n'est ni transmis ni déclaré."),
    )
    platform_id = models.CharField(
        _("matricule de la plateforme"),
        max_length=4,
        blank=True,
        validators=[RegexValidator(r"^\d{4}$", _("Quatre chiffres, donnés par la plateforme."))],
    )
    platform_name = models.CharField(_("nom de la plateforme"), max_length=120, blank=True)
    report_every = models.CharField(
        _("rythme de l'e-reporting"),
        max_length=10,
        choices=Rhythm,
        default=Rhythm.TEN_DAYS,
        help_text=_("Selon le régime de TVA (décret n° 2022-1299 du 7 octobre 2022)."),
    )

    class Meta:
        verbose_name = _("plateforme de facturation")
        verbose_name_plural = _("plateforme de facturation")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(pk=1), name="invoicing_platform_settings_only_one"
            ),
            models.CheckConstraint(
                condition=models.Q(is_active=False) | models.Q(starts_on__isnull=False),
                name="invoicing_platform_settings_has_start",
                violation_error_message=_("Donnez la date de départ avant de mettre en service."),
            ),
        ]

    def __str__(self) -> str:
        return self.platform_name or str(_("Plateforme"))


class EInvoiceState(models.Model):
    """A state that an e-invoice came to; never changed, the last one is where it stands.

    Codes: DGFiP, Spécifications externes v3.2 (life cycle of an invoice).
    """

    class State(models.TextChoices):
        SENT = "sent", _("Transmise")
        DEPOSITED = "200", _("Déposée")
        ISSUED = "201", _("Émise")
        RECEIVED = "202", _("Reçue")
        AVAILABLE = "203", _("Mise à disposition")
        TAKEN = "204", _("Prise en charge")
        APPROVED = "205", _("Approuvée")
        APPROVED_IN_PART = "206", _("Approuvée en partie")
        DISPUTED = "207", _("En litige")
        SUSPENDED = "208", _("Suspendue")
        COMPLETED = "209", _("Complétée")
        REFUSED = "210", _("Refusée")
        PAYMENT_SENT = "211", _("Paiement transmis")
        PAID = "212", _("Encaissée")
        REJECTED = "213", _("Rejetée")

    invoice = models.ForeignKey(
        Invoice, verbose_name=_("facture"), on_delete=models.PROTECT, related_name="states"
    )
    state = models.CharField(_("état"), max_length=4, choices=State)
    occurred_at = models.DateTimeField(_("le"))
    reason = models.CharField(_("motif"), max_length=500, blank=True)
    source = models.CharField(_("message"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("état de facture électronique")
        verbose_name_plural = _("états de factures électroniques")
        ordering = ["occurred_at", "id"]
        constraints = [
            # A state is come to once: the message read twice says nothing new.
            models.UniqueConstraint(
                fields=["invoice", "state", "occurred_at"], name="invoicing_state_once"
            ),
            models.UniqueConstraint(
                fields=["invoice"], condition=models.Q(state="sent"), name="invoicing_sent_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.invoice} {self.get_state_display()}"


class SalesReport(models.Model):
    """An e-reporting file of a period, as it was made; a later one corrects, none is changed."""

    class Status(models.TextChoices):
        EMPTY = "empty", _("Néant")
        MADE = "made", _("À transmettre")
        SENT = "sent", _("Transmise")
        ACCEPTED = "accepted", _("Acceptée")
        REJECTED = "rejected", _("Rejetée")

    identifier = models.CharField(_("transmission"), max_length=50, unique=True)
    first_on = models.DateField(_("du"))
    last_on = models.DateField(_("au"))
    correction = models.PositiveSmallIntegerField(_("rectificatif n°"), default=0)
    made_at = models.DateTimeField(_("produite le"))
    documents = models.PositiveIntegerField(_("pièces"))
    net = MoneyField(_("HT (€)"), max_digits=16)
    tax = MoneyField(_("TVA (€)"), max_digits=16)
    path = models.CharField(_("fichier"), max_length=200, blank=True)
    sha256 = models.CharField(_("SHA-256"), max_length=64, blank=True)
    status = models.CharField(_("état"), max_length=10, choices=Status)
    reason = models.CharField(_("motif"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("e-reporting")
        verbose_name_plural = _("e-reporting")
        ordering = ["-first_on", "-correction"]
        constraints = [
            models.UniqueConstraint(
                fields=["first_on", "correction"], name="invoicing_report_once"
            ),
            models.CheckConstraint(
                condition=models.Q(last_on__gte=models.F("first_on")),
                name="invoicing_report_period",
            ),
        ]

    def __str__(self) -> str:
        return self.identifier


class PlatformMessage(models.Model):
    """A file from the platform, read once."""

    name = models.CharField(_("fichier"), max_length=200)
    sha256 = models.CharField(_("SHA-256"), max_length=64, unique=True)
    received_at = models.DateTimeField(_("lu le"))
    states = models.PositiveIntegerField(_("états"))
    # Sentences about what couldn't be used.
    problems = models.JSONField(_("problèmes"), default=list)

    class Meta:
        verbose_name = _("message de la plateforme")
        verbose_name_plural = _("messages de la plateforme")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name
