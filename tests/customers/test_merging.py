"""Two customers found to be one: by hand, with all their documents, for good."""

from collections.abc import Callable

import pytest
from django.test import Client

from customers.models import Customer
from ftp_ingest.services import IngestReport
from invoicing.services import issue_invoice
from sales.models import Order
from sales.services import merge_customers, prepare_delivery, ship_delivery_note
from sphinx.core.errors import BusinessRuleError
from sphinx.core.models import AuditEvent
from tests.factories import NOON, CustomerFactory, ProductFactory

pytestmark = pytest.mark.django_db
Bring = Callable[..., IngestReport]
HEADER = (
    "order_number;placed_at;email;customer_ref;sku;quantity;unit_price_incl_tax;tax_rate;"
    "total_incl_tax\n"
)


def row(number: str, email: str, ref: str = "") -> str:
    return f"{number};2026-03-01 10:00:00;{email};{ref};A;1;10.00;20;10.00\n"


@pytest.fixture
def two(bring: Bring) -> tuple[Customer, Customer]:
    ProductFactory(sku="A", on_hand=9)
    bring(HEADER + row("1", "lea@exemple.test") + row("2", "lea.martin@travail.test", "C7"))
    first, second = Customer.objects.order_by("pk")
    return first, second


def test_all_orders_and_names_pass_to_the_one_who_stays(two: tuple[Customer, Customer]) -> None:
    kept, absorbed = two

    merge_customers(keep_id=kept.pk, absorb_id=absorbed.pk)

    assert Order.objects.filter(customer=kept).count() == 2
    assert kept.identities.count() == 2
    assert AuditEvent.objects.get(kind="customer.merged").details["absorbed"] == absorbed.code


def test_a_later_file_doesnt_part_them(two: tuple[Customer, Customer], bring: Bring) -> None:
    kept, absorbed = two
    merge_customers(keep_id=kept.pk, absorb_id=absorbed.pk)

    bring(
        HEADER
        + row("3", "lea.martin@travail.test")
        + row("4", "autre@exemple.test", "C7")
        + row("5", "LEA@exemple.test"),
        name="b.csv",
    )

    assert Order.objects.filter(customer=kept).count() == 5


def test_an_issued_invoice_stays_as_it_was(two: tuple[Customer, Customer]) -> None:
    kept, absorbed = two
    order = Order.objects.get(customer=absorbed)
    note = prepare_delivery(order_id=order.pk, at=NOON)
    assert note is not None
    ship_delivery_note(note_id=note.pk, at=NOON)
    invoice = issue_invoice(delivery_note_id=note.pk, at=NOON)

    merge_customers(keep_id=kept.pk, absorb_id=absorbed.pk)

    invoice.refresh_from_db()
    assert invoice.customer == absorbed
    assert invoice.customer.merged_into == kept


def test_what_the_one_who_stays_lacks_is_taken_over() -> None:
    kept = CustomerFactory(phone="", vat_number="")
    absorbed = CustomerFactory(phone="0102030405", vat_number="FR83404833048")

    merge_customers(keep_id=kept.pk, absorb_id=absorbed.pk)

    kept.refresh_from_db()
    assert (kept.phone, kept.vat_number) == ("0102030405", "FR83404833048")


def test_nobody_is_merged_twice_or_with_himself(two: tuple[Customer, Customer]) -> None:
    kept, absorbed = two
    with pytest.raises(BusinessRuleError, match="différents"):
        merge_customers(keep_id=kept.pk, absorb_id=kept.pk)
    merge_customers(keep_id=kept.pk, absorb_id=absorbed.pk)

    with pytest.raises(BusinessRuleError, match="déjà été fusionné"):
        merge_customers(keep_id=absorbed.pk, absorb_id=kept.pk)


def test_three_become_one(two: tuple[Customer, Customer]) -> None:
    kept, absorbed = two
    third = CustomerFactory()
    merge_customers(keep_id=kept.pk, absorb_id=absorbed.pk)
    merge_customers(keep_id=third.pk, absorb_id=kept.pk)

    absorbed.refresh_from_db()
    assert absorbed.merged_into == third


def test_two_are_merged_in_the_browser(
    two: tuple[Customer, Customer], admin_client: Client
) -> None:
    first, second = two
    page = admin_client.post(
        "/admin/customers/customer/",
        {"action": "merge", "_selected_action": [first.pk, second.pk]},
        follow=True,
    )
    assert "Garder celui-ci" in page.content.decode()

    admin_client.post(f"/clients/fusionner/?a={first.pk}&b={second.pk}", {"keep": str(second.pk)})

    first.refresh_from_db()
    assert first.merged_into == second
    admin_client.get("/admin/customers/customer/")  # shows what was done, once
    listed = admin_client.get("/admin/customers/customer/").content.decode()
    assert second.code in listed
    assert first.code not in listed
