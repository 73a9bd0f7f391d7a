from decimal import Decimal
from pathlib import Path

import pytest

from ftp_ingest.services.pushing import write_stock
from inventory.models import Product, Reservation, StockMove, StockPosition, Warehouse
from inventory.services import Entry, default_warehouse, receive_stock, set_components
from sales.models import OrderLine
from sales.services import cancel_order, prepare_delivery, ship_delivery_note
from sphinx.core.errors import BusinessRuleError
from sphinx.core.proofs import run_proofs
from tests.factories import NOON, ProductFactory, ShopFactory, line, placed

pytestmark = pytest.mark.django_db


@pytest.fixture
def tea() -> Product:
    return ProductFactory(sku="TEA", on_hand=10, unit_cost=Decimal(3))


@pytest.fixture
def cup() -> Product:
    return ProductFactory(sku="CUP", on_hand=3, unit_cost=Decimal(5))


@pytest.fixture
def gift_box(tea: Product, cup: Product) -> Product:
    """Two of tea, one cup."""
    box = ProductFactory(sku="BOX")
    set_components(bundle_id=box.pk, parts={tea.pk: Decimal(2), cup.pk: Decimal(1)})
    return box


def held(product: Product) -> Decimal:
    return StockPosition.objects.get(product=product).reserved


def test_a_bundle_sets_its_components_aside(gift_box: Product, tea: Product, cup: Product) -> None:
    placed("1", line("BOX", quantity="2"))

    assert (held(tea), held(cup)) == (4, 2)
    assert OrderLine.objects.get().reservation.allocated == 2
    assert not StockPosition.objects.filter(product=gift_box).exists()


def test_as_many_bundles_are_ready_as_the_scarcest_component_allows(
    gift_box: Product, tea: Product, cup: Product
) -> None:
    placed("1", line("BOX", quantity="5"))

    assert OrderLine.objects.get().reservation.allocated == 3

    receive_stock(
        entries=[Entry(cup.pk, Decimal(2), Decimal(5), "BR1", 1)],
        warehouse=default_warehouse(),
        at=NOON,
        kind=StockMove.Kind.RECEIPT,
        origin_kind="receipt",
    )

    assert OrderLine.objects.get().reservation.allocated == 5


def test_a_shipped_bundle_leaves_as_its_components_at_their_cost(
    gift_box: Product, tea: Product, cup: Product
) -> None:
    order = placed("1", line("BOX", quantity="2"))
    note = prepare_delivery(order_id=order.pk, at=NOON)

    ship_delivery_note(note_id=note.pk, at=NOON)

    left = {m.product_id: m.quantity for m in StockMove.objects.filter(kind="sale")}
    assert left == {tea.pk: -4, cup.pk: -2}
    # 2 × 3 € of tea and 5 € of cup.
    assert note.lines.get().unit_cost == 11
    assert [proof.faults for proof in run_proofs() if not proof.ok] == []


def test_a_cancelled_bundle_gives_its_components_back(
    gift_box: Product, tea: Product, cup: Product
) -> None:
    order = placed("1", line("BOX", quantity="2"))

    cancel_order(order_id=order.pk, at=NOON)

    assert (held(tea), held(cup)) == (0, 0)
    assert not Reservation.objects.exclude(asked=0).exists()


def test_a_bundle_is_made_of_plain_products_only(gift_box: Product) -> None:
    other = ProductFactory(sku="BIG")

    with pytest.raises(BusinessRuleError):
        set_components(bundle_id=other.pk, parts={gift_box.pk: Decimal(1)})


def test_a_product_with_stock_does_not_become_a_bundle(tea: Product, cup: Product) -> None:
    with pytest.raises(BusinessRuleError):
        set_components(bundle_id=tea.pk, parts={cup.pk: Decimal(1)})


def test_the_shop_is_told_how_many_bundles_it_may_sell(gift_box: Product, tmp_path: Path) -> None:
    file = tmp_path / "stock.csv"

    write_stock(ShopFactory(), file)

    assert file.read_text().splitlines() == ["sku;available", "BOX;3", "CUP;3", "TEA;10"]


def test_the_shop_is_told_of_its_own_warehouse(tea: Product, tmp_path: Path) -> None:
    annex = Warehouse.objects.create(code="annexe", name="Annexe")
    shop = ShopFactory()
    annex.shops.add(shop)
    receive_stock(
        entries=[Entry(tea.pk, Decimal(2), Decimal(3), "BR1", 1)],
        warehouse=annex,
        at=NOON,
        kind=StockMove.Kind.RECEIPT,
        origin_kind="receipt",
    )
    file = tmp_path / "stock.csv"

    write_stock(shop, file)

    assert file.read_text().splitlines() == ["sku;available", "TEA;2"]
