"""What invoices and payments hold of a person: books, kept as the law has it."""

from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from invoicing.models import Invoice, Payment
from invoicing.receivables import open_invoices
from sphinx.core.privacy import Holding, holds


def _invoices(customer_id: int) -> QuerySet[Invoice]:
    return Invoice.objects.filter(Q(customer=customer_id) | Q(customer__merged_into=customer_id))


def _tell_invoices(customer_id: int) -> list[dict[str, Any]]:
    fields = "number issued_on customer_name country total_excl_tax total_incl_tax".split()
    return list(_invoices(customer_id).order_by("pk").values(*fields))


def _tell_payments(customer_id: int) -> list[dict[str, Any]]:
    advances = Q(order__customer=customer_id) | Q(order__customer__merged_into=customer_id)
    found = Payment.objects.filter(
        Q(invoice__in=_invoices(customer_id)) | Q(advances, invoice=None)
    ).order_by("pk")
    return [dict(row) for row in found.values("invoice__number", "paid_at", "method", "amount")]


def _unpaid(customer_id: int) -> str:
    owed = open_invoices().filter(pk__in=_invoices(customer_id).values("pk")).exclude(balance=0)
    numbers = list(owed.values_list("number", flat=True)[:5])
    if not numbers:
        return ""
    return _now("Factures à régler : %s.") % ", ".join(numbers)


_BOOKS = _("obligation légale (C. com., art. L123-22 ; LPF, art. L102 B)")
holds(Holding(
    "invoices", _("Factures et avoirs"), _("tenir les comptes"), _BOOKS, _("dix ans"),
    _tell_invoices, None, _unpaid,
))  # fmt: skip
holds(Holding(
    "payments", _("Règlements"), _("tenir les comptes"), _BOOKS, _("dix ans"), _tell_payments,
))  # fmt: skip
