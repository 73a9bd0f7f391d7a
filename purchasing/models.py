"""What we buy: proposals with their reasons, purchase orders, receipts."""

from decimal import Decimal

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from inventory.models import Product, StockMove, Warehouse
from sphinx.core.fields import MoneyField, QuantityField, RateField, UnitPriceField
from sphinx.core.money import plain
from suppliers.models import Supplier


class ReplenishmentRules(models.Model):
    """What the firm wishes of its replenishment: one row, with defaults that work."""

    service_level_a = RateField(
        _("taux de service classe A (%)"),
        default=Decimal("98.00"),
        validators=[MinValueValidator(50), MaxValueValidator(Decimal("99.99"))],
        help_text=_("Part des réapprovisionnements pendant lesquels rien ne manque."),
    )
    service_level_b = RateField(
        _("taux de service classe B (%)"),
        default=Decimal("95.00"),
        validators=[MinValueValidator(50), MaxValueValidator(Decimal("99.99"))],
    )
    service_level_c = RateField(
        _("taux de service classe C (%)"),
        default=Decimal("90.00"),
        validators=[MinValueValidator(50), MaxValueValidator(Decimal("99.99"))],
    )
    review_days = models.PositiveSmallIntegerField(
        _("jours entre deux calculs"), default=1, validators=[MinValueValidator(1)]
    )
    cover_days = models.PositiveSmallIntegerField(
        _("couverture d'une commande (jours)"),
        default=14,
        validators=[MinValueValidator(1)],
        help_text=_("Une commande couvre au moins les ventes d'autant de jours."),
    )
    max_cover_days = models.PositiveSmallIntegerField(
        _("couverture maximale (jours)"), default=180, validators=[MinValueValidator(7)]
    )
    order_cost = MoneyField(
        _("coût d'une commande (€)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("Vide : pas de quantité économique (formule de Wilson)."),
    )
    holding_rate = RateField(
        _("coût de possession (% par an)"),
        default=Decimal("20.00"),
        validators=[MinValueValidator(0)],
        help_text=_("Argent immobilisé, place, casse : une part de la valeur du stock."),
    )
    shelf_life_share = RateField(
        _("part de la durée de conservation (%)"),
        default=Decimal("60.00"),
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text=_("Un achat se vend en moins de cette part de sa durée de conservation."),
    )

    class Meta:
        verbose_name = _("réglages du réappro")
        verbose_name_plural = _("réglages du réappro")
        constraints = [
            models.CheckConstraint(condition=models.Q(pk=1), name="purchasing_rules_only_one"),
        ]

    def __str__(self) -> str:
        return str(_("Réglages du réappro"))


class StockPolicy(models.Model):
    """What the last run worked out for a product in a warehouse: levels and every figure."""

    class Policy(models.TextChoices):
        LEARNED = "learned", _("Appris des ventes")
        MINIMUM_MAXIMUM = "minimum_maximum", _("Minimum et maximum à la main")
        JUST_IN_TIME = "just_in_time", _("Flux tendu")
        BACKORDERS = "backorders", _("Ce que des clients attendent")

    product = models.ForeignKey(
        Product, verbose_name=_("article"), on_delete=models.PROTECT, related_name="policies"
    )
    warehouse = models.ForeignKey(
        Warehouse,
        verbose_name=_("dépôt"),
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    supplier = models.ForeignKey(
        Supplier,
        verbose_name=_("fournisseur"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    computed_on = models.DateField(_("calculé le"))
    policy = models.CharField(_("méthode"), max_length=20, choices=Policy)
    demand_per_day = models.DecimalField(_("demande par jour"), max_digits=14, decimal_places=6)
    reorder_point = QuantityField(_("point de commande"))
    order_up_to = QuantityField(_("recompléter jusqu'à"))
    figures = models.JSONField(_("chiffres"), default=dict)

    class Meta:
        verbose_name = _("niveau calculé")
        verbose_name_plural = _("niveaux calculés")
        constraints = [
            models.UniqueConstraint(
                fields=["product", "warehouse"], name="purchasing_policy_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} {self.reorder_point:f}/{self.order_up_to:f}"


class Decision(models.Model):
    """What somebody decided on a proposed line, and why; the next runs remember it."""

    class Kind(models.TextChoices):
        CHANGED = "changed", _("Quantité changée")
        POSTPONED = "postponed", _("Remise à plus tard")
        REFUSED = "refused", _("Refusée")

    product = models.ForeignKey(
        Product, verbose_name=_("article"), on_delete=models.PROTECT, related_name="+"
    )
    warehouse = models.ForeignKey(
        Warehouse,
        verbose_name=_("dépôt"),
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    kind = models.CharField(_("décision"), max_length=10, choices=Kind)
    proposed = QuantityField(_("proposé"))
    decided = QuantityField(_("décidé"))
    reason = models.CharField(_("motif"), max_length=200)
    # Until then nothing is proposed of the product, unless customers wait for it.
    until = models.DateField(_("jusqu'au"), null=True, blank=True)
    decided_at = models.DateTimeField(_("décidé le"))
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("par"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )

    class Meta:
        verbose_name = _("décision sur une proposition")
        verbose_name_plural = _("décisions sur les propositions")
        ordering = ["-id"]
        indexes = [models.Index(fields=["product", "warehouse"], name="purchasing_decided")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.product_id}"


class Backtest(models.Model):
    """What the learned levels would have done over a past, beside a fixed minimum and reality."""

    class Status(models.TextChoices):
        RUNNING = "running", _("En cours")
        DONE = "done", _("Terminée")
        FAILED = "failed", _("Interrompue")

    status = models.CharField(_("état"), max_length=10, choices=Status, default=Status.DONE)
    # While it runs: the last sign of life.
    computed_at = models.DateTimeField(_("calculé le"))
    products_done = models.PositiveIntegerField(_("articles rejoués"), default=0)
    first_day = models.DateField(_("du"))
    last_day = models.DateField(_("au"))
    products = models.PositiveIntegerField(_("articles"))
    # One object a way: learned, fixed, real; figures as texts.
    outcomes = models.JSONField(_("résultats"), default=list)

    class Meta:
        verbose_name = _("comparaison sur le passé")
        verbose_name_plural = _("comparaisons sur le passé")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["status"],
                condition=models.Q(status="running"),
                name="purchasing_backtest_one_running",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first_day:%d/%m/%Y} – {self.last_day:%d/%m/%Y}"


class PurchaseOrder(models.Model):
    """An order to a supplier; a proposal until somebody accepts it."""

    class Status(models.TextChoices):
        PROPOSED = "proposed", _("Proposée")
        ACCEPTED = "accepted", _("Acceptée")
        SENT = "sent", _("Envoyée")
        CONFIRMED = "confirmed", _("Confirmée")
        PARTIALLY_RECEIVED = "partially_received", _("Reçue en partie")
        RECEIVED = "received", _("Reçue")
        CLOSED = "closed", _("Soldée")
        REFUSED = "refused", _("Refusée")
        CANCELLED = "cancelled", _("Annulée")

    number = models.CharField(_("n° de commande"), max_length=20, unique=True)
    supplier = models.ForeignKey(
        Supplier,
        verbose_name=_("fournisseur"),
        on_delete=models.PROTECT,
        related_name="purchase_orders",
    )
    warehouse = models.ForeignKey(
        Warehouse, verbose_name=_("dépôt"), on_delete=models.PROTECT, related_name="+"
    )
    status = models.CharField(_("état"), max_length=20, choices=Status, default=Status.PROPOSED)
    currency = models.CharField(_("devise"), max_length=3, default="EUR")
    total_excl_tax = MoneyField(_("total HT (€)"), default=Decimal(0))
    proposed_on = models.DateField(_("proposée le"))
    accepted_at = models.DateTimeField(_("acceptée le"), null=True, blank=True)
    sent_at = models.DateTimeField(_("envoyée le"), null=True, blank=True)
    mailed_at = models.DateTimeField(_("e-mail parti le"), null=True, blank=True)
    confirmed_at = models.DateTimeField(_("confirmée le"), null=True, blank=True)
    supplier_reference = models.CharField(_("n° chez le fournisseur"), max_length=60, blank=True)
    closed_at = models.DateTimeField(_("close le"), null=True, blank=True)
    expected_on = models.DateField(_("attendue le"), null=True, blank=True)
    note = models.CharField(_("note"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("commande fournisseur")
        verbose_name_plural = _("commandes fournisseurs")
        ordering = ["-id"]
        constraints = [
            # Proposals are refreshed in place: one a supplier and warehouse.
            models.UniqueConstraint(
                fields=["supplier", "warehouse"],
                condition=models.Q(status="proposed"),
                name="purchasing_order_one_proposal",
            ),
        ]

    def __str__(self) -> str:
        return self.number


# Orders whose goods are still to come.
EXPECTED = (
    PurchaseOrder.Status.ACCEPTED,
    PurchaseOrder.Status.SENT,
    PurchaseOrder.Status.CONFIRMED,
    PurchaseOrder.Status.PARTIALLY_RECEIVED,
)


class PurchaseOrderLine(models.Model):
    """One product of a purchase order, with every figure its quantity came from."""

    purchase_order = models.ForeignKey(
        PurchaseOrder, verbose_name=_("commande"), on_delete=models.PROTECT, related_name="lines"
    )
    product = models.ForeignKey(
        Product, verbose_name=_("article"), on_delete=models.PROTECT, related_name="+"
    )
    supplier_sku = models.CharField(_("référence fournisseur"), max_length=80, blank=True)
    quantity = QuantityField(_("quantité"))
    quantity_received = QuantityField(_("reçu"), default=Decimal(0))
    unit_price_excl_tax = UnitPriceField(_("prix unitaire HT (€)"))
    total_excl_tax = MoneyField(_("total HT (€)"))
    reason = models.JSONField(_("raison"), default=dict)
    # Changed by hand while it is proposed: the next run keeps the quantity.
    is_fixed = models.BooleanField(_("fixée à la main"), default=False)

    class Meta:
        verbose_name = _("ligne de commande fournisseur")
        verbose_name_plural = _("lignes de commande fournisseur")
        ordering = ["product__sku"]
        constraints = [
            models.UniqueConstraint(
                fields=["purchase_order", "product"], name="purchasing_line_unique"
            ),
            models.CheckConstraint(
                condition=models.Q(quantity__gt=0)
                & models.Q(quantity_received__gte=0)
                & models.Q(unit_price_excl_tax__gte=0),
                name="purchasing_line_positive",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} × {plain(self.quantity)}"


class Receipt(models.Model):
    """Goods that came in against a purchase order."""

    number = models.CharField(_("n° de réception"), max_length=20, unique=True)
    purchase_order = models.ForeignKey(
        PurchaseOrder, verbose_name=_("commande"), on_delete=models.PROTECT, related_name="receipts"
    )
    received_at = models.DateTimeField(_("reçu le"))
    supplier_reference = models.CharField(_("BL du fournisseur"), max_length=60, blank=True)

    class Meta:
        verbose_name = _("réception")
        verbose_name_plural = _("réceptions")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.number


class ReceiptLine(models.Model):
    """Pieces of one purchase order line that came in; damaged ones don't enter stock."""

    receipt = models.ForeignKey(
        Receipt, verbose_name=_("réception"), on_delete=models.PROTECT, related_name="lines"
    )
    order_line = models.ForeignKey(
        PurchaseOrderLine,
        verbose_name=_("ligne de commande"),
        on_delete=models.PROTECT,
        related_name="receipt_lines",
    )
    quantity = QuantityField(_("quantité"))
    quantity_damaged = QuantityField(_("abîmé, refusé"), default=Decimal(0))
    quantity_returned = QuantityField(_("renvoyé"), default=Decimal(0))
    quantity_invoiced = QuantityField(_("facturé"), default=Decimal(0))
    # What the delivery note says, else the order (EUR excl. tax a piece).
    unit_price_excl_tax = UnitPriceField(_("prix unitaire HT (€)"), default=Decimal(0))
    move = models.OneToOneField(
        StockMove,
        verbose_name=_("mouvement"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )

    class Meta:
        verbose_name = _("ligne de réception")
        verbose_name_plural = _("lignes de réception")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(quantity__gte=0)
                & models.Q(quantity_damaged__gte=0)
                & (models.Q(quantity__gt=0) | models.Q(quantity_damaged__gt=0)),
                name="purchasing_receipt_line_positive",
            ),
            models.CheckConstraint(
                condition=models.Q(quantity_returned__gte=0)
                & models.Q(quantity_returned__lte=models.F("quantity"))
                & models.Q(quantity_invoiced__gte=0),
                name="purchasing_receipt_line_within",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_line_id} × {plain(self.quantity)}"


class SupplierReturn(models.Model):
    """Goods sent back to a supplier, out of a receipt."""

    number = models.CharField(_("n° de retour"), max_length=20, unique=True)
    receipt = models.ForeignKey(
        Receipt, verbose_name=_("réception"), on_delete=models.PROTECT, related_name="returns"
    )
    returned_at = models.DateTimeField(_("renvoyé le"))
    reason = models.CharField(_("motif"), max_length=200)

    class Meta:
        verbose_name = _("retour fournisseur")
        verbose_name_plural = _("retours fournisseurs")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.number


class SupplierReturnLine(models.Model):
    """Pieces of one receipt line that went back."""

    supplier_return = models.ForeignKey(
        SupplierReturn, verbose_name=_("retour"), on_delete=models.PROTECT, related_name="lines"
    )
    receipt_line = models.ForeignKey(
        ReceiptLine,
        verbose_name=_("ligne de réception"),
        on_delete=models.PROTECT,
        related_name="return_lines",
    )
    quantity = QuantityField(_("quantité"))

    class Meta:
        verbose_name = _("ligne de retour")
        verbose_name_plural = _("lignes de retour")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(quantity__gt=0), name="purchasing_return_line_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.receipt_line_id} × {plain(self.quantity)}"


class SupplierInvoice(models.Model):
    """A supplier's invoice (or credit note), matched to what was ordered and received."""

    class Kind(models.TextChoices):
        INVOICE = "invoice", _("Facture")
        CREDIT_NOTE = "credit_note", _("Avoir")

    class Status(models.TextChoices):
        DIFFERS = "differs", _("Écart à trancher")
        APPROVED = "approved", _("Bon à payer")
        DISPUTED = "disputed", _("Contestée")
        CANCELLED = "cancelled", _("Reprise")

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
    goods_excl_tax = MoneyField(_("marchandises HT (€)"))
    carriage_excl_tax = MoneyField(_("port HT (€)"), default=Decimal(0))
    tax = MoneyField(_("TVA (€)"))
    total_incl_tax = MoneyField(_("total TTC (€)"))
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
                condition=models.Q(
                    total_incl_tax=models.F("goods_excl_tax")
                    + models.F("carriage_excl_tax")
                    + models.F("tax")
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
        ]

    def __str__(self) -> str:
        return f"{self.number} ({self.supplier_number})"

    @property
    def sign(self) -> int:
        """1 when the firm owes it, −1 when the supplier does."""
        return -1 if self.kind == self.Kind.CREDIT_NOTE else 1


class SupplierInvoiceLine(models.Model):
    """Pieces of one receipt line that the supplier charges, at its price."""

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
    unit_price_excl_tax = UnitPriceField(_("prix unitaire HT (€)"))
    amount_excl_tax = MoneyField(_("montant HT (€)"))

    class Meta:
        verbose_name = _("ligne de facture fournisseur")
        verbose_name_plural = _("lignes de facture fournisseur")
        constraints = [
            models.UniqueConstraint(
                fields=["invoice", "receipt_line"], name="purchasing_invoice_line_once"
            ),
            models.CheckConstraint(
                condition=models.Q(quantity__gt=0), name="purchasing_invoice_line_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.receipt_line_id} × {plain(self.quantity)}"


class ReceivedInvoice(models.Model):
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
    # Lines as texts: label, reference, barcode, sku, quantity, amount.
    lines = models.JSONField(_("lignes"), default=list)
    carriage_excl_tax = MoneyField(_("port HT (€)"), default=Decimal(0))
    tax = MoneyField(_("TVA (€)"))
    total_incl_tax = MoneyField(_("total TTC (€)"))
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

    @property
    def sign(self) -> int:
        """1 when the firm owes it, −1 when the supplier does."""
        return -1 if self.kind == SupplierInvoice.Kind.CREDIT_NOTE else 1
