"""Goods sold before they are out: promised for a day, bought for it, served in order on it."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.urls import reverse
from django.utils.translation import override

from ftp_ingest.models import FeedRun, ReceivedFile
from ftp_ingest.services.pushing import write_stock
from inventory.models import BundleComponent, Product
from inventory.resources import ProductResource
from inventory.services import default_warehouse, open_stock
from purchasing.services import accept_proposal, propose_orders, receive_goods
from sales.models import Order
from sales.selectors import lines_waiting_for_stock, orders_ready_to_deliver
from sales.services import prepare_delivery
from sphinx.core import clock
from suppliers.services import load_catalogue
from tests.factories import (
    NOON,
    ProductFactory,
    ShopFactory,
    SupplierProductFactory,
    line,
    placed,
)
from tests.test_master_files import accept, bring
from tests.test_pages import client_of
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 2)
OUT = date(2026, 4, 30)
AT = NOON + timedelta(days=59)


@pytest.fixture
def game() -> Product:
    """Out on 30 April; its supplier takes ten days."""
    product: Product = ProductFactory(sku="JEU", supply_mode="just_in_time", released_on=OUT)
    item = SupplierProductFactory(product=product, lead_time_days=10)
    assert item.lead_time_days == 10
    return product


def test_nothing_is_bought_before_it_must_be(game: Product) -> None:
    placed("1", line("JEU", quantity="3"))

    assert propose_orders(on=DAY).orders == []
    assert propose_orders(on=OUT - timedelta(days=12)).orders == []
    (order,) = propose_orders(on=OUT - timedelta(days=11)).orders
    assert order.lines.get().quantity == 3


def test_once_out_it_is_bought_as_any_other(game: Product) -> None:
    placed("1", line("JEU"))

    assert propose_orders(on=OUT + timedelta(days=1)).orders


def test_what_came_early_is_set_aside_in_order_and_leaves_on_its_day(game: Product) -> None:
    later = placed("2", line("JEU"), placed_at=NOON)
    sooner = placed("1", line("JEU"), placed_at=NOON - timedelta(hours=1))
    (order,) = propose_orders(on=OUT - timedelta(days=5)).orders
    accept_proposal(order_id=order.pk, at=NOON)
    receive_goods(order_id=order.pk, quantities={order.lines.get().pk: Decimal(1)}, at=NOON)

    assert prepare_delivery(order_id=sooner.pk, at=NOON) is None
    assert not orders_ready_to_deliver(OUT - timedelta(days=1)).exists()
    assert list(orders_ready_to_deliver(OUT)) == [sooner]
    assert prepare_delivery(order_id=sooner.pk, at=AT) is not None
    assert prepare_delivery(order_id=later.pk, at=AT) is None


def test_the_rest_of_the_order_leaves_before(game: Product) -> None:
    ProductFactory(sku="LIVRE", on_hand=5)
    open_stock(opening={game.pk: (Decimal(9), Decimal(1))}, warehouse=default_warehouse(), at=NOON)
    order = placed("1", line("JEU"), line("LIVRE"))

    note = prepare_delivery(order_id=order.pk, at=NOON)

    assert note is not None
    assert [ln.order_line.sku for ln in note.lines.all()] == ["LIVRE"]


def test_a_bundle_waits_for_the_last_of_its_parts(game: Product) -> None:
    box = ProductFactory(sku="COFFRET")
    part = ProductFactory(sku="LIVRE", on_hand=5)
    ProductFactory(sku="DE", on_hand=5, released_on=OUT)
    for component in (part, Product.objects.get(sku="DE")):
        BundleComponent.objects.create(bundle=box, component=component, quantity=1)
    order = placed("1", line("COFFRET"))

    assert prepare_delivery(order_id=order.pk, at=NOON) is None
    assert prepare_delivery(order_id=order.pk, at=AT) is not None


def test_what_is_not_out_yet_waits_for_no_stock(game: Product) -> None:
    placed("1", line("JEU"))
    Product.objects.update(released_on=clock.today() + timedelta(days=9))

    assert not lines_waiting_for_stock().exists()

    Product.objects.update(released_on=clock.today())
    assert lines_waiting_for_stock().exists()


def test_what_a_supplier_sends_is_ordered_for_its_day_too(game: Product) -> None:
    Product.objects.update(supply_mode="drop_ship")
    placed("1", line("JEU"))

    assert propose_orders(on=OUT - timedelta(days=11)).orders == []
    assert propose_orders(on=OUT - timedelta(days=10)).orders


def test_the_order_says_the_day(game: Product) -> None:
    placed("1", line("JEU"))
    Product.objects.update(released_on=date(2199, 1, 5))

    url = reverse("admin:sales_order_change", args=[Order.objects.get().pk])

    assert "sort le 05/01/2199" in client_of("Gérant").get(url).content.decode()


# --- The promised day in files -------------------------------------------------------------------

LATER = date(2199, 1, 5)


def _stock_file(folder: Path) -> list[str]:
    write_stock(ShopFactory(), folder / "stock.csv")
    return (folder / "stock.csv").read_text("utf-8").splitlines()


def test_the_shops_stock_file_says_the_day(game: Product, tmp_path: Path) -> None:
    """A bundle comes out with the last of its parts; what was never here is in the file too."""
    Product.objects.update(released_on=LATER)
    ProductFactory(sku="LIVRE", on_hand=5)
    box = ProductFactory(sku="COFFRET")
    BundleComponent.objects.create(bundle=box, component=game, quantity=1)

    assert _stock_file(tmp_path) == [
        "sku;available;available_from",
        "COFFRET;0;2199-01-05",
        "JEU;0;2199-01-05",
        "LIVRE;5;",
    ]


def test_once_all_is_out_the_file_is_as_it_was(game: Product, tmp_path: Path) -> None:
    ProductFactory(sku="LIVRE", on_hand=5)

    assert _stock_file(tmp_path) == ["sku;available", "LIVRE;5"]


def test_a_shop_whose_format_has_no_such_column_gets_none(game: Product, tmp_path: Path) -> None:
    Product.objects.update(released_on=LATER)
    ProductFactory(sku="LIVRE", on_hand=5)
    run = FeedRun.objects.create(
        shop=ShopFactory(), started_at=clock.now(), heartbeat_at=clock.now()
    )
    ReceivedFile.objects.create(
        shop=run.shop, run=run, size=1, received_at=NOON, kind="orders", dialect="shopify"
    )

    assert _stock_file(tmp_path) == ["SKU,Available", "LIVRE,5"]


@pytest.mark.parametrize("written", ["30/04/2026", "2026-04-30"])
def test_the_day_comes_in_with_products_by_hand(written: str) -> None:
    client = signed_in("Gérant")
    preview = bring(client, "inventory/product", f"Référence (SKU);Sort le\r\nJEU;{written}\r\n")
    accept(client, "inventory/product", preview)

    assert Product.objects.get().released_on == OUT


def test_a_day_that_is_none_is_said(game: Product) -> None:
    text = "Référence (SKU);Sort le\r\nJEU;bientôt\r\n"
    shown = bring(signed_in("Gérant"), "inventory/product", text).content.decode()

    assert "n&#x27;est pas une date" in shown or "n'est pas une date" in shown


def test_what_goes_out_comes_in_again(game: Product) -> None:
    table = ProductResource().export(Product.objects.all())
    Product.objects.update(released_on=LATER)
    with override("fr"):
        ProductResource().import_data(table, raise_errors=True)

    assert Product.objects.get().released_on == OUT


def test_a_catalogue_may_say_the_day(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.csv"
    path.write_text("sku;released_on\nJEU;2026-04-30\nLIVRE;\n", "utf-8")

    assert load_catalogue(path=path, at=NOON).products.created == 2
    assert load_catalogue(path=path, at=NOON).products.unchanged == 2
    days = dict(Product.objects.values_list("sku", "released_on"))
    assert days == {"JEU": OUT, "LIVRE": None}


def test_a_catalogues_day_that_is_none_refuses_its_row(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.csv"
    path.write_text("sku;released_on\nJEU;bientôt\nLIVRE;\n", "utf-8")

    report = load_catalogue(path=path, at=NOON)

    assert [(i["line"], i["column"]) for i in report.issues] == [(2, "released_on")]
    assert Product.objects.get().sku == "LIVRE"
