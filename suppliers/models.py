"""Who we buy from, and at what price."""

from decimal import ROUND_CEILING, Decimal
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from inventory.models import Product
from sphinx.core.fields import MoneyField, QuantityField, UnitPriceField
from sphinx.core.validators import (
    validate_bic,
    validate_currency,
    validate_iban,
    validate_siren,
    validate_vat_number,
)
from suppliers.calendars import ALL_WEEK
from suppliers.units import Unit


def _weekdays(name: Any) -> "models.PositiveSmallIntegerField[Any, Any]":
    return models.PositiveSmallIntegerField(
        name,
        default=0,
        db_default=0,
        validators=[MaxValueValidator(ALL_WEEK)],
        help_text=_("Rien de coché : tous les jours."),
    )


class Supplier(models.Model):
    """A supplier and its conditions."""

    code = models.CharField(_("code"), max_length=12, unique=True)
    name = models.CharField(_("nom"), max_length=120, unique=True)
    email = models.EmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("téléphone"), max_length=30, blank=True)
    address1 = models.CharField(_("adresse"), max_length=120, blank=True)
    address2 = models.CharField(_("complément"), max_length=120, blank=True)
    postcode = models.CharField(_("code postal"), max_length=16, blank=True)
    city = models.CharField(_("ville"), max_length=80, blank=True)
    country = models.CharField(_("pays"), max_length=2, default="FR")
    vat_number = models.CharField(
        _("n° de TVA"), max_length=20, blank=True, validators=[validate_vat_number]
    )
    siren = models.CharField(_("SIREN"), max_length=9, blank=True, validators=[validate_siren])
    iban = models.CharField(
        _("IBAN"), max_length=34, blank=True, db_default="", validators=[validate_iban]
    )
    bic = models.CharField(
        _("BIC"), max_length=11, blank=True, db_default="", validators=[validate_bic]
    )
    auxiliary_account = models.CharField(_("compte auxiliaire"), max_length=8, blank=True)
    # What it prices and invoices in; each document keeps its own.
    currency = models.CharField(
        _("devise"),
        max_length=3,
        default="EUR",
        validators=[validate_currency],
        help_text=_("Celle de ses prix et de ses factures : EUR, USD, GBP, CNY."),
    )
    lead_time_days = models.PositiveSmallIntegerField(_("délai de livraison (jours)"), default=7)
    # Sums of days (suppliers.calendars); none ticked is every day.
    order_weekdays = _weekdays(_("prend les commandes"))
    delivery_weekdays = _weekdays(_("livre"))
    payment_terms_days = models.PositiveSmallIntegerField(
        _("délai de paiement (jours)"), default=30
    )
    minimum_order_excl_tax = MoneyField(
        _("minimum de commande HT (en devise)"),
        default=Decimal(0),
        validators=[MinValueValidator(0)],
    )
    carriage_free_excl_tax = MoneyField(
        _("franco de port HT (en devise)"), null=True, blank=True, validators=[MinValueValidator(0)]
    )
    carriage_excl_tax = MoneyField(
        _("port HT (en devise)"), default=Decimal(0), validators=[MinValueValidator(0)]
    )
    language = models.CharField(
        _("langue des documents"),
        max_length=2,
        choices=[("fr", _("français")), ("en", _("anglais"))],
        default="fr",
    )
    is_active = models.BooleanField(_("actif"), default=True)

    history = HistoricalRecords(verbose_name=_("historique"))

    class Meta:
        verbose_name = _("fournisseur")
        verbose_name_plural = _("fournisseurs")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(order_weekdays__lte=ALL_WEEK)
                & models.Q(delivery_weekdays__lte=ALL_WEEK),
                name="suppliers_supplier_weekdays",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SupplierClosure(models.Model):
    """A time in which a supplier takes, makes and sends nothing: August, the new year.

    Those of one supplier never overlap: the database refuses it (migration 0008).
    """

    supplier = models.ForeignKey(
        Supplier, verbose_name=_("fournisseur"), on_delete=models.PROTECT, related_name="closures"
    )
    first_day = models.DateField(_("fermé du"))
    last_day = models.DateField(_("au (compris)"))
    note = models.CharField(_("motif"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("fermeture")
        verbose_name_plural = _("fermetures")
        ordering = ["first_day"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(first_day__lte=models.F("last_day")),
                name="suppliers_closure_in_order",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first_day:%d/%m/%Y} – {self.last_day:%d/%m/%Y}"


class SupplierProduct(models.Model):
    """A product as one supplier sells it: reference, pack, minimum."""

    supplier = models.ForeignKey(
        Supplier, verbose_name=_("fournisseur"), on_delete=models.PROTECT, related_name="products"
    )
    product = models.ForeignKey(
        Product, verbose_name=_("article"), on_delete=models.PROTECT, related_name="sources"
    )
    supplier_sku = models.CharField(_("référence fournisseur"), max_length=80, blank=True)
    minimum_quantity = QuantityField(
        _("quantité minimale"), default=Decimal(1), validators=[MinValueValidator(0)]
    )
    pack_size = QuantityField(
        _("conditionnement"), default=Decimal(1), validators=[MinValueValidator(Decimal("0.001"))]
    )
    unit_name = models.CharField(
        _("unité d'achat"),
        max_length=30,
        blank=True,
        db_default="",
        help_text=_("Ce que le fournisseur compte et facture : carton de 12. Vide : la pièce."),
    )
    unit_size = QuantityField(
        _("pièces par unité d'achat"),
        default=Decimal(1),
        db_default=Decimal(1),
        validators=[MinValueValidator(Decimal("0.001"))],
    )
    unit_barcode = models.CharField(
        _("code-barres de l'unité d'achat"), max_length=14, blank=True, db_default=""
    )
    lead_time_days = models.PositiveSmallIntegerField(
        _("délai (jours)"), null=True, blank=True, help_text=_("Vide : celui du fournisseur.")
    )
    is_preferred = models.BooleanField(_("préféré"), default=True)

    class Meta:
        verbose_name = _("article fournisseur")
        verbose_name_plural = _("tarifs fournisseurs")
        constraints = [
            models.UniqueConstraint(
                fields=["supplier", "product"], name="suppliers_product_unique"
            ),
            models.CheckConstraint(
                condition=models.Q(pack_size__gt=0), name="suppliers_product_pack_positive"
            ),
            models.CheckConstraint(
                condition=models.Q(unit_size__gt=0), name="suppliers_product_unit_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.supplier} {self.supplier_sku}".strip()

    @property
    def unit(self) -> Unit:
        """What the supplier counts and prices in."""
        return Unit(self.unit_name, self.unit_size)

    @property
    def order_multiple(self) -> Decimal:
        """Pieces that an order is a multiple of: the pack, rounded up to whole units."""
        size = self.unit_size
        return (self.pack_size / size).to_integral_value(rounding=ROUND_CEILING) * size


class SupplierPrice(models.Model):
    """The purchase price from a quantity on (excl. tax a piece, in its own currency).

    That is the supplier's when the price was given; a supplier who changes it changes no price.
    """

    item = models.ForeignKey(
        SupplierProduct, verbose_name=_("article"), on_delete=models.PROTECT, related_name="prices"
    )
    from_quantity = QuantityField(_("à partir de"), default=Decimal(1))
    unit_price_excl_tax = UnitPriceField(_("prix unitaire HT"), validators=[MinValueValidator(0)])
    currency = models.CharField(
        _("devise"),
        max_length=3,
        default="EUR",
        db_default="EUR",
        validators=[validate_currency],
        help_text=_("Celle de ce prix, d'ordinaire celle du fournisseur."),
    )

    class Meta:
        verbose_name = _("prix d'achat")
        verbose_name_plural = _("prix d'achat")
        ordering = ["from_quantity"]
        constraints = [
            models.UniqueConstraint(
                fields=["item", "from_quantity"], name="suppliers_price_unique"
            ),
            models.CheckConstraint(
                condition=models.Q(unit_price_excl_tax__gte=0), name="suppliers_price_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.unit_price_excl_tax:f} {self.currency} ≥ {self.from_quantity:f}"


class PriceList(models.Model):
    """A supplier's list as it came, looked at before its prices are taken over."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("À vérifier")
        ACCEPTED = "accepted", _("Acceptée, à venir")
        APPLIED = "applied", _("Appliquée")
        DISCARDED = "discarded", _("Écartée")

    supplier = models.ForeignKey(
        Supplier,
        verbose_name=_("fournisseur"),
        on_delete=models.PROTECT,
        related_name="price_lists",
    )
    name = models.CharField(_("fichier"), max_length=200)
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    data = models.BinaryField(_("contenu"))
    # The supplier's on the day that it came.
    currency = models.CharField(_("devise"), max_length=3, default="EUR", db_default="EUR")
    # Role → place of its column in the header; people may correct it.
    columns = models.JSONField(_("colonnes"), default=dict)
    applies_on = models.DateField(_("valable à partir du"))
    status = models.CharField(_("état"), max_length=10, choices=Status, default=Status.DRAFT)
    received_at = models.DateTimeField(_("reçue le"))
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("acceptée par"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    applied_at = models.DateTimeField(_("appliquée le"), null=True, blank=True)
    # What applying changed, as texts: the past stays readable after the next list.
    outcome = models.JSONField(_("résultat"), default=dict)

    class Meta:
        verbose_name = _("tarif reçu")
        verbose_name_plural = _("tarifs reçus")
        ordering = ["-id"]
        constraints = [
            # The same file brought twice is one list to look at.
            models.UniqueConstraint(
                fields=["supplier", "sha256"],
                condition=models.Q(status__in=["draft", "accepted"]),
                name="suppliers_price_list_once",
            ),
            models.CheckConstraint(
                condition=models.Q(status="applied", applied_at__isnull=False)
                | (~models.Q(status="applied") & models.Q(applied_at__isnull=True)),
                name="suppliers_price_list_applied_has_date",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.supplier} – {self.name}"
