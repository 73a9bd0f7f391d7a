"""How much to buy: the rules, what was learned of each product, decisions, comparisons."""

from decimal import Decimal

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from inventory.models import Product, ProductCategory, Warehouse
from sphinx.core.fields import MoneyField, QuantityField, RateField
from suppliers.models import Supplier


class ReplenishmentRules(models.Model):
    """What the firm wishes of its replenishment: one row, with defaults that work."""

    service_level_a = RateField(
        _("taux de service classe A (%)"),
        default=Decimal("98.00"),
        validators=[MinValueValidator(50), MaxValueValidator(Decimal("99.99"))],
        help_text=_("Part des réapprovisionnements pendant lesquels rien ne manque."),
    )
    service_level_b = RateField(
        _("taux de service classe B (%)"),
        default=Decimal("95.00"),
        validators=[MinValueValidator(50), MaxValueValidator(Decimal("99.99"))],
    )
    service_level_c = RateField(
        _("taux de service classe C (%)"),
        default=Decimal("90.00"),
        validators=[MinValueValidator(50), MaxValueValidator(Decimal("99.99"))],
    )
    review_days = models.PositiveSmallIntegerField(
        _("jours entre deux calculs"), default=1, validators=[MinValueValidator(1)]
    )
    cover_days = models.PositiveSmallIntegerField(
        _("couverture d'une commande (jours)"),
        default=14,
        validators=[MinValueValidator(1)],
        help_text=_("Une commande couvre au moins les ventes d'autant de jours."),
    )
    max_cover_days = models.PositiveSmallIntegerField(
        _("couverture maximale (jours)"), default=180, validators=[MinValueValidator(7)]
    )
    order_cost = MoneyField(
        _("coût d'une commande (€)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("Vide : pas de quantité économique (formule de Wilson)."),
    )
    holding_rate = RateField(
        _("coût de possession (% par an)"),
        default=Decimal("20.00"),
        validators=[MinValueValidator(0)],
        help_text=_("Argent immobilisé, place, casse : une part de la valeur du stock."),
    )
    shelf_life_share = RateField(
        _("part de la durée de conservation (%)"),
        default=Decimal("60.00"),
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text=_("Un achat se vend en moins de cette part de sa durée de conservation."),
    )

    class Meta:
        verbose_name = _("réglages du réappro")
        verbose_name_plural = _("réglages du réappro")
        constraints = [
            models.CheckConstraint(condition=models.Q(pk=1), name="purchasing_rules_only_one"),
        ]

    def __str__(self) -> str:
        return str(_("Réglages du réappro"))


class StockPolicy(models.Model):
    """What the last run worked out for a product in a warehouse: levels and every figure."""

    class Policy(models.TextChoices):
        LEARNED = "learned", _("Appris des ventes")
        MINIMUM_MAXIMUM = "minimum_maximum", _("Minimum et maximum à la main")
        JUST_IN_TIME = "just_in_time", _("Flux tendu")
        BACKORDERS = "backorders", _("Ce que des clients attendent")

    product = models.ForeignKey(
        Product, verbose_name=_("article"), on_delete=models.PROTECT, related_name="policies"
    )
    warehouse = models.ForeignKey(
        Warehouse,
        verbose_name=_("dépôt"),
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    supplier = models.ForeignKey(
        Supplier,
        verbose_name=_("fournisseur"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    computed_on = models.DateField(_("calculé le"))
    policy = models.CharField(_("méthode"), max_length=20, choices=Policy)
    demand_per_day = models.DecimalField(_("demande par jour"), max_digits=14, decimal_places=6)
    reorder_point = QuantityField(_("point de commande"))
    order_up_to = QuantityField(_("recompléter jusqu'à"))
    figures = models.JSONField(_("chiffres"), default=dict)

    class Meta:
        verbose_name = _("niveau calculé")
        verbose_name_plural = _("niveaux calculés")
        constraints = [
            models.UniqueConstraint(
                fields=["product", "warehouse"], name="purchasing_policy_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} {self.reorder_point:f}/{self.order_up_to:f}"


class Decision(models.Model):
    """What somebody decided on a proposed line, and why; the next runs remember it."""

    class Kind(models.TextChoices):
        CHANGED = "changed", _("Quantité changée")
        POSTPONED = "postponed", _("Remise à plus tard")
        REFUSED = "refused", _("Refusée")

    product = models.ForeignKey(
        Product, verbose_name=_("article"), on_delete=models.PROTECT, related_name="+"
    )
    warehouse = models.ForeignKey(
        Warehouse,
        verbose_name=_("dépôt"),
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    kind = models.CharField(_("décision"), max_length=10, choices=Kind)
    proposed = QuantityField(_("proposé"))
    decided = QuantityField(_("décidé"))
    reason = models.CharField(_("motif"), max_length=200)
    # Until then nothing is proposed of the product, unless customers wait for it.
    until = models.DateField(_("jusqu'au"), null=True, blank=True)
    decided_at = models.DateTimeField(_("décidé le"))
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("par"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )

    class Meta:
        verbose_name = _("décision sur une proposition")
        verbose_name_plural = _("décisions sur les propositions")
        ordering = ["-id"]
        indexes = [models.Index(fields=["product", "warehouse"], name="purchasing_decided")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.product_id}"


class DemandAdjustment(models.Model):
    """A forecast changed by a person for a time: a promotion, the sales, an article in the press.

    Of one article, a category, what a supplier sells, or everything. What was computed is never
    rewritten: the change is applied each time the forecast is used. Once past, its days count as
    ordinary demand unless the person called them exceptional.
    """

    product = models.ForeignKey(
        Product,
        verbose_name=_("article"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    category = models.ForeignKey(
        ProductCategory,
        verbose_name=_("catégorie"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    supplier = models.ForeignKey(
        Supplier,
        verbose_name=_("fournisseur"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    first_day = models.DateField(_("du"))
    last_day = models.DateField(_("au (compris)"))
    percent = models.DecimalField(
        _("en plus ou en moins (%)"), max_digits=7, decimal_places=2, null=True, blank=True
    )
    weekly = QuantityField(_("pièces par semaine"), null=True, blank=True)
    reason = models.CharField(_("motif"), max_length=200)
    is_exceptional = models.BooleanField(
        _("exceptionnel"),
        default=False,
        help_text=_("Une fois passés, ces jours n'apprennent rien de la demande ordinaire."),
    )
    created_at = models.DateTimeField(_("saisi le"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("par"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    # Taken back: it counts for nothing, past or to come, and stays to be read.
    withdrawn_at = models.DateTimeField(_("retiré le"), null=True, blank=True)

    class Meta:
        verbose_name = _("prévision changée")
        verbose_name_plural = _("prévisions changées")
        ordering = ["-first_day", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(first_day__lte=models.F("last_day")),
                name="purchasing_adjustment_in_order",
            ),
            models.CheckConstraint(
                condition=models.Q(category__isnull=True, supplier__isnull=True)
                | models.Q(product__isnull=True, supplier__isnull=True)
                | models.Q(product__isnull=True, category__isnull=True),
                name="purchasing_adjustment_of_one_thing",
            ),
            # So many pieces are those of one article.
            models.CheckConstraint(
                condition=models.Q(percent__gte=-100, weekly__isnull=True)
                | models.Q(percent__isnull=True, weekly__gte=0, product__isnull=False),
                name="purchasing_adjustment_percent_or_pieces",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.about} {self.first_day:%d/%m/%Y} – {self.last_day:%d/%m/%Y}"

    @property
    def number(self) -> str:
        """By what the audit trail knows it."""
        return f"PREV-{self.pk}"

    @property
    def about(self) -> str:
        """What it changes the forecast of."""
        return str(self.product or self.category or self.supplier or _("Tous les articles"))


class Backtest(models.Model):
    """What the learned levels would have done over a past, beside a fixed minimum and reality."""

    class Status(models.TextChoices):
        RUNNING = "running", _("En cours")
        DONE = "done", _("Terminée")
        FAILED = "failed", _("Interrompue")

    status = models.CharField(_("état"), max_length=10, choices=Status, default=Status.DONE)
    # While it runs: the last sign of life.
    computed_at = models.DateTimeField(_("calculé le"))
    products_done = models.PositiveIntegerField(_("articles rejoués"), default=0)
    first_day = models.DateField(_("du"))
    last_day = models.DateField(_("au"))
    products = models.PositiveIntegerField(_("articles"))
    # One object a way: learned, fixed, real; figures as texts.
    outcomes = models.JSONField(_("résultats"), default=list)

    class Meta:
        verbose_name = _("comparaison sur le passé")
        verbose_name_plural = _("comparaisons sur le passé")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["status"],
                condition=models.Q(status="running"),
                name="purchasing_backtest_one_running",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first_day:%d/%m/%Y} – {self.last_day:%d/%m/%Y}"
