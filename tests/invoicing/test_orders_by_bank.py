"""One transfer for several orders that aren't invoiced, and an advance given back by the bank."""

from decimal import Decimal

import pytest

from accounting_export.services import post_missing
from invoicing.errors import BankLineClosed, PaymentRefused
from invoicing.matching import LIKELY, SURE, propose
from invoicing.models import Payment
from invoicing.receivables import advances_of
from invoicing.services import (
    give_back_advance,
    match_order,
    match_orders,
    match_sure_lines,
)
from sales.models import Order
from sales.services import cancel_order
from sphinx.core.four_eyes import agree
from sphinx.core.models import Approval, Company
from tests.core.test_four_eyes import person
from tests.factories import NOON
from tests.invoicing.test_settling import booked, entries, faults, waiting
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def two() -> list[Order]:
    return [waiting("W1127", "180.00"), waiting("W1128", "20.00")]


def statuses() -> set[str]:
    return set(Order.objects.values_list("status", flat=True))


# --- Several orders ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "label", ["VIR W1127 W1128", "VIR CDES #W1127 ET #W1128 MERCI", "vir w1127+w1128"]
)
def test_orders_that_make_the_amount_are_proposed_together(two: list[Order], label: str) -> None:
    proposal = propose([booked(label, "200.00")]).popitem()[1]

    assert (list(proposal.orders), proposal.certainty, proposal.shares) == (two, SURE, [])
    assert "W1127, W1128" in proposal.reason


@pytest.mark.parametrize(("label", "amount"), [
    ("VIR W1127 W1128", "199.99"), ("VIR W1127 W9999", "200.00"), ("VIR MARTIN", "200.00"),
])  # fmt: skip
def test_what_they_do_not_make_is_not_proposed(two: list[Order], label: str, amount: str) -> None:
    assert propose([booked(label, amount)]) == {}


def test_of_two_that_are_named_the_one_of_the_amount_is_meant(two: list[Order]) -> None:
    proposal = propose([booked("VIR W1127 PUIS W1128", "180.00")]).popitem()[1]
    assert list(proposal.orders) == [two[0]]


def test_each_order_is_confirmed_and_has_its_part_once(two: list[Order]) -> None:
    line, ids = booked("VIR W1127 W1128", "200.00"), [order.pk for order in two]

    made = [match_orders(line_id=line.pk, order_ids=ids) for _twice in range(2)]

    assert {p.pk for p in made[0]} == {p.pk for p in made[1]}
    assert advances_of(ids) == {ids[0]: D(180), ids[1]: D(20)}
    assert statuses() == {"confirmed"}
    post_missing()
    assert entries("BQ") == [
        {"51210000": "180.00", "41911000": "-180.00"},
        {"51210000": "20.00", "41911000": "-20.00"},
    ]
    assert faults() == []


def test_all_that_is_sure_takes_them_too(two: list[Order]) -> None:
    booked("VIR W1127 W1128", "200.00")
    assert (match_sure_lines(), match_sure_lines()) == (1, 0)
    assert statuses() == {"confirmed"}


@pytest.mark.parametrize("case", ["amount", "paid", "put aside"])
def test_what_does_not_fit_is_refused_and_changes_nothing(two: list[Order], case: str) -> None:
    line = booked("VIR", "150.00" if case == "amount" else "200.00")
    if case == "paid":
        match_order(line_id=booked(amount="20.00", key="b2").pk, order_id=two[1].pk)
    if case == "put aside":
        type(line).objects.update(status="ignored")
    count = Payment.objects.count()

    with pytest.raises((PaymentRefused, BankLineClosed)):
        match_orders(line_id=line.pk, order_ids=[order.pk for order in two])

    two[0].refresh_from_db()
    assert (two[0].status, Payment.objects.count()) == ("draft", count)


def test_the_page_names_both_and_takes_both(two: list[Order]) -> None:
    client, line = signed_in("Ventes"), booked("VIR W1127 W1128", "200.00")
    shown = client.get("/banque/").content.decode()
    assert "Accepter et confirmer les commandes" in shown
    client.post("/banque/", {"verb": f"accept-{line.pk}"})
    assert statuses() == {"confirmed"}


def test_both_numbers_may_be_typed(two: list[Order]) -> None:
    line = booked("VIR SANS LIBELLE", "200.00")
    signed_in("Ventes").post(
        "/banque/", {"verb": f"match-{line.pk}", f"numbers-{line.pk}": "#W1127, W1128"}
    )
    assert statuses() == {"confirmed"}


# --- An advance given back -----------------------------------------------------------------------


@pytest.fixture
def paid() -> Order:
    """180.00 came in for W1127, which was cancelled since."""
    order = waiting()
    match_order(line_id=booked().pk, order_id=order.pk)
    cancel_order(order_id=order.pk, at=NOON)
    return order


def test_a_debit_that_names_the_order_is_proposed_and_never_sure(paid: Order) -> None:
    line = booked("VIR EMIS REMBT W1127", "-180.00", key="b2")
    proposal = propose([line])[line.pk]

    assert (list(proposal.orders), proposal.certainty) == ([paid], LIKELY)
    assert match_sure_lines() == 0


@pytest.mark.parametrize(("label", "amount"), [
    ("VIR EMIS W1127", "-180.01"), ("VIR EMIS W11270", "-180.00"), ("LOYER", "-180.00"),
])  # fmt: skip
def test_other_money_that_left_is_not(paid: Order, label: str, amount: str) -> None:
    assert propose([booked(label, amount, key="b2")]) == {}


def test_it_empties_the_advance_and_its_account_once(paid: Order) -> None:
    line = booked("VIR EMIS W1127", "-180.00", key="b2")

    made = [give_back_advance(line_id=line.pk, order_id=paid.pk) for _twice in range(2)]

    assert made[0] == made[1]
    assert (made[0].amount, made[0].method) == (D("-180.00"), "Remboursement")
    assert advances_of([paid.pk]) == {}
    post_missing()
    assert entries("BQ")[1] == {"51210000": "-180.00", "41911000": "180.00"}
    assert faults() == []


def test_a_part_may_be_given_back_but_no_more_than_came(paid: Order) -> None:
    give_back_advance(line_id=booked("W1127", "-100.00", key="b2").pk, order_id=paid.pk)
    assert advances_of([paid.pk]) == {paid.pk: D(80)}
    rest = booked("W1127", "-100.00", key="b3")
    with pytest.raises(PaymentRefused):
        give_back_advance(line_id=rest.pk, order_id=paid.pk)
    post_missing()
    assert faults() == []


def test_what_came_in_for_a_cancelled_order_is_shown_until_it_is_given_back(paid: Order) -> None:
    client = signed_in("Ventes")
    shown = client.get("/factures/a-encaisser/").content.decode()
    assert "180,00 € à rendre" in shown

    line = booked("VIR EMIS W1127", "-180.00", key="b2")
    give_back_advance(line_id=line.pk, order_id=paid.pk)

    assert "à rendre" not in client.get("/factures/a-encaisser/").content.decode()


def test_money_that_came_in_gives_nothing_back(paid: Order) -> None:
    with pytest.raises(PaymentRefused):
        give_back_advance(line_id=booked("W1127", "80.00", key="b2").pk, order_id=paid.pk)


def test_the_page_gives_it_back(paid: Order) -> None:
    client, line = signed_in("Ventes"), booked("VIR EMIS W1127", "-180.00", key="b2")
    assert "l&#x27;avance rendue" in client.get("/banque/").content.decode().replace("'", "&#x27;")
    client.post("/banque/", {"verb": f"accept-{line.pk}"})
    assert advances_of([paid.pk]) == {}


def test_its_number_may_be_typed(paid: Order) -> None:
    line = booked("VIR EMIS", "-180.00", key="b2")
    signed_in("Ventes").post(
        "/banque/", {"verb": f"match-{line.pk}", f"numbers-{line.pk}": "#W1127"}
    )
    assert advances_of([paid.pk]) == {}


def test_where_the_firm_wants_two_a_second_person_agrees_first(paid: Order) -> None:
    Company.objects.update(second_for_refunds=True)
    client, line = signed_in("Ventes"), booked("VIR EMIS W1127", "-180.00", key="b2")

    client.post("/banque/", {"verb": f"accept-{line.pk}"})
    assert advances_of([paid.pk]) == {paid.pk: D(180)}
    agree(Approval.objects.get().pk, actor=person("chef", "Gérant"))

    assert advances_of([paid.pk]) == {}
