"""Quotes: what a professional is offered, excl. tax, until a day; accepted, an order."""

from decimal import Decimal

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from inventory.models import Product
from sales.models.orders import Order, OrderAddresses
from sphinx.core.checks import cents
from sphinx.core.fields import MoneyField, QuantityField, RateField, UnitPriceField
from sphinx.core.models import Shop
from sphinx.core.vat import TaxRegime


class Quote(OrderAddresses):
    """An offer to a customer. Written while a draft, then as the customer got it."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("À envoyer")
        SENT = "sent", _("En attente de réponse")
        ACCEPTED = "accepted", _("Accepté")
        REFUSED = "refused", _("Sans suite")

    number = models.CharField(_("n° de devis"), max_length=20, unique=True)
    # The shop whose stock and accounts the order will draw on.
    shop = models.ForeignKey(
        Shop, verbose_name=_("boutique"), on_delete=models.PROTECT, related_name="+"
    )
    customer = models.ForeignKey(
        Customer, verbose_name=_("client"), on_delete=models.PROTECT, related_name="quotes"
    )
    reference = models.CharField(_("référence du client"), max_length=80, blank=True)
    status = models.CharField(
        _("état"), max_length=10, choices=Status, default=Status.DRAFT, db_index=True
    )
    quoted_on = models.DateField(_("du"))
    valid_until = models.DateField(_("valable jusqu'au"))
    vat_number = models.CharField(_("n° de TVA du client"), max_length=20, blank=True)
    tax_regime = models.CharField(_("régime de TVA"), max_length=12, choices=TaxRegime)
    shipping_excl_tax = MoneyField(_("port HT (€)"), default=Decimal(0))
    shipping_tax_rate = RateField(_("TVA du port (%)"), default=Decimal(0))
    total_excl_tax = MoneyField(_("total HT (€)"), default=Decimal(0))
    total_tax = MoneyField(_("TVA (€)"), default=Decimal(0))
    total_incl_tax = MoneyField(_("total TTC (€)"), default=Decimal(0))
    # [{"rate": "20.00", "base": "100.00", "tax": "20.00"}], highest rate first.
    taxes = models.JSONField(_("TVA par taux"), default=list)
    note = models.TextField(_("conditions particulières"), blank=True)
    sent_at = models.DateTimeField(_("envoyé le"), null=True, blank=True)
    by_email = models.BooleanField(_("par e-mail"), default=False)
    mailed_at = models.DateTimeField(_("e-mail du"), null=True, blank=True)
    decided_at = models.DateTimeField(_("répondu le"), null=True, blank=True)
    decision = models.CharField(_("motif"), max_length=200, blank=True)
    order = models.OneToOneField(
        Order,
        verbose_name=_("commande"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="quote",
    )

    class Meta:
        verbose_name = _("devis")
        verbose_name_plural = _("devis")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(valid_until__gte=models.F("quoted_on")),
                name="sales_quote_valid_from_its_day",
            ),
            models.CheckConstraint(
                condition=models.Q(total_incl_tax=cents("total_excl_tax", "+", "total_tax"))
                & models.Q(shipping_excl_tax__gte=0, total_excl_tax__gte=0),
                name="sales_quote_adds_up",
            ),
            models.CheckConstraint(
                condition=models.Q(status="accepted", order__isnull=False)
                | (~models.Q(status="accepted") & models.Q(order__isnull=True)),
                name="sales_quote_accepted_has_order",
            ),
            models.CheckConstraint(
                condition=~models.Q(status__in=["sent", "accepted"])
                | models.Q(sent_at__isnull=False),
                name="sales_quote_sent_has_date",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class QuoteLine(models.Model):
    """One line of a quote; amounts excl. tax."""

    quote = models.ForeignKey(
        Quote, verbose_name=_("devis"), on_delete=models.PROTECT, related_name="lines"
    )
    position = models.PositiveSmallIntegerField(_("rang"))
    # Empty for what isn't in the catalogue: a service, something made to measure.
    product = models.ForeignKey(
        Product,
        verbose_name=_("article"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    sku = models.CharField(_("référence"), max_length=80, blank=True)
    label = models.CharField(_("désignation"), max_length=200)
    quantity = QuantityField(_("quantité"))
    unit_price_excl_tax = UnitPriceField(_("prix unitaire HT (€)"))
    discount_percent = RateField(_("remise (%)"), default=Decimal(0))
    tax_rate = RateField(_("TVA (%)"))
    total_excl_tax = MoneyField(_("total HT (€)"))

    class Meta:
        verbose_name = _("ligne de devis")
        verbose_name_plural = _("lignes de devis")
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["quote", "position"], name="sales_quote_line_place"),
            models.CheckConstraint(
                condition=models.Q(
                    quantity__gt=0,
                    unit_price_excl_tax__gte=0,
                    tax_rate__gte=0,
                    discount_percent__gte=0,
                    discount_percent__lte=100,
                ),
                name="sales_quote_line_amounts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sku or self.label}"
