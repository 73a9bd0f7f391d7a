"""A document in a currency, and the rate that brings it to euros."""

from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from sphinx.core.exchange import EURO, Source
from sphinx.core.money import to_cents, to_unit_price


class InCurrency(models.Model):
    """Its amounts are in `currency`; `exchange_rate` is how many of it one euro was worth.

    Of one in euros there is no rate.
    """

    currency = models.CharField(_("devise"), max_length=3, default=EURO, db_default=EURO)
    exchange_rate = models.DecimalField(
        _("cours (unités pour 1 €)"),
        max_digits=14,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal("0.000001"))],
    )
    exchange_rate_on = models.DateField(_("cours du"), null=True, blank=True)
    exchange_rate_source = models.CharField(
        _("source du cours"), max_length=10, choices=Source, blank=True, default="", db_default=""
    )

    class Meta:
        abstract = True

    @property
    def is_foreign(self) -> bool:
        """Whether it is in another currency than the books."""
        return self.currency != EURO

    def unit_price_eur(self, price: Decimal) -> Decimal:
        """A price a piece in euros, six places half up."""
        return price if self.exchange_rate is None else to_unit_price(price / self.exchange_rate)

    def amount_eur(self, amount: Decimal) -> Decimal:
        """An amount in euros, cents half up."""
        return amount if self.exchange_rate is None else to_cents(amount / self.exchange_rate)


def rate_goes_with_currency(name: str) -> models.CheckConstraint:
    """A document in another currency says its rate, one in euros has none."""
    return models.CheckConstraint(
        condition=models.Q(currency=EURO, exchange_rate__isnull=True)
        # Of nothing SQL doesn't know whether it is above 0, and lets it pass.
        | (~models.Q(currency=EURO) & models.Q(exchange_rate__isnull=False, exchange_rate__gt=0)),
        name=name,
    )
