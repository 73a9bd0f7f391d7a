"""A model's order cut to fewer pieces or a budget keeps its size curve."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory.models import Product, Style
from inventory.services import StyleDraft, make_styles
from purchasing.errors import WrongState
from purchasing.models import Decision, PurchaseOrder, PurchaseOrderLine
from purchasing.planning.spreading import Want, spread
from purchasing.services import accept_proposal, propose_orders, spread_style
from tests.factories import NOON, ProductFactory, SupplierFactory, SupplierProductFactory
from tests.purchasing.test_learning import DAY, sold

D = Decimal


def want(key: str, in_sight: str, per_day: str, *, least: str = "1", pack: str = "1",
         price: str = "1") -> Want:  # fmt: skip
    return Want(ord(key[0]), D(in_sight), D(per_day), D(least), D(pack), D(price))


def bought(limit: str, *wants: Want) -> str:
    found = spread(D(limit), wants)
    return " ".join(f"{chr(key)}{pieces}" for key, pieces in found.items())


def test_pieces_go_by_the_rates() -> None:
    # 40 pieces at 1, 2 and 1 a day: ten days of each.
    assert bought("40", want("S", "0", "1"), want("M", "0", "2"), want("L", "0", "1")) == (
        "S10 M20 L10"
    )


def test_what_is_there_counts() -> None:
    # Ten S are there: with 38 more all last 12 days: S 2, M 24, L 12.
    assert bought("38", want("S", "10", "1"), want("M", "0", "2"), want("L", "0", "1")) == (
        "S2 M24 L12"
    )


def test_whole_packs_within_the_limit() -> None:
    # 45 pieces make four packs of ten: two of M.
    found = bought(
        "45",
        want("S", "0", "1", pack="10"),
        want("M", "0", "2", pack="10"),
        want("L", "0", "1", pack="10"),
    )

    assert found == "S10 M20 L10"


def test_the_suppliers_minimum_holds() -> None:
    # Six at least: twelve pieces are six of M, which sells most, and six of S.
    found = bought(
        "12",
        want("S", "0", "1", least="6"),
        want("M", "0", "2", least="6"),
        want("L", "0", "1", least="6"),
    )

    assert found == "S6 M6 L0"


def test_a_budget_buys_by_price() -> None:
    # 100 €: S at 5 €, M at 10 €: d days cost 5·d + 20·d: four days, S 4 and M 8.
    assert bought("100", want("S", "0", "1", price="5"), want("M", "0", "2", price="10")) == (
        "S4 M8"
    )


def test_customers_who_wait_come_first() -> None:
    # Three wait for L, which nobody else asks for.
    assert bought("10", want("S", "0", "1"), want("L", "-3", "0")) == "S7 L3"


def test_an_absurd_limit_ends() -> None:
    assert bought("999999999", want("S", "0", "1"), want("M", "9", "0")) == "S10001 M0"


# --- In a proposal -----------------------------------------------------------------------------


@pytest.fixture
def order(db: None) -> PurchaseOrder:
    """S, M and L at 1, 2 and 1 a day, sold out to the last piece, all of one supplier."""
    supplier, found = SupplierFactory(), {}
    for size, a_day in {"S": 1, "M": 2, "L": 1}.items():
        product = ProductFactory(sku=f"SHIRT-{size}", on_hand=120 * a_day)
        sold(product, a_day=a_day)
        SupplierProductFactory(product=product, supplier=supplier, lead_time_days=10)
        found[product.pk] = [size]
    make_styles([StyleDraft("Chemise", ["Taille"], found)])
    (made,) = propose_orders(on=DAY).orders
    return made


def quantities(order: PurchaseOrder) -> dict[str, Decimal]:
    lines = PurchaseOrderLine.objects.filter(purchase_order=order)
    return dict(lines.values_list("product__sku", "quantity"))


def cut(order: PurchaseOrder, limit: str, *, in_money: bool = False) -> Decimal:
    return spread_style(
        order_id=order.pk, style=Style.objects.get(), limit=D(limit), in_money=in_money, at=NOON
    )


def test_a_proposal_cut_to_forty_pieces_keeps_the_curve(order: PurchaseOrder) -> None:
    assert cut(order, "40") == 40

    assert quantities(order) == {"SHIRT-S": 10, "SHIRT-M": 20, "SHIRT-L": 10}
    order.refresh_from_db()
    assert order.total_excl_tax == D("120.00")


def test_cut_to_a_budget(order: PurchaseOrder) -> None:
    # At 3 € a piece 60 € buy 20.
    assert cut(order, "60", in_money=True) == 20

    assert quantities(order) == {"SHIRT-S": 5, "SHIRT-M": 10, "SHIRT-L": 5}


def test_the_next_run_keeps_it_and_says_why(order: PurchaseOrder) -> None:
    cut(order, "40")

    propose_orders(on=DAY)

    assert quantities(order) == {"SHIRT-S": 10, "SHIRT-M": 20, "SHIRT-L": 10}
    reason = order.lines.get(product__sku="SHIRT-M").reason
    assert reason["set_because"] == "Réparti par la courbe du modèle : 40 pièces au plus"


def test_a_size_that_gets_nothing_waits_two_weeks(order: PurchaseOrder) -> None:
    cut(order, "1")

    assert quantities(order) == {"SHIRT-M": 1}
    put_off = Decision.objects.filter(kind=Decision.Kind.POSTPONED)
    assert {d.product.sku: (d.until - DAY).days for d in put_off} == {"SHIRT-S": 14, "SHIRT-L": 14}
    propose_orders(on=DAY)
    assert quantities(order) == {"SHIRT-M": 1}


def test_what_buys_nothing_changes_nothing(order: PurchaseOrder) -> None:
    before = quantities(order)

    with pytest.raises(WrongState, match="ne suffit pas"):
        cut(order, "0.5")

    assert quantities(order) == before


def test_only_proposals_are_cut(order: PurchaseOrder) -> None:
    accept_proposal(order_id=order.pk, at=NOON)

    with pytest.raises(WrongState):
        cut(order, "40")


def test_sizes_cost_no_query_each(order: PurchaseOrder) -> None:
    with CaptureQueriesContext(connection) as three:
        cut(order, "40")
    Product.objects.filter(sku="SHIRT-L").update(style=None, option1="")
    with CaptureQueriesContext(connection) as two:
        cut(order, "20")

    assert len(two) == len(three)
