from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from sales.models import Order
from sales.selectors import orders_at_foreign_rates
from sales.services import cancel_order
from sphinx.core import clock
from sphinx.core.services import company
from sphinx.dashboard.figures import work_waiting
from tests.factories import NOON, PARIS_ADDRESS, line, placed

pytestmark = pytest.mark.django_db

TODAY = clock.business_date(NOON)


@pytest.fixture(autouse=True)
def one_stop_shop() -> None:
    firm = company()
    firm.uses_oss = True
    firm.save()


def sold_to(country: str, rate: str, number: str = "1001", **values: Any) -> Order:
    address = PARIS_ADDRESS._replace(postcode="10115", city="Ville", country=country)
    goods = line("SKU-A", tax_rate=Decimal(rate))
    return placed(number, goods, **{"billing": address, "shipping": address, **values})


@pytest.mark.parametrize(
    ("country", "rate", "wrong"),
    [("DE", "19", False), ("DE", "7", False), ("DE", "20", True), ("EE", "22", True)],
)
def test_a_distance_sale_bears_its_destinations_rates(country: str, rate: str, wrong: bool) -> None:
    sold_to(country, rate)

    assert orders_at_foreign_rates(TODAY).exists() is wrong


def test_the_rate_is_the_one_of_the_day_of_the_order() -> None:
    sold_to("SK", "20", placed_at=clock.start_of(TODAY.replace(year=2024, month=12, day=31)))
    sold_to("SK", "20", "1002", placed_at=clock.start_of(TODAY.replace(year=2025, month=1, day=1)))

    (found,) = orders_at_foreign_rates(TODAY.replace(year=2025, month=1, day=2))
    assert found.number == "1002"


def test_without_a_delivery_address_the_billing_country_counts() -> None:
    sold_to("DE", "19", shipping=PARIS_ADDRESS._replace(country="", address1=""))
    sold_to("DE", "20", "1002", shipping=PARIS_ADDRESS._replace(country="", address1=""))

    assert [o.number for o in orders_at_foreign_rates(TODAY)] == ["1002"]


def test_french_sales_and_cancelled_ones_are_left_alone() -> None:
    placed("1001", line("SKU-A"))
    cancel_order(order_id=sold_to("DE", "20", "1002").pk, at=NOON)

    assert not orders_at_foreign_rates(TODAY).exists()


def test_the_home_page_counts_them_and_the_list_shows_them(admin_client: Client) -> None:
    sold_to("DE", "20", "WRONG-1")
    sold_to("DE", "19", "RIGHT-1")
    Order.objects.update(placed_at=clock.now())

    page = admin_client.get("/admin/sales/order/?rates=foreign").content.decode()

    assert work_waiting()["foreign_rates"] == 1
    assert "WRONG-1" in page
    assert "RIGHT-1" not in page
