"""What another warehouse has too much of is brought before it is bought."""

from decimal import Decimal

import pytest

from inventory.models import Product, ReorderRule, StockMove, StockTransfer, Warehouse
from inventory.services import (
    Entry,
    cancel_transfer,
    default_warehouse,
    receive_stock,
    receive_transfer,
    send_transfer,
)
from purchasing.models import PurchaseOrderLine
from purchasing.reasons import explain
from purchasing.services import Proposals, propose_orders
from sphinx.core import clock
from tests.factories import NOON, ProductFactory, SupplierProductFactory, line, placed
from tests.support.threads import together
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def lyon() -> Warehouse:
    default_warehouse()
    return Warehouse.objects.create(code="lyon", name="Lyon")


@pytest.fixture
def product() -> Product:
    made = ProductFactory(sku="P")
    SupplierProductFactory(product=made)
    return made


def holds(
    warehouse: Warehouse, product: Product, pieces: int, *, minimum: int, maximum: int
) -> None:
    """What lies there, and between which levels it is kept."""
    ReorderRule.objects.create(
        product=product, warehouse=warehouse, minimum=minimum, maximum=maximum
    )
    receive_stock(
        entries=[Entry(product.pk, D(pieces), D(4), f"R{warehouse.pk}{product.pk}", 1)],
        warehouse=warehouse,
        at=NOON,
        kind=StockMove.Kind.RECEIPT,
        origin_kind="receipt",
    )


def run() -> Proposals:
    return propose_orders(on=clock.today())


def proposed() -> list[tuple[str, str, str, Decimal]]:
    """Source, destination, reference and pieces of what is proposed."""
    return [
        (t.source.code, t.destination.code, one.product.sku, one.quantity)
        for t in StockTransfer.objects.filter(status="draft", is_proposed=True)
        for one in t.lines.all()
    ]


def bought() -> list[Decimal]:
    return list(PurchaseOrderLine.objects.values_list("quantity", flat=True))


def test_a_surplus_that_suffices_is_brought_and_nothing_bought(
    lyon: Warehouse, product: Product
) -> None:
    """Here 4, kept between 10 and 30: 26 are needed. Lyon has 25 and keeps 10 at most: 15 too
    many. With them 19 are in sight, above the reorder point."""
    holds(default_warehouse(), product, 4, minimum=10, maximum=30)
    holds(lyon, product, 25, minimum=5, maximum=10)

    run()

    assert proposed() == [("lyon", "principal", "P", 15)]
    assert bought() == []


def test_what_the_surplus_lacks_is_bought_and_says_so(lyon: Warehouse, product: Product) -> None:
    """Between 20 and 40: 36 are needed, 15 brought; at 19 the rest, 21, is bought."""
    holds(default_warehouse(), product, 4, minimum=20, maximum=40)
    holds(lyon, product, 25, minimum=5, maximum=10)

    run()

    assert (proposed()[0][3], bought()) == (15, [21])
    told = explain(PurchaseOrderLine.objects.get().reason)
    assert "15 pièces, proposées en transfert d'abord" in " ".join(one.text for one in told)


def test_what_a_warehouse_needs_itself_stays(lyon: Warehouse, product: Product) -> None:
    holds(default_warehouse(), product, 4, minimum=10, maximum=30)
    holds(lyon, product, 25, minimum=20, maximum=25)

    run()

    assert (proposed(), bought()) == ([], [26])


def test_what_customers_are_promised_cannot_leave(lyon: Warehouse, product: Product) -> None:
    """Of 25 in Lyon, 12 are set aside: 13 are free, 3 above its 10."""
    holds(default_warehouse(), product, 4, minimum=10, maximum=30)
    holds(lyon, product, 25, minimum=5, maximum=10)
    order = placed("1001", line("P", quantity="1"))
    lyon.shops.add(order.shop)
    placed("1002", line("P", quantity="12"))

    run()

    assert proposed()[0][3] == 3


def test_one_surplus_is_brought_once(lyon: Warehouse, product: Product) -> None:
    """15 too many: 6 to who lacks 6, the other 9 to who lacks 26."""
    nantes = Warehouse.objects.create(code="nantes", name="Nantes")
    holds(default_warehouse(), product, 4, minimum=5, maximum=10)
    holds(nantes, product, 4, minimum=10, maximum=30)
    holds(lyon, product, 25, minimum=5, maximum=10)

    run()

    assert sorted(proposed()) == [
        ("lyon", "nantes", "P", 9),
        ("lyon", "principal", "P", 6),
    ]


def test_the_next_run_refreshes_the_proposal_in_place(lyon: Warehouse, product: Product) -> None:
    holds(default_warehouse(), product, 4, minimum=10, maximum=30)
    holds(lyon, product, 25, minimum=5, maximum=10)
    run()
    number = StockTransfer.objects.get().number
    ReorderRule.objects.filter(warehouse=lyon).update(maximum=12)

    run()

    assert (StockTransfer.objects.get().number, proposed()[0][3]) == (number, 13)


def test_a_need_that_is_gone_closes_the_proposal(lyon: Warehouse, product: Product) -> None:
    holds(default_warehouse(), product, 4, minimum=10, maximum=30)
    holds(lyon, product, 25, minimum=5, maximum=10)
    run()
    ReorderRule.objects.filter(warehouse=default_warehouse()).update(minimum=1, maximum=3)

    run()

    assert StockTransfer.objects.get().status == "cancelled"
    # Nobody refused it: it may be proposed again.
    ReorderRule.objects.filter(warehouse=default_warehouse()).update(minimum=10, maximum=30)
    run()
    assert proposed()[0][3] == 15


def test_who_refuses_it_is_not_asked_again_and_it_is_bought(
    lyon: Warehouse, product: Product
) -> None:
    holds(default_warehouse(), product, 4, minimum=10, maximum=30)
    holds(lyon, product, 25, minimum=5, maximum=10)
    run()
    cancel_transfer(transfer_id=StockTransfer.objects.get().pk)

    run()

    assert (proposed(), bought()) == ([], [26])


def test_what_is_on_its_way_is_not_proposed_again(lyon: Warehouse, product: Product) -> None:
    holds(default_warehouse(), product, 4, minimum=10, maximum=30)
    holds(lyon, product, 25, minimum=5, maximum=10)
    run()
    transfer = StockTransfer.objects.get()
    send_transfer(transfer_id=transfer.pk, at=NOON)

    run()
    assert (proposed(), bought()) == ([], [])
    receive_transfer(transfer_id=transfer.pk, at=NOON)
    run()
    assert (proposed(), bought()) == ([], [])


def test_a_firm_with_one_warehouse_sees_nothing_of_it(product: Product) -> None:
    holds(default_warehouse(), product, 4, minimum=10, maximum=30)

    run()

    assert (StockTransfer.objects.count(), bought()) == (0, [26])


def test_the_transfer_says_why_and_the_home_page_counts_it(
    lyon: Warehouse, product: Product
) -> None:
    holds(default_warehouse(), product, 4, minimum=10, maximum=30)
    holds(lyon, product, 25, minimum=5, maximum=10)
    run()
    client = signed_in("Entrepôt")

    page = client.get(f"/stock/transferts/{StockTransfer.objects.get().pk}/").content.decode()

    assert "4 en vue, point de commande à 10, il en manque 26" in page
    assert "Lyon en a 15 de plus que ses 10" in page
    assert "Transferts proposés" in client.get("/").content.decode()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_runs_at_once_propose_one_transfer(lyon: Warehouse, product: Product) -> None:
    holds(default_warehouse(), product, 4, minimum=10, maximum=30)
    holds(lyon, product, 25, minimum=5, maximum=10)

    raised = together([run] * 4)

    assert raised == []
    assert proposed() == [("lyon", "principal", "P", 15)]


def test_what_the_run_changed_meanwhile_does_not_leave_unseen(
    lyon: Warehouse, product: Product
) -> None:
    holds(default_warehouse(), product, 4, minimum=10, maximum=30)
    holds(lyon, product, 25, minimum=5, maximum=10)
    run()
    transfer = StockTransfer.objects.get()
    client = signed_in("Entrepôt")
    seen = [str(line.pk) for line in transfer.lines.all()]
    ReorderRule.objects.filter(warehouse=lyon).update(maximum=12)
    run()

    page = client.post(
        f"/stock/transferts/{transfer.pk}/", {"verb": "send", "seen": seen}, follow=True
    ).content.decode()

    transfer.refresh_from_db()
    assert transfer.status == "draft"
    assert "vient d&#x27;être recalculé" in page
    assert f'name="seen" value="{transfer.lines.get().pk}"' in page
