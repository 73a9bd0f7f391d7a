"""The page on which what a shop did is explained, order by order."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from sales.models import DeliveryNote, Order
from sphinx.core.models import Shop
from tests.factories import NOON, ProductFactory, ShopFactory, line, placed
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db
URL = "/commandes/ecarts/"
D = Decimal
BEFORE = NOON - timedelta(days=30)


@pytest.fixture
def owner(db: None) -> Client:
    ProductFactory(sku="BOU", on_hand=10)
    return signed_in("Gérant")


def doubtful() -> Order:
    return placed(
        "1",
        line("BOU", "24.00", "2"),
        refunded=D("24.00"),
        payment_status="partially_refunded",
    )


def said(client: Client, **given: Any) -> str:
    return client.post(URL, given, follow=True).content.decode()


def test_the_likely_answer_is_filled_in(owner: Client) -> None:
    order = doubtful()

    page = owner.get(URL).content.decode()

    field = f'name="pieces-{order.lines.get().pk}" value="1"'
    assert field in page
    assert "24,00 € sur 48,00 €" in page


def test_pieces_are_taken_out_on_the_page(owner: Client) -> None:
    order = doubtful()
    pieces = {f"pieces-{order.lines.get().pk}": "1"}

    said(owner, verb="pieces", order=order.pk, asked="24.00", **pieces)

    assert order.lines.get().quantity_removed == 1


def test_a_gesture_is_one_click(owner: Client) -> None:
    order = doubtful()

    said(owner, verb="gesture", order=order.pk, asked="24.00")

    order.refresh_from_db()
    assert (order.refund_asked_incl_tax, order.refund_settled_incl_tax) == (0, D("24.00"))


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"verb": "pieces", "asked": "24.00"}, "Dites combien de pièces"),
        ({"verb": "gesture", "asked": "5.00"}, "vient d&#x27;être expliqué"),
        ({"verb": "autre"}, "Choisissez une réponse"),
        ({"verb": "take_over", "order": ""}, "Cochez au moins une commande"),
        ({"verb": "begin", "shop": "essai", "until": "hier"}, "Donnez le dernier jour"),
        ({"verb": "begin", "shop": "essai", "until": "2099-01-01"}, "au plus tard"),
    ],
)
def test_an_answer_that_is_none_is_said(
    owner: Client, given: dict[str, str], sentence: str
) -> None:
    order = doubtful()

    assert sentence in said(owner, **({"order": order.pk} | given))
    order.refresh_from_db()
    assert order.refund_asked_incl_tax == D("24.00")


def test_a_note_is_made_of_what_the_shop_shipped(owner: Client) -> None:
    order = placed("1", line("BOU", "24.00", "2"), is_shipped=True)
    assert "2 × BOU" in owner.get(URL).content.decode()

    said(owner, verb="note", order=order.pk)

    assert DeliveryNote.objects.get().status == "shipped"
    assert "a son bon de livraison" in owner.get(URL).content.decode()


def test_orders_of_before_are_taken_over_or_closed(owner: Client) -> None:
    ShopFactory(history_until=date(2026, 3, 1))
    orders = [placed(str(n), line("BOU"), placed_at=BEFORE) for n in range(3)]
    first, second, third = (order.pk for order in orders)

    said(owner, verb="take_over", order=[first])
    said(owner, verb="take_over_invoiced", order=[second])
    said(owner, verb="left", order=[third])

    stands = Order.objects.order_by("pk").values_list("is_history", "invoiced_elsewhere", "status")
    assert list(stands) == [
        (False, False, "confirmed"),
        (False, True, "confirmed"),
        (True, False, "invoiced"),
    ]


def test_the_first_day_is_said_on_the_page(owner: Client) -> None:
    order = placed("1", line("BOU"), placed_at=BEFORE)

    said(owner, verb="begin", shop="essai", until="2026-03-01")

    order.refresh_from_db()
    assert order.is_history
    assert Shop.objects.get().history_until == date(2026, 3, 1)


def test_paid_orders_of_before_are_closed_at_once(owner: Client) -> None:
    ShopFactory(history_until=date(2026, 3, 1))
    for n in range(55):
        placed(f"P{n}", line("BOU"), placed_at=BEFORE)
    unpaid = {"state": "pending", "payment_status": "unpaid"}
    placed("U", line("BOU"), placed_at=BEFORE, **unpaid)
    assert "Toutes ses commandes payées" in owner.get(URL).content.decode()

    assert "55 commandes payées" in said(owner, verb="all_left", shop="essai")

    assert Order.objects.filter(status="invoiced").count() == 55
    assert Order.objects.get(number="U").status == "draft"


def test_who_may_not_ship_makes_no_note(db: None) -> None:
    ProductFactory(sku="BOU", on_hand=10)
    order = placed("1", line("BOU", "24.00", "2"), is_shipped=True)

    answer = signed_in("Comptable").post(URL, {"verb": "note", "order": order.pk})

    assert answer.status_code == 403
    assert not DeliveryNote.objects.exists()


def test_the_page_costs_the_same_however_many_orders_there_are(
    owner: Client, django_assert_max_num_queries: Any
) -> None:
    for n in range(12):
        placed(
            f"R{n}",
            line("BOU", "24.00", "2"),
            refunded=D("24.00"),
            payment_status="partially_refunded",
        )
        placed(f"S{n}", line("BOU", "24.00"), is_shipped=True)

    with django_assert_max_num_queries(30):
        owner.get(URL)
