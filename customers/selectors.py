"""Reads of customers."""

from customers.models import Customer


def auxiliary_of(customer: Customer, consumer_account: str) -> str:
    """The auxiliary account of a customer: its own, the shop's for consumers, else its code."""
    if customer.auxiliary_account:
        return customer.auxiliary_account
    if customer.kind == Customer.Kind.PERSON:
        return consumer_account
    return customer.code
