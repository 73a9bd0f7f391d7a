"""Suppliers' invoices, matched to what came, and the electronic ones received."""

from decimal import Decimal
from typing import NamedTuple

from django.conf import settings
from django.db import models
from django.db.models.functions import Coalesce, Round
from django.utils.translation import gettext_lazy as _

from purchasing.models.currencies import InCurrency, rate_goes_with_currency
from purchasing.models.receipts import ReceiptLine
from sphinx.core.exchange import EURO
from sphinx.core.fields import MoneyField, QuantityField, RateField, UnitPriceField
from sphinx.core.money import HUNDRED, ZERO, plain, to_cents
from suppliers.models import Supplier


class Owed:
    """A supplier's document, that the firm owes or that lessens what it owes."""

    kind: str

    @property
    def sign(self) -> int:
        """1 when the firm owes it, −1 when the supplier does."""
        return -1 if self.kind == "credit_note" else 1


class Euros(NamedTuple):
    """What a supplier's invoice is in the books."""

    goods: Decimal
    carriage: Decimal
    tax: Decimal
    total: Decimal
    expenses: Decimal = ZERO
    rounding: Decimal = ZERO


class SupplierInvoice(Owed, InCurrency):
    """A supplier's invoice (or credit note), matched to what was ordered and received.

    Its amounts are in its currency; of one in another than the euro the books' are beside them.
    """

    class Kind(models.TextChoices):
        INVOICE = "invoice", _("Facture")
        CREDIT_NOTE = "credit_note", _("Avoir")

    class Status(models.TextChoices):
        DIFFERS = "differs", _("Écart à trancher")
        APPROVED = "approved", _("Bon à payer")
        DISPUTED = "disputed", _("Contestée")
        CANCELLED = "cancelled", _("Reprise")

    class SpreadBy(models.TextChoices):
        VALUE = "value", _("Valeur")
        PIECES = "pieces", _("Nombre de pièces")
        WEIGHT = "weight", _("Poids")

    kind = models.CharField(_("genre"), max_length=11, choices=Kind, default=Kind.INVOICE)

    number = models.CharField(_("n° interne"), max_length=20, unique=True)
    supplier = models.ForeignKey(
        Supplier, verbose_name=_("fournisseur"), on_delete=models.PROTECT, related_name="invoices"
    )
    supplier_number = models.CharField(_("n° de facture"), max_length=60)
    issued_on = models.DateField(_("datée du"))
    due_on = models.DateField(_("échéance"))
    received_at = models.DateTimeField(_("saisie le"))
    status = models.CharField(_("état"), max_length=10, choices=Status)
    goods_excl_tax = MoneyField(_("marchandises HT"))
    carriage_excl_tax = MoneyField(_("port HT"), default=Decimal(0))
    # Lines that are no goods: each in `expenses`, with its account.
    expenses_excl_tax = MoneyField(_("autres lignes HT"), default=Decimal(0), db_default=Decimal(0))
    tax = MoneyField(_("TVA"))
    # What rounding of the sum to pay adds or takes off (EN 16931, BT-114).
    rounding = MoneyField(_("arrondi"), default=Decimal(0), db_default=Decimal(0))
    # What is owed: rounding included, a part paid before it (BT-113) not taken off.
    total_incl_tax = MoneyField(_("total TTC"))
    goods_eur = MoneyField(_("marchandises HT (€)"), null=True, blank=True)
    carriage_eur = MoneyField(_("port HT (€)"), null=True, blank=True)
    # None of an invoice of before there were any: as 0.
    expenses_eur = MoneyField(_("autres lignes HT (€)"), null=True, blank=True)
    tax_eur = MoneyField(_("TVA (€)"), null=True, blank=True)
    rounding_eur = MoneyField(_("arrondi (€)"), null=True, blank=True)
    total_eur = MoneyField(_("total TTC (€)"), null=True, blank=True)
    # Each difference as a code and its figures, as they were when it was matched.
    differences = models.JSONField(_("écarts"), default=list)
    approved_at = models.DateTimeField(_("bon à payer le"), null=True, blank=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("par"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    decision = models.CharField(_("décision"), max_length=200, blank=True)
    # Of a carrier's or forwarder's invoice: how it is shared out over what others delivered.
    spread_by = models.CharField(
        _("réparti par"), max_length=8, choices=SpreadBy, blank=True, default="", db_default=""
    )
    cancelled_at = models.DateTimeField(_("reprise le"), null=True, blank=True)

    class Meta:
        verbose_name = _("facture fournisseur")
        verbose_name_plural = _("factures fournisseurs")
        ordering = ["-id"]
        constraints = [
            # The same invoice is entered once; one taken back may be entered again.
            models.UniqueConstraint(
                fields=["supplier", "supplier_number"],
                condition=~models.Q(status="cancelled"),
                name="purchasing_invoice_once",
            ),
            models.CheckConstraint(
                # SQLite adds in binary.
                condition=models.Q(
                    total_incl_tax=Round(
                        models.F("goods_excl_tax")
                        + models.F("carriage_excl_tax")
                        + models.F("expenses_excl_tax")
                        + models.F("tax")
                        + models.F("rounding"),
                        precision=2,
                    )
                ),
                name="purchasing_invoice_adds_up",
            ),
            models.CheckConstraint(
                condition=models.Q(status="approved", approved_at__isnull=False)
                | models.Q(status="cancelled")
                | models.Q(status__in=["differs", "disputed"], approved_at__isnull=True),
                name="purchasing_invoice_approved_has_date",
            ),
            models.CheckConstraint(
                condition=models.Q(status="cancelled", cancelled_at__isnull=False)
                | (~models.Q(status="cancelled") & models.Q(cancelled_at__isnull=True)),
                name="purchasing_invoice_cancelled_has_date",
            ),
            rate_goes_with_currency("purchasing_invoice_rate"),
            models.CheckConstraint(
                condition=models.Q(
                    currency=EURO,
                    goods_eur__isnull=True,
                    carriage_eur__isnull=True,
                    expenses_eur__isnull=True,
                    tax_eur__isnull=True,
                    rounding_eur__isnull=True,
                    total_eur__isnull=True,
                )
                | ~models.Q(currency=EURO)
                & models.Q(
                    goods_eur__isnull=False,
                    carriage_eur__isnull=False,
                    tax_eur__isnull=False,
                    total_eur__isnull=False,
                    total_eur=Round(
                        models.F("goods_eur")
                        + models.F("carriage_eur")
                        + Coalesce(models.F("expenses_eur"), Decimal(0))
                        + models.F("tax_eur")
                        + Coalesce(models.F("rounding_eur"), Decimal(0)),
                        precision=2,
                    ),
                ),
                name="purchasing_invoice_euros_add_up",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} ({self.supplier_number})"

    @property
    def euros(self) -> Euros:
        """Its amounts in the books."""
        if self.total_eur is None:
            return Euros(
                self.goods_excl_tax,
                self.carriage_excl_tax,
                self.tax,
                self.total_incl_tax,
                self.expenses_excl_tax,
                self.rounding,
            )
        # They are there together.
        return Euros(
            self.goods_eur or ZERO,
            self.carriage_eur or ZERO,
            self.tax_eur or ZERO,
            self.total_eur,
            self.expenses_eur or ZERO,
            self.rounding_eur or ZERO,
        )


class SupplierInvoiceLine(models.Model):
    """Pieces of one receipt line that the supplier charges, at its price.

    On a credit note the pieces it takes back, or those that stay and of which it lowers the price.
    On an invoice pieces below zero are taken back too.
    """

    invoice = models.ForeignKey(
        SupplierInvoice, verbose_name=_("facture"), on_delete=models.PROTECT, related_name="lines"
    )
    receipt_line = models.ForeignKey(
        ReceiptLine,
        verbose_name=_("ligne de réception"),
        on_delete=models.PROTECT,
        related_name="invoice_lines",
    )
    quantity = QuantityField(_("quantité"))
    unit_price_excl_tax = UnitPriceField(_("prix unitaire HT"))
    amount_excl_tax = MoneyField(_("montant HT"))
    # As the supplier wrote it, where it counts in another unit than pieces.
    written_quantity = QuantityField(_("quantité écrite"), null=True, blank=True)
    written_price = UnitPriceField(_("prix écrit HT"), null=True, blank=True)
    written_unit = models.CharField(_("unité écrite"), max_length=30, blank=True, db_default="")
    lowers_price = models.BooleanField(_("baisse de prix"), default=False, db_default=False)
    # What it added to the value of goods that were still there when it was good to pay.
    cost_added = MoneyField(_("ajouté au coût du stock (€)"), null=True, blank=True)

    class Meta:
        verbose_name = _("ligne de facture fournisseur")
        verbose_name_plural = _("lignes de facture fournisseur")
        constraints = [
            models.UniqueConstraint(
                fields=["invoice", "receipt_line", "lowers_price"],
                name="purchasing_invoice_line_each",
            ),
            models.CheckConstraint(
                condition=models.Q(quantity__gt=0) | models.Q(quantity__lt=0, lowers_price=False),
                name="purchasing_invoice_line_pieces",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.receipt_line_id} × {plain(self.quantity)}"


class ExpenseLine(models.Model):
    """A line of a supplier's invoice that is no goods, and the account that bears it.

    An expense only: an account of class 6 (PCG). Below zero it lessens one.
    """

    invoice = models.ForeignKey(
        SupplierInvoice,
        verbose_name=_("facture"),
        on_delete=models.PROTECT,
        related_name="expenses",
    )
    position = models.PositiveSmallIntegerField(_("rang"))
    label = models.CharField(_("libellé"), max_length=200)
    reference = models.CharField(_("référence"), max_length=80, blank=True, default="")
    account = models.CharField(_("compte"), max_length=12)
    amount_excl_tax = MoneyField(_("montant HT"))
    # None where the invoice doesn't say it.
    tax_rate = RateField(_("taux de TVA (%)"), null=True, blank=True)
    # Its part of the invoice's VAT, and how much of that may be deducted.
    tax = MoneyField(_("TVA"), default=Decimal(0))
    deductible_share = RateField(_("TVA récupérable (%)"), default=Decimal(100))

    class Meta:
        verbose_name = _("ligne de charge")
        verbose_name_plural = _("lignes de charges")
        ordering = ["invoice_id", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["invoice", "position"], name="purchasing_expense_line_once"
            ),
            models.CheckConstraint(
                condition=models.Q(account__startswith="6"), name="purchasing_expense_line_class_6"
            ),
            models.CheckConstraint(
                condition=models.Q(deductible_share__gte=0, deductible_share__lte=100),
                name="purchasing_expense_line_share",
            ),
            models.CheckConstraint(
                condition=models.Q(tax_rate__isnull=True)
                | models.Q(tax_rate__gte=0, tax_rate__lt=100),
                name="purchasing_expense_line_rate",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.label} : {self.amount_excl_tax}"

    @property
    def tax_not_deducted(self) -> Decimal:
        """The part of its VAT that is a cost (in the invoice's currency)."""
        return self.tax - to_cents(self.tax * self.deductible_share / HUNDRED)


class CostShare(models.Model):
    """The part of a carrier's, forwarder's or customs invoice that a receipt line bears."""

    invoice = models.ForeignKey(
        SupplierInvoice,
        verbose_name=_("facture"),
        on_delete=models.PROTECT,
        related_name="cost_shares",
    )
    receipt_line = models.ForeignKey(
        ReceiptLine,
        verbose_name=_("ligne de réception"),
        on_delete=models.PROTECT,
        related_name="cost_shares",
    )
    amount_excl_tax = MoneyField(_("montant HT (€)"))
    # What it added to the value of goods that were still there.
    cost_added = MoneyField(_("ajouté au coût du stock (€)"), null=True, blank=True)

    class Meta:
        verbose_name = _("part de frais d'approche")
        verbose_name_plural = _("parts de frais d'approche")
        constraints = [
            models.UniqueConstraint(
                fields=["invoice", "receipt_line"], name="purchasing_cost_share_once"
            ),
            models.CheckConstraint(
                condition=models.Q(amount_excl_tax__gte=0), name="purchasing_cost_share_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.receipt_line_id} : {self.amount_excl_tax}"


class ReceivedInvoice(Owed, models.Model):
    """An electronic invoice as it came (Factur-X, CII or UBL), until it is entered."""

    class Status(models.TextChoices):
        OPEN = "open", _("À saisir")
        ENTERED = "entered", _("Saisie")
        IGNORED = "ignored", _("Sans suite")

    sha256 = models.CharField(_("SHA-256"), max_length=64, unique=True)
    name = models.CharField(_("fichier"), max_length=200)
    data = models.BinaryField(_("contenu"))
    received_at = models.DateTimeField(_("reçue le"))
    status = models.CharField(_("état"), max_length=10, choices=Status, default=Status.OPEN)
    kind = models.CharField(
        _("genre"),
        max_length=11,
        choices=SupplierInvoice.Kind,
        default=SupplierInvoice.Kind.INVOICE,
    )
    supplier = models.ForeignKey(
        Supplier,
        verbose_name=_("fournisseur"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    seller_name = models.CharField(_("vendeur"), max_length=200)
    number = models.CharField(_("n° de facture"), max_length=60)
    issued_on = models.DateField(_("datée du"))
    due_on = models.DateField(_("échéance"), null=True, blank=True)
    order_reference = models.CharField(_("commande citée"), max_length=80, blank=True)
    # Lines as texts: label, reference, barcode, sku, quantity, unit (UN/ECE code), amount, rate of
    # VAT ("" unsaid) and VAT; those of before 0.3 say neither.
    lines = models.JSONField(_("lignes"), default=list)
    currency = models.CharField(_("devise"), max_length=3, default=EURO, db_default=EURO)
    carriage_excl_tax = MoneyField(_("port HT"), default=Decimal(0))
    tax = MoneyField(_("TVA"))
    # Where it says its VAT in euros too (BT-111).
    tax_eur = MoneyField(_("TVA (€)"), null=True, blank=True)
    rounding = MoneyField(_("arrondi"), default=Decimal(0), db_default=Decimal(0))
    # Rounding included.
    total_incl_tax = MoneyField(_("total TTC"))
    # What it says was paid before (BT-113): for whoever notes the payment.
    prepaid = MoneyField(_("déjà payé"), default=Decimal(0), db_default=Decimal(0))
    supplier_invoice = models.OneToOneField(
        SupplierInvoice,
        verbose_name=_("facture saisie"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="received",
    )

    class Meta:
        verbose_name = _("facture électronique reçue")
        verbose_name_plural = _("factures électroniques reçues")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status="entered", supplier_invoice__isnull=False)
                | (~models.Q(status="entered") & models.Q(supplier_invoice__isnull=True)),
                name="purchasing_received_entered_has_invoice",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.seller_name} {self.number}"
