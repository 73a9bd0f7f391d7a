"""Delivery notes made from orders."""

from decimal import Decimal

from django.db import models
from django.utils.translation import gettext_lazy as _

from inventory.models import StockMove
from sales.models.orders import Order, OrderLine
from sphinx.core.fields import QuantityField, UnitPriceField
from sphinx.core.models import Sourced
from sphinx.core.money import plain


class DeliveryNote(Sourced):
    """Goods picked for an order (draft), then handed to the carrier (shipped)."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("En préparation")
        SHIPPED = "shipped", _("Expédié")
        CANCELLED = "cancelled", _("Annulé")

    number = models.CharField(_("n° de BL"), max_length=20, unique=True)
    order = models.ForeignKey(
        Order, verbose_name=_("commande"), on_delete=models.PROTECT, related_name="delivery_notes"
    )
    status = models.CharField(_("état"), max_length=10, choices=Status, default=Status.DRAFT)
    created_at = models.DateTimeField(_("préparé le"))
    shipped_at = models.DateTimeField(_("expédié le"), null=True, blank=True)
    # Sent by suppliers straight to the customer: nothing to pick.
    is_direct = models.BooleanField(
        _("parti de chez le fournisseur"), default=False, db_default=False, editable=False
    )
    carrier = models.CharField(_("transporteur"), max_length=60, blank=True)
    tracking_number = models.CharField(_("n° de suivi"), max_length=60, blank=True)
    mailed_at = models.DateTimeField(_("client prévenu le"), null=True, blank=True)
    # Made from what the shop said that it shipped: it needn't be told.
    is_shops_own = models.BooleanField(default=False, db_default=False, editable=False)

    class Meta:
        verbose_name = _("bon de livraison")
        verbose_name_plural = _("bons de livraison")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status="shipped", shipped_at__isnull=False)
                | (~models.Q(status="shipped") & models.Q(shipped_at__isnull=True)),
                name="sales_note_shipped_has_date",
            ),
            # One draft at a time: what is ready is picked once.
            models.UniqueConstraint(
                fields=["order"],
                condition=models.Q(status="draft"),
                name="sales_note_one_draft",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class DeliveryNoteLine(models.Model):
    """Pieces of one order line in a delivery note."""

    delivery_note = models.ForeignKey(
        DeliveryNote, verbose_name=_("BL"), on_delete=models.PROTECT, related_name="lines"
    )
    order_line = models.ForeignKey(
        OrderLine,
        verbose_name=_("ligne de commande"),
        on_delete=models.PROTECT,
        related_name="delivery_lines",
    )
    quantity = QuantityField(_("quantité"))
    quantity_returned = QuantityField(_("revenu"), default=Decimal(0))
    # Weighted average cost when it left (EUR excl. tax a piece); set at shipping.
    unit_cost = UnitPriceField(_("coût unitaire HT (€)"), null=True, blank=True)
    move = models.OneToOneField(
        StockMove,
        verbose_name=_("mouvement"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )

    class Meta:
        verbose_name = _("ligne de BL")
        verbose_name_plural = _("lignes de BL")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(quantity__gt=0), name="sales_note_line_positive"
            ),
            models.CheckConstraint(
                condition=models.Q(quantity_returned__gte=0)
                & models.Q(quantity_returned__lte=models.F("quantity")),
                name="sales_note_line_returned_within",
            ),
            models.UniqueConstraint(
                fields=["delivery_note", "order_line"], name="sales_note_line_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_line_id} × {plain(self.quantity)}"
