"""A VAT number that doesn't check is kept as the shop wrote it, and exempts from nothing."""

import pytest
from django.test import Client
from django.urls import reverse

from customers.drafts import AddressDraft, CustomerDraft
from customers.models import Customer
from customers.services import Source, upsert_customers
from sales.models import Order
from tests.factories import NOON, ShopFactory, line, placed

pytestmark = pytest.mark.django_db
WRONG, RIGHT = "DE 136.695.977", "DE136695976"


AT = AddressDraft(name="Laden GmbH", city="Berlin", postcode="10115", country="DE")


def firm(vat_number: str) -> CustomerDraft:
    return CustomerDraft(
        ref="DE", email="a@b.test", company="Laden GmbH", vat_number=vat_number, address=AT
    )


def told_by_the_customers_file(vat_number: str) -> Customer:
    upsert_customers(shop=ShopFactory(), drafts=[firm(vat_number)], source=Source(), at=NOON)
    return Customer.objects.get()


def ordered(number: str, vat_number: str) -> Order:
    """Order `number` of a firm in Germany, as its shop states it."""
    return placed(number, line("A"), customer=firm(vat_number), billing=AT, shipping=AT)


def test_a_number_that_does_not_check_is_kept_as_written() -> None:
    order = ordered("1", WRONG)

    assert (order.vat_number, order.stated_vat_number) == ("", WRONG)
    assert order.tax_regime != "eu_business"
    customer = Customer.objects.get()
    assert (customer.vat_number, customer.stated_vat_number) == ("", WRONG)


def test_a_number_that_checks_takes_its_place() -> None:
    ordered("1", WRONG)
    order = ordered("1", RIGHT)
    assert (order.vat_number, order.stated_vat_number) == (RIGHT, "")

    customer = told_by_the_customers_file(RIGHT)
    assert (customer.vat_number, customer.stated_vat_number) == (RIGHT, "")


def test_a_wrong_number_does_not_take_the_place_of_one_that_checks() -> None:
    ordered("1", RIGHT)
    order = ordered("2", WRONG)
    assert (order.vat_number, order.stated_vat_number) == (RIGHT, WRONG)

    customer = told_by_the_customers_file(WRONG)
    assert (customer.vat_number, customer.stated_vat_number) == (RIGHT, WRONG)


@pytest.mark.parametrize("written", ["<script>alert(1)</script>", "x" * 500, "GB 999 9999 73"])
def test_anything_may_be_written_there(admin_client: Client, written: str) -> None:
    order = ordered("1", written)

    assert order.stated_vat_number == written[:60]
    for page in (
        reverse("admin:sales_order_change", args=[order.pk]),
        reverse("admin:customers_customer_change", args=[order.customer_id]),
    ):
        text = admin_client.get(page).content.decode()
        assert "écrit par la boutique" in text
        assert "<script>alert(1)" not in text
