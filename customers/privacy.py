"""What customers' records hold of a person."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from customers.models import Customer, CustomerAddress, ShopIdentity, VatCheck
from sphinx.core.privacy import Holding, holds

_BLANKED = (
    "first_name last_name company_name email phone vat_number stated_vat_number siren siret note"
).split()


def _one(customer_id: int) -> list[int]:
    """The customer and those who were merged into it."""
    merged = Customer.objects.filter(merged_into=customer_id).values_list("pk", flat=True)
    return [customer_id, *merged]


def _record(customer_id: int) -> list[dict[str, Any]]:
    fields = ["code", "kind", *_BLANKED, "accepts_marketing", "created_at"]
    return list(Customer.objects.filter(pk__in=_one(customer_id)).values(*fields))


def _forget_record(customer_id: int) -> int:
    """The row stays, without a name, for the documents that refer to it."""
    blank = dict.fromkeys(_BLANKED, "")
    rows = Customer.objects.filter(pk__in=_one(customer_id))
    Customer.history.filter(id__in=_one(customer_id)).delete()
    return rows.update(**blank, accepts_marketing=False)


def _addresses(customer_id: int) -> list[dict[str, Any]]:
    fields = "use name address1 address2 postcode city country".split()
    return list(CustomerAddress.objects.filter(customer__in=_one(customer_id)).values(*fields))


def _forget_addresses(customer_id: int) -> int:
    return CustomerAddress.objects.filter(customer__in=_one(customer_id)).delete()[0]


def _identities(customer_id: int) -> list[dict[str, Any]]:
    found = ShopIdentity.objects.filter(customer__in=_one(customer_id))
    return [dict(row) for row in found.values("shop__code", "external_ref")]


def _checks(customer_id: int) -> list[dict[str, Any]]:
    found = VatCheck.objects.filter(customer__in=_one(customer_id))
    rows = found.values("vat_number", "checked_at", "is_valid", "name", "address")
    return [dict(row) for row in rows]


_CONTRACT = _("le contrat de vente (RGPD, art. 6-1 b)")
holds(Holding(
    "customer", _("Fiche du client et son historique"), _("vendre, livrer, répondre"), _CONTRACT,
    _("tant que le client commande, puis trois ans"), _record, _forget_record,
))  # fmt: skip
holds(Holding(
    "customer_addresses", _("Adresses courantes"), _("livrer, facturer"), _CONTRACT,
    _("comme la fiche"), _addresses, _forget_addresses,
))  # fmt: skip
holds(Holding(
    "customer_identities", _("Références du client à la boutique"),
    _("reconnaître ses commandes ; sans nom"), _CONTRACT, _("dix ans, avec les commandes"),
    _identities,
))  # fmt: skip
holds(Holding(
    "customer_vat_checks", _("Vérifications de n° de TVA"), _("prouver l'exonération"),
    _("obligation légale (CGI, art. 262 ter I)"), _("dix ans"), _checks,
))  # fmt: skip
