"""Two shops that meet the same new person in the same second."""

import threading

import pytest
from django.db import transaction

from customers.drafts import CustomerDraft
from customers.models import Customer
from customers.services import Source, upsert_customers
from sphinx.core.models import Shop
from tests.factories import NOON, ShopFactory
from tests.support.threads import together

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def test_a_person_new_in_two_shops_at_once_is_one_customer() -> None:
    shops = [ShopFactory(code="un"), ShopFactory(code="deux")]
    first_has_written = threading.Event()

    def bring(shop: Shop) -> None:
        draft = CustomerDraft(ref=f"C-{shop.code}", email="lea@exemple.test", last_name="Roy")
        if shop.code == "deux":
            first_has_written.wait(5)
        with transaction.atomic():
            upsert_customers(shop=shop, drafts=[draft], source=Source(), at=NOON)
            first_has_written.set()
            # Long enough for the other to look for the person before this one commits.
            threading.Event().wait(0.3)

    raised = together(lambda shop=shop: bring(shop) for shop in shops)

    assert raised == []
    assert [c.email for c in Customer.objects.all()] == ["lea@exemple.test"]
