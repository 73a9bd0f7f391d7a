"""What every app builds on: the firm, its shops, numbers, the audit trail, the origin of rows."""

from decimal import Decimal

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from sphinx.core.audit_labels import label_of
from sphinx.core.fields import RateField
from sphinx.core.validators import (
    validate_colour,
    validate_currency,
    validate_days,
    validate_siren,
    validate_siret,
    validate_vat_number,
)


class Company(models.Model):
    """The firm whose books these are: one row, printed on its invoices."""

    name = models.CharField(_("raison sociale"), max_length=120)
    legal_form = models.CharField(_("forme juridique"), max_length=60, blank=True)
    share_capital = models.CharField(_("capital social"), max_length=30, blank=True)
    siren = models.CharField(_("SIREN"), max_length=9, blank=True, validators=[validate_siren])
    siret = models.CharField(_("SIRET"), max_length=14, blank=True, validators=[validate_siret])
    vat_number = models.CharField(
        _("n° de TVA"), max_length=20, blank=True, validators=[validate_vat_number]
    )
    trade_register = models.CharField(_("RCS"), max_length=60, blank=True)
    address1 = models.CharField(_("adresse"), max_length=120, blank=True)
    address2 = models.CharField(_("complément"), max_length=120, blank=True)
    postcode = models.CharField(_("code postal"), max_length=12, blank=True)
    city = models.CharField(_("ville"), max_length=80, blank=True)
    country = models.CharField(_("pays"), max_length=2, default="FR")
    email = models.EmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("téléphone"), max_length=30, blank=True)
    iban = models.CharField(_("IBAN"), max_length=34, blank=True)
    # PNG or JPEG, printed on documents.
    logo = models.BinaryField(_("logo"), blank=True, default=b"")
    colour = models.CharField(
        _("couleur des documents"),
        max_length=7,
        default="#0e3a5c",
        validators=[validate_colour],
        help_text=_("Titres et tableaux, par exemple #0e3a5c."),
    )
    is_tax_exempt = models.BooleanField(
        _("franchise en base"), default=False, help_text=_("Article 293 B du CGI : aucune TVA.")
    )
    uses_oss = models.BooleanField(
        _("guichet unique OSS"),
        default=False,
        help_text=_("TVA du pays de destination pour les particuliers de l'Union."),
    )
    structures_consumer_invoices = models.BooleanField(
        _("Factur-X aussi pour les particuliers"),
        default=True,
        help_text=_("Le PDF d'un professionnel porte toujours ses données structurées."),
    )
    checks_vies = models.BooleanField(
        _("vérifier les n° de TVA par VIES"),
        default=False,
        help_text=_("Chaque nuit, les professionnels de l'Union ; sinon, à la main."),
    )
    taxes_on_debits = models.BooleanField(_("TVA d'après les débits"), default=False)
    payment_terms_days = models.PositiveSmallIntegerField(
        _("délai de paiement (jours)"), default=30
    )
    sends_reminders = models.BooleanField(
        _("relancer tout seul"),
        default=False,
        help_text=_("Chaque matin, les factures échues des professionnels ; sinon, à la main."),
    )
    reminder_days = models.CharField(
        _("jours de retard des relances"),
        max_length=30,
        default="7,21,45",
        validators=[validate_days],
        help_text=_("Trois nombres croissants, séparés par des virgules."),
    )
    late_penalty_rate = RateField(
        _("pénalités de retard (%)"),
        default="12.15",
        validators=[MinValueValidator(0)],
        help_text=_("Taux de refinancement de la BCE majoré de 10 points par défaut."),
    )
    discount_terms = models.CharField(
        _("conditions d'escompte"),
        max_length=120,
        # Printed in the document's language as long as it stays as it is.
        default=gettext_noop("Pas d'escompte pour paiement anticipé"),
    )
    fiscal_year_end_month = models.PositiveSmallIntegerField(
        _("mois de clôture"), default=12, validators=[MinValueValidator(1), MaxValueValidator(12)]
    )
    stock_alert_emails = models.CharField(
        _("e-mails des alertes de stock"),
        max_length=300,
        blank=True,
        help_text=_("Séparés par des virgules ; un message par jour, s'il y a quelque chose."),
    )
    weekly_report_emails = models.CharField(
        _("e-mails du bilan de la semaine"),
        max_length=300,
        blank=True,
        help_text=_("Séparés par des virgules ; un PDF chaque lundi matin."),
    )
    books_discounts_apart = models.BooleanField(
        _("remises à part (compte 709)"),
        default=True,
        help_text=_("Sinon les ventes sont passées nettes de remise, au compte 707."),
    )
    analytics = models.CharField(
        _("section analytique"),
        max_length=10,
        choices=[
            ("", _("Aucune")),
            ("shop", _("Par boutique")),
            ("category", _("Par catégorie d'articles")),
        ],
        blank=True,
        default="",
        help_text=_("Des ventes ; pour les pièces passées à partir de maintenant."),
    )
    second_factor_roles = models.ManyToManyField(
        "auth.Group",
        verbose_name=_("second facteur exigé des rôles"),
        blank=True,
        related_name="+",
        help_text=_("Sans téléphone ni clé de sécurité, leurs pages restent fermées."),
    )
    second_for_refunds = models.BooleanField(
        _("avoirs et remboursements à deux"),
        default=False,
        db_default=False,
        help_text=_("Demandés par une personne, acceptés par une autre."),
    )
    second_for_bank_details = models.BooleanField(
        _("coordonnées bancaires des fournisseurs à deux"),
        default=False,
        db_default=False,
        help_text=_("Un changement attend qu'une autre personne l'accepte."),
    )
    forget_after_years = models.PositiveSmallIntegerField(
        _("oublier les clients sans commande depuis (années)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Vide : jamais. La CNIL recommande 3 ans ; factures et livres restent."),
    )
    hides_first_steps = models.BooleanField(_("cacher les premiers pas"), default=False)
    fetches_ecb_rates = models.BooleanField(
        _("relever les cours de la BCE"),
        default=False,
        db_default=False,
        help_text=_(
            "Chaque jour ouvré, sur le site de la Banque centrale européenne ; sinon, les cours "
            "livrés avec le logiciel et les vôtres."
        ),
    )
    account_length = models.PositiveSmallIntegerField(
        _("longueur des comptes"),
        default=8,
        validators=[MinValueValidator(6), MaxValueValidator(12)],
    )

    class Meta:
        verbose_name = _("société")
        verbose_name_plural = _("société")
        constraints = [
            models.CheckConstraint(condition=models.Q(pk=1), name="core_company_only_one"),
        ]

    def __str__(self) -> str:
        return self.name


class Shop(models.Model):
    """One sales channel, with its own order numbers and file dialect."""

    code = models.SlugField(_("code"), max_length=30, unique=True)
    name = models.CharField(_("nom"), max_length=80)
    dialect = models.CharField(
        _("dialecte"),
        max_length=30,
        default="auto",
        help_text=_("« auto » : reconnu d'après le fichier."),
    )
    url = models.URLField(_("adresse du site"), blank=True)
    currency = models.CharField(
        _("devise"),
        max_length=3,
        blank=True,
        default="",
        db_default="",
        validators=[validate_currency],
        help_text=_("Celle des fichiers qui n'en disent aucune : EUR, USD, CHF."),
    )
    # Whether a file of it ever named another currency than the euro: then none is assumed.
    names_other_currencies = models.BooleanField(default=False, db_default=False, editable=False)
    confirms_unpaid = models.BooleanField(
        _("confirmer avant paiement"),
        default=False,
        help_text=_("Réserver le stock dès la commande, sans attendre le règlement."),
    )
    quarantines_unknown_skus = models.BooleanField(
        _("retenir les références inconnues"),
        default=False,
        help_text=_("Une commande d'un article inconnu attend, au lieu de créer l'article."),
    )
    untaxed_rate = RateField(
        _("TVA des commandes exportées sans TVA (%)"),
        null=True,
        blank=True,
        help_text=_(
            "Pour une boutique dont les exports ne disent aucune TVA alors que ses prix en "
            "contiennent : ce taux en est extrait. Vide : le taux de chaque article."
        ),
    )
    # Learned: an export of this shop has stated VAT, so that a stated 0 is a statement.
    states_vat = models.BooleanField(default=False, db_default=False, editable=False)
    keeps_free_lines = models.BooleanField(
        _("garder les lignes sans référence en texte libre"),
        default=False,
        db_default=False,
        help_text=_("Sinon un article est créé pour chacune, par sa clé à la boutique ou son nom."),
    )
    history_until = models.DateField(
        _("reprise : commandes passées jusqu'au"),
        null=True,
        blank=True,
        help_text=_(
            "Avant le premier jour ici : elles entrent comme historique, sans stock, bon de "
            "livraison, facture ni écriture, mais comptent pour les statistiques et le réassort."
        ),
    )
    ships_itself = models.BooleanField(
        _("la boutique expédie elle-même"),
        default=False,
        db_default=False,
        help_text=_(
            "Elle ou son logisticien : ce que le fichier dit parti devient un bon de livraison. "
            "Sinon, nous expédions, et ce qu'elle dit parti sans nous est un écart à expliquer."
        ),
    )
    mails_shipments = models.BooleanField(
        _("prévenir le client de l'expédition"),
        default=False,
        help_text=_("Par e-mail, avec le n° de suivi. Laissez éteint si la boutique le fait."),
    )
    consumer_account = models.CharField(
        _("compte auxiliaire des particuliers"), max_length=8, default="CDIVERS"
    )
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("boutique")
        verbose_name_plural = _("boutiques")
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class ExchangeRate(models.Model):
    """How many units of a currency one euro is worth, from a day on.

    As the firm states it (the month's customs rate, its bank's), or the European Central Bank's
    reference rate of the day (VAT directive 2006/112, art. 91): the firm's goes before.
    """

    class Source(models.TextChoices):
        MANUAL = "manual", _("Saisi")
        ECB = "ecb", _("BCE")

    currency = models.CharField(
        _("devise"),
        max_length=3,
        validators=[validate_currency],
        help_text=_("Code ISO : USD, GBP, CHF."),
    )
    valid_from = models.DateField(_("à partir du"))
    units_per_euro = models.DecimalField(
        _("unités pour 1 €"),
        max_digits=14,
        decimal_places=6,
        validators=[MinValueValidator(Decimal("0.000001"))],
    )
    source = models.CharField(
        _("source"),
        max_length=10,
        choices=Source,
        default=Source.MANUAL,
        db_default="manual",
        editable=False,
    )

    class Meta:
        verbose_name = _("cours de change")
        verbose_name_plural = _("cours de change")
        ordering = ["currency", "-valid_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["currency", "valid_from", "source"], name="core_rate_once_a_source"
            ),
            models.CheckConstraint(
                condition=models.Q(units_per_euro__gt=0), name="core_rate_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"1 € = {self.units_per_euro} {self.currency} ({self.valid_from:%d/%m/%Y})"


class DocumentSequence(models.Model):
    """The counter of one series of numbers; its row stays locked until the document commits."""

    series = models.CharField(_("série"), max_length=20)
    period = models.CharField(_("période"), max_length=7, blank=True)
    last_number = models.PositiveIntegerField(_("dernier numéro"), default=0)
    last_issued_on = models.DateField(_("date du dernier"), null=True)

    class Meta:
        verbose_name = _("numérotation")
        verbose_name_plural = _("numérotations")
        constraints = [
            models.UniqueConstraint(fields=["series", "period"], name="core_sequence_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.series}{self.period}"


class AuditEvent(models.Model):
    """Who did what to which document; written, never changed (a trigger refuses it)."""

    at = models.DateTimeField(_("le"), db_index=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("par"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    kind = models.CharField(_("événement"), max_length=50)
    subject_kind = models.CharField(_("nature"), max_length=40)
    subject_number = models.CharField(_("numéro"), max_length=80, db_index=True)
    details = models.JSONField(_("détails"), default=dict)

    class Meta:
        verbose_name = _("événement")
        verbose_name_plural = _("piste d'audit")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.label} {self.subject_number}"

    @property
    def label(self) -> str:
        """What happened, as the screen says it."""
        return label_of(self.kind)


class Seal(models.Model):
    """A block of a book's rows, hashed on the block before (sealing.py); written, never changed."""

    book = models.CharField(_("livre"), max_length=14)
    position = models.PositiveIntegerField(_("rang"))
    columns = models.JSONField(_("colonnes"))
    # Ids that follow each other, as [first, last].
    runs = models.JSONField(_("lignes"))
    last_id = models.BigIntegerField(_("dernière ligne"))
    rows = models.PositiveIntegerField(_("nombre de lignes"))
    sealed_at = models.DateTimeField(_("scellé le"))
    previous_hash = models.CharField(_("empreinte précédente"), max_length=64)
    hash = models.CharField(_("empreinte"), max_length=64, unique=True)

    class Meta:
        verbose_name = _("scellé")
        verbose_name_plural = _("scellés")
        ordering = ["-id"]
        indexes = [models.Index(fields=["book", "last_id"], name="core_seal_reach")]
        constraints = [
            models.UniqueConstraint(fields=["book", "position"], name="core_seal_once"),
        ]

    def __str__(self) -> str:
        return f"{self.book} {self.position}"


class Job(models.Model):
    """Long work that somebody asked for: how far it is, how it ended, what it couldn't do."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("En attente")
        RUNNING = "running", _("En cours")
        DONE = "done", _("Terminé")
        STOPPED = "stopped", _("Arrêté")
        FAILED = "failed", _("Échoué")

    OPEN = (Status.WAITING, Status.RUNNING)

    kind = models.CharField(_("nature"), max_length=60)
    label = models.CharField(_("travail"), max_length=120)
    params = models.JSONField(_("paramètres"), default=dict)
    status = models.CharField(_("état"), max_length=10, choices=Status, default=Status.WAITING)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("demandé par"),
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    asked_at = models.DateTimeField(_("demandé le"))
    started_at = models.DateTimeField(_("commencé le"), null=True)
    heartbeat_at = models.DateTimeField(_("dernier signe"), null=True)
    ended_at = models.DateTimeField(_("fini le"), null=True)
    done = models.PositiveIntegerField(_("fait"), default=0)
    total = models.PositiveIntegerField(_("à faire"), default=0)
    wants_to_stop = models.BooleanField(_("à arrêter"), default=False)
    # [{subject, reason}], the first thousand.
    refused = models.JSONField(_("refusés"), default=list)
    refused_count = models.PositiveIntegerField(_("nombre de refus"), default=0)
    # How often a worker began it: one that kills its worker is not begun for ever.
    beginnings = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    outcome = models.CharField(_("issue"), max_length=1000, blank=True)
    file_name = models.CharField(_("fichier"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("travail")
        verbose_name_plural = _("travaux")
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["status"],
                condition=models.Q(status__in=["waiting", "running"]),
                name="core_job_open",
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def percent(self) -> int:
        """How far it is."""
        return min(100 * self.done // self.total, 100) if self.total else 0


class DeadLetter(models.Model):
    """A task that failed for good, kept until it goes well or somebody puts it away."""

    class Status(models.TextChoices):
        OPEN = "open", _("À voir")
        SETTLED = "settled", _("Réussie depuis")
        DROPPED = "dropped", _("Classée")

    task = models.CharField(_("tâche"), max_length=120)
    kwargs = models.JSONField(_("paramètres"), default=dict)
    fingerprint = models.CharField(max_length=64, editable=False)
    status = models.CharField(_("état"), max_length=10, choices=Status, default=Status.OPEN)
    error = models.CharField(_("erreur"), max_length=80)
    place = models.CharField(_("où"), max_length=500, blank=True)
    failures = models.PositiveIntegerField(_("échecs"), default=1)
    first_failed_at = models.DateTimeField(_("premier échec"))
    last_failed_at = models.DateTimeField(_("dernier échec"))
    sent_again_at = models.DateTimeField(_("rejouée le"), null=True)
    settled_at = models.DateTimeField(_("close le"), null=True)

    class Meta:
        verbose_name = _("tâche en échec")
        verbose_name_plural = _("tâches en échec")
        ordering = ["-last_failed_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["fingerprint"],
                condition=models.Q(status="open"),
                name="core_letter_open_once",
            )
        ]

    def __str__(self) -> str:
        told = ", ".join(f"{name} {value}" for name, value in self.kwargs.items())
        return f"{self.task} {told}".strip()

    @property
    def number(self) -> str:
        """What the audit trail calls it."""
        return str(self)[:80]


class Approval(models.Model):
    """What one person asked for and another agreed to, or not."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("À décider")
        AGREED = "agreed", _("Acceptée")
        DECLINED = "declined", _("Refusée")

    matter = models.CharField(_("nature"), max_length=60)
    about = models.CharField(_("objet"), max_length=200)
    params = models.JSONField(_("paramètres"), default=dict)
    status = models.CharField(_("état"), max_length=10, choices=Status, default=Status.WAITING)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("demandée par"),
        on_delete=models.PROTECT,
        related_name="+",
    )
    asked_at = models.DateTimeField(_("demandée le"))
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("décidée par"),
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    decided_at = models.DateTimeField(_("décidée le"), null=True)

    class Meta:
        verbose_name = _("demande à valider")
        verbose_name_plural = _("demandes à valider")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["matter", "params"],
                condition=models.Q(status="waiting"),
                name="core_approval_asked_once",
            ),
            # Whoever writes to the database: nobody agrees to what they asked for.
            models.CheckConstraint(
                condition=~models.Q(status="agreed") | ~models.Q(decided_by=models.F("asked_by")),
                name="core_approval_by_another",
            ),
        ]

    def __str__(self) -> str:
        return self.about


class ListColumns(models.Model):
    """The columns that somebody wants to see of a list."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    of_list = models.CharField(max_length=80)
    columns = models.JSONField(default=list)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["owner", "of_list"], name="core_columns_once")
        ]

    def __str__(self) -> str:
        return f"{self.of_list} : {', '.join(self.columns)}"


class SavedFilter(models.Model):
    """What somebody filters a list by, kept under a name."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    of_list = models.CharField(max_length=80)
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1000, blank=True)
    is_shared = models.BooleanField(default=False)

    class Meta:
        default_permissions = ()
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "of_list", "name"], name="core_filter_once")
        ]

    def __str__(self) -> str:
        return self.name


class Sourced(models.Model):
    """Where a row came from: the file as the shop named it, its hash, the line in it."""

    source_file = models.CharField(_("fichier"), max_length=255, blank=True)
    source_sha256 = models.CharField(_("SHA-256 du fichier"), max_length=64, blank=True)
    source_line = models.PositiveIntegerField(_("ligne"), default=0)

    class Meta:
        abstract = True
