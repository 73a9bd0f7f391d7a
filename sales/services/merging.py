"""Two customers found to be one person."""

from typing import Any

from django.db import transaction

from customers.models import Customer
from customers.services import absorb_customer
from sales.models import Order
from sphinx.core.services import record


@transaction.atomic
def merge_customers(*, keep_id: int, absorb_id: int, actor: Any = None) -> Customer:
    """Give all orders of `absorb_id` to `keep_id`; issued invoices stay as they were issued.

    Later files of any shop find the one who stays: an import doesn't part them again.

    Raises:
        BusinessRuleError: they are the same, or one has been merged already.
    """
    kept = absorb_customer(keep_id=keep_id, absorb_id=absorb_id)
    absorbed = Customer.objects.get(pk=absorb_id)
    orders = Order.objects.filter(customer=absorbed)
    numbers = list(orders.values_list("number", flat=True)[:200])
    moved = orders.update(customer=kept)
    record("customer.merged", [kept], actor=actor, absorbed=absorbed.code, orders=moved,
           numbers=numbers)  # fmt: skip
    return kept
