"""From random orders to the year's FEC, and from its lines back to those of the shop's file."""

import json
from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounting_export.services import make_fec, post_missing
from invoicing.models import Invoice, Payment
from invoicing.services import credit_invoice, enter_payment, issue_invoice
from sales.selectors import orders_ready_to_deliver
from sales.services import prepare_delivery, ship_delivery_note
from sphinx.core.errors import BusinessRuleError
from sphinx.core.proofs import run_proofs
from sphinx.core.services import company
from tests.accounting_export.test_fec import read
from tests.factories import NOON, ProductFactory, line, shipped
from tests.invoicing.test_grouped import UNPAID, grouped

pytestmark = pytest.mark.django_db
D = Decimal
FILE = Path(__file__).parent.parent / "data/pivot/orders.csv"


@pytest.fixture(autouse=True)
def _firm(db: None) -> None:
    firm = company()
    firm.siren = "404833048"
    firm.save()


def traced(capsys: pytest.CaptureFixture[str], number: str) -> Any:
    call_command("trace", number, as_json=True)
    return json.loads(capsys.readouterr().out)


def test_every_line_of_the_fec_leads_to_a_line_of_the_file(
    bring: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    for sku in ("BOU-01", "LIV-07"):
        ProductFactory(sku=sku, on_hand=50)
    bring(FILE.read_bytes())
    for order in orders_ready_to_deliver():
        note = prepare_delivery(order_id=order.pk, at=NOON)
        assert note is not None
        ship_delivery_note(note_id=note.pk, at=NOON)
        issue_invoice(delivery_note_id=note.pk, at=NOON)
    table = FILE.read_text().splitlines()
    rows = read(make_fec(day=NOON.date()).path)

    assert {row["JournalCode"] for row in rows} == {"VE", "CB"}
    for row in rows:
        by_entry, by_piece = traced(capsys, row["EcritureNum"]), traced(capsys, row["PieceRef"])
        assert by_entry == by_piece
        source = by_entry["source"]
        assert source["file"] == "orders.csv"
        assert table[source["line"] - 1].startswith(f"{by_entry['number']};")


def test_a_grouped_invoice_leads_to_each_of_its_orders(
    capsys: pytest.CaptureFixture[str],
) -> None:
    invoice = grouped(shipped("1", **UNPAID), shipped("2", **UNPAID))
    post_missing()
    assert [order["number"] for order in traced(capsys, invoice.number)] == ["1", "2"]
    call_command("trace", invoice.number)
    assert capsys.readouterr().out.count("1 fichier") == 2


def test_a_number_that_is_nothing_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command("trace", "VE999999")
    assert "Aucune commande « VE999999 »" in capsys.readouterr().err


# --- From random orders to the FEC ---------------------------------------------------------------


_LINE = st.tuples(
    st.decimals("0.01", "300", places=2),
    st.sampled_from(["20.00", "10.00", "5.50", "2.10"]),
    st.integers(1, 4),
)
_ORDER = st.fixed_dictionaries(
    {
        "lines": st.lists(_LINE, min_size=1, max_size=3),
        "shipping": st.decimals("0", "9", places=2),
        "means": st.sampled_from(["", "PayPal", "Stripe", "Virement", "Chèque"]),
        "is_paid": st.booleans(),
        "credited": st.decimals("0", "40", places=2),
        "refunds": st.booleans(),
    }
)


def sell(number: str, order: dict[str, Any]) -> None:
    """An order from its delivery to its payments, in part given back."""
    lines = [
        line(f"S{n}", str(price), tax_rate=D(rate), quantity=D(quantity))
        for n, (price, rate, quantity) in enumerate(order["lines"])
    ]
    values = {"payment_method": order["means"]} if order["is_paid"] else UNPAID
    note = shipped(number, *lines, shipping_amount=order["shipping"], **values)
    invoice = issue_invoice(delivery_note_id=note.pk, at=NOON)
    if not order["credited"]:
        return
    try:
        credit = credit_invoice(
            invoice_id=invoice.pk,
            amount=order["credited"],
            reason="Geste",
            at=NOON + timedelta(hours=1),
        )
    except BusinessRuleError:
        return
    if order["refunds"] and order["is_paid"]:
        enter_payment(
            invoice_id=credit.pk,
            amount=-credit.total_incl_tax,
            method=order["means"],
            paid_at=NOON + timedelta(days=2),
        )


@given(orders=st.lists(_ORDER, min_size=1, max_size=4))
@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_is_sold_the_fec_is_complete_balanced_sorted_and_read_back(
    orders: list[dict[str, Any]],
) -> None:
    with transaction.atomic():
        for n, order in enumerate(orders):
            sell(str(n), order)
        path, report = make_fec(day=date(2026, 3, 31))
        rows = read(path)

        assert report.faults == []
        entries: dict[str, Decimal] = defaultdict(D)
        for row in rows:
            amount = {side: D(row[side].replace(",", ".")) for side in ("Debit", "Credit")}
            entries[row["EcritureNum"]] += amount["Debit"] - amount["Credit"]
        assert set(entries.values()) == {D(0)}
        assert len(entries) == Invoice.objects.count() + Payment.objects.count()
        sold = {row["PieceRef"] for row in rows if row["JournalCode"] == "VE"}
        assert sold == set(Invoice.objects.values_list("number", flat=True))
        assert [row["ValidDate"] for row in rows] == sorted(row["ValidDate"] for row in rows)
        assert [fault for proof in run_proofs() for fault in proof.faults] == []
        transaction.set_rollback(True)
