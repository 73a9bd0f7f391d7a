"""The gateway: feeds, their runs, received files, what was set aside."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from sales.models import DeliveryNote
from sphinx.core.models import Shop


class Feed(models.Model):
    """An account where a shop drops its two files, and how often to look."""

    class Protocol(models.TextChoices):
        SFTP = "sftp", "SFTP"
        FTPS = "ftps", "FTPS"
        FTPS_IMPLICIT = "ftpsi", _("FTPS implicite (port 990)")
        FTP = "ftp", _("FTP (non chiffré)")
        FOLDER = "folder", _("Dossier")

    class AfterFetch(models.TextChoices):
        LEAVE = "leave", _("Laisser les fichiers")
        ARCHIVE = "archive", _("Les ranger dans « traites »")
        DELETE = "delete", _("Les effacer")

    class Readiness(models.TextChoices):
        STABLE = "stable", _("Taille et date stables entre deux regards")
        MARKER = "marker", _("Un fichier témoin à côté (.ok, .done)")
        SUFFIX = "suffix", _("Un suffixe provisoire pendant l'écriture")

    code = models.SlugField(_("code"), max_length=30, unique=True)
    shop = models.ForeignKey(
        Shop, verbose_name=_("boutique"), on_delete=models.PROTECT, related_name="feeds"
    )
    protocol = models.CharField(
        _("protocole"), max_length=6, choices=Protocol, default=Protocol.SFTP
    )
    host = models.CharField(_("serveur"), max_length=120, blank=True)
    port = models.PositiveIntegerField(_("port"), null=True, blank=True)
    username = models.CharField(_("utilisateur"), max_length=80, blank=True)
    # Encrypted (Fernet); written through sphinx.core.credentials, never shown again.
    password_encrypted = models.TextField(blank=True, editable=False)
    private_key_encrypted = models.TextField(blank=True, editable=False)
    host_key = models.TextField(
        _("clé d'hôte"),
        blank=True,
        help_text=_(
            "SFTP : « ssh-ed25519 AAAA… ». Un serveur qui en présente une autre est refusé."
        ),
    )
    tls_certificate = models.TextField(
        _("autorité de certification"),
        blank=True,
        help_text=_("FTPS : certificat PEM si l'autorité n'est pas publique."),
    )
    directory = models.CharField(_("dossier"), max_length=200, default=".")
    pattern = models.CharField(_("fichiers"), max_length=120, default="*.csv")
    subfolders = models.BooleanField(_("sous-dossiers aussi"), default=False)
    is_passive = models.BooleanField(
        _("mode passif"), default=True, help_text=_("FTP et FTPS ; actif : décochez.")
    )
    readiness = models.CharField(
        _("fichier complet quand"), max_length=6, choices=Readiness, default=Readiness.STABLE
    )
    ready_mark = models.CharField(
        _("témoin ou suffixe"),
        max_length=12,
        blank=True,
        help_text=_("« .ok » : export.csv attend export.csv.ok. Ou « .up », provisoire."),
    )
    keep_days = models.PositiveIntegerField(
        _("garder les fichiers (jours)"),
        default=3650,
        help_text=_("Dix ans par défaut : les pièces comptables renvoient à leur fichier."),
    )
    warn_after = models.PositiveSmallIntegerField(_("prévenir après n échecs"), default=3)
    warn_emails = models.CharField(
        _("prévenir"), max_length=300, blank=True, help_text=_("E-mails séparés par des virgules.")
    )
    silent_after_hours = models.PositiveIntegerField(
        _("prévenir sans fichier depuis (heures)"), null=True, blank=True
    )
    stock_file = models.CharField(
        _("fichier de stock à déposer"),
        max_length=80,
        blank=True,
        help_text=_("Nom du fichier (stock.csv) ; vide : aucun."),
    )
    stock_sha256 = models.CharField(max_length=64, blank=True, editable=False)
    shipment_file = models.CharField(
        _("fichier d'expéditions à déposer"),
        max_length=80,
        blank=True,
        default="",
        db_default="",
        help_text=_(
            "Nom, avec un dossier devant si vous voulez (retour/expeditions.csv) ; la date et "
            "l'heure y sont ajoutées. Vide : aucun."
        ),
    )
    shipments_since = models.DateTimeField(
        _("expéditions à dire depuis"),
        null=True,
        blank=True,
        help_text=_("Ce qui est parti avant n'est pas dit. Vide : à partir de maintenant."),
    )
    after_fetch = models.CharField(
        _("après réception"), max_length=8, choices=AfterFetch, default=AfterFetch.LEAVE
    )
    interval_minutes = models.PositiveIntegerField(_("fréquence (minutes)"), default=60)
    next_due_at = models.DateTimeField(_("prochain passage"), null=True, blank=True)
    failures = models.PositiveSmallIntegerField(_("échecs de suite"), default=0, editable=False)
    is_active = models.BooleanField(_("actif"), default=True)

    class Meta:
        verbose_name = _("flux")
        verbose_name_plural = _("flux")
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(interval_minutes__gte=1), name="ftp_ingest_feed_interval"
            ),
            models.CheckConstraint(
                condition=models.Q(readiness="stable") | ~models.Q(ready_mark=""),
                name="ftp_ingest_feed_mark_named",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class FeedRun(models.Model):
    """One passage: what was done, kept alive by a heartbeat so that a sweep can take over."""

    class Status(models.TextChoices):
        RUNNING = "running", _("En cours")
        DONE = "done", _("Terminé")
        NOTHING_NEW = "nothing_new", _("Rien de nouveau")
        DONE_WITH_PROBLEMS = "done_with_problems", _("Terminé avec anomalies")
        FAILED = "failed", _("Échec")
        UNDONE = "undone", _("Annulé")

    # Empty for a file brought by hand (command or browser).
    feed = models.ForeignKey(
        Feed,
        verbose_name=_("flux"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="runs",
    )
    shop = models.ForeignKey(
        Shop, verbose_name=_("boutique"), on_delete=models.PROTECT, related_name="+"
    )
    status = models.CharField(_("état"), max_length=20, choices=Status, default=Status.RUNNING)
    started_at = models.DateTimeField(_("début"))
    heartbeat_at = models.DateTimeField(_("dernier signe de vie"))
    finished_at = models.DateTimeField(_("fin"), null=True, blank=True)
    error = models.TextField(_("erreur"), blank=True)
    # How far the file being read is, in its rows.
    rows_done = models.PositiveIntegerField(default=0, editable=False)
    rows_total = models.PositiveIntegerField(default=0, editable=False)
    counts = models.JSONField(_("bilan"), default=dict)

    class Meta:
        verbose_name = _("passage")
        verbose_name_plural = _("passages")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["feed"],
                condition=models.Q(status="running"),
                name="ftp_ingest_run_one_at_a_time",
            ),
            models.CheckConstraint(
                condition=models.Q(status="running", finished_at__isnull=True)
                | (~models.Q(status="running") & models.Q(finished_at__isnull=False)),
                name="ftp_ingest_run_finished_has_date",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.feed or self.shop} {self.started_at:%d/%m/%Y %H:%M}"


class ReceivedFile(models.Model):
    """A file as it arrived, archived under its hash before anything was read."""

    class Status(models.TextChoices):
        RECEIVED = "received", _("Reçu")
        APPLIED = "applied", _("Intégré")
        REFUSED = "refused", _("Refusé")
        UNDONE = "undone", _("Annulé")

    shop = models.ForeignKey(
        Shop, verbose_name=_("boutique"), on_delete=models.PROTECT, related_name="+"
    )
    run = models.ForeignKey(
        FeedRun, verbose_name=_("passage"), on_delete=models.PROTECT, related_name="files"
    )
    name = models.CharField(_("nom"), max_length=255)
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    size = models.BigIntegerField(_("taille (octets)"))
    # As the server listed it; the same again need not be fetched again.
    remote_stamp = models.CharField(max_length=80, blank=True, editable=False)
    archive_path = models.CharField(_("archive"), max_length=200)
    received_at = models.DateTimeField(_("reçu le"))
    status = models.CharField(_("état"), max_length=10, choices=Status, default=Status.RECEIVED)
    kind = models.CharField(_("contenu"), max_length=12, blank=True)
    dialect = models.CharField(_("dialecte"), max_length=30, blank=True)
    encoding = models.CharField(_("encodage"), max_length=20, blank=True)
    delimiter = models.CharField(_("séparateur"), max_length=1, blank=True)
    row_count = models.PositiveIntegerField(_("lignes"), default=0)
    # The bytes were dropped after the feed's time; the row stays.
    purged_at = models.DateTimeField(_("octets effacés le"), null=True, blank=True)

    class Meta:
        verbose_name = _("fichier reçu")
        verbose_name_plural = _("fichiers reçus")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["shop", "sha256"], name="ftp_ingest_file_once"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_recognised(self) -> bool:
        """True for what a shop or a supplier writes: anything else is shown and given to nobody."""
        if self.kind == "einvoice":
            return self.status == self.Status.APPLIED
        return bool(self.kind)


class QuarantinedRow(models.Model):
    """What could not be applied: where it stands in the file, why, and what became of it."""

    class Status(models.TextChoices):
        OPEN = "open", _("À traiter")
        RESOLVED = "resolved", _("Résolue")
        DISMISSED = "dismissed", _("Écartée")
        # Read again, the order lacks something else: another row says what.
        SUPERSEDED = "superseded", _("Refusée pour une autre raison depuis")
        # The order is in; somebody should look.
        NOTED = "noted", _("Intégrée, à vérifier")

    file = models.ForeignKey(
        ReceivedFile, verbose_name=_("fichier"), on_delete=models.PROTECT, related_name="quarantine"
    )
    line = models.PositiveIntegerField(_("ligne"))
    column = models.CharField(_("colonne"), max_length=80, blank=True)
    code = models.CharField(_("motif"), max_length=50)
    message = models.TextField(_("explication"))
    # The message of all that is set aside for the same reason, and what it asks about: the words
    # of a state that nobody knows.
    cause = models.TextField(_("cause"), blank=True, default="", db_default="")
    subject = models.CharField(_("objet"), max_length=200, blank=True, default="", db_default="")
    kind = models.CharField(_("contenu"), max_length=12)
    # The shop's key of the order or customer, so that a later good version closes this one.
    external_id = models.CharField(_("clé à la boutique"), max_length=80, blank=True)
    number = models.CharField(_("n° de commande"), max_length=80, blank=True)
    status = models.CharField(_("état"), max_length=10, choices=Status, default=Status.OPEN)
    resolution = models.CharField(_("suite donnée"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("ligne en quarantaine")
        verbose_name_plural = _("quarantaine")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["file", "kind", "line", "code"], name="ftp_ingest_quarantine_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["external_id"],
                condition=models.Q(status="open"),
                name="ftp_ingest_open_rows",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.file} : {self.line}"


class ShopDialect(models.Model):
    """How one shop's own files are read, as the mapping assistant was told; kept by version."""

    class Kind(models.TextChoices):
        CUSTOMERS = "customers", _("Clients")
        ORDERS = "orders", _("Commandes")

    shop = models.ForeignKey(
        Shop, verbose_name=_("boutique"), on_delete=models.PROTECT, related_name="+"
    )
    kind = models.CharField(_("contenu"), max_length=10, choices=Kind)
    version = models.PositiveIntegerField(_("version"))
    definition = models.JSONField(_("correspondance"))
    is_current = models.BooleanField(_("en vigueur"), default=True)
    created_at = models.DateTimeField(_("enregistré le"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("par"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )

    class Meta:
        verbose_name = _("dialecte de boutique")
        verbose_name_plural = _("dialectes de boutique")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["shop", "kind", "version"], name="ftp_ingest_dialect_version"
            ),
            models.UniqueConstraint(
                fields=["shop", "kind"],
                condition=models.Q(is_current=True),
                name="ftp_ingest_dialect_one_current",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.shop} · {self.get_kind_display()} v{self.version}"


class ShopState(models.Model):
    """What a state means in the words of one shop, as a person said."""

    class Meaning(models.TextChoices):
        PENDING = "pending", _("Pas encore payée : attendre le règlement")
        PAID = "paid", _("Payée : à préparer")
        SHIPPED = "shipped", _("Payée et expédiée par la boutique")
        DELIVERED = "delivered", _("Payée et livrée par la boutique")
        CANCELLED = "cancelled", _("Annulée : rien à livrer")
        FAILED = "failed", _("Paiement échoué : rien à livrer")
        REFUNDED = "refunded", _("Remboursée en entier")
        PARTIALLY_REFUNDED = "partially_refunded", _("Remboursée en partie")

    shop = models.ForeignKey(
        Shop, verbose_name=_("boutique"), on_delete=models.PROTECT, related_name="+"
    )
    # As it is compared: without case, accents or marks.
    phrase = models.CharField(_("état comparé"), max_length=200)
    text = models.CharField(_("état à la boutique"), max_length=200)
    meaning = models.CharField(_("veut dire"), max_length=20, choices=Meaning)
    decided_at = models.DateTimeField(_("dit le"))
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("par"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )

    class Meta:
        verbose_name = _("état d'une boutique")
        verbose_name_plural = _("états des boutiques")
        ordering = ["text"]
        constraints = [
            models.UniqueConstraint(fields=["shop", "phrase"], name="ftp_ingest_state_once"),
        ]

    def __str__(self) -> str:
        return f"{self.shop} : {self.text}"


class ShipmentFile(models.Model):
    """A file of shipments made for a feed's account; its bytes are kept until it is there.

    One at a time: what leaves meanwhile goes into the next. Tried again it has the same name and
    the same bytes, so that a shop never finds two of it.
    """

    feed = models.ForeignKey(
        Feed,
        verbose_name=_("flux"),
        on_delete=models.PROTECT,
        related_name="shipment_files",
        db_index=False,
    )
    name = models.CharField(_("nom"), max_length=100)
    content = models.TextField(editable=False, blank=True)
    made_at = models.DateTimeField(_("écrit le"))
    sent_at = models.DateTimeField(_("déposé le"), null=True, blank=True)
    # Not before: somebody is at it, or it has just failed.
    next_try_at = models.DateTimeField(_("prochain essai"), null=True, blank=True)
    failures = models.PositiveSmallIntegerField(_("échecs de suite"), default=0)
    error = models.TextField(_("erreur"), blank=True)

    class Meta:
        verbose_name = _("fichier d'expéditions")
        verbose_name_plural = _("fichiers d'expéditions")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["feed", "name"], name="ftp_ingest_shipments_name"),
            models.UniqueConstraint(
                fields=["feed"],
                condition=models.Q(sent_at__isnull=True),
                name="ftp_ingest_shipments_one_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ToldShipment(models.Model):
    """A delivery note in a file of shipments: once, and once more when its number comes later."""

    feed = models.ForeignKey(Feed, on_delete=models.PROTECT, related_name="+", db_index=False)
    file = models.ForeignKey(
        ShipmentFile,
        verbose_name=_("fichier"),
        on_delete=models.PROTECT,
        related_name="shipments",
    )
    delivery_note = models.ForeignKey(
        DeliveryNote, verbose_name=_("BL"), on_delete=models.PROTECT, related_name="+"
    )
    has_number = models.BooleanField(_("avec son n° de suivi"))

    class Meta:
        verbose_name = _("expédition dite")
        verbose_name_plural = _("expéditions dites")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["feed", "delivery_note", "has_number"], name="ftp_ingest_shipment_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.delivery_note} : {self.file}"
