"""Where goods lie and who wants them: warehouses, the ledger, positions, reservations."""

import hashlib
from datetime import date
from decimal import Decimal

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from inventory.models.products import Lot, Product
from sphinx.core.fields import MoneyField, QuantityField, UnitPriceField
from sphinx.core.models import Shop


class Warehouse(models.Model):
    """A place that holds stock."""

    code = models.SlugField(_("code"), max_length=20, unique=True)
    name = models.CharField(_("nom"), max_length=80)
    is_default = models.BooleanField(_("par défaut"), default=False)
    shops = models.ManyToManyField(
        Shop,
        verbose_name=_("boutiques servies"),
        blank=True,
        related_name="+",
        help_text=_("Vide partout : le dépôt par défaut sert toutes les boutiques."),
    )
    # No place: what suppliers send straight to customers passes through its books.
    is_direct = models.BooleanField(
        _("chez les fournisseurs"), default=False, db_default=False, editable=False
    )

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
        SUPPLIER_RETURN = "supplier_return", _("Retour fournisseur")
        REVALUATION = "revaluation", _("Revalorisation")

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
    lot = models.ForeignKey(
        Lot,
        verbose_name=_("lot"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="moves",
    )
    kind = models.CharField(_("nature"), max_length=16, choices=Kind)
    quantity = QuantityField(_("quantité"), help_text=_("Positive en entrée, négative en sortie."))
    unit_cost = UnitPriceField(_("coût unitaire HT (€)"), default=Decimal(0))
    # Of a revaluation only: what it adds to the value of the stock, no piece moves.
    value_change = MoneyField(_("valeur (€)"), default=Decimal(0))
    at = models.DateTimeField(_("le"))
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("par"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    # The document that moved it, by its values: this app doesn't know who uses it.
    origin_kind = models.CharField(_("document"), max_length=20)
    origin_number = models.CharField(_("numéro"), max_length=80)
    origin_line = models.PositiveIntegerField(_("ligne"), default=0)
    note = models.CharField(_("motif"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("mouvement de stock")
        verbose_name_plural = _("mouvements de stock")
        ordering = ["-id"]
        indexes = [
            # The ledger of a product in a warehouse up to a date: its value then, its chart.
            models.Index(fields=["product", "warehouse", "at"], name="inventory_move_dated"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(quantity=0, kind="revaluation")
                | (~models.Q(quantity=0) & models.Q(value_change=0)),
                name="inventory_move_not_zero",
            ),
            # The same line of the same document moves a product once, even if a task runs twice;
            # a line that takes from several lots moves each of them once.
            models.UniqueConstraint(
                fields=["product", "warehouse", "origin_kind", "origin_number", "origin_line"],
                condition=models.Q(lot__isnull=True),
                name="inventory_move_once",
            ),
            models.UniqueConstraint(
                fields=[
                    "product",
                    "warehouse",
                    "origin_kind",
                    "origin_number",
                    "origin_line",
                    "lot",
                ],
                condition=models.Q(lot__isnull=False),
                name="inventory_move_once_a_lot",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} {self.quantity:+f} {self.origin_number}"


# What moves add to the value of the stock, together (EUR excl. tax).
WORTH = models.Sum(
    models.F("quantity") * models.F("unit_cost") + models.F("value_change"),
    output_field=models.DecimalField(max_digits=24, decimal_places=9),
)


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
    # Of what is on hand: in lots whose date has passed, to be destroyed. As of the day on which
    # anybody last locked the position, or the daily sweep passed.
    expired = QuantityField(_("périmé"), default=Decimal(0), db_default=Decimal(0))
    # The best-before date of the next lot to expire.
    expires_next_on = models.DateField(_("prochaine date limite"), null=True, editable=False)
    # The sum of the moves, to the last place: pieces have three, costs six.
    value = models.DecimalField(
        _("valeur HT (€)"),
        max_digits=24,
        decimal_places=9,
        default=Decimal(0),
        db_default=Decimal(0),
    )
    # The product's, repeated here so that the database itself can tell.
    allows_negative = models.BooleanField(_("stock négatif permis"), default=False)

    class Meta:
        verbose_name = _("position de stock")
        verbose_name_plural = _("positions de stock")
        ordering = ["product__sku"]
        constraints = [
            models.UniqueConstraint(
                fields=["product", "warehouse"], name="inventory_position_unique"
            ),
            models.CheckConstraint(
                condition=(models.Q(on_hand__gte=0) | models.Q(allows_negative=True))
                & models.Q(reserved__gte=0)
                & models.Q(backordered__gte=0)
                & models.Q(incoming__gte=0),
                name="inventory_position_not_negative",
            ),
            models.CheckConstraint(
                condition=models.Q(reserved__lte=models.F("on_hand"))
                | models.Q(allows_negative=True),
                name="inventory_position_reserved_is_there",
            ),
            models.CheckConstraint(
                condition=models.Q(expired__gte=0)
                & (
                    models.Q(reserved__lte=models.F("on_hand") - models.F("expired"))
                    | models.Q(allows_negative=True)
                ),
                name="inventory_position_reserved_can_be_sold",
            ),
        ]
        indexes = [
            models.Index(
                fields=["expires_next_on"],
                condition=models.Q(expires_next_on__isnull=False),
                name="inventory_expires_next",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} @ {self.warehouse_id}"

    @property
    def available(self) -> Decimal:
        """Pieces that can still be promised: on hand − expired − reserved."""
        return self.on_hand - self.expired - self.reserved


class LotPosition(models.Model):
    """What a warehouse holds of a lot; equal to the lot's moves there."""

    lot = models.ForeignKey(
        Lot, verbose_name=_("lot"), on_delete=models.PROTECT, related_name="positions"
    )
    warehouse = models.ForeignKey(
        Warehouse,
        verbose_name=_("dépôt"),
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    on_hand = QuantityField(_("en stock"), default=Decimal(0))
    # The product's, repeated here so that the database itself can tell.
    is_serial = models.BooleanField(default=False, db_default=False, editable=False)

    class Meta:
        verbose_name = _("position de lot")
        verbose_name_plural = _("positions de lots")
        constraints = [
            models.UniqueConstraint(fields=["lot", "warehouse"], name="inventory_lot_place"),
            models.CheckConstraint(
                condition=models.Q(on_hand__gte=0), name="inventory_lot_not_negative"
            ),
            models.CheckConstraint(
                condition=models.Q(is_serial=False) | models.Q(on_hand__in=[0, 1]),
                name="inventory_serial_one_piece",
            ),
            models.UniqueConstraint(
                fields=["lot"],
                condition=models.Q(is_serial=True, on_hand__gt=0),
                name="inventory_serial_in_one_place",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.lot_id} @ {self.warehouse_id}"

    def is_expired(self, on: date) -> bool:
        """Whether its date has passed by a day."""
        return self.lot.best_before is not None and self.lot.best_before < on


class Reservation(models.Model):
    """What one order line still wants of a product, and how much of it is set aside.

    A bundle's reservation counts bundles and holds nothing itself: its components' do, each
    knowing how many pieces a bundle takes.
    """

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
    # What customers asked for and didn't take back, served or not: replenishment learns from it.
    asked = QuantityField(_("demandé en tout"), default=Decimal(0))
    # First come, first served: the order's date, then the order of arrival; priority by hand
    # goes first.
    priority = models.SmallIntegerField(_("priorité"), db_default=0)
    requested_at = models.DateTimeField(_("demandé le"))
    bundle = models.ForeignKey(
        "self",
        verbose_name=_("pour le lot"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="components",
        db_index=False,
    )
    per_bundle = QuantityField(_("pièces par lot"), null=True, blank=True)
    is_bundle = models.BooleanField(_("lot"), db_default=False)
    origin_number = models.CharField(_("commande"), max_length=80)

    class Meta:
        verbose_name = _("réservation")
        verbose_name_plural = _("réservations")
        ordering = ["-priority", "requested_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(allocated__gte=0)
                & models.Q(allocated__lte=models.F("quantity")),
                name="inventory_reservation_within_demand",
            ),
            models.CheckConstraint(
                condition=models.Q(bundle__isnull=True, per_bundle__isnull=True)
                | models.Q(bundle__isnull=False, per_bundle__gt=0, is_bundle=False),
                name="inventory_reservation_bundle",
            ),
        ]
        indexes = [
            models.Index(
                fields=["product", "warehouse", "requested_at"],
                condition=models.Q(quantity__gt=models.F("allocated")),
                name="inventory_waiting",
            ),
            models.Index(
                fields=["bundle"],
                condition=models.Q(bundle__isnull=False),
                name="inventory_components_of",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.origin_number} {self.quantity:f}"


class DirectDelivery(models.Model):
    """What suppliers send straight to a customer for one order, and where to.

    The address is the order's, and follows it.
    """

    origin_number = models.CharField(_("commande"), max_length=80)
    name = models.CharField(_("livré à"), max_length=120, blank=True)
    company = models.CharField(_("société"), max_length=120, blank=True)
    address1 = models.CharField(_("adresse"), max_length=120, blank=True)
    address2 = models.CharField(_("complément"), max_length=120, blank=True)
    postcode = models.CharField(_("code postal"), max_length=16, blank=True)
    city = models.CharField(_("ville"), max_length=80, blank=True)
    country = models.CharField(_("pays"), max_length=2, blank=True)
    phone = models.CharField(_("téléphone"), max_length=40, blank=True)

    class Meta:
        verbose_name = _("livraison directe")
        verbose_name_plural = _("livraisons directes")

    def __str__(self) -> str:
        return self.origin_number

    @property
    def place(self) -> list[str]:
        """The address, a line each; blank lines left out."""
        town = f"{self.postcode} {self.city}".strip()
        lines = (self.name, self.company, self.address1, self.address2, town, self.country)
        return [line for line in lines if line]

    @property
    def address_key(self) -> str:
        """What tells this address from another."""
        return hashlib.sha256("\n".join([*self.place, self.phone]).encode()).hexdigest()


class DirectDemand(models.Model):
    """That a supplier sends what a reservation asks for: no shelf serves it."""

    reservation = models.OneToOneField(
        Reservation, verbose_name=_("réservation"), on_delete=models.PROTECT, related_name="direct"
    )
    delivery = models.ForeignKey(
        DirectDelivery,
        verbose_name=_("livraison directe"),
        on_delete=models.PROTECT,
        related_name="demands",
    )

    class Meta:
        verbose_name = _("demande livrée par le fournisseur")
        verbose_name_plural = _("demandes livrées par le fournisseur")

    def __str__(self) -> str:
        return f"{self.delivery_id} : {self.reservation_id}"
