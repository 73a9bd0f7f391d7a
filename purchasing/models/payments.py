"""What the firm paid its suppliers: one movement of money, the documents that it settles."""

from decimal import Decimal

from django.db import models
from django.utils.translation import gettext_lazy as _

from purchasing.models.currencies import InCurrency
from purchasing.models.invoices import SupplierInvoice
from sphinx.core.exchange import EURO
from sphinx.core.fields import MoneyField
from suppliers.models import Supplier


class SupplierPayment(InCurrency):
    """Money that left for a supplier (negative: that it gave back), in the currency of what it
    settles, and in euros.

    Either the bank took euros and said how many, or it left an account in the currency: then it
    has a rate, of its day. A payment of nothing sets a credit note off on an invoice.
    """

    number = models.CharField(_("n° de règlement"), max_length=20, unique=True)
    supplier = models.ForeignKey(
        Supplier, verbose_name=_("fournisseur"), on_delete=models.PROTECT, related_name="payments"
    )
    paid_on = models.DateField(_("payé le"))
    amount = MoneyField(_("montant (en devise)"))
    paid_eur = MoneyField(_("montant (€)"))
    reference = models.CharField(_("référence"), max_length=100, blank=True, db_default="")
    noted_at = models.DateTimeField(_("noté le"))
    cancelled_at = models.DateTimeField(_("repris le"), null=True, blank=True)
    decision = models.CharField(_("raison"), max_length=200, blank=True, db_default="")

    class Meta:
        verbose_name = _("règlement fournisseur")
        verbose_name_plural = _("règlements fournisseurs")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(exchange_rate__isnull=True)
                | (~models.Q(currency=EURO) & models.Q(exchange_rate__gt=0)),
                name="purchasing_payment_rate",
            ),
            models.CheckConstraint(
                condition=~models.Q(currency=EURO) | models.Q(paid_eur=models.F("amount")),
                name="purchasing_payment_euros",
            ),
            # Both have left, both came back, or nothing moved.
            models.CheckConstraint(
                condition=models.Q(amount__gt=0, paid_eur__gt=0)
                | models.Q(amount__lt=0, paid_eur__lt=0)
                | models.Q(amount=0, paid_eur=0),
                name="purchasing_payment_one_way",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class SupplierPaymentPart(models.Model):
    """What a payment settles of one document: positive of an invoice, negative of a credit note.

    `booked_eur` is what the books hold of it on the supplier's account, at the document's rate.
    """

    payment = models.ForeignKey(
        SupplierPayment,
        verbose_name=_("règlement"),
        on_delete=models.PROTECT,
        related_name="parts",
    )
    invoice = models.ForeignKey(
        SupplierInvoice,
        verbose_name=_("facture"),
        on_delete=models.PROTECT,
        related_name="payment_parts",
    )
    amount = MoneyField(_("montant (en devise)"))
    booked_eur = MoneyField(_("soldé au compte du fournisseur (€)"), default=Decimal(0))

    class Meta:
        verbose_name = _("part de règlement")
        verbose_name_plural = _("parts de règlement")
        constraints = [
            models.UniqueConstraint(
                fields=["payment", "invoice"], name="purchasing_payment_part_once"
            ),
            models.CheckConstraint(
                condition=models.Q(amount__gt=0, booked_eur__gte=0)
                | models.Q(amount__lt=0, booked_eur__lte=0),
                name="purchasing_payment_part_one_sign",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.invoice_id} : {self.amount}"
