"""Reads of customers."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery

from customers.models import Customer, VatCheck

# A number may be struck off: it is asked about again after so long.
CHECK_AGAIN_AFTER = timedelta(days=90)


def auxiliary_of(customer: Customer, consumer_account: str) -> str:
    """The auxiliary account of a customer: its own, the shop's for consumers, else its code."""
    if customer.auxiliary_account:
        return customer.auxiliary_account
    if customer.kind == Customer.Kind.PERSON:
        return consumer_account
    return customer.code


def customers_called(term: str) -> QuerySet[Customer]:
    """Customers of whom every word is a part of a name, or begins the e-mail or the code."""
    found = Customer.objects.all()
    for word in term.split():
        found = found.filter(
            Q(first_name__icontains=word)
            | Q(last_name__icontains=word)
            | Q(company_name__icontains=word)
            | Q(email__istartswith=word)
            | Q(code__istartswith=word)
        )
    return found


def _with_last_check() -> QuerySet[Any]:
    """Professionals with a number of another member state; what VIES said last of this number."""
    checks = VatCheck.objects.filter(
        customer=OuterRef("pk"), vat_number=OuterRef("vat_number")
    ).order_by("-checked_at", "-pk")
    return (
        Customer.objects.filter(kind=Customer.Kind.COMPANY, merged_into=None)
        .exclude(Q(vat_number="") | Q(vat_number__startswith="FR"))
        .annotate(
            checked_at=Subquery(checks.values("checked_at")[:1]),
            checked_valid=Subquery(checks.values("is_valid")[:1]),
        )
    )


def numbers_to_check(at: datetime) -> list[int]:
    """Customers whose number nobody checked for a quarter."""
    due = Q(checked_at=None) | Q(checked_at__lt=at - CHECK_AGAIN_AFTER)
    return list(_with_last_check().filter(due).order_by("pk").values_list("pk", flat=True))


def customers_with_invalid_numbers() -> QuerySet[Any]:
    """Professionals whose number VIES doesn't know: their sales may not be exempt."""
    return _with_last_check().filter(checked_valid=False)
