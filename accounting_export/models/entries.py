"""Entries and their lines, what was lettered, what of the providers is booked."""

from decimal import Decimal

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounting_export.models.chart import AccountRule, Journal
from invoicing.models import BankLine, Invoice, Payment, ProviderTransaction
from purchasing.models import SupplierInvoice, SupplierPayment
from sphinx.core.fields import MoneyField, RateField

_ORIGINS = ("invoice", "supplier_invoice", "supplier_payment", "payment", "bank_line")


def _only(origin: str) -> models.Q:
    """The entry comes of that, and of nothing else."""
    none = {f"{name}__isnull": name != origin for name in _ORIGINS}
    told = ~models.Q(provider="") if origin == "provider" else models.Q(provider="")
    return models.Q(**none) & told


class JournalEntry(models.Model):
    """One balanced entry for one document or movement of money; written, never changed."""

    journal = models.ForeignKey(
        Journal, verbose_name=_("journal"), on_delete=models.PROTECT, related_name="entries"
    )
    number = models.CharField(_("n° d'écriture"), max_length=20, unique=True)
    entry_date = models.DateField(_("date"), db_index=True)
    piece_ref = models.CharField(_("pièce"), max_length=40)
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
    supplier_payment = models.ForeignKey(
        SupplierPayment,
        verbose_name=_("règlement fournisseur"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="entries",
        db_index=False,
    )
    payment = models.OneToOneField(
        Payment,
        verbose_name=_("règlement"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="entry",
    )
    bank_line = models.OneToOneField(
        BankLine,
        verbose_name=_("opération bancaire"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="entry",
    )
    # Of a provider: fees and payout of the movements that `PostedTransaction` names.
    provider = models.CharField(_("prestataire"), max_length=10, blank=True, default="")
    is_reversal = models.BooleanField(_("contre-passation"), default=False)

    class Meta:
        verbose_name = _("écriture")
        verbose_name_plural = _("écritures")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=_only("invoice")
                | _only("supplier_invoice")
                | _only("supplier_payment")
                | _only("payment")
                | _only("bank_line")
                | _only("provider"),
                name="accounting_entry_one_origin",
            ),
            models.UniqueConstraint(
                fields=["supplier_invoice", "is_reversal"], name="accounting_entry_purchase_once"
            ),
            models.UniqueConstraint(
                fields=["supplier_payment", "is_reversal"],
                condition=models.Q(supplier_payment__isnull=False),
                name="accounting_entry_supplier_paid_once",
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
    # What the amount is, as the rules of accounts name it.
    nature = models.CharField(
        _("nature"), max_length=10, choices=AccountRule.Nature, blank=True, db_default=""
    )
    section = models.CharField(_("section analytique"), max_length=30, blank=True, db_default="")
    # Of an amount that was in another currency: how much of it, on the same side.
    currency = models.CharField(_("devise"), max_length=3, blank=True, db_default="")
    currency_amount = MoneyField(_("montant en devise"), null=True, blank=True)

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
            models.CheckConstraint(
                condition=models.Q(currency="", currency_amount__isnull=True)
                | (~models.Q(currency="") & models.Q(currency_amount__gte=0)),
                name="accounting_line_currency_amount",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.debit}/{self.credit}"


class LetteredLine(models.Model):
    """The mark that a line is settled with those of the same code: together they are zero."""

    line = models.OneToOneField(
        JournalLine, verbose_name=_("ligne"), on_delete=models.PROTECT, related_name="lettered"
    )
    code = models.CharField(_("lettrage"), max_length=10, db_index=True)
    lettered_on = models.DateField(_("lettrée le"))

    class Meta:
        verbose_name = _("ligne lettrée")
        verbose_name_plural = _("lignes lettrées")

    def __str__(self) -> str:
        return self.code


class PostedTransaction(models.Model):
    """The mark that a provider's movement is in an entry, once."""

    entry = models.ForeignKey(
        JournalEntry, verbose_name=_("écriture"), on_delete=models.PROTECT, related_name="movements"
    )
    transaction = models.OneToOneField(
        ProviderTransaction,
        verbose_name=_("opération"),
        on_delete=models.PROTECT,
        related_name="posted",
    )

    class Meta:
        verbose_name = _("opération passée")
        verbose_name_plural = _("opérations passées")

    def __str__(self) -> str:
        return f"{self.transaction_id} → {self.entry_id}"
