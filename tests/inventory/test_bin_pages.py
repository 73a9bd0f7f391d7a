"""The warehouse's pages of bins: who may, what they say, what they do."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from inventory.models import Bin, BinStock, StockCount, Warehouse
from inventory.services import Placed, default_warehouse, open_count, put_away, set_walk
from sphinx.dashboard.roles import ensure_roles
from tests.factories import NOON, ProductFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def warehouseman(client: Client) -> Client:
    ensure_roles()
    user = User.objects.create_user("entrepot", password="x" * 20, is_staff=True)
    user.groups.add(Group.objects.get(name="Entrepôt"))
    client.force_login(user)
    return client


@pytest.fixture
def depot() -> Warehouse:
    warehouse = default_warehouse()
    set_walk(warehouse=warehouse, codes=["A1", "B1"])
    return warehouse


def lies() -> dict[str, Decimal]:
    return dict(BinStock.objects.filter(on_hand__gt=0).values_list("bin__code", "on_hand"))


def test_the_first_walk_is_proposed_from_what_is_written_on_the_articles(
    warehouseman: Client,
) -> None:
    for location in ("A10", "A2", ""):
        ProductFactory(location=location, on_hand=1)

    page = warehouseman.get("/stock/emplacements/parcours/").content.decode()

    assert "A2\nA10</textarea>" in page


def test_a_walk_is_written(warehouseman: Client) -> None:
    answer = warehouseman.post(
        "/stock/emplacements/parcours/", {"codes": "A1\r\nB1\r\n"}, follow=True
    )

    assert "2 emplacements sur le parcours." in answer.content.decode()
    assert [b.code for b in Bin.objects.all()] == ["A1", "B1"]


def test_goods_are_put_away_as_proposed(warehouseman: Client, depot: Warehouse) -> None:
    product = ProductFactory(on_hand=5, location="B1")
    page = warehouseman.get("/stock/a-ranger/").content.decode()
    assert f'name="b{product.pk}" value="B1"' in page

    warehouseman.post("/stock/a-ranger/", {f"q{product.pk}": "5", f"b{product.pk}": "b1"})

    assert lies() == {"B1": 5}


def test_a_bin_that_nobody_knows_is_said_and_what_was_typed_stays(
    warehouseman: Client, depot: Warehouse
) -> None:
    product = ProductFactory(on_hand=5)

    answer = warehouseman.post(
        "/stock/a-ranger/", {f"q{product.pk}": "5", f"b{product.pk}": "Z9"}
    ).content.decode()

    assert "« Z9 » n&#x27;est pas un emplacement de ce dépôt" in answer
    assert 'value="Z9"' in answer
    assert lies() == {}


def test_goods_are_moved_by_hand(warehouseman: Client, depot: Warehouse) -> None:
    product = ProductFactory(sku="P", on_hand=5)
    put_away(
        warehouse=depot, placed=[Placed(product.pk, Decimal(5), Bin.objects.get(code="A1").pk)]
    )

    warehouseman.post(
        "/stock/emplacements/deplacer/",
        {"article": "p", "source": "A1", "to": "B1", "quantity": "2"},
    )

    assert lies() == {"A1": 3, "B1": 2}


def test_who_stands_at_a_bin_counts_there(warehouseman: Client, depot: Warehouse) -> None:
    product = ProductFactory(sku="P", on_hand=5)
    put_away(
        warehouse=depot, placed=[Placed(product.pk, Decimal(5), Bin.objects.get(code="A1").pk)]
    )
    count = open_count(warehouse=depot, at=NOON)
    address = f"/stock/inventaires/{count.pk}/"

    at_b1 = warehouseman.post(address, {"code": "b1"}, follow=True).content.decode()
    assert 'name="place" value="B1"' in at_b1
    warehouseman.post(address, {"code": "P", "place": "B1", "quantity": "2", "mode": "add"})

    assert counted(count) == {"A1": None, "B1": 2}


def test_who_stands_nowhere_is_asked_for_the_bin(warehouseman: Client, depot: Warehouse) -> None:
    product = ProductFactory(sku="P", on_hand=5)
    put_away(
        warehouse=depot, placed=[Placed(product.pk, Decimal(3), Bin.objects.get(code="A1").pk)]
    )
    count = open_count(warehouse=depot, at=NOON)
    address = f"/stock/inventaires/{count.pk}/"

    asked = warehouseman.post(address, {"code": "P", "quantity": "2"}).content.decode()
    assert "quel emplacement ?" in asked
    assert "Pas encore rangé" in asked
    warehouseman.post(address, {"code": "P", "quantity": "2", "bin": ""})

    assert counted(count) == {"A1": None, "": 2}


def counted(count: StockCount) -> dict[str, Decimal | None]:
    return dict(count.lines.values_list("bin_code", "counted"))
