"""The first steps of a new firm; what is done is told by the data, so they can be left any time."""

from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounting_export.models import ExportBatch, Sending
from ftp_ingest.models import Feed, ReceivedFile
from inventory.models import Product, StockMove
from sphinx.core.models import Company, Shop
from sphinx.core.services import company, record
from suppliers.models import Supplier

MAY_TAKE_THEM = "core.change_company"


class Step(NamedTuple):
    """One step: what to do, why, where, and whether it is done."""

    title: Any
    why: Any
    url: str
    is_done: bool


class FirstSteps(NamedTuple):
    """All of them."""

    steps: list[Step]

    @property
    def done(self) -> int:
        """How many are done."""
        return sum(step.is_done for step in self.steps)

    @property
    def percent(self) -> int:
        """Of a hundred."""
        return 100 * self.done // len(self.steps)

    @property
    def next(self) -> Step | None:
        """The first that isn't done."""
        return next((step for step in self.steps if not step.is_done), None)


def first_steps(user: Any) -> FirstSteps | None:
    """The steps for who may take them; None once all are done or the firm hid them."""
    if not user.has_perm(MAY_TAKE_THEM):
        return None
    firm = company()
    if firm.hides_first_steps:
        return None
    found = FirstSteps(_steps(firm))
    return found if found.next else None


@transaction.atomic
def set_first_steps(*, are_hidden: bool, actor: Any = None) -> None:
    """Hide the steps, or show them again."""
    firm = company()
    if firm.hides_first_steps != are_hidden:
        firm.hides_first_steps = are_hidden
        firm.save(update_fields=["hides_first_steps"])
        record("firm.first_steps", [firm], actor=actor, hidden=are_hidden)


def _steps(firm: Company) -> list[Step]:
    of_company = reverse("admin:core_company_change", args=[firm.pk])
    in_stock = StockMove.objects.filter(product=OuterRef("pk"))
    return [
        Step(
            _("Votre société"),
            _("Nom, adresse, SIREN et n° de TVA : la loi les veut sur chaque facture."),
            of_company,
            bool(firm.name and firm.siren and firm.address1 and firm.postcode and firm.city),
        ),
        Step(
            _("Votre boutique"),
            _("Une par canal de vente ; son genre est reconnu d'après ses fichiers."),
            reverse("admin:core_shop_add"),
            Shop.objects.exists(),
        ),
        Step(
            _("Vos articles, avec leur stock de départ"),
            _("Un fichier CSV ou Excel. Sans lui, les commandes créent les articles, à zéro."),
            reverse("admin:inventory_product_import"),
            Product.objects.filter(Exists(in_stock)).exists(),
        ),
        Step(
            _("Vos fournisseurs"),
            _("Leurs prix et délais font les propositions d'achat."),
            reverse("admin:suppliers_supplier_add"),
            Supplier.objects.exists(),
        ),
        Step(
            _("Les fichiers de la boutique"),
            _(
                "Reliez son FTP : clients et commandes arrivent seuls. Ou déposez-les à la main. "
                "Deux ans d'anciennes commandes, en reprise, apprennent au réassort vos ventes."
            ),
            reverse("admin:ftp_ingest_feed_add"),
            Feed.objects.exists() or ReceivedFile.objects.exists(),
        ),
        Step(
            _("L'aspect de vos factures"),
            _("Logo et couleur, en français ou en anglais selon le client."),
            of_company,
            bool(firm.logo),
        ),
        Step(
            _("Le format de votre expert-comptable"),
            _("Un premier envoi, ou l'envoi programmé."),
            reverse("accounting_export:export"),
            ExportBatch.objects.exists() or Sending.objects.filter(is_active=True).exists(),
        ),
    ]
