"""The chart of accounts, the rules that choose from it, and where money lies."""

from decimal import Decimal

from django.db import models
from django.db.models import Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from invoicing.models import ProviderTransaction
from sphinx.core.fields import RateField
from sphinx.core.models import Shop
from sphinx.core.vat import TaxRegime


class Journal(models.Model):
    """A journal of the accounts, such as VE (sales)."""

    code = models.CharField(_("code"), max_length=5, unique=True)
    label = models.CharField(_("libellé"), max_length=60)

    class Meta:
        verbose_name = _("journal")
        verbose_name_plural = _("journaux")
        ordering = ["code"]

    def __str__(self) -> str:
        return f"{self.code} {self.label}"


class Account(models.Model):
    """An account of the chart (PCG)."""

    number = models.CharField(_("compte"), max_length=12, unique=True)
    label = models.CharField(_("libellé"), max_length=100)

    class Meta:
        verbose_name = _("compte")
        verbose_name_plural = _("plan comptable")
        ordering = ["number"]

    def __str__(self) -> str:
        return f"{self.number} {self.label}"


class AccountRule(models.Model):
    """Which account a kind of amount goes to; the most specific rule wins."""

    class Nature(models.TextChoices):
        CUSTOMERS = "customers", _("Clients")
        GOODS = "goods", _("Ventes de marchandises")
        SHIPPING = "shipping", _("Ports facturés")
        FEE = "fee", _("Frais accessoires facturés")
        TIP = "tip", _("Pourboires")
        GIFT_CARD = "gift_card", _("Cartes cadeaux vendues")
        DEPOSIT = "deposit", _("Acomptes reçus")
        DUTIES = "duties", _("Droits de douane refacturés")
        DISCOUNT = "discount", _("Remises accordées")
        TAX = "tax", _("TVA collectée")
        SUPPLIERS = "suppliers", _("Fournisseurs")
        PURCHASES = "purchases", _("Achats de marchandises")
        CARRIAGE = "carriage", _("Ports sur achats")
        EXPENSE = "expense", _("Charges de factures fournisseurs")
        INPUT_TAX = "input_tax", _("TVA déductible")
        SELF_TAX = "self_tax", _("TVA autoliquidée")
        FEES = "fees", _("Commissions des prestataires")
        TRANSIT = "transit", _("Virements internes")
        SUSPENSE = "suspense", _("Compte d'attente")
        ADVANCE = "advance", _("Avances reçues avant facture")
        BANK_FEE = "bank_fee", _("Frais bancaires")
        SHORTFALL = "shortfall", _("Écarts de règlement, charges")
        SURPLUS = "surplus", _("Écarts de règlement, produits")
        FX_LOSS = "fx_loss", _("Pertes de change")
        FX_GAIN = "fx_gain", _("Gains de change")

    # An expense goes to the account that whoever entered it chose: no rule says it.
    nature = models.CharField(
        _("nature"),
        max_length=10,
        choices=list(filter(lambda choice: choice[0] != "expense", Nature.choices)),
    )
    regime = models.CharField(
        _("régime"), max_length=12, choices=TaxRegime, blank=True, help_text=_("Vide : tous.")
    )
    tax_rate = RateField(_("taux (%)"), null=True, blank=True, help_text=_("Vide : tous."))
    country = models.CharField(_("pays"), max_length=2, blank=True, help_text=_("Vide : tous."))
    shop = models.ForeignKey(
        Shop,
        verbose_name=_("boutique"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("Vide : toutes."),
    )
    account = models.ForeignKey(
        Account, verbose_name=_("compte"), on_delete=models.PROTECT, related_name="rules"
    )

    class Meta:
        verbose_name = _("règle de compte")
        verbose_name_plural = _("règles de comptes")
        ordering = ["nature", "regime", "-tax_rate"]
        constraints = [
            models.UniqueConstraint(
                "nature",
                "regime",
                Coalesce("tax_rate", Value(Decimal(-1))),
                "country",
                Coalesce("shop", Value(0)),
                name="accounting_rule_unique",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_nature_display()} → {self.account.number}"


class PaymentMeans(models.Model):
    """Where money of a kind lies until it is at the bank, and the journal that tells of it."""

    name = models.CharField(_("moyen"), max_length=60, unique=True)
    journal = models.ForeignKey(
        Journal, verbose_name=_("journal"), on_delete=models.PROTECT, related_name="means"
    )
    account = models.ForeignKey(
        Account, verbose_name=_("compte"), on_delete=models.PROTECT, related_name="means"
    )
    provider = models.CharField(
        _("prestataire"),
        max_length=10,
        choices=ProviderTransaction.Provider,
        blank=True,
        help_text=_("Celui dont les relevés disent les frais et les virements."),
    )
    keywords = models.CharField(
        _("mots du règlement"),
        max_length=200,
        blank=True,
        help_text=_(
            "Séparés par des virgules ; le moyen dont un mot est dans le règlement de la "
            "boutique. Vide : celui de tous les autres."
        ),
    )
    is_bank = models.BooleanField(
        _("banque"), default=False, help_text=_("Le compte des opérations du relevé.")
    )

    class Meta:
        verbose_name = _("moyen de paiement")
        verbose_name_plural = _("moyens de paiement")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["provider"],
                condition=~models.Q(provider=""),
                name="accounting_means_one_a_provider",
            ),
            models.UniqueConstraint(
                fields=["is_bank"], condition=models.Q(is_bank=True), name="accounting_one_bank"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} → {self.account.number}"
