"""Orders as the shop took them."""

from decimal import Decimal

from django.db import models
from django.db.models.functions import Round
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from inventory.models import DirectDelivery, Product, Reservation
from sphinx.core.fields import MoneyField, QuantityField, RateField, UnitPriceField
from sphinx.core.models import ExchangeRate, Shop, Sourced
from sphinx.core.money import plain
from sphinx.core.validators import STATED_LENGTH
from sphinx.core.vat import TaxRegime


class OrderAddresses(models.Model):
    """The two addresses of an order, frozen as the customer gave them."""

    billing_name = models.CharField(_("facturé à"), max_length=120, blank=True)
    billing_company = models.CharField(_("société"), max_length=120, blank=True)
    billing_address1 = models.CharField(_("adresse"), max_length=120, blank=True)
    billing_address2 = models.CharField(_("complément"), max_length=120, blank=True)
    billing_postcode = models.CharField(_("code postal"), max_length=16, blank=True)
    billing_city = models.CharField(_("ville"), max_length=80, blank=True)
    billing_country = models.CharField(_("pays"), max_length=2, blank=True)
    shipping_name = models.CharField(_("livré à"), max_length=120, blank=True)
    shipping_company = models.CharField(_("société"), max_length=120, blank=True)
    shipping_address1 = models.CharField(_("adresse"), max_length=120, blank=True)
    shipping_address2 = models.CharField(_("complément"), max_length=120, blank=True)
    shipping_postcode = models.CharField(_("code postal"), max_length=16, blank=True)
    shipping_city = models.CharField(_("ville"), max_length=80, blank=True)
    shipping_country = models.CharField(_("pays"), max_length=2, blank=True)

    class Meta:
        abstract = True


class Order(Sourced, OrderAddresses):
    """A customer's order. The total is the shop's, always; tax is taken out of it."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("À confirmer")
        CONFIRMED = "confirmed", _("Confirmée")
        PARTIALLY_DELIVERED = "partially_delivered", _("Livrée en partie")
        DELIVERED = "delivered", _("Livrée")
        INVOICED = "invoiced", _("Facturée")
        CANCELLED = "cancelled", _("Annulée")

    class Exemption(models.TextChoices):
        """Why no VAT, said by a person; the first three are regimes."""

        EXPORT = TaxRegime.EXPORT.value, _("Exportation (262 I)")
        EU_BUSINESS = TaxRegime.EU_BUSINESS.value, _("Livraison intracommunautaire (262 ter I)")
        EXEMPT = TaxRegime.EXEMPT.value, _("Franchise en base (293 B)")
        OTHER = "other", _("Autre article")

    class PaymentStatus(models.TextChoices):
        UNPAID = "unpaid", _("Non payée")
        PAID = "paid", _("Payée")
        PARTIALLY_REFUNDED = "partially_refunded", _("Remboursée en partie")
        REFUNDED = "refunded", _("Remboursée")

    # No index of its own where a unique key begins with it: imports write these rows in bulk.
    shop = models.ForeignKey(
        Shop,
        verbose_name=_("boutique"),
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    # The shop's own key (Shopify's Id, PrestaShop's id_order…); `number` is what people read.
    external_id = models.CharField(_("clé à la boutique"), max_length=80)
    number = models.CharField(_("n° de commande"), max_length=80)
    customer = models.ForeignKey(
        Customer, verbose_name=_("client"), on_delete=models.PROTECT, related_name="orders"
    )
    status = models.CharField(_("état"), max_length=20, choices=Status)
    payment_status = models.CharField(_("règlement"), max_length=20, choices=PaymentStatus)
    payment_method = models.CharField(_("moyen de paiement"), max_length=80, blank=True)
    # What the shop knows its payments by at the providers, apart by spaces.
    payment_references = models.CharField(
        _("références de paiement"), max_length=300, blank=True, default="", db_default=""
    )
    placed_at = models.DateTimeField(_("passée le"), db_index=True)
    paid_at = models.DateTimeField(_("payée le"), null=True, blank=True)
    cancelled_at = models.DateTimeField(_("annulée le"), null=True, blank=True)
    # As the shop says; an older state never overwrites a newer one.
    shop_changed_at = models.DateTimeField(
        _("modifiée à la boutique le"), null=True, blank=True, editable=False
    )
    currency = models.CharField(_("devise"), max_length=3, default="EUR")
    # What the shop charged, where that wasn't in euros; the amounts here are converted.
    original_currency = models.CharField(_("devise d'origine"), max_length=3, blank=True)
    original_total = MoneyField(_("total d'origine"), null=True, blank=True)
    exchange_rate = models.DecimalField(
        _("unités pour 1 €"), max_digits=14, decimal_places=6, null=True, blank=True
    )
    # The day of that rate and who gives it (ExchangeRate.Source); blank before they were kept.
    exchange_rate_on = models.DateField(_("cours du"), null=True, blank=True)
    exchange_rate_source = models.CharField(
        _("source du cours"),
        max_length=10,
        choices=ExchangeRate.Source,
        blank=True,
        default="",
        db_default="",
    )
    # What the shop added after this other order had left.
    complements = models.ForeignKey(
        "self",
        verbose_name=_("complète la commande"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="complement_orders",
        db_index=False,
    )
    vat_number = models.CharField(_("n° de TVA du client"), max_length=20, blank=True)
    stated_vat_number = models.CharField(
        _("n° de TVA écrit par la boutique"),
        max_length=STATED_LENGTH,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text=_("Il ne se vérifie pas : il n'exonère de rien et n'est sur aucun document."),
    )
    tax_regime = models.CharField(_("régime de TVA"), max_length=12, choices=TaxRegime)
    # Said here of an order without VAT that nothing explains; the shop's files don't change it.
    exemption = models.CharField(
        _("raison sans TVA"), max_length=12, choices=Exemption, blank=True, default="",
        db_default="", editable=False,
    )  # fmt: skip
    exemption_sentence = models.CharField(
        _("article qui exonère"), max_length=200, blank=True, default="", db_default="",
        editable=False,
    )  # fmt: skip
    total_incl_tax = MoneyField(_("total TTC (€)"))
    total_tax = MoneyField(_("TVA (€)"))
    shipping_incl_tax = MoneyField(_("port TTC (€)"), default=Decimal(0))
    shipping_tax_rate = RateField(
        _("TVA du port (%)"),
        null=True,
        blank=True,
        help_text=_("Vide : réparti selon les taux des articles."),
    )
    discount_incl_tax = MoneyField(_("remise sur la commande TTC (€)"), default=Decimal(0))
    refunded_incl_tax = MoneyField(_("remboursé TTC (€)"), default=Decimal(0))
    # Of that, shipping; and what somebody said to be a gesture: it takes nothing off the parcel.
    shipping_refunded_incl_tax = MoneyField(
        _("port remboursé TTC (€)"), default=Decimal(0), db_default=Decimal(0)
    )
    refund_settled_incl_tax = MoneyField(
        _("remboursé par geste TTC (€)"), default=Decimal(0), db_default=Decimal(0)
    )
    # What was refunded before anything left without a word on which pieces: nothing leaves
    # before somebody says.
    refund_asked_incl_tax = MoneyField(
        _("remboursement à expliquer TTC (€)"), default=Decimal(0), db_default=Decimal(0)
    )
    # Placed before the shop's first day here: sold, shipped and invoiced elsewhere.
    is_history = models.BooleanField(_("reprise"), default=False, db_default=False)
    # Taken over to be shipped, its invoice being another program's.
    invoiced_elsewhere = models.BooleanField(
        _("facturée ailleurs"), default=False, db_default=False
    )
    # Of what the shop says that it shipped itself.
    shop_shipped_at = models.DateTimeField(
        _("expédiée par la boutique le"), null=True, blank=True, editable=False
    )
    shop_carrier = models.CharField(
        _("transporteur de la boutique"), max_length=60, blank=True, default="", db_default=""
    )
    shop_tracking_number = models.CharField(
        _("n° de suivi de la boutique"), max_length=60, blank=True, default="", db_default=""
    )
    # VAT by rate as decided at the door: [{"rate": "20.00", "total_incl_tax": …, "tax": …}].
    taxes = models.JSONField(_("TVA par taux"), default=list)
    note = models.TextField(_("note"), blank=True)
    content_hash = models.CharField(max_length=32, editable=False)
    lines_hash = models.CharField(max_length=32, editable=False)
    # Of the rows as the file has them: the same rows again needn't be read. Blank where the order
    # doesn't stand as they say (converted, cancelled here, completed by another).
    raw_hash = models.CharField(max_length=32, blank=True, default="", editable=False)

    class Meta:
        verbose_name = _("commande")
        verbose_name_plural = _("commandes")
        ordering = ["-placed_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["shop", "external_id"], name="sales_order_unique"),
            models.CheckConstraint(
                condition=models.Q(total_incl_tax__gte=0)
                & models.Q(shipping_incl_tax__gte=0)
                & models.Q(discount_incl_tax__gte=0)
                & models.Q(refunded_incl_tax__gte=0),
                name="sales_order_amounts_positive",
            ),
            models.CheckConstraint(
                condition=models.Q(shipping_refunded_incl_tax__gte=0)
                & models.Q(refund_settled_incl_tax__gte=0)
                & models.Q(refund_asked_incl_tax__gte=0),
                name="sales_order_refunds_positive",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="cancelled") | models.Q(cancelled_at__isnull=False),
                name="sales_order_cancelled_has_date",
            ),
        ]
        indexes = [
            models.Index(fields=["number"], name="sales_order_number"),
            models.Index(
                fields=["status"],
                condition=~models.Q(status__in=["invoiced", "cancelled"]),
                name="sales_order_open",
            ),
            models.Index(
                fields=["placed_at"], condition=models.Q(tax_regime="oss"), name="sales_order_oss"
            ),
            # Few: without VAT, nobody said why yet (orders_without_tax_reason).
            models.Index(
                fields=["placed_at", "id"],
                condition=models.Q(
                    tax_regime="domestic", total_tax=0, total_incl_tax__gt=0, exemption=""
                )
                & ~models.Q(status__in=["invoiced", "cancelled"]),
                name="sales_order_without_tax",
            ),
            # What the warehouse's pages show, oldest first.
            models.Index(
                fields=["placed_at", "id"],
                condition=models.Q(status__in=["confirmed", "partially_delivered"]),
                name="sales_order_deliverable",
            ),
            models.Index(
                fields=["placed_at", "id"],
                condition=models.Q(refund_asked_incl_tax__gt=0),
                name="sales_order_in_doubt",
            ),
            models.Index(
                fields=["placed_at", "id"],
                condition=models.Q(is_history=True, status__in=["draft", "confirmed"]),
                name="sales_order_to_take_over",
            ),
            models.Index(
                fields=["complements"],
                condition=models.Q(complements__isnull=False),
                name="sales_order_complements",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def total_excl_tax(self) -> Decimal:
        """EUR excl. tax."""
        return self.total_incl_tax - self.total_tax

    @property
    def invoiced_regime(self) -> str:
        """The regime of its invoices: what somebody said of it, else what its address makes."""
        said = self.exemption in TaxRegime.values
        return self.exemption if said else self.tax_regime


class OrderLine(models.Model):
    """One line of an order; amounts incl. tax, as the shop charged them."""

    class Kind(models.TextChoices):
        GOODS = "goods", _("Marchandise")
        FEE = "fee", _("Frais")
        TIP = "tip", _("Pourboire")
        GIFT_CARD = "gift_card", _("Carte cadeau vendue")
        DUTIES = "duties", _("Droits de douane")

    order = models.ForeignKey(
        Order, verbose_name=_("commande"), on_delete=models.PROTECT, related_name="lines"
    )
    position = models.PositiveSmallIntegerField(_("rang"))
    # What the amount is, for the account that it goes to.
    kind = models.CharField(_("nature"), max_length=10, choices=Kind, default=Kind.GOODS)
    # Empty for what isn't goods: gift card, tip, free text.
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
    quantity_delivered = QuantityField(_("livré"), default=Decimal(0))
    # As the shop says: pieces that left, whoever shipped (None: it doesn't say), pieces that it
    # cancelled or refunded, and what it gave back for them.
    quantity_shipped = QuantityField(_("expédié selon la boutique"), null=True, blank=True)
    quantity_refunded = QuantityField(
        _("remboursé ou annulé à la boutique"), default=Decimal(0), db_default=Decimal(0)
    )
    refunded_incl_tax = MoneyField(_("remboursé TTC (€)"), null=True, blank=True)
    # What that makes here: pieces that won't leave, with what they take off the invoice, and
    # pieces that left without a delivery note of ours.
    quantity_removed = QuantityField(_("retiré"), default=Decimal(0), db_default=Decimal(0))
    removed_incl_tax = MoneyField(_("retiré TTC (€)"), default=Decimal(0), db_default=Decimal(0))
    quantity_removed_by_hand = QuantityField(
        _("retiré à la main"), default=Decimal(0), db_default=Decimal(0)
    )
    quantity_gone = QuantityField(_("parti sans bon"), default=Decimal(0), db_default=Decimal(0))
    unit_price_incl_tax = UnitPriceField(_("prix unitaire TTC (€)"))
    tax_rate = RateField(_("TVA (%)"))
    discount_incl_tax = MoneyField(_("remise TTC (€)"), default=Decimal(0))
    total_incl_tax = MoneyField(_("total TTC (€)"))
    # This line's share of the order's own discount.
    order_discount_incl_tax = MoneyField(_("part de la remise TTC (€)"), default=Decimal(0))
    reservation = models.OneToOneField(
        Reservation,
        verbose_name=_("réservation"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    source_line = models.PositiveIntegerField(_("ligne du fichier"), default=0)

    class Meta:
        verbose_name = _("ligne de commande")
        verbose_name_plural = _("lignes de commande")
        ordering = ["position"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(quantity__gt=0)
                & models.Q(quantity_delivered__gte=0)
                & models.Q(quantity_delivered__lte=models.F("quantity")),
                name="sales_line_quantities",
            ),
            # A piece left by a note, left otherwise, is taken out, or is still to leave.
            models.CheckConstraint(
                condition=models.Q(quantity_removed__gte=0)
                & models.Q(quantity_gone__gte=0)
                & models.Q(
                    # Rounded: SQLite adds in binary.
                    quantity__gte=Round(
                        models.F("quantity_delivered")
                        + models.F("quantity_removed")
                        + models.F("quantity_gone"),
                        3,
                    )
                ),
                name="sales_line_pieces_once",
            ),
        ]
        indexes = [
            # Few: more left than by our notes.
            models.Index(
                fields=["order"],
                condition=models.Q(quantity_shipped__gt=models.F("quantity_delivered")),
                name="sales_line_shipped_by_shop",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sku or self.label} × {plain(self.quantity)}"

    @property
    def quantity_wanted(self) -> Decimal:
        """Pieces still to leave by a delivery note."""
        return self.quantity - self.quantity_delivered - self.quantity_removed - self.quantity_gone


class DirectOrder(models.Model):
    """Where suppliers send their part of an order: kept while its lines are written anew."""

    order = models.OneToOneField(
        Order, verbose_name=_("commande"), on_delete=models.PROTECT, related_name="direct"
    )
    delivery = models.OneToOneField(
        DirectDelivery,
        verbose_name=_("livraison directe"),
        on_delete=models.PROTECT,
        related_name="+",
    )

    class Meta:
        verbose_name = _("commande livrée par un fournisseur")
        verbose_name_plural = _("commandes livrées par un fournisseur")

    def __str__(self) -> str:
        return f"{self.order_id} : {self.delivery_id}"
