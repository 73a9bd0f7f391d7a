"""The kept sums: whatever happens to orders, parcels and invoices, they are what those say."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.models import Customer
from invoicing.models import Invoice
from invoicing.services import credit_invoice, issue_invoices
from sales.models import DeliveryNote, Order
from sales.services import cancel_order
from sphinx.core.models import Shop
from sphinx.core.proofs import run_proofs
from sphinx.dashboard import rollups
from sphinx.dashboard.buyers import Buyers, buyers_in
from sphinx.dashboard.models import Buyer, ProductMonth, SalesDay, StaleDay
from sphinx.dashboard.periods import Period
from sphinx.dashboard.products import least_sold, sold_by
from sphinx.dashboard.rollup_triggers import ensure_triggers
from tests.factories import NOON, CustomerFactory, ProductFactory, line, shipped
from tests.invoicing.test_einvoices import BRUGES

pytestmark = pytest.mark.django_db
D = Decimal
YEAR = Period(date(2026, 1, 1), date(2026, 12, 31))


def wrong() -> dict[str, int]:
    return {d.table: d.wrong for d in rollups.differences() if d.wrong}


def invoiced(note: DeliveryNote) -> Invoice:
    (document,) = issue_invoices(note_ids=[note.pk], at=NOON)
    return document


def test_an_order_a_parcel_and_an_invoice_are_each_summed_on_their_own_day() -> None:
    note = shipped("1", line("A", "12.00", quantity="3"), placed_at=NOON - timedelta(days=3))
    invoiced(note)
    rollups.refresh()
    rows = {row.day: row for row in SalesDay.objects.all()}
    placed, left = rows[(NOON - timedelta(days=3)).date()], rows[NOON.date()]
    assert (placed.orders, placed.ordered_incl_tax, placed.documents) == (1, D("36.00"), 0)
    assert (left.orders, left.documents, left.net_excl_tax) == (0, 1, D("30.00"))
    assert left.cost_excl_tax == D("12.00")
    assert not StaleDay.objects.exists()


def test_an_order_at_eleven_at_night_in_utc_is_of_the_next_day_in_paris() -> None:
    shipped("1", line("A"), placed_at=NOON.replace(hour=23, minute=30))
    rollups.refresh()
    assert SalesDay.objects.get(orders=1).day == NOON.date() + timedelta(days=1)


def test_a_day_that_nothing_touched_is_left_alone() -> None:
    shipped("1", line("A"))
    assert rollups.refresh() > 0
    kept = set(SalesDay.objects.values_list("pk", flat=True))
    assert rollups.refresh() == 0
    Order.objects.update(note="rien qui compte")
    assert rollups.refresh() == 0
    assert set(SalesDay.objects.values_list("pk", flat=True)) == kept


def test_what_changes_elsewhere_changes_the_sums() -> None:
    """A customer turns out to be a firm; an order was for Belgium all along."""
    note = shipped("1", line("A", "12.00"), placed_at=NOON - timedelta(days=9))
    rollups.refresh()
    Customer.objects.update(kind=Customer.Kind.COMPANY)
    rollups.refresh()
    assert set(SalesDay.objects.values_list("is_business", flat=True)) == {True}
    Order.objects.filter(pk=note.order_id).update(shipping_country="BE")
    rollups.refresh()
    assert set(SalesDay.objects.values_list("country", flat=True)) == {"BE"}
    assert wrong() == {}


def test_an_order_cancelled_or_given_to_another_customer_makes_no_buyer() -> None:
    orders = [shipped(str(n), line("A"), placed_at=NOON - timedelta(days=n)).order for n in (5, 1)]
    rollups.refresh()
    buyer = Buyer.objects.get()
    assert (buyer.first_ordered_on, buyer.last_ordered_on) == (
        (NOON - timedelta(days=5)).date(),
        (NOON - timedelta(days=1)).date(),
    )
    other = CustomerFactory()
    Order.objects.filter(pk=orders[0].pk).update(customer=other)
    Order.objects.filter(pk=orders[1].pk).update(status="cancelled", cancelled_at=NOON)
    rollups.refresh()
    assert list(Buyer.objects.values_list("customer", flat=True)) == [other.pk]
    assert wrong() == {}


def test_a_rebuild_makes_the_same_and_mends_what_was_damaged() -> None:
    invoiced(shipped("1", line("A", "12.00")))
    rollups.refresh()
    before = list(SalesDay.objects.values_list("day", "orders", "net_excl_tax"))
    SalesDay.objects.update(net_excl_tax=999)
    ProductMonth.objects.all().delete()
    assert wrong() == {"dashboard_salesday": len(before), "dashboard_productmonth": 1}
    (proof,) = (p for p in run_proofs() if p.name == "statistics")
    assert "rebuild_statistics" in proof.faults[0]
    with pytest.raises(SystemExit):
        call_command("rebuild_statistics", "--check")
    call_command("rebuild_statistics")
    assert wrong() == {}
    assert list(SalesDay.objects.values_list("day", "orders", "net_excl_tax")) == before


def test_a_trigger_lost_with_its_table_comes_back_and_the_days_are_made_anew() -> None:
    shipped("1", line("A"))
    rollups.refresh()
    on = " ON sales_order" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER dashboard_order_changed{on}")
    Order.objects.update(total_incl_tax=77)
    assert rollups.refresh() == 0
    ensure_triggers()
    assert wrong() == {}
    assert SalesDay.objects.get(orders=1).ordered_incl_tax == D("77.00")


def test_whole_months_and_days_at_both_ends_are_the_same_as_days() -> None:
    for n, day in enumerate((date(2026, 1, 20), date(2026, 2, 10), date(2026, 3, 1))):
        at = NOON.replace(year=day.year, month=day.month, day=day.day)
        note = shipped(str(n), line(f"S{n % 2}", "12.00"), placed_at=at)
        issue_invoices(note_ids=[note.pk], at=at)
    rollups.refresh()
    everything = {s.key: s.net for s in sold_by("sku", Period(date(2026, 1, 10), date(2026, 3, 1)))}
    assert everything == {"S0": D("20.00"), "S1": D("10.00")}
    without_january = sold_by("sku", Period(date(2026, 2, 1), date(2026, 2, 28)))
    assert {s.key: s.net for s in without_january} == {"S1": D("10.00")}


def test_what_lies_in_stock_and_never_sold_comes_first_among_the_least_sold() -> None:
    for sku in ("DORT", "VEND"):
        ProductFactory(sku=sku, on_hand=9)
    ProductFactory(sku="VIDE")
    invoiced(shipped("1", line("VEND", "12.00")))
    rollups.refresh()
    assert [(s.key, s.net) for s in least_sold(YEAR)] == [("DORT", D(0)), ("VEND", D("10.00"))]


def _cancel(order: Order) -> None:
    if order.status != Order.Status.CANCELLED and not order.delivery_notes.exists():
        cancel_order(order_id=order.pk, at=NOON)


def _elsewhere(order: Order) -> None:
    Order.objects.filter(pk=order.pk).update(shipping_country="DE")


def _later(order: Order) -> None:
    Order.objects.filter(pk=order.pk).update(placed_at=order.placed_at + timedelta(days=40))


def _firm(order: Order) -> None:
    Customer.objects.filter(pk=order.customer_id).update(kind=Customer.Kind.COMPANY)


def _credit(order: Order) -> None:
    for document in order.invoices.filter(kind=Invoice.Kind.INVOICE, credit_notes=None):
        credit_invoice(invoice_id=document.pk, amount=D("1.00"), reason="Geste", at=NOON)


def _delete(order: Order) -> None:
    if not order.delivery_notes.exists():
        order.lines.all().delete()
        order.delete()


_CHANGES: list[Callable[[Order], None]] = [_cancel, _elsewhere, _later, _firm, _credit, _delete]


@given(
    sales=st.lists(st.tuples(st.integers(0, 90), st.booleans()), min_size=1, max_size=4),
    changes=st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from(range(len(_CHANGES))), st.booleans()),
        max_size=6,
    ),
)
@settings(
    deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_happens_kept_sums_are_what_documents_say(
    sales: list[Any], changes: list[Any]
) -> None:
    with transaction.atomic():
        for n, (days, is_invoiced) in enumerate(sales):
            abroad = {"billing": BRUGES, "shipping": BRUGES} if n == 1 else {}
            note = shipped(
                str(n), line(f"S{n % 2}"), placed_at=NOON - timedelta(days=days), **abroad
            )
            if is_invoiced:
                invoiced(note)
        for number, change, refreshes in changes:
            order = Order.objects.filter(number=str(number)).first()
            if order is not None:
                _CHANGES[change](order)
            if refreshes:
                rollups.refresh()
        assert wrong() == {}
        transaction.set_rollback(True)


def test_shops_apart() -> None:
    shipped("1", line("A"))
    other = Shop.objects.create(code="autre", name="Autre")
    Order.objects.update(shop=other)
    rollups.refresh()
    assert set(SalesDay.objects.values_list("shop", flat=True)) == {other.pk}


def test_how_many_bought_is_remembered_until_an_order_up_to_then_changes() -> None:
    week = Period(date(2026, 2, 20), date(2026, 2, 26))
    shipped("1", line("A"), placed_at=NOON - timedelta(days=20))
    shipped("2", line("A"), placed_at=NOON - timedelta(days=8))
    rollups.refresh()
    assert buyers_in(week) == Buyers(new=0, returning=1)
    with CaptureQueriesContext(connection) as asked:
        assert buyers_in(week) == Buyers(new=0, returning=1)
    assert len(asked) == 1
    Order.objects.filter(number="1").update(status="cancelled", cancelled_at=NOON)
    rollups.refresh()
    assert buyers_in(week) == Buyers(new=1, returning=0)
    assert buyers_in(Period(week.start, NOON.date())) == Buyers(new=1, returning=0)


@pytest.mark.parametrize("end", [date(2026, 2, 27), date(2026, 3, 1), date(2026, 4, 1)])
def test_buyers_up_to_the_last_order_are_counted_the_same_as_others(end: date) -> None:
    for n, days in enumerate((30, 9, 3, 1)):
        shipped(str(n), line("A"), placed_at=NOON - timedelta(days=days))
    Order.objects.filter(number="2").update(customer=CustomerFactory())
    rollups.refresh()
    period = Period(date(2026, 2, 20), end)
    ordered = {
        o.customer_id for o in Order.objects.all() if period.start <= o.placed_at.date() <= end
    }
    before = {o.customer_id for o in Order.objects.all() if o.placed_at.date() < period.start}
    assert buyers_in(period) == Buyers(len(ordered - before), len(ordered & before))


def test_the_first_hour_of_a_civil_day_is_still_the_day_before_in_utc() -> None:
    """Twenty past midnight in Paris, alone on its day."""
    late = NOON.replace(day=1, hour=23, minute=20) - timedelta(days=3)
    shipped("1", line("A"), placed_at=late)
    rollups.refresh()
    Order.objects.update(total_incl_tax=77)
    rollups.refresh()
    assert wrong() == {}
    assert SalesDay.objects.get(orders=1).day == late.date() + timedelta(days=1)
