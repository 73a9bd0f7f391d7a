"""The end of retention: who hasn't ordered for as long as the firm says is forgotten by itself."""

from datetime import date

from django.db.models import Max, Q, QuerySet
from django.db.models.functions import Coalesce

from customers.models import Customer
from sphinx.core import clock
from sphinx.core.errors import BusinessRuleError
from sphinx.core.privacy import forget
from sphinx.core.services import company

# The rest goes on the next night.
A_NIGHT = 500


def forget_inactive(*, on: date) -> int:
    """Forget customers without an order for `Company.forget_after_years`; how many.

    The CNIL's recommendation for customers' files is three years after the last order
    (deliberation 2021-131). What the law has kept stays, as on request; one with an order or an
    invoice under way stays until it is over. Blank: nobody is forgotten.
    """
    years = company().forget_after_years
    if not years:
        return 0
    count = 0
    for customer_id in inactive_since(_years_before(on, years))[:A_NIGHT]:
        try:
            forget(customer_id)
            count += 1
        except BusinessRuleError:
            continue  # still under way: looked at again tomorrow
    return count


def inactive_since(day: date) -> QuerySet[Customer, int]:
    """Ids of customers who neither ordered nor came from that day on, and still have a name."""
    is_named = ~Q(first_name="", last_name="", company_name="", email="")
    seen = Coalesce(Max("orders__placed_at"), "created_at")
    known = Customer.objects.filter(is_named, merged_into=None).annotate(seen=seen)
    return known.filter(seen__lt=clock.start_of(day)).order_by("seen").values_list("pk", flat=True)


def _years_before(day: date, years: int) -> date:
    # 29 February has no like in most years: the day before it.
    return day.replace(year=day.year - years, day=min(day.day, 28) if day.month == 2 else day.day)  # noqa: PLR2004
