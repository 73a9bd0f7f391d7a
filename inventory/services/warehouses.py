"""Which warehouse serves whom."""

from django.utils.translation import gettext as _

from inventory.models import Warehouse
from sphinx.core.errors import BusinessRuleError
from sphinx.core.models import Shop


def default_warehouse() -> Warehouse:
    """The warehouse that orders draw on; made when the installation is new."""
    found = Warehouse.objects.filter(is_default=True).first()
    return (
        found
        or Warehouse.objects.get_or_create(
            code="principal", defaults={"name": _("Dépôt principal"), "is_default": True}
        )[0]
    )


def direct_warehouse() -> Warehouse:
    """Where what suppliers send straight to customers passes through the books; made when needed.

    Nothing ever lies there: goods come in and leave in one transaction, at the supplier's price.
    """
    found = Warehouse.objects.filter(is_direct=True).first()
    return (
        found
        or Warehouse.objects.get_or_create(
            code="fournisseurs-direct",
            defaults={"name": _("Livré par les fournisseurs"), "is_direct": True},
        )[0]
    )


def require_shelves(warehouse: Warehouse) -> None:
    """Raises BusinessRuleError: nothing can lie there, it only passes through the books."""
    if warehouse.is_direct:
        raise BusinessRuleError(
            _("« %s » n'est pas un dépôt : rien ne s'y range ni ne s'y compte.") % warehouse,
            code="inventory.no_shelf",
        )


def warehouse_of(shop: Shop) -> Warehouse:
    """The warehouse that the shop's orders draw on: its own, else the default one."""
    own = Warehouse.objects.filter(shops=shop).order_by("code").first()
    return own or default_warehouse()
