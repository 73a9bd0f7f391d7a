import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from inventory.models import Reservation, StockMove, StockPosition
from inventory.services import set_components
from sales.models import Order
from sphinx.core.proofs import run_proofs
from tests.factories import ProductFactory, ShopFactory
from tests.support.apart import environment

PROCESSES = 20
THERE = 7


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_twenty_processes_never_sell_the_last_pieces_twice(tmp_path: Path) -> None:
    a = ProductFactory(sku="A", on_hand=THERE)
    b = ProductFactory(sku="B", on_hand=THERE)
    box = ProductFactory(sku="BOX")
    set_components(bundle_id=box.pk, parts={a.pk: Decimal(2), b.pk: Decimal(1)})
    for n in range(5):
        ShopFactory(code=f"s{n}")

    ended = subprocess.run(
        [sys.executable, "-m", "tests.support.buyers", str(PROCESSES)],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert ended.stdout.split() == ["0"] * PROCESSES, ended.stderr
    assert Order.objects.count() == PROCESSES
    assert [proof.faults for proof in run_proofs() if not proof.ok] == []
    for product in (a, b):
        position = StockPosition.objects.get(product=product)
        left = sum(-m.quantity for m in StockMove.objects.filter(product=product, kind="sale"))
        assert position.on_hand + left == THERE
        assert position.on_hand >= 0
        # Each asked for one, and for a box that takes two of A and one of B.
        asked = sum(r.asked for r in Reservation.objects.filter(product=product))
        assert asked == PROCESSES * (3 if product == a else 2)
