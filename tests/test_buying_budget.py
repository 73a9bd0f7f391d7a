"""What to buy first when money is short."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from inventory.services import default_warehouse
from purchasing.errors import WrongState
from purchasing.models import Decision, PurchaseOrder, PurchaseOrderLine
from purchasing.services import postpone_lines
from sphinx.dashboard import rollups
from sphinx.dashboard.buying_budget import Ranked, choose, ranked
from tests.factories import NOON, ProductFactory, SupplierFactory, line, shipped
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db
TODAY = date(2026, 3, 10)


def proposed(
    sku: str, quantity: int, price: str, *, order: PurchaseOrder | None = None, **reason: str
) -> PurchaseOrderLine:
    """A proposed line; `reason` are the figures that it came from."""
    order = order or PurchaseOrder.objects.create(
        number=f"CF-{sku}",
        supplier=SupplierFactory(),
        warehouse=default_warehouse(),
        proposed_on=TODAY,
    )
    made = PurchaseOrderLine.objects.create(
        purchase_order=order,
        product=ProductFactory(sku=sku, on_hand=100),
        quantity=quantity,
        unit_price_excl_tax=Decimal(price),
        total_excl_tax=quantity * Decimal(price),
        reason=reason,
    )
    order.total_excl_tax = sum(n.total_excl_tax for n in order.lines.all())
    order.save()
    return made


def only(rows: list[Ranked]) -> Ranked:
    (row,) = rows
    return row


def sell(sku: str, price: str) -> None:
    """Ten pieces at a price with 20 % of VAT, invoiced."""
    from invoicing.services import issue_invoice

    note = shipped(f"O-{sku}", line(sku, price=price, quantity="10"))
    issue_invoice(delivery_note_id=note.pk, at=NOON)


def test_waiting_loses_what_customers_would_ask_for_and_not_find() -> None:
    """2 a day, an order takes 10 days, 15 are there: today's order misses 20 − 15 = 5 whatever
    is decided, one in 14 days misses 48 − 15 = 33. Waiting loses 28 pieces."""
    proposed(
        "A", 60, "4.00", demand_per_day="2", lead_time_days="10", available="12", incoming="3",
        backordered="0",
    )  # fmt: skip

    row = only(ranked(on=TODAY, days=14))

    assert row.pieces_at_risk == 28


def test_what_is_there_for_long_enough_loses_nothing_by_waiting() -> None:
    proposed("A", 60, "4.00", demand_per_day="1", lead_time_days="10", available="40")

    assert only(ranked(on=TODAY, days=14)).at_risk == 0


def test_no_more_is_at_risk_than_would_be_bought() -> None:
    proposed("A", 5, "4.00", demand_per_day="2", lead_time_days="10", available="0")

    assert only(ranked(on=TODAY, days=14)).pieces_at_risk == 5


def test_a_piece_is_worth_what_it_sells_for_less_what_it_costs() -> None:
    """Sold for 12.00 incl. 20 % of VAT, 10.00 without; bought at 4.00: 6.00 a piece."""
    bought = proposed("A", 50, "4.00", demand_per_day="1", lead_time_days="0", available="0")
    sell("A", "12.00")
    rollups.refresh()

    row = only(ranked(on=TODAY, days=14))

    assert (row.margin_per_piece, row.margin_is_average) == (6, False)
    assert row.at_risk == 14 * 6
    # 84.00 for 200.00 spent.
    assert (row.cost, row.per_hundred) == (bought.total_excl_tax, 42)


def test_an_article_without_a_sale_yet_takes_the_average_margin() -> None:
    """All that was sold: 100.00 for goods that cost 40.00, 2.5 times; 8.00 × 2.5 − 8.00 = 12.00."""
    ProductFactory(sku="OLD", on_hand=100, unit_cost=Decimal(4))
    sell("OLD", "12.00")
    rollups.refresh()
    proposed("NEW", 10, "8.00", demand_per_day="1", lead_time_days="0", available="0")

    row = only(ranked(on=TODAY, days=14))

    assert (row.margin_per_piece, row.margin_is_average) == (12, True)


def test_the_dearest_to_put_off_comes_first_and_what_customers_wait_for_before_all() -> None:
    ProductFactory(sku="OLD", on_hand=100, unit_cost=Decimal(4))
    sell("OLD", "12.00")
    rollups.refresh()
    proposed("SLOW", 10, "8.00", demand_per_day="0.1", lead_time_days="0", available="0")
    proposed("FAST", 10, "8.00", demand_per_day="1", lead_time_days="0", available="0")
    proposed("AWAITED", 10, "8.00", demand_per_day="0", backordered="1", available="-1")

    assert [r.line.product.sku for r in ranked(on=TODAY, days=14)] == ["AWAITED", "FAST", "SLOW"]


def test_a_budget_buys_line_after_line_and_leaves_out_what_no_longer_fits() -> None:
    """100.00: 60.00, then not 50.00, but 40.00."""
    for sku, quantity, demand in (("A", 6, "0.6"), ("B", 5, "0.4"), ("C", 4, "0.3")):
        proposed(sku, quantity, "10.00", demand_per_day=demand, lead_time_days="0", available="0")
    rows = [
        row._replace(margin_per_piece=Decimal(5), pieces_at_risk=row.line.quantity)
        for row in sorted(ranked(on=TODAY, days=14), key=lambda r: r.line.product.sku)
    ]

    choice = choose(rows, Decimal(100))

    assert [(r.line.product.sku, r.is_kept) for r in choice.rows] == [
        ("A", True), ("B", False), ("C", True),
    ]  # fmt: skip
    assert (choice.spent, choice.left_cost) == (100, 50)
    # 5 pieces at 5.00 of margin wait.
    assert (choice.saved, choice.left_risk) == (50, 25)


def test_what_waits_goes_from_its_proposal_and_is_not_proposed_again_until_then() -> None:
    kept = proposed("A", 6, "10.00")
    left = proposed("B", 5, "10.00", order=kept.purchase_order)
    alone = proposed("C", 4, "10.00")
    until = NOON.date() + timedelta(days=14)

    number = postpone_lines(
        line_ids=[left.pk, alone.pk, 999_999], until=until, at=NOON, reason="Budget"
    )

    assert number == 2
    kept.purchase_order.refresh_from_db()
    assert (kept.purchase_order.status, kept.purchase_order.total_excl_tax) == ("proposed", 60)
    assert PurchaseOrder.objects.get(pk=alone.purchase_order_id).status == "refused"
    assert set(Decision.objects.values_list("product__sku", "kind", "until")) == {
        ("B", "postponed", until),
        ("C", "postponed", until),
    }


def test_an_order_that_was_accepted_meanwhile_keeps_its_lines() -> None:
    left = proposed("A", 6, "10.00")
    PurchaseOrder.objects.update(status="accepted")

    with pytest.raises(WrongState):
        postpone_lines(line_ids=[left.pk], until=NOON.date() + timedelta(days=14), at=NOON)

    assert PurchaseOrderLine.objects.count() == 1


def test_the_page_chooses_and_puts_the_rest_off() -> None:
    client = signed_in("Achats")
    proposed("A", 6, "10.00", backordered="6", available="-6")
    left = proposed("B", 5, "10.00")

    page = client.get("/achats/budget/", {"budget": "60,00", "days": "7"}).content.decode()
    assert f'name="line" value="{left.pk}"' in page
    client.post("/achats/budget/attendre/", {"budget": "60,00", "days": "7", "line": [left.pk]})

    assert list(PurchaseOrderLine.objects.values_list("product__sku", flat=True)) == ["A"]


def test_who_only_reads_puts_nothing_off() -> None:
    client = signed_in("Entrepôt")
    left = proposed("B", 5, "10.00")

    answer = client.post(
        "/achats/budget/attendre/", {"budget": "1", "days": "7", "line": [left.pk]}
    )

    assert answer.status_code == 403
    assert PurchaseOrderLine.objects.count() == 1


def test_what_is_bought_in_another_currency_counts_in_euros() -> None:
    """Sold for 10.00 without VAT, bought at 5.00 USD, at 1.25: 4.00 €, 6.00 a piece."""
    bought = proposed("A", 50, "5.00", demand_per_day="1", lead_time_days="0", available="0")
    PurchaseOrder.objects.update(currency="USD", exchange_rate=Decimal("1.25"))
    sell("A", "12.00")
    rollups.refresh()

    row = only(ranked(on=TODAY, days=14))

    # 50 × 5.00 USD at 1.25.
    assert (row.line, row.cost, row.margin_per_piece) == (bought, 200, 6)
