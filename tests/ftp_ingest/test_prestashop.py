"""PrestaShop: the guide's query, its states, what was given back, what programs write."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ftp_ingest.dialects import find_dialect
from ftp_ingest.dialects.base import Header
from ftp_ingest.dialects.prestashop import NAMES
from ftp_ingest.services import IngestReport
from sales.models import Order

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests/data"
QUERY = ROOT / "docs/guide/shared/prestashop_orders.sql"
Bring = Callable[..., IngestReport]
PRESTASHOP = (
    "id_order;reference;date_add;order_state;{columns};total_paid_tax_incl;email;"
    "product_reference;product_name;product_quantity;product_quantity_refunded;"
    "product_quantity_return;unit_price_tax_incl;tax_rate\n"
    "1;A;2026-11-28 05:43:58;{state};{values};25.80;jean@exemple.test;MUG-1;Tasse;2;{refunded};"
    "{returned};12.90;20\n"
)


def prestashop(
    state: str, columns: str = "current_state", values: str = "", pieces: tuple[int, int] = (0, 0)
) -> str:
    return PRESTASHOP.format(
        state=state, columns=columns, values=values, refunded=pieces[0], returned=pieces[1]
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("state", "columns", "values", "status", "payment"),
    [
        # The number of a state that every installation has counts before its name.
        ("Nom maison", "current_state", "2", "confirmed", "paid"),
        ("Payée", "current_state", "6", "cancelled", "unpaid"),
        ("Nom maison", "current_state", "4", "confirmed", "paid"),
        # Then what its settings say of it.
        ("Nom maison", "current_state;paid", "25;1", "confirmed", "paid"),
        ("Nom maison", "current_state;paid;shipped", "25;0;1", "confirmed", "paid"),
        ("Nom maison", "current_state;paid;logable", "25;0;1", "confirmed", "unpaid"),
        ("En attente de paiement", "current_state;paid", "25;1", "confirmed", "paid"),
        ("Remboursement partiel", "current_state;paid", "25;1", "confirmed", "partially_refunded"),
        ("Annulé", "current_state;paid", "25;1", "cancelled", "paid"),
        # Then whole phrases.
        ("Remboursement partiel", "current_state;paid", "25;0", "confirmed", "partially_refunded"),
        ("Demande d'annulation", "current_state;paid", "25;0", "draft", "unpaid"),
    ],
)
def test_prestashop_knows_its_states_by_number_flags_and_phrases(
    bring: Bring, state: str, columns: str, values: str, status: str, payment: str
) -> None:
    bring(prestashop(state, columns, values))

    order = Order.objects.get()
    assert (order.status, order.payment_status) == (status, payment)


@pytest.mark.django_db
def test_a_state_that_prestashop_leaves_open_is_asked_for(bring: Bring) -> None:
    report = bring(prestashop("Nom maison", "current_state;paid;shipped;logable", "25;0;0;0"))

    assert report.counts.faults[0][1].code == "order.unknown_status"


@pytest.mark.django_db
def test_a_refund_in_part_neither_cancels_nor_refunds_the_order(bring: Bring) -> None:
    bring((DATA / "prestashop/partial_refund.csv").read_bytes())

    order = Order.objects.get()
    assert (order.status, order.payment_status) == ("confirmed", "partially_refunded")
    assert str(order.refunded_incl_tax) == "12.90"


@pytest.mark.django_db
def test_pieces_that_came_back_are_refunded_too(bring: Bring) -> None:
    bring(prestashop("Livré", "current_state", "5", pieces=(0, 1)))

    assert str(Order.objects.get().refunded_incl_tax) == "12.90"


@pytest.mark.django_db
def test_what_a_program_writes_for_nothing_is_blank(bring: Bring) -> None:
    text = prestashop("Payé", "current_state;company;phone;message", "NULL;NULL;NULL;\\N")

    bring(text)

    order = Order.objects.get()
    assert (order.note, order.billing_company, order.customer.phone) == ("", "", "")
    assert order.customer.kind == "person"


def columns_of_the_query() -> list[str]:
    select = QUERY.read_text("utf-8").partition("FROM ps_orders")[0]
    return ["id_order", *re.findall(r" AS (\w+)", select)]


def test_every_column_of_the_guides_query_is_read() -> None:
    header = Header(columns_of_the_query())

    assert [name for name in header.folded if name not in NAMES] == []
    assert find_dialect("prestashop").recognise(header)[0] == "orders"


def test_the_guides_query_keeps_orders_of_customers_who_are_gone() -> None:
    joins = re.findall(r"^(.*JOIN) ps_(\w+)", QUERY.read_text("utf-8"), re.MULTILINE)

    assert [table for kind, table in joins if kind != "LEFT JOIN"] == ["order_detail"]


@pytest.mark.django_db
def test_an_order_of_a_customer_who_is_gone_goes_in(bring: Bring) -> None:
    text = prestashop("Payé", "current_state;id_customer", "2;99").replace("jean@exemple.test", "")

    assert bring(text).counts.faults == []
    assert Order.objects.get().customer.email == ""


@pytest.mark.django_db
def test_vat_that_the_shop_rounds_piece_by_piece_is_the_shops(bring: Bring) -> None:
    bring((DATA / "prestashop/low_unit_price.csv").read_bytes())

    assert str(Order.objects.get().total_tax) == "14.41"


@pytest.mark.django_db
def test_vat_is_the_sum_of_the_parts_where_the_total_excl_tax_is_missing(bring: Bring) -> None:
    header, row = (DATA / "prestashop/partial_refund.csv").read_text("utf-8").splitlines()
    header = header.replace("total_paid_tax_excl", "autre")
    discounted = row.replace("31.700000", "28.700000").replace("20.000;0.000000", "20.000;3.00", 1)
    header = header.replace("total_wrapping_tax_incl", "total_discounts_tax_excl", 1)
    discounted = discounted.replace("3.00;0.000000", "3.00;2.50", 1)

    report = bring(f"{header}\n{discounted}\n")

    assert report.counts.faults == []
    assert str(Order.objects.get().total_tax) == "4.78"
