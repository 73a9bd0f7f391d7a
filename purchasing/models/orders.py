"""What we buy: proposals with their reasons, purchase orders."""

from decimal import Decimal

from django.db import models
from django.utils.translation import gettext_lazy as _

from inventory.models import DirectDelivery, Product, Warehouse
from purchasing.models.currencies import InCurrency
from sphinx.core.exchange import EURO
from sphinx.core.fields import MoneyField, QuantityField, UnitPriceField
from sphinx.core.money import plain
from suppliers.models import Supplier
from suppliers.units import Unit


class PurchaseOrder(InCurrency):
    """An order to a supplier; a proposal until somebody accepts it.

    Its rate only says what it comes to in euros: the last known when it was made, maybe none.
    """

    class Status(models.TextChoices):
        PROPOSED = "proposed", _("Proposée")
        ACCEPTED = "accepted", _("Acceptée")
        SENT = "sent", _("Envoyée")
        CONFIRMED = "confirmed", _("Confirmée")
        PARTIALLY_RECEIVED = "partially_received", _("Reçue en partie")
        RECEIVED = "received", _("Reçue")
        CLOSED = "closed", _("Soldée")
        REFUSED = "refused", _("Refusée")
        CANCELLED = "cancelled", _("Annulée")

    number = models.CharField(_("n° de commande"), max_length=20, unique=True)
    supplier = models.ForeignKey(
        Supplier,
        verbose_name=_("fournisseur"),
        on_delete=models.PROTECT,
        related_name="purchase_orders",
    )
    warehouse = models.ForeignKey(
        Warehouse, verbose_name=_("dépôt"), on_delete=models.PROTECT, related_name="+"
    )
    # Sent by the supplier straight to the customer of that order, and of no other.
    direct_delivery = models.ForeignKey(
        DirectDelivery,
        verbose_name=_("livraison directe"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        editable=False,
    )
    # What tells the address that the supplier was given from another one.
    given_address = models.CharField(max_length=64, default="", db_default="", editable=False)
    status = models.CharField(_("état"), max_length=20, choices=Status, default=Status.PROPOSED)
    total_excl_tax = MoneyField(_("total HT"), default=Decimal(0))
    proposed_on = models.DateField(_("proposée le"))
    accepted_at = models.DateTimeField(_("acceptée le"), null=True, blank=True)
    sent_at = models.DateTimeField(_("envoyée le"), null=True, blank=True)
    mailed_at = models.DateTimeField(_("e-mail parti le"), null=True, blank=True)
    confirmed_at = models.DateTimeField(_("confirmée le"), null=True, blank=True)
    supplier_reference = models.CharField(_("n° chez le fournisseur"), max_length=60, blank=True)
    closed_at = models.DateTimeField(_("close le"), null=True, blank=True)
    expected_on = models.DateField(_("attendue le"), null=True, blank=True)
    note = models.CharField(_("note"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("commande fournisseur")
        verbose_name_plural = _("commandes fournisseurs")
        ordering = ["-id"]
        constraints = [
            # Proposals are refreshed in place: one a supplier and warehouse.
            models.UniqueConstraint(
                fields=["supplier", "warehouse"],
                condition=models.Q(status="proposed", direct_delivery__isnull=True),
                name="purchasing_order_one_shelf_proposal",
            ),
            # Of what goes straight to a customer: one an order and supplier.
            models.UniqueConstraint(
                fields=["direct_delivery", "supplier"],
                condition=models.Q(status="proposed", direct_delivery__isnull=False),
                name="purchasing_order_one_direct_proposal",
            ),
            models.CheckConstraint(
                condition=models.Q(exchange_rate__isnull=True)
                | (~models.Q(currency=EURO) & models.Q(exchange_rate__gt=0)),
                name="purchasing_order_rate",
            ),
        ]
        indexes = [
            models.Index(
                fields=["direct_delivery"],
                condition=models.Q(direct_delivery__isnull=False),
                name="purchasing_order_direct",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def total_eur(self) -> Decimal | None:
        """What it comes to in euros excl. tax, by the rate of its making; None without one."""
        if self.is_foreign and self.exchange_rate is None:
            return None
        return self.amount_eur(self.total_excl_tax)

    @property
    def address_changed(self) -> bool:
        """True when the customer's address is no longer the one that the supplier was given."""
        delivery = self.direct_delivery
        return bool(delivery and self.given_address and delivery.address_key != self.given_address)


# Orders whose goods are still to come.
EXPECTED = (
    PurchaseOrder.Status.ACCEPTED,
    PurchaseOrder.Status.SENT,
    PurchaseOrder.Status.CONFIRMED,
    PurchaseOrder.Status.PARTIALLY_RECEIVED,
)


class PurchaseOrderLine(models.Model):
    """One product of a purchase order, with every figure its quantity came from."""

    purchase_order = models.ForeignKey(
        PurchaseOrder, verbose_name=_("commande"), on_delete=models.PROTECT, related_name="lines"
    )
    product = models.ForeignKey(
        Product, verbose_name=_("article"), on_delete=models.PROTECT, related_name="+"
    )
    supplier_sku = models.CharField(_("référence fournisseur"), max_length=80, blank=True)
    quantity = QuantityField(_("quantité"))
    quantity_received = QuantityField(_("reçu"), default=Decimal(0))
    # What the supplier counts in, as it was when the line was made.
    unit_name = models.CharField(_("unité d'achat"), max_length=30, blank=True, db_default="")
    unit_size = QuantityField(
        _("pièces par unité d'achat"), default=Decimal(1), db_default=Decimal(1)
    )
    unit_price_excl_tax = UnitPriceField(_("prix unitaire HT"))
    total_excl_tax = MoneyField(_("total HT"))
    reason = models.JSONField(_("raison"), default=dict)
    # Changed by hand while it is proposed: the next run keeps the quantity.
    is_fixed = models.BooleanField(_("fixée à la main"), default=False)

    class Meta:
        verbose_name = _("ligne de commande fournisseur")
        verbose_name_plural = _("lignes de commande fournisseur")
        ordering = ["product__sku"]
        constraints = [
            models.UniqueConstraint(
                fields=["purchase_order", "product"], name="purchasing_line_unique"
            ),
            models.CheckConstraint(
                condition=models.Q(quantity__gt=0)
                & models.Q(quantity_received__gte=0)
                & models.Q(unit_price_excl_tax__gte=0),
                name="purchasing_line_positive",
            ),
            models.CheckConstraint(
                condition=models.Q(unit_size__gt=0), name="purchasing_line_unit_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} × {plain(self.quantity)}"

    @property
    def unit(self) -> Unit:
        """What the supplier counts and prices in."""
        return Unit(self.unit_name, self.unit_size)

    @property
    def count(self) -> Decimal | None:
        """How many units are ordered; None for pieces that fill no whole ones."""
        return self.unit.whole(self.quantity)

    @property
    def unit_price(self) -> Decimal:
        """Excl. tax for what `count` counts, else a piece."""
        return (
            self.unit_price_excl_tax
            if self.count is None
            else self.unit.price(self.unit_price_excl_tax)
        )
