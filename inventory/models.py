"""What is sold and where it lies: products, warehouses, the ledger of moves, reservations."""

from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from sphinx.core.fields import QuantityField, RateField, UnitPriceField
from sphinx.core.validators import validate_barcode


class ProductCategory(models.Model):
    """A category of goods and the French VAT rate that it carries."""

    name = models.CharField(_("nom"), max_length=80, unique=True)
    tax_rate = RateField(
        _("taux de TVA (%)"), null=True, blank=True, validators=[MinValueValidator(0)]
    )

    class Meta:
        verbose_name = _("catégorie")
        verbose_name_plural = _("catégories")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    """An article, named by its SKU as the shop writes it."""

    class SupplyMode(models.TextChoices):
        STOCKED = "stocked", _("Stocké")
        JUST_IN_TIME = "just_in_time", _("Flux tendu")

    sku = models.CharField(_("référence (SKU)"), max_length=80)
    # Case and spaces don't tell products apart; see sphinx.core.texts.sku_key.
    sku_key = models.CharField(max_length=80, unique=True, editable=False)
    label = models.CharField(_("désignation"), max_length=200, blank=True)
    category = models.ForeignKey(
        ProductCategory,
        verbose_name=_("catégorie"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="products",
    )
    tax_rate = RateField(
        _("taux de TVA (%)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("Vide : celui de la catégorie."),
    )
    supply_mode = models.CharField(
        _("approvisionnement"), max_length=12, choices=SupplyMode, default=SupplyMode.STOCKED
    )
    unit_cost = UnitPriceField(_("coût unitaire HT (€)"), null=True, blank=True)
    barcode = models.CharField(
        _("code-barres"), max_length=14, blank=True, validators=[validate_barcode]
    )
    location = models.CharField(_("emplacement"), max_length=30, blank=True)
    is_incomplete = models.BooleanField(
        _("à compléter"), default=False, help_text=_("Créé d'office par une commande.")
    )
    is_active = models.BooleanField(_("actif"), default=True)

    history = HistoricalRecords(verbose_name=_("historique"))

    class Meta:
        verbose_name = _("article")
        verbose_name_plural = _("articles")
        ordering = ["sku"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(tax_rate__isnull=True) | models.Q(tax_rate__gte=0),
                name="inventory_product_tax_rate_positive",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sku} {self.label}".strip()


class ProductAlias(models.Model):
    """Another SKU by which shops name a product: decided once, when a file was mended."""

    sku_key = models.CharField(_("référence vue"), max_length=80, unique=True)
    product = models.ForeignKey(
        Product, verbose_name=_("article"), on_delete=models.PROTECT, related_name="aliases"
    )

    class Meta:
        verbose_name = _("autre référence")
        verbose_name_plural = _("autres références")

    def __str__(self) -> str:
        return f"{self.sku_key} → {self.product}"


class Warehouse(models.Model):
    """A place that holds stock."""

    code = models.SlugField(_("code"), max_length=20, unique=True)
    name = models.CharField(_("nom"), max_length=80)
    is_default = models.BooleanField(_("par défaut"), default=False)

    class Meta:
        verbose_name = _("dépôt")
        verbose_name_plural = _("dépôts")
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"],
                condition=models.Q(is_default=True),
                name="inventory_warehouse_one_default",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class StockMove(models.Model):
    """One signed line of the stock ledger; written, never changed (a trigger refuses it)."""

    class Kind(models.TextChoices):
        OPENING = "opening", _("Stock initial")
        RECEIPT = "receipt", _("Réception")
        SALE = "sale", _("Vente")
        RETURN = "return", _("Retour")
        TRANSFER = "transfer", _("Transfert")
        COUNT = "count", _("Inventaire")
        LOSS = "loss", _("Perte")
        CORRECTION = "correction", _("Correction")

    product = models.ForeignKey(
        Product, verbose_name=_("article"), on_delete=models.PROTECT, related_name="moves"
    )
    warehouse = models.ForeignKey(
        Warehouse,
        verbose_name=_("dépôt"),
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    kind = models.CharField(_("nature"), max_length=12, choices=Kind)
    quantity = QuantityField(_("quantité"), help_text=_("Positive en entrée, négative en sortie."))
    unit_cost = UnitPriceField(_("coût unitaire HT (€)"), default=Decimal(0))
    at = models.DateTimeField(_("le"))
    # The document that moved it, by its values: this app doesn't know who uses it.
    origin_kind = models.CharField(_("document"), max_length=20)
    origin_number = models.CharField(_("numéro"), max_length=80)
    origin_line = models.PositiveIntegerField(_("ligne"), default=0)
    note = models.CharField(_("motif"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("mouvement de stock")
        verbose_name_plural = _("mouvements de stock")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=~models.Q(quantity=0), name="inventory_move_not_zero"),
            # The same line of the same document moves a product once, even if a task runs twice.
            models.UniqueConstraint(
                fields=["product", "warehouse", "origin_kind", "origin_number", "origin_line"],
                name="inventory_move_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} {self.quantity:+f} {self.origin_number}"


class StockPosition(models.Model):
    """What a warehouse holds of a product, kept equal to the ledger and to the reservations."""

    product = models.ForeignKey(
        Product, verbose_name=_("article"), on_delete=models.PROTECT, related_name="positions"
    )
    warehouse = models.ForeignKey(
        Warehouse,
        verbose_name=_("dépôt"),
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    on_hand = QuantityField(_("en stock"), default=Decimal(0))
    reserved = QuantityField(_("réservé"), default=Decimal(0))
    backordered = QuantityField(
        _("à servir"), default=Decimal(0), help_text=_("Commandé par des clients, sans stock.")
    )
    incoming = QuantityField(_("attendu"), default=Decimal(0))
    average_cost = UnitPriceField(_("CUMP HT (€)"), default=Decimal(0))

    class Meta:
        verbose_name = _("position de stock")
        verbose_name_plural = _("positions de stock")
        ordering = ["product__sku"]
        constraints = [
            models.UniqueConstraint(
                fields=["product", "warehouse"], name="inventory_position_unique"
            ),
            models.CheckConstraint(
                condition=models.Q(on_hand__gte=0)
                & models.Q(reserved__gte=0)
                & models.Q(backordered__gte=0)
                & models.Q(incoming__gte=0),
                name="inventory_position_not_negative",
            ),
            models.CheckConstraint(
                condition=models.Q(reserved__lte=models.F("on_hand")),
                name="inventory_position_reserved_is_there",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} @ {self.warehouse_id}"

    @property
    def available(self) -> Decimal:
        """Pieces that can still be promised: on hand − reserved."""
        return self.on_hand - self.reserved


class Reservation(models.Model):
    """What one order line still wants of a product, and how much of it is set aside."""

    product = models.ForeignKey(
        Product, verbose_name=_("article"), on_delete=models.PROTECT, related_name="reservations"
    )
    warehouse = models.ForeignKey(
        Warehouse,
        verbose_name=_("dépôt"),
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    quantity = QuantityField(_("demandé"))
    allocated = QuantityField(_("mis de côté"), default=Decimal(0))
    # First come, first served: the order's date, then the order of arrival.
    requested_at = models.DateTimeField(_("demandé le"))
    origin_number = models.CharField(_("commande"), max_length=80)

    class Meta:
        verbose_name = _("réservation")
        verbose_name_plural = _("réservations")
        ordering = ["requested_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(allocated__gte=0)
                & models.Q(allocated__lte=models.F("quantity")),
                name="inventory_reservation_within_demand",
            ),
        ]
        indexes = [
            models.Index(
                fields=["product", "warehouse", "requested_at"],
                condition=models.Q(quantity__gt=models.F("allocated")),
                name="inventory_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.origin_number} {self.quantity:f}"


class ReorderRule(models.Model):
    """Minimum and maximum set by hand for a product in a warehouse (pieces)."""

    product = models.ForeignKey(
        Product, verbose_name=_("article"), on_delete=models.PROTECT, related_name="reorder_rules"
    )
    warehouse = models.ForeignKey(
        Warehouse,
        verbose_name=_("dépôt"),
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    minimum = QuantityField(_("point de commande"), validators=[MinValueValidator(0)])
    maximum = QuantityField(_("recompléter jusqu'à"), validators=[MinValueValidator(0)])

    class Meta:
        verbose_name = _("règle de réappro")
        verbose_name_plural = _("règles de réappro")
        constraints = [
            models.UniqueConstraint(
                fields=["product", "warehouse"], name="inventory_reorder_rule_unique"
            ),
            models.CheckConstraint(
                condition=models.Q(maximum__gte=models.F("minimum")),
                name="inventory_reorder_rule_ordered",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} {self.minimum:f}/{self.maximum:f}"
