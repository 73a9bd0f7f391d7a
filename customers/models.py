"""Who buys: persons and companies, their addresses, and how each shop names them."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from sphinx.core.models import Shop, Sourced
from sphinx.core.validators import (
    STATED_LENGTH,
    validate_siren,
    validate_siret,
    validate_vat_number,
)


class Customer(models.Model):
    """One person or company, whatever the number of shops and accounts it buys with."""

    class Kind(models.TextChoices):
        PERSON = "person", _("Particulier")
        COMPANY = "company", _("Professionnel")

    class OrdersCount(models.TextChoices):
        """What replenishment learns from the customer's orders."""

        BY_SIZE = "", _("Selon leur taille")
        ORDINARY = "ordinary", _("Ordinaires : toutes comptent en entier")
        EXCEPTIONAL = "exceptional", _("Exceptionnelles : aucune ne compte")

    code = models.CharField(_("code"), max_length=12, unique=True)
    kind = models.CharField(_("nature"), max_length=10, choices=Kind, default=Kind.PERSON)
    first_name = models.CharField(_("prénom"), max_length=80, blank=True)
    last_name = models.CharField(_("nom"), max_length=80, blank=True)
    company_name = models.CharField(_("société"), max_length=120, blank=True)
    # Lower case, trimmed: the second way to recognise somebody after the shop's own key.
    email = models.CharField(_("e-mail"), max_length=254, blank=True)
    phone = models.CharField(_("téléphone"), max_length=30, blank=True)
    vat_number = models.CharField(
        _("n° de TVA"), max_length=20, blank=True, validators=[validate_vat_number]
    )
    stated_vat_number = models.CharField(
        _("n° de TVA écrit par la boutique"),
        max_length=STATED_LENGTH,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text=_("Il ne se vérifie pas : corrigez-le dans « n° de TVA » une fois connu."),
    )
    siren = models.CharField(_("SIREN"), max_length=9, blank=True, validators=[validate_siren])
    siret = models.CharField(_("SIRET"), max_length=14, blank=True, validators=[validate_siret])
    auxiliary_account = models.CharField(
        _("compte auxiliaire"),
        max_length=8,
        blank=True,
        help_text=_(
            "Vide : le compte des particuliers de la boutique, ou le code du professionnel."
        ),
    )
    invoiced_each = models.CharField(
        _("facturer"),
        max_length=8,
        choices=[("delivery", _("Chaque livraison")), ("month", _("Une fois par mois"))],
        default="delivery",
        db_default="delivery",
        help_text=_("Au mois : les livraisons non payées, en une facture datée de sa fin."),
    )
    orders_count = models.CharField(
        _("ses commandes sont"),
        max_length=12,
        choices=OrdersCount,
        blank=True,
        default="",
        db_default="",
        help_text=_("Ce que le réappro en apprend ; une grosse commande est sinon écrêtée."),
    )
    accepts_marketing = models.BooleanField(_("accepte la publicité"), default=False)
    note = models.TextField(_("note"), blank=True)
    created_at = models.DateTimeField(_("connu depuis"))
    # Found to be somebody else: kept for the documents that were issued to this name.
    merged_into = models.ForeignKey(
        "self",
        verbose_name=_("fusionné dans"),
        null=True,
        blank=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="merged",
    )

    history = HistoricalRecords(verbose_name=_("historique"))

    class Meta:
        verbose_name = _("client")
        verbose_name_plural = _("clients")
        ordering = ["-id"]
        permissions = [("forget_customer", _("remettre ou effacer ses données"))]
        indexes = [
            models.Index(fields=["email"], name="customers_email"),
            models.Index(
                fields=["kind"], condition=models.Q(kind="company"), name="customers_company"
            ),
            # Few of them: the night's run asks who they are.
            models.Index(
                fields=["orders_count"],
                condition=~models.Q(orders_count=""),
                name="customers_orders_count",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(merged_into=models.F("id")), name="customers_not_own_double"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"

    @property
    def name(self) -> str:
        """The company's name, else the person's, else what is known."""
        person = f"{self.first_name} {self.last_name}".strip()
        return self.company_name or person or self.email or self.code


class CustomerAddress(models.Model):
    """The customer's current address; documents keep their own copy."""

    class Use(models.TextChoices):
        BILLING = "billing", _("Facturation")
        SHIPPING = "shipping", _("Livraison")

    customer = models.ForeignKey(
        Customer, verbose_name=_("client"), on_delete=models.PROTECT, related_name="addresses"
    )
    use = models.CharField(_("usage"), max_length=10, choices=Use, default=Use.BILLING)
    name = models.CharField(_("destinataire"), max_length=120, blank=True)
    address1 = models.CharField(_("adresse"), max_length=120, blank=True)
    address2 = models.CharField(_("complément"), max_length=120, blank=True)
    postcode = models.CharField(_("code postal"), max_length=16, blank=True)
    city = models.CharField(_("ville"), max_length=80, blank=True)
    country = models.CharField(_("pays"), max_length=2, blank=True)

    class Meta:
        verbose_name = _("adresse")
        verbose_name_plural = _("adresses")
        constraints = [
            models.UniqueConstraint(fields=["customer", "use"], name="customers_address_one_a_use"),
        ]

    def __str__(self) -> str:
        return f"{self.address1}, {self.postcode} {self.city}"


class ShopIdentity(Sourced):
    """How one shop names a customer: its own key, unique in that shop."""

    shop = models.ForeignKey(
        Shop,
        verbose_name=_("boutique"),
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    external_ref = models.CharField(_("référence à la boutique"), max_length=80)
    customer = models.ForeignKey(
        Customer, verbose_name=_("client"), on_delete=models.PROTECT, related_name="identities"
    )
    # Hash of what the shop's file last said; the same again changes nothing.
    content_hash = models.CharField(max_length=32, blank=True, editable=False)

    class Meta:
        verbose_name = _("identité en boutique")
        verbose_name_plural = _("identités en boutique")
        constraints = [
            models.UniqueConstraint(
                fields=["shop", "external_ref"], name="customers_identity_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.shop} : {self.external_ref}"


class VatCheck(models.Model):
    """What VIES said of a customer's VAT number, kept as the proof of the exemption.

    The exemption of a sale to another member state needs a valid number (VAT directive
    2006/112, art. 138; CGI art. 262 ter I). Never changed.
    """

    customer = models.ForeignKey(
        Customer, verbose_name=_("client"), on_delete=models.PROTECT, related_name="vat_checks"
    )
    vat_number = models.CharField(_("n° de TVA"), max_length=20)
    checked_at = models.DateTimeField(_("vérifié le"))
    is_valid = models.BooleanField(_("valide"))
    name = models.CharField(_("nom au registre"), max_length=300, blank=True)
    address = models.CharField(_("adresse au registre"), max_length=300, blank=True)
    consultation = models.CharField(_("n° de consultation"), max_length=40, blank=True)
    answer = models.JSONField(_("réponse"), default=dict)

    class Meta:
        verbose_name = _("vérification VIES")
        verbose_name_plural = _("vérifications VIES")
        ordering = ["-checked_at", "-id"]

    def __str__(self) -> str:
        return f"{self.vat_number} {self.checked_at:%d/%m/%Y}"


class NewPerson(models.Model):
    """Somebody whose customer is being made; always empty, its rows only make others wait."""

    key = models.CharField(max_length=32, primary_key=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.key
