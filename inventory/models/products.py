"""What is sold: products, their other names, bundles, lots."""

from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from inventory.models.styles import Style
from sphinx.core.fields import QuantityField, RateField, UnitPriceField
from sphinx.core.models import Shop
from sphinx.core.money import plain
from sphinx.core.validators import validate_barcode, validate_country, validate_customs_code


def _centimetres(name: Any) -> "models.DecimalField[Any, Any]":
    return models.DecimalField(
        name,
        max_digits=6,
        decimal_places=1,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal("0.1"))],
    )


_OPTIONS = (_("valeur 1"), _("valeur 2"), _("valeur 3"))


def _option(number: int) -> "models.CharField[Any, Any]":
    return models.CharField(
        _OPTIONS[number - 1], max_length=60, blank=True, default="", db_default=""
    )


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
        DROP_SHIP = "drop_ship", _("Livré par le fournisseur")

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
    # Sold before it is there: promised for that day, and nothing of it leaves earlier.
    released_on = models.DateField(
        _("sort le"),
        null=True,
        blank=True,
        help_text=_("Précommande : rien n'en part avant ce jour."),
    )
    inherits_from = models.ForeignKey(
        "self",
        verbose_name=_("remplace"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="heirs",
        help_text=_("Un nouvel article : les ventes de celui-là comptent pour son réappro."),
    )
    style = models.ForeignKey(
        Style,
        verbose_name=_("modèle"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="variants",
        help_text=_("Cet article en est une variante : une taille, une couleur."),
    )
    # Of the style's options, in its order: M, Bleu.
    option1 = _option(1)
    option2 = _option(2)
    option3 = _option(3)
    bulk_counts = models.BooleanField(
        _("les grosses commandes comptent"),
        default=False,
        db_default=False,
        help_text=_(
            "Sinon une commande bien plus grosse que les autres ne compte, pour son réappro, que "
            "comme la plus grosse des ordinaires."
        ),
    )
    unit_cost = UnitPriceField(_("coût unitaire HT (€)"), null=True, blank=True)
    barcode = models.CharField(
        _("code-barres"), max_length=14, blank=True, validators=[validate_barcode]
    )
    location = models.CharField(_("emplacement"), max_length=30, blank=True)
    # Net of the carrier's packaging: what customs ask for and parcels add up.
    weight = models.DecimalField(
        _("poids (kg)"),
        max_digits=9,
        decimal_places=3,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal("0.001"))],
    )
    length_cm = _centimetres(_("longueur (cm)"))
    width_cm = _centimetres(_("largeur (cm)"))
    height_cm = _centimetres(_("hauteur (cm)"))
    origin_country = models.CharField(
        _("pays d'origine"),
        max_length=2,
        blank=True,
        db_default="",
        validators=[validate_country],
        help_text=_("Deux lettres : FR, CN. Où il a été fait, non d'où il est venu."),
    )
    customs_code = models.CharField(
        _("code douanier"),
        max_length=8,
        blank=True,
        db_default="",
        validators=[validate_customs_code],
        help_text=_("Huit chiffres de la nomenclature combinée."),
    )
    allows_negative = models.BooleanField(
        _("stock négatif permis"),
        default=False,
        help_text=_("Vendu et expédié même sans stock compté (service, sur-mesure)."),
    )
    tracks_lots = models.BooleanField(
        _("suivi par lot"),
        default=False,
        help_text=_("Chaque entrée dit son lot ; le premier périmé sort le premier."),
    )
    tracks_serials = models.BooleanField(
        _("suivi par numéro de série"),
        default=False,
        db_default=False,
        help_text=_("Chaque pièce a le sien, scanné quand elle entre et quand elle sort."),
    )
    shelf_life_days = models.PositiveSmallIntegerField(
        _("durée de conservation (jours)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("De la réception à la date limite ; borne aussi les achats."),
    )
    # Worked out from sales by the replenishment run: A sells most, C least, blank is unknown.
    abc_class = models.CharField(_("classe ABC"), max_length=1, blank=True, editable=False)
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
            models.CheckConstraint(
                condition=models.Q(inherits_from__isnull=True)
                | ~models.Q(inherits_from=models.F("id")),
                name="inventory_product_not_its_own_heir",
            ),
            # A serial number is a lot of one piece.
            models.CheckConstraint(
                condition=models.Q(tracks_serials=False)
                | models.Q(tracks_lots=True, allows_negative=False),
                name="inventory_product_serials_are_lots",
                violation_error_message=_(
                    "Un article suivi par numéro de série n'a pas de stock négatif."
                ),
            ),
            models.CheckConstraint(
                condition=models.Q(style__isnull=True, option1="", option2="", option3="")
                | models.Q(style__isnull=False) & ~models.Q(option1=""),
                name="inventory_product_options_of_style",
                violation_error_message=_(
                    "Un modèle et au moins sa première valeur vont ensemble : donnez les deux, "
                    "ou aucun."
                ),
            ),
            models.UniqueConstraint(
                models.F("style"),
                Lower("option1"),
                Lower("option2"),
                Lower("option3"),
                condition=models.Q(style__isnull=False),
                name="inventory_product_variant_once",
                violation_error_message=_("Un autre article de ce modèle a déjà ces valeurs."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sku} {self.label}".strip()

    def clean(self) -> None:
        """A variant has a value for each option of its style, and none for others.

        Serial numbers begin, or end, while nothing is in stock.
        """
        super().clean()
        if self.tracks_serials:
            self.tracks_lots = True
        self._check_serials_may_change()
        if self.style is not None and len(self.style.option_names) != len(self.options):
            raise ValidationError(
                _("%(style)s a %(count)s critères (%(names)s) : donnez une valeur à chacun.")
                % {
                    "style": self.style,
                    "count": len(self.style.option_names),
                    "names": ", ".join(self.style.option_names),
                }
            )

    def _check_serials_may_change(self) -> None:
        was = type(self).objects.filter(pk=self.pk).values_list("tracks_serials", flat=True).first()
        changes = was is not None and was != self.tracks_serials
        if changes and self.positions.exclude(on_hand=0).exists():
            raise ValidationError(
                {
                    "tracks_serials": _(
                        "Des pièces sont en stock : sortez-les, changez le suivi, puis "
                        "faites-les rentrer."
                    )
                }
            )

    @property
    def options(self) -> list[str]:
        """Its values of the style's options."""
        return [value for value in (self.option1, self.option2, self.option3) if value]

    @property
    def size(self) -> str:
        """Length × width × height in cm; blank while one is unknown."""
        sides = (self.length_cm, self.width_cm, self.height_cm)
        known = [number_format(Decimal(plain(side))) for side in sides if side is not None]
        return " × ".join(known) if len(known) == len(sides) else ""


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


class ShopArticle(models.Model):
    """What a shop sells without a SKU: by its own key or name there, which product it is."""

    shop = models.ForeignKey(
        Shop, verbose_name=_("boutique"), on_delete=models.PROTECT, related_name="articles"
    )
    # See inventory.article_keys.
    key = models.CharField(_("clé à la boutique"), max_length=120)
    product = models.ForeignKey(
        Product, verbose_name=_("article"), on_delete=models.PROTECT, related_name="shop_articles"
    )

    class Meta:
        verbose_name = _("article d'une boutique sans référence")
        verbose_name_plural = _("articles de boutiques sans référence")
        constraints = [
            models.UniqueConstraint(fields=["shop", "key"], name="inventory_shop_article_once"),
        ]

    def __str__(self) -> str:
        return f"{self.shop}, {self.key} → {self.product}"


class BundleComponent(models.Model):
    """A bundle has no stock of its own: each one sold draws `quantity` pieces of its parts."""

    bundle = models.ForeignKey(
        Product, verbose_name=_("lot vendu"), on_delete=models.PROTECT, related_name="components"
    )
    component = models.ForeignKey(
        Product, verbose_name=_("composant"), on_delete=models.PROTECT, related_name="part_of"
    )
    quantity = QuantityField(
        _("quantité par lot"), default=Decimal(1), validators=[MinValueValidator(Decimal("0.001"))]
    )

    class Meta:
        verbose_name = _("composant")
        verbose_name_plural = _("composants")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["bundle", "component"], name="inventory_component_once"
            ),
            models.CheckConstraint(
                condition=models.Q(quantity__gt=0), name="inventory_component_positive"
            ),
            models.CheckConstraint(
                condition=~models.Q(bundle=models.F("component")),
                name="inventory_component_not_itself",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.component_id} × {plain(self.quantity)}"


class Lot(models.Model):
    """A batch of a product, by the number on it, with the date until which it may be sold."""

    product = models.ForeignKey(
        Product, verbose_name=_("article"), on_delete=models.PROTECT, related_name="lots"
    )
    number = models.CharField(_("n° de lot"), max_length=40)
    best_before = models.DateField(_("date limite"), null=True, blank=True)

    class Meta:
        verbose_name = _("lot")
        verbose_name_plural = _("lots")
        ordering = ["best_before", "id"]
        # A number is looked for without its article.
        indexes = [models.Index(fields=["number"], name="inventory_lot_called")]
        constraints = [
            models.UniqueConstraint(fields=["product", "number"], name="inventory_lot_unique"),
        ]

    def __str__(self) -> str:
        return self.number
