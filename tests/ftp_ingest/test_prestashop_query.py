"""The guide's queries, run on small tables of a PrestaShop shop (in SQLite)."""

import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from ftp_ingest.dialects import find_dialect
from ftp_ingest.dialects.base import Header

GUIDE = Path(__file__).parents[2] / "docs/guide/shared"
ORDERS = (GUIDE / "prestashop_orders.sql").read_text("utf-8")
CUSTOMERS = (GUIDE / "prestashop_customers.sql").read_text("utf-8")
# What MariaDB knows and SQLite doesn't; the window of days isn't at stake here.
RUNNABLE_ORDERS = re.sub(r"^HAVING .*\n", "", ORDERS, flags=re.MULTILINE)


class Shop:
    """The tables that the queries read, with the columns that they read."""

    def __init__(self) -> None:
        self._db = sqlite3.connect(":memory:")
        self._db.row_factory = sqlite3.Row
        self._db.create_function("GREATEST", 2, max)
        self._db.create_function("IF", 3, lambda test, yes, no: yes if test else no)
        for table, columns in _columns_of(ORDERS, CUSTOMERS).items():
            self._db.execute(f"CREATE TABLE {table} ({', '.join(sorted(columns))})")

    def add(self, table: str, **values: Any) -> None:
        names, marks = ", ".join(values), ", ".join("?" for _value in values)
        self._db.execute(
            f"INSERT INTO ps_{table} ({names}) VALUES ({marks})",
            list(values.values()),
        )

    def rows(self, query: str) -> list[sqlite3.Row]:
        return self._db.execute(query).fetchall()


def _columns_of(*queries: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for query in queries:
        tables = {m[2]: m[1] for m in re.finditer(r"(?:FROM|JOIN) (ps_\w+) (\w+)", query)}
        for alias, column in re.findall(r"\b(\w+)\.(\w+)", query):
            found.setdefault(tables[alias], set()).add(column)
    return found


@pytest.fixture
def shop() -> Shop:
    """An order of three mugs and two books, at two rates."""
    shop = Shop()
    shop.add(
        "orders",
        id_order=1,
        date_upd="2026-11-28 05:43:58",
        total_discounts_tax_incl=5.0,
        id_address_invoice=7,
    )
    for detail, tax in ((11, 1), (12, 3)):
        shop.add("order_detail", id_order=1, id_order_detail=detail, product_quantity=3)
        shop.add("order_detail_tax", id_order_detail=detail, id_tax=tax)
    shop.add("tax", id_tax=1, rate=20.0)
    shop.add("tax", id_tax=3, rate=5.5)
    return shop


def slip(shop: Shop, number: int, **values: Any) -> None:
    """A credit slip of one mug, 12.90 incl. tax."""
    default = {
        "id_order": 1,
        "total_products_tax_excl": 10.75,
        "total_products_tax_incl": 12.9,
        "total_shipping_tax_incl": 0.0,
        "amount": 12.9,
        "order_slip_type": 0,
        "date_upd": "2026-11-30 10:00:00",
    }
    shop.add("order_slip", id_order_slip=number, **{**default, **values})


def refunded(shop: Shop) -> list[float]:
    return [round(row["total_refunded_tax_incl"], 2) for row in shop.rows(RUNNABLE_ORDERS)]


def test_slips_are_added_up_on_every_row_of_their_order(shop: Shop) -> None:
    slip(shop, 1)
    slip(shop, 2, total_shipping_tax_incl=2.0, order_slip_type=2)

    assert refunded(shop) == [27.8, 27.8]


def test_slips_count_once_whatever_else_an_order_has_several_of(shop: Shop) -> None:
    slip(shop, 1)
    shop.add("order_detail_tax", id_order_detail=11, id_tax=3)
    for _rule in range(2):
        shop.add("order_cart_rule", id_order=1, free_shipping=0)

    assert refunded(shop) == [12.9, 12.9]


def test_an_amount_that_was_chosen_is_what_went_back(shop: Shop) -> None:
    slip(shop, 1, amount=7.0, order_slip_type=2)

    assert refunded(shop) == [7.0, 7.0]


def test_a_slip_without_the_orders_voucher_is_less_by_it(shop: Shop) -> None:
    slip(shop, 1, total_products_tax_excl=5.75, order_slip_type=1)

    assert refunded(shop) == [7.9, 7.9]


def test_a_slip_of_a_group_that_sees_prices_excluding_tax_is_told_including_it(
    shop: Shop,
) -> None:
    slip(shop, 1, amount=10.75, total_shipping_tax_incl=2.4, order_slip_type=2)

    assert refunded(shop) == [15.3, 15.3]


def test_an_order_changes_with_its_slips(shop: Shop) -> None:
    before = shop.rows(RUNNABLE_ORDERS)[0]["date_upd"]
    slip(shop, 1)

    after = shop.rows(RUNNABLE_ORDERS)[0]["date_upd"]

    assert (before, after) == ("2026-11-28 05:43:58", "2026-11-30 10:00:00")


def test_what_went_back_is_told_by_line_and_on_carriage(shop: Shop) -> None:
    slip(shop, 1)
    slip(shop, 2, total_shipping_tax_incl=2.0, order_slip_type=2)
    shop.add("order_slip_detail", id_order_slip=1, id_order_detail=11, total_price_tax_incl=12.9)
    shop.add("order_slip_detail", id_order_slip=2, id_order_detail=11, total_price_tax_incl=4.0)
    for state in (2, 4):
        shop.add("order_history", id_order=1, id_order_state=state)

    rows = shop.rows(RUNNABLE_ORDERS)

    assert [row["line_refunded_tax_incl"] for row in rows] == [16.9, None]
    assert [row["shipping_refunded_tax_incl"] for row in rows] == [2.0, 2.0]


def test_an_order_left_when_it_first_was_in_a_state_that_ships(shop: Shop) -> None:
    # Preparing makes a delivery slip, and ships nothing.
    days = {3: "2026-11-28 08:00:00", 4: "2026-11-29 09:00:00", 5: "2026-11-30 10:00:00"}
    for state, day in days.items():
        shop.add("order_state", id_order_state=state, shipped=int(state > 3))
        shop.add("order_history", id_order=1, id_order_state=state, date_add=day)

    assert shop.rows(RUNNABLE_ORDERS)[0]["shipped_at"] == "2026-11-29 09:00:00"


def test_several_taxes_on_a_line_are_one_rate_and_its_amounts_once(shop: Shop) -> None:
    shop.add("tax", id_tax=4, rate=2.0)
    shop.add("order_detail_tax", id_order_detail=11, id_tax=4)

    rows = shop.rows(RUNNABLE_ORDERS)

    assert [row["tax_rate"] for row in rows] == [22.0, 5.5]


def test_an_order_that_lost_all_its_lines_stays(shop: Shop) -> None:
    shop.add("orders", id_order=2, current_state=6, date_upd="2026-11-28 05:43:58")

    rows = [dict(row) for row in shop.rows(RUNNABLE_ORDERS)]

    assert [(row["current_state"], row["product_quantity"]) for row in rows][-1] == (6, None)


def test_a_mobile_phone_stands_in_for_a_phone(shop: Shop) -> None:
    shop.add("address", id_address=7, phone="", phone_mobile="0600000001")

    assert shop.rows(RUNNABLE_ORDERS)[0]["invoice_phone"] == "0600000001"


def test_a_customer_is_one_row_with_the_newest_address_whole(shop: Shop) -> None:
    shop.add("customer", id_customer=9, deleted=0, company="")
    old = {"address1": "9 vieille rue", "city": "Vannes", "phone": "01", "company": "Z"}
    new = {"address1": "1 rue neuve", "city": "Brest", "phone": "", "phone_mobile": "06"}
    for number, address in enumerate((old, new), start=1):
        shop.add("address", id_address=number, id_customer=9, deleted=0, **address)
    shop.add("address", id_address=3, id_customer=9, deleted=1, city="Effacée")

    rows = [dict(row) for row in shop.rows(CUSTOMERS)]

    assert [(r["address1"], r["city"], r["phone"], r["company"]) for r in rows] == [
        ("1 rue neuve", "Brest", "06", None)
    ]


def test_a_customer_without_an_address_is_there(shop: Shop) -> None:
    shop.add("customer", id_customer=9, deleted=0, company="Atelier")

    assert [row["company"] for row in shop.rows(CUSTOMERS)] == ["Atelier"]


def test_no_column_is_left_out_of_the_groups() -> None:
    """ONLY_FULL_GROUP_BY refuses a column that is neither grouped by nor summed up."""
    select = ORDERS.partition("FROM ps_orders")[0].removeprefix("SELECT o.id_order,")
    bare = re.sub(r"\b(MIN|MAX|AVG|SUM|COUNT)\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)", "", select)

    assert re.findall(r"\b\w+\.\w+", bare) == []
    assert "GROUP BY" not in CUSTOMERS


def test_every_column_of_the_customers_query_is_read(shop: Shop) -> None:
    shop.add("customer", id_customer=9, deleted=0)
    header = Header(shop.rows(CUSTOMERS)[0].keys())

    assert find_dialect("prestashop").recognise(header)[0] == "customers"
    assert find_dialect("prestashop").recognise(header)[1] > len(header.names)
