"""What orders and quotes hold of a person."""

from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from sales.models import Order, Quote
from sales.services.direct import forget_deliveries
from sphinx.core.privacy import Holding, holds

_PLACES = [
    f"{use}_{part}"
    for use in ("billing", "shipping")
    for part in "name company address1 address2 postcode city".split()
]
_Status = Order.Status
# Whatever still has to leave or to be invoiced needs its address.
_UNDER_WAY = (
    _Status.DRAFT,
    _Status.CONFIRMED,
    _Status.PARTIALLY_DELIVERED,
    _Status.DELIVERED,
)


def _orders(customer_id: int) -> QuerySet[Order]:
    return Order.objects.filter(Q(customer=customer_id) | Q(customer__merged_into=customer_id))


def _quotes(customer_id: int) -> QuerySet[Quote]:
    return Quote.objects.filter(Q(customer=customer_id) | Q(customer__merged_into=customer_id))


def _tell_orders(customer_id: int) -> list[dict[str, Any]]:
    fields = ["number", "placed_at", "status", "total_incl_tax", *_PLACES, "note"]
    return list(_orders(customer_id).order_by("pk").values(*fields))


def _forget_orders(customer_id: int) -> int:
    """Of orders that are over: one that comes in meanwhile keeps where it goes."""
    over = _orders(customer_id).exclude(status__in=_UNDER_WAY)
    forget_deliveries(list(over.values_list("pk", flat=True)))
    return over.update(**dict.fromkeys([*_PLACES, "note"], ""))


def _orders_under_way(customer_id: int) -> str:
    waiting = list(
        _orders(customer_id).filter(status__in=_UNDER_WAY).values_list("number", flat=True)[:5]
    )
    if not waiting:
        return ""
    return _now("Commandes en cours : %s. Livrez-les et facturez-les, ou annulez-les d'abord.") % (
        ", ".join(waiting)
    )


def _tell_quotes(customer_id: int) -> list[dict[str, Any]]:
    fields = ["number", "status", "total_incl_tax", *_PLACES, "note"]
    return list(_quotes(customer_id).order_by("pk").values(*fields))


def _forget_quotes(customer_id: int) -> int:
    return _quotes(customer_id).update(**dict.fromkeys([*_PLACES, "note"], ""))


_CONTRACT = _("le contrat de vente (RGPD, art. 6-1 b)")
holds(Holding(
    "orders", _("Commandes : adresses et notes"), _("livrer, facturer, répondre"), _CONTRACT,
    _("dix ans ; adresses et notes effacées sur demande, montants gardés"),
    _tell_orders, _forget_orders, _orders_under_way,
))  # fmt: skip
holds(Holding(
    "quotes", _("Devis : adresses et notes"), _("proposer un prix"), _CONTRACT,
    _("cinq ans"), _tell_quotes, _forget_quotes,
))  # fmt: skip
