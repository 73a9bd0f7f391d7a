"""What people do to stock themselves: counts, transfers, limits set by hand."""

from decimal import Decimal

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from inventory.models.products import Lot, Product
from inventory.models.stock import StockMove, Warehouse
from sphinx.core.fields import QuantityField


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


class StockCount(models.Model):
    """A count of what lies in a warehouse: whole, a shelf, or a class of products."""

    class Scope(models.TextChoices):
        ALL = "all", _("Tout le dépôt")
        SHELF = "shelf", _("Un emplacement")
        ABC = "abc", _("Une classe ABC")

    class Status(models.TextChoices):
        OPEN = "open", _("En cours")
        POSTED = "posted", _("Validé")
        CANCELLED = "cancelled", _("Abandonné")

    number = models.CharField(_("n° d'inventaire"), max_length=20, unique=True)
    warehouse = models.ForeignKey(
        Warehouse, verbose_name=_("dépôt"), on_delete=models.PROTECT, related_name="+"
    )
    scope = models.CharField(_("étendue"), max_length=10, choices=Scope, default=Scope.ALL)
    scope_value = models.CharField(
        _("emplacement ou classe"),
        max_length=30,
        blank=True,
        help_text=_("Le début de l'emplacement (A3), ou la classe (A, B ou C)."),
    )
    is_blind = models.BooleanField(
        _("à l'aveugle"), default=True, help_text=_("Celui qui compte ne voit pas l'attendu.")
    )
    status = models.CharField(_("état"), max_length=10, choices=Status, default=Status.OPEN)
    created_at = models.DateTimeField(_("ouvert le"))
    posted_at = models.DateTimeField(_("validé le"), null=True, blank=True)

    class Meta:
        verbose_name = _("inventaire")
        verbose_name_plural = _("inventaires")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status="posted", posted_at__isnull=False)
                | (~models.Q(status="posted") & models.Q(posted_at__isnull=True)),
                name="inventory_count_posted_has_date",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class StockCountLine(models.Model):
    """One product (one lot of it) to be counted; blank until somebody has."""

    count = models.ForeignKey(
        StockCount, verbose_name=_("inventaire"), on_delete=models.PROTECT, related_name="lines"
    )
    product = models.ForeignKey(
        Product, verbose_name=_("article"), on_delete=models.PROTECT, related_name="+"
    )
    lot = models.ForeignKey(
        Lot,
        verbose_name=_("lot"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    # Where it lies, in a warehouse with bins; blank: in none, or in whichever.
    bin_code = models.CharField(_("emplacement"), max_length=30, blank=True, db_default="")
    counted = QuantityField(_("compté"), null=True, blank=True)
    # What the books said when it was counted: goods that move afterwards are no difference.
    expected = QuantityField(_("attendu"), null=True, blank=True)
    counted_at = models.DateTimeField(_("compté le"), null=True, blank=True)
    counted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("par"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    move = models.OneToOneField(
        StockMove,
        verbose_name=_("mouvement"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )

    class Meta:
        verbose_name = _("ligne d'inventaire")
        verbose_name_plural = _("lignes d'inventaire")
        ordering = ["bin_code", "product__location", "product__sku", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["count", "product", "bin_code"],
                condition=models.Q(lot__isnull=True),
                name="inventory_count_product_once",
            ),
            models.UniqueConstraint(
                fields=["count", "product", "lot"],
                condition=models.Q(lot__isnull=False),
                name="inventory_count_lot_once",
            ),
            models.CheckConstraint(
                condition=models.Q(counted__isnull=True, expected__isnull=True)
                | models.Q(counted__gte=0, expected__isnull=False),
                name="inventory_count_line_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} : {self.counted}"

    @property
    def difference(self) -> Decimal | None:
        """Pieces found beyond what was expected; negative when some are missing."""
        if self.counted is None or self.expected is None:
            return None
        return self.counted - self.expected


class StockTransfer(models.Model):
    """Goods that go from one warehouse to another; on their way they are nobody's stock."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("En préparation")
        SENT = "sent", _("En route")
        RECEIVED = "received", _("Reçu")
        CANCELLED = "cancelled", _("Annulé")

    number = models.CharField(_("n° de transfert"), max_length=20, unique=True)
    source = models.ForeignKey(
        Warehouse, verbose_name=_("de"), on_delete=models.PROTECT, related_name="+"
    )
    destination = models.ForeignKey(
        Warehouse, verbose_name=_("vers"), on_delete=models.PROTECT, related_name="+"
    )
    status = models.CharField(_("état"), max_length=10, choices=Status, default=Status.DRAFT)
    created_at = models.DateTimeField(_("créé le"))
    sent_at = models.DateTimeField(_("parti le"), null=True, blank=True)
    received_at = models.DateTimeField(_("reçu le"), null=True, blank=True)
    note = models.CharField(_("motif"), max_length=200, blank=True)
    # By the replenishment run, which refreshes it in place until somebody sends or cancels it.
    is_proposed = models.BooleanField(_("proposé"), default=False, db_default=False)

    class Meta:
        verbose_name = _("transfert")
        verbose_name_plural = _("transferts")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(source=models.F("destination")),
                name="inventory_transfer_elsewhere",
            ),
            models.UniqueConstraint(
                fields=["source", "destination"],
                condition=models.Q(is_proposed=True, status="draft"),
                name="inventory_transfer_one_proposal",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class StockTransferLine(models.Model):
    """Pieces of a product in a transfer."""

    transfer = models.ForeignKey(
        StockTransfer, verbose_name=_("transfert"), on_delete=models.PROTECT, related_name="lines"
    )
    product = models.ForeignKey(
        Product, verbose_name=_("article"), on_delete=models.PROTECT, related_name="+"
    )
    quantity = QuantityField(_("quantité"), validators=[MinValueValidator(Decimal("0.001"))])
    quantity_received = QuantityField(_("reçu"), default=Decimal(0))
    # Why it was proposed, as figures.
    reason = models.JSONField(_("raison"), default=dict, db_default={})

    class Meta:
        verbose_name = _("ligne de transfert")
        verbose_name_plural = _("lignes de transfert")
        ordering = ["product__sku"]
        constraints = [
            models.UniqueConstraint(
                fields=["transfer", "product"], name="inventory_transfer_product_once"
            ),
            models.CheckConstraint(
                condition=models.Q(quantity__gt=0)
                & models.Q(quantity_received__gte=0)
                & models.Q(quantity_received__lte=models.F("quantity")),
                name="inventory_transfer_line_within",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} × {self.quantity:f}"

    @property
    def left(self) -> Decimal:
        """Pieces still on their way."""
        return self.quantity - self.quantity_received
