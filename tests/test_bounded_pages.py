"""People's pages read as many rows as they show, however many orders there are."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from customers.drafts import CustomerDraft
from sales.models import Order
from sales.selectors import orders_found
from sales.services import prepare_delivery
from sphinx.core.counting import AT_MOST, count_up_to
from sphinx.core.templatetags.numbers import counted
from tests.factories import NOON, ProductFactory, draft, line, placed, put

pytestmark = pytest.mark.django_db
# They grow with every order; shops, users, settings don't.
BIG = (
    "sales_order sales_orderline sales_deliverynote sales_deliverynoteline inventory_stockmove "
    "inventory_reservation invoicing_invoice invoicing_invoiceline invoicing_payment "
    "accounting_export_journalentry accounting_export_journalline core_auditevent"
).split()


class Recorded:
    """Every SELECT, to be explained afterwards."""

    def __init__(self) -> None:
        self.statements: list[tuple[str, Any]] = []

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("SELECT"):
            self.statements.append((sql, params))
        return execute(sql, params, many, context)

    def scans(self) -> Iterator[str]:
        """Big tables that are read whole, though the planner was asked to avoid it."""
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            for sql, params in self.statements:
                cursor.execute(f"EXPLAIN {sql}", params)
                plan = "\n".join(row[0] for row in cursor.fetchall())
                yield from (f"{table}: {sql}" for table in BIG if f"Seq Scan on {table} " in plan)


@pytest.mark.postgres
@pytest.mark.parametrize("address", ["/", "/livraisons/", "/commandes/ecarts/"])
def test_no_big_table_is_read_whole(admin_client: Client, address: str) -> None:
    ProductFactory(sku="A", on_hand=5)
    put(*(draft(str(n), line("A")) for n in range(8)))
    prepare_delivery(order_id=Order.objects.get(number="0").pk, at=NOON)
    recorded = Recorded()

    with connection.execute_wrapper(recorded):
        admin_client.get(address)

    assert recorded.statements
    assert list(recorded.scans()) == []


def test_a_search_among_orders_knows_numbers_and_people() -> None:
    lea = CustomerDraft(ref="1", first_name="Léa", last_name="Martin", email="lea@x.test")
    noe = CustomerDraft(ref="2", first_name="Noé", last_name="Dupont", email="noe@x.test")
    placed("#1001", customer=lea)
    placed("#1002", customer=noe)
    placed("W-1001", customer=noe)

    def found(term: str) -> set[str]:
        return set(orders_found(term).values_list("number", flat=True))

    assert found("1001") == {"#1001"}
    assert found("w-10") == {"W-1001"}
    assert found("dupont") == {"#1002", "W-1001"}
    assert found("martin léa") == {"#1001"}
    assert found("personne") == set()


def test_a_search_that_finds_many_finds_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sales.selectors._FEW", 1)
    put(*(draft(f"W-{n}") for n in range(3)))

    assert orders_found("W-").count() == 3
    assert orders_found("lea@").count() == 3


def test_the_list_of_orders_searches_so(admin_client: Client) -> None:
    put(draft("#1001"), draft("#2002"))

    page = admin_client.get("/admin/sales/order/", {"q": "1001"}).content.decode()

    assert "#1001" in page
    assert "#2002" not in page


def test_a_count_stops_where_nobody_counts_along() -> None:
    put(*(draft(str(n)) for n in range(5)))

    assert count_up_to(Order.objects.all(), 3) == 4
    assert count_up_to(Order.objects.all(), None) == 5


@pytest.mark.parametrize(
    ("count", "shown"), [(0, "0"), (AT_MOST, "1 000"), (AT_MOST + 1, "plus de 1 000")]
)
def test_more_is_said_as_more(count: int, shown: str) -> None:
    assert counted(count).replace("\u202f", " ").replace("\xa0", " ") == shown
