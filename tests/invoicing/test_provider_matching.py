"""Which order a provider's movement is for, and why."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from invoicing.errors import MovementMatched
from invoicing.models import ProviderTransaction
from invoicing.payouts import provider_gaps
from invoicing.provider_matching import orders_proposed, words_of
from invoicing.services import confirm_movement, import_payouts, link_movements
from sales.models import Order
from sales.services import upsert_orders
from tests.factories import NOON, SOURCE, ShopFactory, draft, line, placed
from tests.test_stock_pages import signed_in

D = Decimal
STRIPE = (
    "automatic_payout_id,balance_transaction_id,created_utc,currency,gross,fee,net,"
    "reporting_category,source_id,charge_id,payment_intent_id,description\n"
)
PAYPAL = (
    "Date,Time,Type,Status,Currency,Gross,Fee,Net,Transaction ID,Reference Txn ID,Invoice Number,"
    "Subject\n"
)
SHOPIFY = "Transaction Date,Type,Order,Payout Status,Payout Date,Amount,Fee,Net,Checkout,Currency\n"


def stripe(
    name: str = "txn_1",
    description: str = "",
    gross: str = "120.00",
    kind: str = "charge",
    source: str = "ch_3QxYz0001",
    charge: str = "ch_3QxYz0001",
    intent: str = "pi_3QxYz0001",
    day: int = 2,
) -> str:
    return (
        f"po_1,{name},2026-03-{day:02d} 10:00:00,eur,{gross},0.00,{gross},{kind},{source},"
        f"{charge},{intent},{description}\n"
    )


def taken(header: str, *rows: str) -> list[tuple[str, str]]:
    """The order's number of each movement, and why."""
    import_payouts(name="x.csv", data=(header + "".join(rows)).encode())
    return [
        (m.order.number if m.order else "", m.matched_by)
        for m in ProviderTransaction.objects.order_by("pk").select_related("order")
    ]


def order(number: str, references: str = "", price: str = "120.00", **values: Any) -> Order:
    return placed(number, line("A", price), payment_references=references, **values)


# --- By reference ------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("reference", ["ch_3QxYz0001", "pi_3QxYz0001", "CH_3QXYZ0001", "txn_00001"])
def test_a_charge_is_its_orders_by_what_the_shop_knows_it_by(reference: str) -> None:
    order("701", f"autre-chose {reference}")
    assert taken(STRIPE, stripe("txn_00001")) == [("701", "reference")]


@pytest.mark.django_db
def test_paypals_number_of_a_transaction_is_a_reference_too() -> None:
    order("701", "8MC585209K746392H")
    charge = (
        '03/02/2026,10:00,Payment,Completed,EUR,"120,00","0,00","120,00",8MC585209K746392H,,,\n'
    )
    refund = (
        '03/03/2026,10:00,Refund,Completed,EUR,"-30,00","0,00","-30,00",5TY05013RG002845M,'
        "8MC585209K746392H,,\n"
    )

    assert taken(PAYPAL, charge, refund) == [("701", "reference")] * 2


@pytest.mark.django_db
def test_shopifys_checkout_is_on_the_order_as_its_payment_reference() -> None:
    order("#H3", "c23456789012.1 rAbCdEf")
    row = "2026-03-02 10:00:00 +0100,charge,,paid,2026-03-04,120.00,0.00,120.00,#23456789012,EUR\n"
    assert taken(SHOPIFY, row) == [("#H3", "reference")]


@pytest.mark.django_db
def test_a_reference_says_more_than_a_number() -> None:
    order("701", "ch_3QxYz0001")
    order("702")
    assert taken(STRIPE, stripe(description="Order 702")) == [("701", "reference")]


@pytest.mark.django_db
def test_two_orders_of_one_reference_are_none() -> None:
    order("701", "ch_3QxYz0001")
    order("702", "ch_3QxYz0001")
    assert taken(STRIPE, stripe()) == [("", "")]


@pytest.mark.django_db
def test_a_short_word_is_nobodys_reference() -> None:
    order("701", "r1")
    assert taken(STRIPE, stripe(source="r1", charge="r1", intent="")) == [("", "")]


@pytest.mark.django_db
def test_a_refund_is_its_charges_order_whatever_that_was_known_by() -> None:
    order("701")
    charge = stripe("txn_1", "Commande #701")
    refund = stripe("txn_2", "", "-30.00", "refund", source="re_3QxYz0001", day=9)
    assert taken(STRIPE, charge, refund) == [("701", "text"), ("701", "reference")]


@pytest.mark.django_db
def test_a_refund_of_another_file_is_its_charges_order_too() -> None:
    order("701")
    taken(STRIPE, stripe("txn_1", "Commande #701"))
    refund = stripe("txn_2", "", "-30.00", "refund", source="re_3QxYz0001", day=9)
    assert taken(STRIPE, refund)[1] == ("701", "reference")


@pytest.mark.django_db
def test_what_came_before_its_order_gets_it_at_the_next_sweep() -> None:
    assert taken(STRIPE, stripe()) == [("", "")]
    order("701", "ch_3QxYz0001")

    assert [link_movements(since=NOON.date() - timedelta(days=9)) for _twice in "ab"] == [1, 0]
    assert ProviderTransaction.objects.get().order == Order.objects.get()


# --- By the number in its text -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Commande #701", {"701"}),
        ("Atelier - Order H3", {"h3"}),
        ("Order H3", {"h3"}),
        ("Votre cde n° 12 de mars", {"12"}),
        ("Pedido: 55", {"55"}),
        ("#A-7", {"a-7"}),
        ("Merci W1127", {"w1127"}),
        ("Achat du 12 mars 2026", set()),
        ("Border 701", set()),
        ("", set()),
    ],
)
def test_words_that_may_be_a_number_are_whole_and_called_so(text: str, words: set[str]) -> None:
    assert words_of(text) == words


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("number", "text"),
    [("701", "Commande #701"), ("H3", "Atelier - Order H3"), ("#H3", "Order H3")],
)
def test_a_text_that_names_one_order_is_that_orders(number: str, text: str) -> None:
    order(number)
    assert taken(STRIPE, stripe(description=text)) == [(number, "text")]


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["Commande #70", "Commande #7011", "Order 701 and order 702"])
def test_a_part_of_a_number_or_two_orders_name_none(text: str) -> None:
    order("701")
    order("702")
    assert taken(STRIPE, stripe(description=text)) == [("", "")]


@pytest.mark.django_db
def test_of_two_shops_with_one_number_none_is_named() -> None:
    order("701")
    upsert_orders(
        shop=ShopFactory(code="autre"),
        drafts=[draft("701", line("A", "120.00"))],
        source=SOURCE,
        at=NOON,
    )
    assert taken(STRIPE, stripe(description="Commande #701")) == [("", "")]


@pytest.mark.django_db
@pytest.mark.parametrize("day", ["2026-02-20", "2027-04-20"])
def test_an_order_placed_after_the_movement_or_long_before_is_not_meant(day: str) -> None:
    order("701")
    taken(STRIPE, stripe(description="Commande #701").replace("2026-03-02", day))
    assert ProviderTransaction.objects.get().order is None


# --- By amount and day, said by somebody -------------------------------------------------------


def proposed() -> list[str]:
    found = orders_proposed(list(ProviderTransaction.objects.order_by("pk")))
    return [order.number for orders in found.values() for order in orders]


@pytest.mark.django_db
def test_amount_and_day_alone_match_nothing_and_are_proposed() -> None:
    order("701")
    assert taken(STRIPE, stripe()) == [("", "")]
    assert proposed() == ["701"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "values",
    [{"price": "120.01"}, {"placed_at": NOON - timedelta(days=4)}, {"state": "cancelled"}],
    ids=["amount", "day", "cancelled"],
)
def test_what_does_not_look_like_it_is_not_proposed(values: dict[str, Any]) -> None:
    order("701", **values)
    taken(STRIPE, stripe())
    assert proposed() == []


@pytest.mark.django_db
def test_an_order_that_was_paid_through_a_provider_is_not_proposed_again() -> None:
    order("701")
    taken(
        STRIPE, stripe("txn_1", "Commande #701"), stripe("txn_2", charge="", source="", intent="")
    )
    assert proposed() == []


@pytest.mark.django_db
def test_too_many_that_look_alike_tell_nothing() -> None:
    for n in range(4):
        order(f"70{n}")
    taken(STRIPE, stripe())
    assert proposed() == []


@pytest.mark.django_db
def test_what_somebody_confirms_is_kept_once_and_its_refund_follows() -> None:
    found = order("701")
    refund = stripe("txn_2", "", "-30.00", "refund", source="re_3QxYz0001", day=9)
    taken(STRIPE, stripe(), refund)
    movement = ProviderTransaction.objects.get(reference="txn_1")

    for _twice in range(2):
        confirm_movement(movement_id=movement.pk, order_id=found.pk)

    assert list(ProviderTransaction.objects.order_by("pk").values_list("order", "matched_by")) == [
        (found.pk, "proposal"),
        (found.pk, "reference"),
    ]


@pytest.mark.django_db
def test_what_is_not_proposed_cannot_be_confirmed() -> None:
    other = order("702", price="99.00")
    taken(STRIPE, stripe())
    movement = ProviderTransaction.objects.get()

    with pytest.raises(MovementMatched):
        confirm_movement(movement_id=movement.pk, order_id=other.pk)
    movement.refresh_from_db()
    assert movement.order is None


# --- The page ----------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_page_says_why_and_a_proposal_is_accepted_with_one_click() -> None:
    sales = signed_in("Ventes")
    named, alike = order("701", price="50.00"), order("702")
    taken(
        STRIPE,
        stripe("txn_1", "Commande #701", "50.00", charge="", source="", intent=""),
        stripe("txn_2"),
    )
    page = sales.get("/paiements/").content.decode()
    assert "N° cité dans le texte" in page
    assert "C'est la commande 702" in page.replace("&#x27;", "'")

    movement = ProviderTransaction.objects.get(reference="txn_2")
    sales.post("/paiements/", {"confirm": f"{movement.pk}-{alike.pk}"})

    page = sales.get("/paiements/").content.decode()
    assert "Montant et jour, confirmés" in page
    assert provider_gaps() == []
    assert named.provider_transactions.count() == 1


@pytest.mark.django_db
def test_who_may_not_note_payments_confirms_nothing() -> None:
    found = order("702")
    taken(STRIPE, stripe())
    movement = ProviderTransaction.objects.get()

    answer = signed_in("Comptable").post("/paiements/", {"confirm": f"{movement.pk}-{found.pk}"})

    assert answer.status_code == 404


@pytest.mark.django_db
def test_matching_costs_the_same_whatever_the_file(django_assert_max_num_queries: Any) -> None:
    rows = [
        stripe(f"txn_{n}", f"Commande #70{n}", charge="", source="", intent="") for n in range(9)
    ]
    for n in range(9):
        order(f"70{n}", f"ch_unknown{n}")

    with django_assert_max_num_queries(12):
        taken(STRIPE, *rows)
