"""What the dashboard keeps: sums of sales a day, so that pages of figures read few rows.

Nothing here is a source: `rollups.py` derives every row, and can do so anew. No page lists these
rows: they have no name on the screen and nobody has rights on them.
"""

from typing import Any

from django.conf import settings
from django.db import models

from customers.models import Customer
from inventory.models import Product
from sphinx.core.fields import QuantityField
from sphinx.core.models import Shop


def _sum() -> "models.DecimalField[Any, Any]":
    return models.DecimalField(max_digits=18, decimal_places=2, default=0)


def _sum_of_before() -> "models.DecimalField[Any, Any]":
    return models.DecimalField(max_digits=18, decimal_places=2, default=0, db_default=0)


class Sold(models.Model):
    """Of which sales a row is: civil day in Europe/Paris, shop, country, kind of customer."""

    day = models.DateField()
    shop = models.ForeignKey(Shop, on_delete=models.PROTECT, related_name="+")
    country = models.CharField(max_length=2, blank=True)
    is_business = models.BooleanField()

    class Meta:
        abstract = True


class SalesDay(Sold):
    """A day's orders by order date, documents by issue date, cost by shipping date.

    Of those orders, `history` are of before the shop's first day: invoiced elsewhere, in no
    document here.
    """

    orders = models.IntegerField(default=0)
    ordered_incl_tax = _sum()
    history_orders = models.IntegerField(default=0, db_default=0)
    history_excl_tax = _sum_of_before()
    documents = models.IntegerField(default=0)
    net_excl_tax = _sum()
    tax = _sum()
    credited_excl_tax = _sum()
    # A quantity times a unit cost has nine decimals; a sum shown is rounded once.
    cost_excl_tax = models.DecimalField(max_digits=24, decimal_places=9, default=0)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["day", "shop", "country", "is_business"], name="dashboard_sales_day"
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} : {self.net_excl_tax} € HT"


class ProductDay(Sold):
    """What a reference sold by issue date, and its cost by shipping date.

    `history` is what it sold before the shop's first day, by order date.
    """

    sku = models.CharField(max_length=80, blank=True)
    net_excl_tax = _sum()
    pieces = QuantityField(default=0)
    history_excl_tax = _sum_of_before()
    history_pieces = QuantityField(default=0, db_default=0)
    cost_excl_tax = models.DecimalField(max_digits=24, decimal_places=9, default=0)

    class Meta:
        default_permissions = ()
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

    month = models.DateField()
    sku = models.CharField(max_length=80, blank=True)
    net_excl_tax = _sum()
    pieces = QuantityField(default=0)
    history_excl_tax = _sum_of_before()
    history_pieces = QuantityField(default=0, db_default=0)
    cost_excl_tax = models.DecimalField(max_digits=24, decimal_places=9, default=0)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["month", "sku"], name="dashboard_product_month")
        ]

    def __str__(self) -> str:
        return f"{self.month:%m/%Y} {self.sku} : {self.net_excl_tax} € HT"


class Buyer(models.Model):
    """The first and last day on which a customer ordered, cancelled orders left out."""

    customer = models.OneToOneField(Customer, on_delete=models.PROTECT, related_name="+")
    first_ordered_on = models.DateField(db_index=True)
    last_ordered_on = models.DateField(db_index=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.customer_id} : {self.first_ordered_on}, {self.last_ordered_on}"


class BuyersOfPeriod(models.Model):
    """How many customers ordered in a period, remembered until a day up to its end changes."""

    start = models.DateField()
    end = models.DateField(db_index=True)
    new = models.IntegerField()
    returning = models.IntegerField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["start", "end"], name="dashboard_buyers_of_period")
        ]

    def __str__(self) -> str:
        return f"{self.start}, {self.end} : {self.new} + {self.returning}"


class Cohort(models.Model):
    """Of customers who first ordered in a month, those who did in a month; counted daily."""

    first_month = models.DateField()
    month = models.DateField()
    customers = models.IntegerField()
    orders = models.IntegerField()
    ordered_excl_tax = _sum()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["first_month", "month"], name="dashboard_cohort_once")
        ]

    def __str__(self) -> str:
        return f"{self.first_month:%m/%Y} → {self.month:%m/%Y} : {self.customers}"


class ProductHealth(models.Model):
    """A product's stock on the day it was last measured, all warehouses together."""

    product = models.OneToOneField(Product, on_delete=models.PROTECT, related_name="+")
    on_hand = QuantityField()
    value_excl_tax = _sum()
    # Over the last 90 days.
    asked = QuantityField()
    cost_excl_tax = _sum()
    days_watched = models.PositiveSmallIntegerField()
    days_out = models.PositiveSmallIntegerField()
    lost_pieces = QuantityField()
    lost_excl_tax = _sum()
    last_sold_on = models.DateField(null=True)
    is_dead = models.BooleanField()
    abc = models.CharField(max_length=1, blank=True)
    xyz = models.CharField(max_length=1, blank=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.product_id} : {self.on_hand}"


class StockHealth(models.Model):
    """The firm's stock and deliveries on a day, measured once; days stay, for the trend."""

    measured_on = models.DateField(unique=True)
    value_excl_tax = _sum()
    pieces = QuantityField()
    # Over twelve months.
    average_value = _sum()
    cost_of_year = _sum()
    # Over the last 90 days.
    cost_of_quarter = _sum()
    days_watched = models.IntegerField()
    days_out = models.IntegerField()
    lost_excl_tax = _sum()
    dead_products = models.IntegerField()
    dead_value = _sum()
    lines_shipped = models.IntegerField()
    lines_complete = models.IntegerField()
    parcels = models.IntegerField()
    # Hours from order to parcel: half take less, ninety-five in a hundred take less.
    hours_median = models.DecimalField(max_digits=8, decimal_places=1, null=True)
    hours_most = models.DecimalField(max_digits=8, decimal_places=1, null=True)

    class Meta:
        default_permissions = ()
        ordering = ["measured_on"]

    def __str__(self) -> str:
        return f"{self.measured_on} : {self.value_excl_tax} €"


class SavedPivot(models.Model):
    """A crossed table that somebody kept, for oneself or for all."""

    name = models.CharField(max_length=80)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
    )
    query = models.CharField(max_length=400, blank=True)
    is_shared = models.BooleanField(default=False)

    class Meta:
        default_permissions = ()
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

    day = models.DateField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.day)


class RollupLock(models.Model):
    """One row: who refreshes the sums holds it."""

    refreshed_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=models.Q(pk=1), name="dashboard_only_one_lock")
        ]

    def __str__(self) -> str:
        return str(self.refreshed_at)
