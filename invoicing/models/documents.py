"""Invoices and credit notes as issued, and their PDFs.

Everything the law freezes is copied here; links are for tracing, not for printing. Rows are
written at issue and refused any change by triggers: a correction is a credit note.
"""

from datetime import date
from typing import NamedTuple

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from sales.models import DeliveryNote, DeliveryNoteLine, Order
from sphinx.core.checks import cents
from sphinx.core.fields import MoneyField, QuantityField, RateField, UnitPriceField
from sphinx.core.models import Shop, Sourced
from sphinx.core.vat import TaxRegime


class Corrected(NamedTuple):
    """The invoice that a credit note corrects: ours, or another system's."""

    number: str
    issued_on: date


class Invoice(Sourced):
    """An issued invoice or credit note; amounts of a credit note are positive too."""

    class Kind(models.TextChoices):
        INVOICE = "invoice", _("Facture")
        CREDIT_NOTE = "credit_note", _("Avoir")

    kind = models.CharField(_("nature"), max_length=12, choices=Kind)
    number = models.CharField(_("numéro"), max_length=20, unique=True)
    issued_on = models.DateField(_("date"), db_index=True)
    issued_at = models.DateTimeField(_("émise le"))
    delivered_on = models.DateField(_("date de livraison"), null=True, blank=True)
    due_on = models.DateField(_("échéance"))
    shop = models.ForeignKey(
        Shop, verbose_name=_("boutique"), on_delete=models.PROTECT, related_name="+"
    )
    order = models.ForeignKey(
        Order, verbose_name=_("commande"), on_delete=models.PROTECT, related_name="invoices"
    )
    delivery_note = models.OneToOneField(
        DeliveryNote,
        verbose_name=_("bon de livraison"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="invoice",
    )
    credited_invoice = models.ForeignKey(
        "self",
        verbose_name=_("facture rectifiée"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="credit_notes",
    )
    # Invoiced ahead of any delivery; the invoices of the goods take it off.
    is_down_payment = models.BooleanField(_("acompte"), default=False)
    # Of several deliveries of a customer: `order` is the first one's, `invoiced_notes` tell all.
    is_grouped = models.BooleanField(_("groupée"), default=False)
    reason = models.CharField(_("motif"), max_length=200, blank=True)
    customer = models.ForeignKey(
        Customer, verbose_name=_("client"), on_delete=models.PROTECT, related_name="invoices"
    )
    customer_code = models.CharField(_("code client"), max_length=12)
    customer_name = models.CharField(_("nom du client"), max_length=200)
    is_business = models.BooleanField(_("professionnel"), default=False)
    auxiliary_account = models.CharField(_("compte auxiliaire"), max_length=8)
    order_number = models.CharField(_("n° de commande"), max_length=80)
    currency = models.CharField(_("devise"), max_length=3)
    tax_regime = models.CharField(_("régime de TVA"), max_length=12, choices=TaxRegime)
    country = models.CharField(_("pays de livraison"), max_length=2)
    # What is printed besides lines: seller, buyer, addresses, terms, legal sentences.
    mentions = models.JSONField(_("mentions"))
    total_excl_tax = MoneyField(_("total HT (€)"))
    total_tax = MoneyField(_("TVA (€)"))
    total_incl_tax = MoneyField(_("total TTC (€)"))
    paid_incl_tax = MoneyField(_("déjà réglé (€)"))
    chain_index = models.PositiveIntegerField(_("rang dans la chaîne"), unique=True)
    previous_hash = models.CharField(_("empreinte précédente"), max_length=64)
    hash = models.CharField(_("empreinte"), max_length=64, unique=True)

    class Meta:
        verbose_name = _("facture ou avoir")
        verbose_name_plural = _("factures et avoirs")
        ordering = ["-id"]
        indexes = [
            # What was not paid when it was issued.
            models.Index(
                models.F("total_incl_tax") - models.F("paid_incl_tax"), name="invoicing_invoice_due"
            ),
            # Credit notes on another system's invoices.
            models.Index(
                fields=["id"],
                name="invoicing_credit_elsewhere",
                condition=models.Q(kind="credit_note", credited_invoice__isnull=True),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(total_incl_tax=cents("total_excl_tax", "+", "total_tax")),
                name="invoicing_invoice_adds_up",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    kind="invoice",
                    delivery_note__isnull=False,
                    credited_invoice__isnull=True,
                    is_down_payment=False,
                    is_grouped=False,
                )
                | models.Q(
                    kind="invoice",
                    delivery_note__isnull=True,
                    credited_invoice__isnull=True,
                    is_down_payment=True,
                    is_grouped=False,
                )
                | models.Q(
                    kind="invoice",
                    delivery_note__isnull=True,
                    credited_invoice__isnull=True,
                    is_down_payment=False,
                    is_grouped=True,
                )
                # What the shop keeps of an order that it emptied.
                | models.Q(
                    kind="invoice",
                    delivery_note__isnull=True,
                    credited_invoice__isnull=True,
                    is_down_payment=False,
                    is_grouped=False,
                    mentions__has_key="kept",
                )
                | models.Q(
                    kind="credit_note",
                    credited_invoice__isnull=False,
                    is_down_payment=False,
                    is_grouped=False,
                )
                | models.Q(
                    kind="credit_note",
                    delivery_note__isnull=True,
                    credited_invoice__isnull=True,
                    mentions__has_key="credited",
                    is_down_payment=False,
                    is_grouped=False,
                ),
                name="invoicing_invoice_kind_has_origin",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def title(self) -> str:
        """What the document calls itself, in the active language."""
        return str(_("Facture d'acompte") if self.is_down_payment else self.get_kind_display())

    @property
    def corrected(self) -> Corrected | None:
        """What a credit note corrects; None for an invoice."""
        if self.credited_invoice:
            return Corrected(self.credited_invoice.number, self.credited_invoice.issued_on)
        told = self.mentions.get("credited")
        return Corrected(told["number"], date.fromisoformat(told["issued_on"])) if told else None

    @property
    def sign(self) -> int:
        """+1 for an invoice, −1 for a credit note: what it adds to turnover."""
        return -1 if self.kind == self.Kind.CREDIT_NOTE else 1


class InvoiceLine(models.Model):
    """One printed line. `amount` is before discount, `total` after it."""

    class Kind(models.TextChoices):
        GOODS = "goods", _("Marchandise")
        SHIPPING = "shipping", _("Port")
        FEE = "fee", _("Frais")
        TIP = "tip", _("Pourboire")
        GIFT_CARD = "gift_card", _("Carte cadeau vendue")
        DUTIES = "duties", _("Droits de douane")
        DEPOSIT = "deposit", _("Acompte")

    invoice = models.ForeignKey(
        Invoice, verbose_name=_("facture"), on_delete=models.PROTECT, related_name="lines"
    )
    position = models.PositiveSmallIntegerField(_("rang"))
    kind = models.CharField(_("nature"), max_length=10, choices=Kind)
    delivery_line = models.ForeignKey(
        DeliveryNoteLine,
        verbose_name=_("ligne de BL"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    sku = models.CharField(_("référence"), max_length=80, blank=True)
    label = models.CharField(_("désignation"), max_length=200)
    quantity = QuantityField(_("quantité"))
    unit_price_excl_tax = UnitPriceField(_("prix unitaire HT (€)"))
    tax_rate = RateField(_("TVA (%)"))
    amount_incl_tax = MoneyField(_("montant TTC avant remise (€)"))
    discount_incl_tax = MoneyField(_("remise TTC (€)"))
    total_incl_tax = MoneyField(_("total TTC (€)"))
    amount_excl_tax = MoneyField(_("montant HT avant remise (€)"))
    discount_excl_tax = MoneyField(_("remise HT (€)"))
    total_excl_tax = MoneyField(_("total HT (€)"))

    class Meta:
        verbose_name = _("ligne de facture")
        verbose_name_plural = _("lignes de facture")
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["invoice", "position"], name="invoicing_line_once"),
            models.CheckConstraint(
                condition=models.Q(
                    total_incl_tax=cents("amount_incl_tax", "-", "discount_incl_tax")
                )
                & models.Q(total_excl_tax=cents("amount_excl_tax", "-", "discount_excl_tax")),
                name="invoicing_line_adds_up",
            ),
        ]

    def __str__(self) -> str:
        return self.label


class TaxBreakdown(models.Model):
    """VAT of an invoice at one rate: rounded once, here."""

    invoice = models.ForeignKey(
        Invoice, verbose_name=_("facture"), on_delete=models.PROTECT, related_name="taxes"
    )
    tax_rate = RateField(_("taux (%)"))
    base_excl_tax = MoneyField(_("base HT (€)"))
    tax = MoneyField(_("TVA (€)"))
    total_incl_tax = MoneyField(_("TTC (€)"))

    class Meta:
        verbose_name = _("TVA par taux")
        verbose_name_plural = _("TVA par taux")
        ordering = ["-tax_rate"]
        constraints = [
            models.UniqueConstraint(fields=["invoice", "tax_rate"], name="invoicing_tax_once"),
            models.CheckConstraint(
                condition=models.Q(total_incl_tax=cents("base_excl_tax", "+", "tax")),
                name="invoicing_tax_adds_up",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tax_rate} % : {self.tax} €"


class InvoicedNote(models.Model):
    """A delivery note's part of a grouped invoice at one rate: what its order was charged."""

    invoice = models.ForeignKey(
        Invoice,
        verbose_name=_("facture"),
        on_delete=models.PROTECT,
        related_name="invoiced_notes",
    )
    delivery_note = models.ForeignKey(
        DeliveryNote, verbose_name=_("BL"), on_delete=models.PROTECT, related_name="invoiced"
    )
    tax_rate = RateField(_("taux (%)"))
    total_incl_tax = MoneyField(_("TTC (€)"))
    tax = MoneyField(_("TVA (€)"))

    class Meta:
        verbose_name = _("bon facturé en groupe")
        verbose_name_plural = _("bons facturés en groupe")
        ordering = ["id"]
        constraints = [
            # A note is in one grouped invoice at most.
            models.UniqueConstraint(
                fields=["delivery_note", "tax_rate"], name="invoicing_grouped_note_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.delivery_note_id} {self.tax_rate} % : {self.total_incl_tax} €"


class InvoicePdf(models.Model):
    """Where an invoice's PDF lies under the data folder, and its SHA-256."""

    invoice = models.OneToOneField(
        Invoice, verbose_name=_("facture"), on_delete=models.PROTECT, related_name="pdf"
    )
    path = models.CharField(_("fichier"), max_length=200)
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    rendered_at = models.DateTimeField(_("produit le"))

    class Meta:
        verbose_name = _("PDF de facture")
        verbose_name_plural = _("PDF de factures")

    def __str__(self) -> str:
        return self.path
