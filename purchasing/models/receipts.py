"""What suppliers delivered, and what was sent back to them."""

from decimal import Decimal

from django.db import models
from django.utils.translation import gettext_lazy as _

from inventory.models import StockMove
from purchasing.models.currencies import InCurrency, rate_goes_with_currency
from purchasing.models.orders import PurchaseOrder, PurchaseOrderLine
from sphinx.core.fields import QuantityField, UnitPriceField
from sphinx.core.money import plain


class Receipt(InCurrency):
    """Goods that came in against a purchase order, in its currency, at the rate of their day."""

    number = models.CharField(_("n° de réception"), max_length=20, unique=True)
    purchase_order = models.ForeignKey(
        PurchaseOrder, verbose_name=_("commande"), on_delete=models.PROTECT, related_name="receipts"
    )
    received_at = models.DateTimeField(_("reçu le"))
    supplier_reference = models.CharField(_("BL du fournisseur"), max_length=60, blank=True)

    class Meta:
        verbose_name = _("réception")
        verbose_name_plural = _("réceptions")
        ordering = ["-id"]
        constraints = [rate_goes_with_currency("purchasing_receipt_rate")]

    def __str__(self) -> str:
        return self.number


class ReceiptLine(models.Model):
    """Pieces of one purchase order line that came in; damaged ones don't enter stock."""

    receipt = models.ForeignKey(
        Receipt, verbose_name=_("réception"), on_delete=models.PROTECT, related_name="lines"
    )
    order_line = models.ForeignKey(
        PurchaseOrderLine,
        verbose_name=_("ligne de commande"),
        on_delete=models.PROTECT,
        related_name="receipt_lines",
    )
    quantity = QuantityField(_("quantité"))
    quantity_damaged = QuantityField(_("abîmé, refusé"), default=Decimal(0))
    quantity_returned = QuantityField(_("renvoyé"), default=Decimal(0))
    quantity_invoiced = QuantityField(_("facturé"), default=Decimal(0))
    # What the delivery note says, else the order (excl. tax a piece, in the receipt's currency).
    unit_price_excl_tax = UnitPriceField(_("prix unitaire HT"), default=Decimal(0))
    move = models.OneToOneField(
        StockMove,
        verbose_name=_("mouvement"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )

    class Meta:
        verbose_name = _("ligne de réception")
        verbose_name_plural = _("lignes de réception")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(quantity__gte=0)
                & models.Q(quantity_damaged__gte=0)
                & (models.Q(quantity__gt=0) | models.Q(quantity_damaged__gt=0)),
                name="purchasing_receipt_line_positive",
            ),
            models.CheckConstraint(
                condition=models.Q(quantity_returned__gte=0)
                & models.Q(quantity_returned__lte=models.F("quantity"))
                & models.Q(quantity_invoiced__gte=0),
                name="purchasing_receipt_line_within",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_line_id} × {plain(self.quantity)}"

    @property
    def unit_cost(self) -> Decimal:
        """What a piece cost: its price in euros, at the receipt's rate."""
        return self.receipt.unit_price_eur(self.unit_price_excl_tax)

    @property
    def kept(self) -> Decimal:
        """Pieces that came and didn't go back to the supplier."""
        return self.quantity - self.quantity_returned


class SupplierReturn(models.Model):
    """Goods sent back to a supplier, out of a receipt."""

    number = models.CharField(_("n° de retour"), max_length=20, unique=True)
    receipt = models.ForeignKey(
        Receipt, verbose_name=_("réception"), on_delete=models.PROTECT, related_name="returns"
    )
    returned_at = models.DateTimeField(_("renvoyé le"))
    reason = models.CharField(_("motif"), max_length=200)

    class Meta:
        verbose_name = _("retour fournisseur")
        verbose_name_plural = _("retours fournisseurs")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.number


class SupplierReturnLine(models.Model):
    """Pieces of one receipt line that went back."""

    supplier_return = models.ForeignKey(
        SupplierReturn, verbose_name=_("retour"), on_delete=models.PROTECT, related_name="lines"
    )
    receipt_line = models.ForeignKey(
        ReceiptLine,
        verbose_name=_("ligne de réception"),
        on_delete=models.PROTECT,
        related_name="return_lines",
    )
    quantity = QuantityField(_("quantité"))

    class Meta:
        verbose_name = _("ligne de retour")
        verbose_name_plural = _("lignes de retour")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(quantity__gt=0), name="purchasing_return_line_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.receipt_line_id} × {plain(self.quantity)}"
