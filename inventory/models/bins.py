"""Where in a warehouse goods lie: its bins in the order in which one walks past them."""

from decimal import Decimal

from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from inventory.models.products import Product
from inventory.models.stock import Warehouse
from sphinx.core.fields import QuantityField


class Bin(models.Model):
    """A place on a shelf of a warehouse, by the code on its label."""

    warehouse = models.ForeignKey(
        Warehouse, verbose_name=_("dépôt"), on_delete=models.PROTECT, related_name="bins"
    )
    code = models.CharField(_("emplacement"), max_length=30)
    # The order of the walk: who picks passes the lowest first.
    position = models.PositiveIntegerField(_("rang sur le parcours"))

    class Meta:
        verbose_name = _("emplacement")
        verbose_name_plural = _("emplacements")
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint("warehouse", Lower("code"), name="inventory_bin_code_once"),
            models.CheckConstraint(condition=~models.Q(code=""), name="inventory_bin_has_code"),
        ]

    def __str__(self) -> str:
        return self.code


class BinStock(models.Model):
    """Pieces of a product in a bin.

    A product may lie in several bins; together they never hold more than its position has on
    hand. The rest hasn't been put away yet. An empty row says where the product lay last.
    """

    bin = models.ForeignKey(
        Bin, verbose_name=_("emplacement"), on_delete=models.PROTECT, related_name="stock"
    )
    product = models.ForeignKey(
        Product, verbose_name=_("article"), on_delete=models.PROTECT, related_name="bin_stock"
    )
    on_hand = QuantityField(_("en stock"), default=Decimal(0))

    class Meta:
        verbose_name = _("contenu d'emplacement")
        verbose_name_plural = _("contenus d'emplacements")
        ordering = ["bin__position", "bin_id", "product_id"]
        constraints = [
            models.UniqueConstraint(fields=["product", "bin"], name="inventory_bin_product_once"),
            models.CheckConstraint(
                condition=models.Q(on_hand__gte=0), name="inventory_bin_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} @ {self.bin_id}"
