"""Journals of sales and purchases: accounts, rules that choose them, entries, export batches."""

from decimal import Decimal

from django.db import models
from django.db.models import Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from invoicing.models import Invoice
from purchasing.models import SupplierInvoice
from sphinx.core.fields import MoneyField, RateField
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
        INPUT_TAX = "input_tax", _("TVA déductible")
        SELF_TAX = "self_tax", _("TVA autoliquidée")

    nature = models.CharField(_("nature"), max_length=10, choices=Nature)
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


class JournalEntry(models.Model):
    """One balanced entry for one issued document; written, never changed."""

    journal = models.ForeignKey(
        Journal, verbose_name=_("journal"), on_delete=models.PROTECT, related_name="entries"
    )
    number = models.CharField(_("n° d'écriture"), max_length=20, unique=True)
    entry_date = models.DateField(_("date"), db_index=True)
    piece_ref = models.CharField(_("pièce"), max_length=20)
    piece_date = models.DateField(_("date de la pièce"))
    label = models.CharField(_("libellé"), max_length=120)
    validated_on = models.DateField(_("validée le"))
    # The unique keys that make a document's entry be written once.
    invoice = models.OneToOneField(
        Invoice,
        verbose_name=_("facture"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="entry",
    )
    supplier_invoice = models.ForeignKey(
        SupplierInvoice,
        verbose_name=_("facture fournisseur"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="entries",
    )
    is_reversal = models.BooleanField(_("contre-passation"), default=False)

    class Meta:
        verbose_name = _("écriture")
        verbose_name_plural = _("écritures")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(invoice__isnull=False, supplier_invoice__isnull=True)
                | models.Q(invoice__isnull=True, supplier_invoice__isnull=False),
                name="accounting_entry_one_document",
            ),
            models.UniqueConstraint(
                fields=["supplier_invoice", "is_reversal"], name="accounting_entry_purchase_once"
            ),
        ]

    def __str__(self) -> str:
        return self.number


class JournalLine(models.Model):
    """One side of an entry (EUR), with its account's label as it was that day."""

    entry = models.ForeignKey(
        JournalEntry, verbose_name=_("écriture"), on_delete=models.PROTECT, related_name="lines"
    )
    position = models.PositiveSmallIntegerField(_("rang"))
    account = models.CharField(_("compte"), max_length=12)
    account_label = models.CharField(_("libellé du compte"), max_length=100)
    auxiliary = models.CharField(_("auxiliaire"), max_length=12, blank=True)
    auxiliary_label = models.CharField(_("libellé auxiliaire"), max_length=200, blank=True)
    debit = MoneyField(_("débit"), default=Decimal(0))
    credit = MoneyField(_("crédit"), default=Decimal(0))
    tax_rate = RateField(_("taux (%)"), null=True, blank=True)

    class Meta:
        verbose_name = _("ligne d'écriture")
        verbose_name_plural = _("lignes d'écriture")
        ordering = ["entry_id", "position"]
        constraints = [
            models.UniqueConstraint(fields=["entry", "position"], name="accounting_line_once"),
            models.CheckConstraint(
                condition=models.Q(debit__gt=0, credit=0) | models.Q(credit__gt=0, debit=0),
                name="accounting_line_one_side",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.debit}/{self.credit}"


class ExportBatch(models.Model):
    """A file handed to the accountant: what it held and the hash of its bytes."""

    format = models.CharField(_("format"), max_length=20)
    journals = models.CharField(_("journaux"), max_length=60)
    date_from = models.DateField(_("du"))
    date_to = models.DateField(_("au"))
    path = models.CharField(_("fichier"), max_length=500)
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    entry_count = models.PositiveIntegerField(_("écritures"))
    line_count = models.PositiveIntegerField(_("lignes"))
    debit = MoneyField(_("total débit"), max_digits=16)
    credit = MoneyField(_("total crédit"), max_digits=16)
    created_at = models.DateTimeField(_("produit le"))

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        ordering = ["-id"]
        permissions = [("export_journal", _("Peut exporter les journaux"))]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(debit=models.F("credit")), name="accounting_batch_balanced"
            ),
            # The same file again is the same batch.
            models.UniqueConstraint(
                fields=["format", "date_from", "date_to", "sha256"],
                name="accounting_batch_unique",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.format} {self.date_from}–{self.date_to}"


class ExportedEntry(models.Model):
    """The mark that an entry went out in a batch; the entry itself never changes."""

    batch = models.ForeignKey(
        ExportBatch, verbose_name=_("export"), on_delete=models.PROTECT, related_name="exported"
    )
    entry = models.ForeignKey(
        JournalEntry, verbose_name=_("écriture"), on_delete=models.PROTECT, related_name="exports"
    )

    class Meta:
        verbose_name = _("écriture exportée")
        verbose_name_plural = _("écritures exportées")
        constraints = [
            models.UniqueConstraint(fields=["batch", "entry"], name="accounting_exported_once"),
        ]

    def __str__(self) -> str:
        return f"{self.entry_id} → {self.batch_id}"
