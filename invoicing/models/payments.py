"""What was paid: by whom, through the bank or a provider, and who was reminded."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from invoicing.models.documents import Invoice
from sales.models import Order
from sphinx.core.checks import cents
from sphinx.core.fields import MoneyField


class BankLine(models.Model):
    """A line of the bank's statement, until somebody says what it paid."""

    class Status(models.TextChoices):
        OPEN = "open", _("À rapprocher")
        MATCHED = "matched", _("Rapprochée")
        IGNORED = "ignored", _("Sans suite")

    # The same line in two files is one line.
    key = models.CharField(_("référence de la banque"), max_length=80, unique=True)
    booked_on = models.DateField(_("date"))
    amount = MoneyField(_("montant (€)"))
    label = models.CharField(_("libellé"), max_length=300)
    counterparty = models.CharField(_("tiers"), max_length=120, blank=True)
    status = models.CharField(_("état"), max_length=10, choices=Status, default=Status.OPEN)
    # What a provider paid out, where this line is that: provider:its reference.
    payout = models.CharField(_("virement d'un prestataire"), max_length=120, blank=True)
    source_file = models.CharField(_("fichier"), max_length=200)

    class Meta:
        verbose_name = _("opération bancaire")
        verbose_name_plural = _("opérations bancaires")
        ordering = ["-booked_on", "-id"]
        indexes = [models.Index(fields=["status"], name="invoicing_bank_status")]
        constraints = [
            models.UniqueConstraint(
                fields=["payout"],
                condition=~models.Q(payout=""),
                name="invoicing_bank_payout_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.booked_on:%d/%m/%Y} {self.amount} € {self.label}"


class Payment(models.Model):
    """What settles an order or its invoice (positive), or was given back (negative), EUR.

    Money, mostly; without an invoice it is an advance on the order. What moves none has a kind of
    its own: a transfer is two halves that come to zero (an advance used for an invoice, a credit
    note set off), a difference is written off.
    """

    class Kind(models.TextChoices):
        MONEY = "money", _("Argent")
        TRANSFER = "transfer", _("Imputation")
        BANK_FEE = "bank_fee", _("Frais bancaires")
        ROUNDING = "rounding", _("Écart de règlement")

    kind = models.CharField(
        _("nature"), max_length=10, choices=Kind, default=Kind.MONEY, db_default=Kind.MONEY
    )
    order = models.ForeignKey(
        Order, verbose_name=_("commande"), on_delete=models.PROTECT, related_name="payments"
    )
    invoice = models.ForeignKey(
        Invoice,
        verbose_name=_("facture"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="payments",
    )
    amount = MoneyField(_("montant (€)"))
    method = models.CharField(_("moyen"), max_length=80, blank=True)
    # The same payment told twice is one payment.
    reference = models.CharField(_("référence"), max_length=100, unique=True)
    paid_at = models.DateTimeField(_("le"))
    bank_line = models.ForeignKey(
        BankLine,
        verbose_name=_("opération bancaire"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="payments",
    )

    class Meta:
        verbose_name = _("règlement")
        verbose_name_plural = _("règlements")
        ordering = ["-paid_at"]
        indexes = [
            # Those that came after the shop's own, which are most.
            models.Index(
                fields=["invoice"],
                condition=~models.Q(reference__startswith="shop:"),
                name="invoicing_payment_later",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(amount=0), name="invoicing_payment_not_zero"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} € {self.method}"

    @property
    def giver(self) -> "Payment | None":
        """The half that this one takes from; None unless it takes."""
        transfer: Transfer | None = getattr(self, "transfer", None)
        return transfer.given if transfer else None


class Transfer(models.Model):
    """The two halves of what moved no money: one takes what the other gives."""

    given = models.OneToOneField(
        Payment, verbose_name=_("prise sur"), on_delete=models.PROTECT, related_name="transfer_out"
    )
    taken = models.OneToOneField(
        Payment, verbose_name=_("imputée sur"), on_delete=models.PROTECT, related_name="transfer"
    )

    class Meta:
        verbose_name = _("imputation")
        verbose_name_plural = _("imputations")

    def __str__(self) -> str:
        return f"{self.given_id} → {self.taken_id}"


class Reminder(models.Model):
    """A reminder of an invoice that is overdue: three steps, each sent once."""

    class Step(models.IntegerChoices):
        FIRST = 1, _("Rappel")
        SECOND = 2, _("Relance")
        THIRD = 3, _("Mise en demeure")

    invoice = models.ForeignKey(
        Invoice, verbose_name=_("facture"), on_delete=models.PROTECT, related_name="reminders"
    )
    step = models.PositiveSmallIntegerField(_("étape"), choices=Step)
    balance = MoneyField(_("reste dû (€)"))
    to = models.EmailField(_("à"))
    sent_at = models.DateTimeField(_("envoyée le"))

    class Meta:
        verbose_name = _("relance")
        verbose_name_plural = _("relances")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["invoice", "step"], name="invoicing_reminder_once"),
        ]

    def __str__(self) -> str:
        return f"{self.get_step_display()} {self.invoice}"


class ProviderTransaction(models.Model):
    """What a payment provider says of one movement: taken from a customer, given back, its fee."""

    class Provider(models.TextChoices):
        STRIPE = "stripe", "Stripe"
        PAYPAL = "paypal", "PayPal"
        SHOPIFY = "shopify", "Shopify Payments"

    class Kind(models.TextChoices):
        CHARGE = "charge", _("Encaissement")
        REFUND = "refund", _("Remboursement")
        PAYOUT = "payout", _("Virement à la banque")
        OTHER = "other", _("Autre")

    class MatchedBy(models.TextChoices):
        REFERENCE = "reference", _("Référence de paiement")
        NUMBER = "number", _("N° de commande")
        TEXT = "text", _("N° cité dans le texte")
        PROPOSAL = "proposal", _("Montant et jour, confirmés")

    provider = models.CharField(_("prestataire"), max_length=10, choices=Provider)
    reference = models.CharField(_("référence"), max_length=100)
    kind = models.CharField(_("nature"), max_length=10, choices=Kind)
    occurred_on = models.DateField(_("date"), db_index=True)
    # As the file writes it; the order where one is known by it.
    order_text = models.CharField(_("commande citée"), max_length=120, blank=True)
    description = models.CharField(
        _("description"), max_length=200, blank=True, default="", db_default=""
    )
    # What else the payment is known by (charge, intent, checkout), apart by spaces.
    payment_references = models.CharField(
        _("références citées"), max_length=300, blank=True, default="", db_default=""
    )
    order = models.ForeignKey(
        Order,
        verbose_name=_("commande"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="provider_transactions",
    )
    # Why it is that order's; blank where no order is known.
    matched_by = models.CharField(
        _("reconnue par"),
        max_length=10,
        choices=MatchedBy,
        blank=True,
        default="",
        db_default="",
    )
    gross = MoneyField(_("brut (€)"))
    fee = MoneyField(_("frais (€)"))
    net = MoneyField(_("net (€)"))
    payout = models.CharField(_("virement"), max_length=100, blank=True)
    source_file = models.CharField(_("fichier"), max_length=200)

    class Meta:
        verbose_name = _("opération de paiement")
        verbose_name_plural = _("opérations de paiement")
        ordering = ["-occurred_on", "-id"]
        constraints = [
            # The same movement in two files is one.
            models.UniqueConstraint(
                fields=["provider", "reference"], name="invoicing_provider_once"
            ),
            models.CheckConstraint(
                condition=models.Q(net=cents("gross", "-", "fee")),
                name="invoicing_provider_adds_up",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_provider_display()} {self.reference}"
