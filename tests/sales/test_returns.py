from decimal import Decimal

import pytest
from django.test import Client

from inventory.models import StockPosition
from inventory.services import set_components
from sales.errors import TooManyReturned
from sales.services import Back, return_goods
from sphinx.core.proofs import run_proofs
from tests.factories import NOON, ProductFactory, line, shipped

pytestmark = pytest.mark.django_db


def position(sku: str) -> StockPosition:
    return StockPosition.objects.get(product__sku=sku)


def test_returned_goods_are_back_on_the_shelf_at_the_cost_they_left_with() -> None:
    ProductFactory(sku="A", on_hand=10, unit_cost=Decimal(4))
    note = shipped("1", line("A", quantity="3"))

    return_goods(note_id=note.pk, back=[Back(note.lines.get().pk, Decimal(2))], at=NOON)

    assert (position("A").on_hand, position("A").average_cost) == (9, 4)
    assert [proof.faults for proof in run_proofs() if not proof.ok] == []


def test_scrap_comes_in_and_goes_out_again() -> None:
    ProductFactory(sku="A", on_hand=10)
    note = shipped("1", line("A", quantity="3"))

    return_goods(
        note_id=note.pk, back=[Back(note.lines.get().pk, Decimal(2), is_scrap=True)], at=NOON
    )

    assert position("A").on_hand == 7


def test_no_more_comes_back_than_left() -> None:
    note = shipped("1", line("A", quantity="3"))
    row = note.lines.get()
    return_goods(note_id=note.pk, back=[Back(row.pk, Decimal(2))], at=NOON)

    with pytest.raises(TooManyReturned):
        return_goods(note_id=note.pk, back=[Back(row.pk, Decimal(2))], at=NOON)


def test_a_bundle_comes_back_as_its_components() -> None:
    tea, cup = ProductFactory(sku="TEA", on_hand=10), ProductFactory(sku="CUP", on_hand=10)
    box = ProductFactory(sku="BOX")
    set_components(bundle_id=box.pk, parts={tea.pk: Decimal(2), cup.pk: Decimal(1)})
    note = shipped("1", line("BOX", quantity="3"))

    return_goods(note_id=note.pk, back=[Back(note.lines.get().pk, Decimal(1))], at=NOON)

    assert (position("TEA").on_hand, position("CUP").on_hand) == (6, 8)


@pytest.mark.parametrize("typed", ["2", "2,000"])
def test_a_return_is_entered_in_the_browser(typed: str, admin_client: Client) -> None:
    note = shipped("1", line("A", quantity="3"))
    row = note.lines.get()

    admin_client.post(f"/livraisons/{note.pk}/retour/", {f"quantity-{row.pk}": typed})

    row.refresh_from_db()
    assert row.quantity_returned == 2


@pytest.mark.parametrize("typed", ["x", "-1", "NaN", "1e99", "0.00001", "4", ""])
def test_a_wrong_return_is_a_sentence_not_an_error(typed: str, admin_client: Client) -> None:
    note = shipped("1", line("A", quantity="3"))
    row = note.lines.get()

    answer = admin_client.post(f"/livraisons/{note.pk}/retour/", {f"quantity-{row.pk}": typed})

    row.refresh_from_db()
    assert (answer.status_code, row.quantity_returned) == (200, 0)


def test_a_return_sent_twice_is_one_return(admin_client: Client) -> None:
    note = shipped("1", line("A", quantity="3"))
    row = note.lines.get()

    for _click in range(2):
        admin_client.post(
            f"/livraisons/{note.pk}/retour/", {f"quantity-{row.pk}": "1", "returns": "0"}
        )

    row.refresh_from_db()
    assert row.quantity_returned == 1
