"""PrestaShop: the guide's query, its states, what was given back, what programs write."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from customers.models import Customer
from ftp_ingest.dialects import find_dialect
from ftp_ingest.dialects.base import Header, Row
from ftp_ingest.dialects.prestashop import NAMES
from ftp_ingest.services import IngestReport
from sales.models import Order, OrderLine

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

    assert [table for kind, table in joins if kind != "LEFT JOIN"] == []


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


def table(*rows: dict[str, object]) -> str:
    """An export of two mugs at 20 %, 8.40 of carriage, each row otherwise as it says."""
    usual = {
        "id_order": 1,
        "reference": "A",
        "date_add": "2026-11-28 05:43:58",
        "order_state": "Paiement accepté",
        "current_state": 2,
        "logable": 1,
        "total_paid_real": "0.000000",
        "total_paid_tax_incl": "34.200000",
        "total_paid_tax_excl": "28.500000",
        "total_shipping_tax_incl": "8.400000",
        "total_shipping_tax_excl": "7.000000",
        "free_shipping": "",
        "total_discounts_tax_incl": "0.000000",
        "total_discounts_tax_excl": "",
        "total_refunded_tax_incl": "",
        "shipping_refunded_tax_incl": "",
        "line_refunded_tax_incl": "",
        "company": "",
        "email": "jean@exemple.test",
        "product_id": 7,
        "product_attribute_id": 0,
        "product_reference": "MUG-1",
        "product_name": "Tasse",
        "product_quantity": 2,
        "total_price_tax_incl": "25.800000",
        "total_price_tax_excl": "21.500000",
        "tax_rate": "20.000000",
    }
    written = [{**usual, **row} for row in rows]
    lines = [";".join(map(str, row.values())) for row in written]
    return "\n".join([";".join(usual), *lines, ""])


def tea(**cells: object) -> dict[str, object]:
    """Two packets of tea at 5.5 %, as a second line."""
    return {
        "product_id": 8,
        "product_reference": "THE-1",
        "product_name": "Thé",
        "total_price_tax_incl": "21.100000",
        "total_price_tax_excl": "20.000000",
        "tax_rate": "5.500000",
        **cells,
    }


@pytest.mark.django_db
def test_carriage_that_a_voucher_offers_takes_no_part_of_the_goods(bring: Bring) -> None:
    # Carriage, and a tenth of the goods: 46.90 - 4.69.
    order = {
        "free_shipping": 1,
        "total_discounts_tax_incl": "13.090000",
        "total_paid_tax_incl": "42.210000",
        "total_paid_tax_excl": "37.350000",
    }

    report = bring(table(order, {**order, **tea()}))

    kept = Order.objects.get()
    assert report.counts.notes == []
    assert (str(kept.shipping_incl_tax), str(kept.discount_incl_tax)) == ("0.00", "4.69")
    assert str(kept.total_tax) == "4.86"


@pytest.mark.django_db
def test_a_voucher_smaller_than_carriage_offers_none_of_it(bring: Bring) -> None:
    order = {
        "free_shipping": 1,
        "total_discounts_tax_incl": "3.00",
        "total_paid_tax_incl": "31.20",
        "total_paid_tax_excl": "26.00",
    }

    bring(table(order))

    assert str(Order.objects.get().shipping_incl_tax) == "8.40"


SPLIT = {
    # The basket's carriage is 38.40, this order's 8.40.
    "total_shipping_tax_incl": "38.400000",
    "total_shipping_tax_excl": "32.000000",
    "total_discounts_tax_incl": "10.000000",
    "total_discounts_tax_excl": "8.330000",
    "total_paid_tax_incl": "24.200000",
    "total_paid_tax_excl": "20.170000",
}


@pytest.mark.django_db
def test_an_order_of_a_split_basket_has_its_own_carriage(bring: Bring) -> None:
    report = bring(table(SPLIT))

    order = Order.objects.get()
    assert report.counts.faults == []
    assert (str(order.shipping_incl_tax), str(order.total_tax)) == ("8.40", "4.03")


@pytest.mark.django_db
def test_a_total_that_no_carriage_explains_waits(bring: Bring) -> None:
    report = bring(table({**SPLIT, "total_paid_tax_excl": "23.000000"}))

    assert [fault.code for _name, fault in report.counts.faults] == ["order.total_mismatch"]


@pytest.mark.django_db
def test_no_more_went_back_than_was_charged(bring: Bring) -> None:
    bring(table({"total_refunded_tax_incl": "39.100000"}))

    order = Order.objects.get()
    assert (order.payment_status, str(order.refunded_incl_tax)) == ("refunded", "34.20")


@pytest.mark.parametrize(
    ("refunded", "on_carriage", "told"),
    [("12.90", "", ["12.90"]), ("21.30", "8.40", ["12.90"]), ("7.00", "", [None])],
)
def test_what_went_back_on_a_line_is_told_where_it_fits(
    refunded: str, on_carriage: str, told: list[str | None]
) -> None:
    header, row = table(
        {
            "total_refunded_tax_incl": refunded,
            "shipping_refunded_tax_incl": on_carriage,
            "line_refunded_tax_incl": "12.900000",
        }
    ).splitlines()
    reader = find_dialect("prestashop").orders(Header(header.split(";")))

    draft = reader.draft([Row(2, [*row.split(";"), ""])])

    amounts = [line.refunded_amount for line in draft.lines]
    assert [None if amount is None else str(amount) for amount in amounts] == told


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("state", "received", "status", "payment"),
    [
        ({"order_state": "Annulé", "current_state": 6}, "34.20", "cancelled", "paid"),
        ({"order_state": "Annulé", "current_state": 6}, "10.00", "cancelled", "unpaid"),
        ({"order_state": "Dossier clos", "current_state": 25}, "34.20", "confirmed", "paid"),
        # Money that came in while the shop still waits: it says itself when to go on.
        ({"order_state": "Virement", "current_state": 10}, "34.20", "draft", "unpaid"),
    ],
)
def test_money_received_says_that_an_order_was_paid(
    bring: Bring, state: dict[str, object], received: str, status: str, payment: str
) -> None:
    bring(table({**state, "total_paid_real": received}))

    order = Order.objects.get()
    assert (order.status, order.payment_status) == (status, payment)


@pytest.mark.django_db
def test_a_cancelled_order_whose_slips_give_all_back_is_refunded(bring: Bring) -> None:
    state = {"order_state": "Annulé", "current_state": 6}

    bring(table({**state, "total_paid_real": "34.20", "total_refunded_tax_incl": "34.20"}))

    assert Order.objects.get().payment_status == "refunded"


@pytest.mark.django_db
def test_an_order_that_lost_all_its_lines_is_cancelled(bring: Bring) -> None:
    bring(table({"current_state": 10}))
    nothing = dict.fromkeys(
        (
            "product_id",
            "product_reference",
            "product_name",
            "product_quantity",
            "total_price_tax_incl",
            "total_price_tax_excl",
            "tax_rate",
        ),
        "",
    )
    zeros = dict.fromkeys(
        (
            "total_paid_tax_incl",
            "total_paid_tax_excl",
            "total_shipping_tax_incl",
            "total_shipping_tax_excl",
        ),
        "0.000000",
    )

    report = bring(table({**nothing, **zeros, "current_state": 6}), name="suite.csv")

    order = Order.objects.get()
    assert report.counts.faults == []
    assert (order.status, order.lines.count()) == ("cancelled", 0)


@pytest.mark.django_db
def test_an_order_that_lost_its_lines_but_stands_is_asked_for(bring: Bring) -> None:
    report = bring(table({"product_quantity": 0}))

    assert [fault.code for _name, fault in report.counts.faults] == ["order.no_lines"]


@pytest.mark.django_db
def test_an_order_that_owes_nothing_keeps_its_rates(bring: Bring) -> None:
    # The other one says that the shop states its VAT: a 0 is one too.
    bring(
        table(
            {"id_order": 2, "reference": "B"},
            {
                "total_discounts_tax_incl": "34.20",
                "total_paid_tax_incl": "0.00",
                "total_paid_tax_excl": "0.00",
            },
        )
    )

    assert str(OrderLine.objects.get(order__number="A").tax_rate) == "20.00"


@pytest.mark.django_db
def test_goods_without_a_reference_are_known_by_the_shops_ids(bring: Bring) -> None:
    nameless = {"product_reference": "", "product_quantity": 1, "total_price_tax_incl": "12.90"}
    rows = [{**nameless, "total_price_tax_excl": "10.75"} for _row in range(2)]
    rows[1]["product_attribute_id"] = 3

    bring(table(*rows))

    assert OrderLine.objects.values("product").distinct().count() == 2


@pytest.mark.django_db
def test_what_mysql_escapes_is_as_it_was_stored(bring: Bring) -> None:
    bring(table({"company": r"Chez Léa\\Annexe\nCour", "free_shipping": "NULL"}))

    assert Order.objects.get().customer.company_name == r"Chez Léa\Annexe Cour"


@pytest.mark.django_db
def test_a_backslash_stays_where_nothing_is_escaped(bring: Bring) -> None:
    bring(table({"company": r"Chez Léa\nuit"}))

    assert Order.objects.get().customer.company_name == r"Chez Léa\nuit"


@pytest.mark.django_db
def test_a_guest_with_several_accounts_is_one_customer(bring: Bring) -> None:
    header = "id_customer;is_guest;email;firstname;lastname;city\n"
    rows = "".join(f"{number};1;nina@exemple.test;Nina;Bel;Lyon\n" for number in (4, 9))

    bring(header + rows, name="customers.csv")

    assert Customer.objects.count() == 1
