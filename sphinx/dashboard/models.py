"""What the dashboard keeps: sums of sales a day, so that pages of figures read few rows.

Nothing here is a source: `rollups.py` derives every row, and can do so anew.
"""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from inventory.models import Product
from sphinx.core.fields import QuantityField
from sphinx.core.models import Shop


def _sum(label: Any) -> "models.DecimalField[Any, Any]":
    return models.DecimalField(label, max_digits=18, decimal_places=2, default=0)


class Sold(models.Model):
    """Of which sales a row is: civil day in Europe/Paris, shop, country, kind of customer."""

    day = models.DateField(_("jour"))
    shop = models.ForeignKey(
        Shop, verbose_name=_("boutique"), on_delete=models.PROTECT, related_name="+"
    )
    country = models.CharField(_("pays de livraison"), max_length=2, blank=True)
    is_business = models.BooleanField(_("professionnels"))

    class Meta:
        abstract = True


class SalesDay(Sold):
    """A day's orders by order date, documents by issue date, cost by shipping date."""

    orders = models.IntegerField(_("commandes"), default=0)
    ordered_incl_tax = _sum(_("commandé TTC (€)"))
    documents = models.IntegerField(_("pièces"), default=0)
    net_excl_tax = _sum(_("chiffre d'affaires HT (€)"))
    tax = _sum(_("TVA (€)"))
    credited_excl_tax = _sum(_("avoirs HT (€)"))
    # A quantity times a unit cost has nine decimals; a sum shown is rounded once.
    cost_excl_tax = models.DecimalField(
        _("coût HT (€)"), max_digits=24, decimal_places=9, default=0
    )

    class Meta:
        verbose_name = _("ventes d'un jour")
        verbose_name_plural = _("ventes par jour")
        constraints = [
            models.UniqueConstraint(
                fields=["day", "shop", "country", "is_business"], name="dashboard_sales_day"
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} : {self.net_excl_tax} € HT"


class ProductDay(Sold):
    """What a reference sold by issue date, and its cost by shipping date."""

    sku = models.CharField(_("référence"), max_length=80, blank=True)
    net_excl_tax = _sum(_("chiffre d'affaires HT (€)"))
    pieces = QuantityField(_("pièces"), default=0)
    cost_excl_tax = models.DecimalField(
        _("coût HT (€)"), max_digits=24, decimal_places=9, default=0
    )

    class Meta:
        verbose_name = _("ventes d'un article un jour")
        verbose_name_plural = _("ventes par article et jour")
        constraints = [
            models.UniqueConstraint(
                fields=["day", "shop", "country", "is_business", "sku"],
                name="dashboard_product_day",
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.sku} : {self.net_excl_tax} € HT"


class ProductMonth(models.Model):
    """The same by month, of all sales."""

    month = models.DateField(_("mois"))
    sku = models.CharField(_("référence"), max_length=80, blank=True)
    net_excl_tax = _sum(_("chiffre d'affaires HT (€)"))
    pieces = QuantityField(_("pièces"), default=0)
    cost_excl_tax = models.DecimalField(
        _("coût HT (€)"), max_digits=24, decimal_places=9, default=0
    )

    class Meta:
        verbose_name = _("ventes d'un article un mois")
        verbose_name_plural = _("ventes par article et mois")
        constraints = [
            models.UniqueConstraint(fields=["month", "sku"], name="dashboard_product_month")
        ]

    def __str__(self) -> str:
        return f"{self.month:%m/%Y} {self.sku} : {self.net_excl_tax} € HT"


class Buyer(models.Model):
    """The first and last day on which a customer ordered, cancelled orders left out."""

    customer = models.OneToOneField(
        Customer, verbose_name=_("client"), on_delete=models.PROTECT, related_name="+"
    )
    first_ordered_on = models.DateField(_("première commande"), db_index=True)
    last_ordered_on = models.DateField(_("dernière commande"), db_index=True)

    class Meta:
        verbose_name = _("acheteur")
        verbose_name_plural = _("acheteurs")

    def __str__(self) -> str:
        return f"{self.customer_id} : {self.first_ordered_on}, {self.last_ordered_on}"


class BuyersOfPeriod(models.Model):
    """How many customers ordered in a period, remembered until a day up to its end changes."""

    start = models.DateField(_("du"))
    end = models.DateField(_("au"), db_index=True)
    new = models.IntegerField(_("nouveaux clients"))
    returning = models.IntegerField(_("clients fidèles"))

    class Meta:
        verbose_name = _("acheteurs d'une période")
        verbose_name_plural = _("acheteurs par période")
        constraints = [
            models.UniqueConstraint(fields=["start", "end"], name="dashboard_buyers_of_period")
        ]

    def __str__(self) -> str:
        return f"{self.start}, {self.end} : {self.new} + {self.returning}"


class Cohort(models.Model):
    """Of customers who first ordered in a month, those who did in a month; counted daily."""

    first_month = models.DateField(_("mois de la première commande"))
    month = models.DateField(_("mois"))
    customers = models.IntegerField(_("clients"))
    orders = models.IntegerField(_("commandes"))
    ordered_excl_tax = _sum(_("commandé HT (€)"))

    class Meta:
        verbose_name = _("cohorte")
        verbose_name_plural = _("cohortes")
        constraints = [
            models.UniqueConstraint(fields=["first_month", "month"], name="dashboard_cohort_once")
        ]

    def __str__(self) -> str:
        return f"{self.first_month:%m/%Y} → {self.month:%m/%Y} : {self.customers}"


class ProductHealth(models.Model):
    """A product's stock on the day it was last measured, all warehouses together."""

    product = models.OneToOneField(
        Product, verbose_name=_("article"), on_delete=models.PROTECT, related_name="+"
    )
    on_hand = QuantityField(_("en stock"))
    value_excl_tax = _sum(_("valeur au CUMP (€)"))
    # Over the last 90 days.
    asked = QuantityField(_("demandé"))
    cost_excl_tax = _sum(_("coût de ce qui est parti (€)"))
    days_watched = models.PositiveSmallIntegerField(_("jours suivis"))
    days_out = models.PositiveSmallIntegerField(_("jours de rupture"))
    lost_pieces = QuantityField(_("ventes perdues (pièces)"))
    lost_excl_tax = _sum(_("ventes perdues HT (€)"))
    last_sold_on = models.DateField(_("dernière vente"), null=True)
    is_dead = models.BooleanField(_("dormant"))
    abc = models.CharField(_("classe ABC"), max_length=1, blank=True)
    xyz = models.CharField(_("classe XYZ"), max_length=1, blank=True)

    class Meta:
        verbose_name = _("santé d'un article")
        verbose_name_plural = _("santé des articles")

    def __str__(self) -> str:
        return f"{self.product_id} : {self.on_hand}"


class StockHealth(models.Model):
    """The firm's stock and deliveries on a day, measured once; days stay, for the trend."""

    measured_on = models.DateField(_("mesuré le"), unique=True)
    value_excl_tax = _sum(_("valeur au CUMP (€)"))
    pieces = QuantityField(_("pièces"))
    # Over twelve months.
    average_value = _sum(_("valeur moyenne (€)"))
    cost_of_year = _sum(_("coût de ce qui est parti (€)"))
    # Over the last 90 days.
    cost_of_quarter = _sum(_("coût de ce qui est parti (€)"))
    days_watched = models.IntegerField(_("jours suivis"))
    days_out = models.IntegerField(_("jours de rupture"))
    lost_excl_tax = _sum(_("ventes perdues HT (€)"))
    dead_products = models.IntegerField(_("articles dormants"))
    dead_value = _sum(_("valeur dormante (€)"))
    lines_shipped = models.IntegerField(_("lignes expédiées"))
    lines_complete = models.IntegerField(_("dont complètes"))
    parcels = models.IntegerField(_("colis"))
    # Hours from order to parcel: half take less, ninety-five in a hundred take less.
    hours_median = models.DecimalField(
        _("délai médian (h)"), max_digits=8, decimal_places=1, null=True
    )
    hours_most = models.DecimalField(_("délai (h)"), max_digits=8, decimal_places=1, null=True)

    class Meta:
        verbose_name = _("santé du stock")
        verbose_name_plural = _("santé du stock")
        ordering = ["measured_on"]

    def __str__(self) -> str:
        return f"{self.measured_on} : {self.value_excl_tax} €"


class SavedPivot(models.Model):
    """A crossed table that somebody kept, for oneself or for all."""

    name = models.CharField(_("nom"), max_length=80)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("de"),
        on_delete=models.PROTECT,
        related_name="+",
    )
    query = models.CharField(_("choix"), max_length=400, blank=True)
    is_shared = models.BooleanField(_("partagée"), default=False)

    class Meta:
        verbose_name = _("vue gardée")
        verbose_name_plural = _("vues gardées")
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="dashboard_pivot_once")
        ]

    def __str__(self) -> str:
        return self.name


class StaleDay(models.Model):
    """A day whose sums must be made anew; laid down by triggers, never by hand.

    Several rows may name a day: a unique key would make writers wait for each other.
    """

    day = models.DateField(_("jour"))

    class Meta:
        verbose_name = _("jour à recalculer")
        verbose_name_plural = _("jours à recalculer")

    def __str__(self) -> str:
        return str(self.day)


class RollupLock(models.Model):
    """One row: who refreshes the sums holds it."""

    refreshed_at = models.DateTimeField(_("à jour le"), null=True)

    class Meta:
        verbose_name = _("mise à jour des statistiques")
        verbose_name_plural = _("mise à jour des statistiques")
        constraints = [
            models.CheckConstraint(condition=models.Q(pk=1), name="dashboard_only_one_lock")
        ]

    def __str__(self) -> str:
        return str(self.refreshed_at)
