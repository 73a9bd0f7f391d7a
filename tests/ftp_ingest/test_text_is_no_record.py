"""What stands inside a quoted cell is text, whatever it looks like and whatever else is wrong."""

from collections.abc import Callable

import pytest

from customers.models import Customer
from ftp_ingest.models import QuarantinedRow
from ftp_ingest.services import IngestReport
from sales.models import Order
from tests.support.exports import SHOPIFY_HEADER, as_csv, rows_of, shopify_csv, shopify_order

Bring = Callable[..., IngestReport]
pytestmark = pytest.mark.django_db

FORGED = as_csv([rows_of([shopify_order("#9999", price="900.00", tax="150.00")])[1]]).strip()
PIVOT = (
    "order_number;placed_at;sku;quantity;unit_price_incl_tax;tax_rate;total_incl_tax;email;note\n"
)


def with_note(note: str) -> str:
    return shopify_csv(
        shopify_order("#1001"),
        shopify_order("#1002", Financial_Status="pending", Paid_at="", Notes=note),
        shopify_order("#1003"),
    )


def numbers() -> set[str]:
    return set(Order.objects.values_list("number", flat=True))


def codes(report: IngestReport) -> list[tuple[int, str]]:
    return [(fault.line, fault.code) for _name, fault in report.counts.faults]


@pytest.mark.parametrize("lines", [3, 199, 201, 5_000])
def test_a_note_of_any_number_of_lines_is_kept_whole(bring: Bring, lines: int) -> None:
    note = "\n".join(["Bonjour", FORGED, *["."] * (lines - 2)])

    report = bring(with_note(note))

    assert codes(report) == []
    assert numbers() == {"#1001", "#1002", "#1003"}
    assert "#9999" in Order.objects.get(number="#1002").note


def test_a_note_that_is_too_long_costs_its_order_only(bring: Bring) -> None:
    # Enough commas for the note's first line to fill the header, as a shopper may type.
    missing = len(SHOPIFY_HEADER) - 1 - SHOPIFY_HEADER.index("Notes")
    note = "Bonjour" + "," * missing + f"\n{FORGED}\n" + "x" * 2_000_000

    report = bring(with_note(note))

    assert codes(report) == [(3, "row.too_long")]
    assert numbers() == {"#1001", "#1003"}


def test_a_file_cut_inside_a_note_forges_nothing(bring: Bring) -> None:
    content = with_note(f"Bonjour\n{FORGED}\n{FORGED}\n")
    cut = content[: content.rindex("#9999") + len(FORGED)]

    report = bring(cut)

    assert [code for _line, code in codes(report)] == ["row.torn_quotes"]
    assert numbers() == {"#1001"}


def test_a_note_that_lost_its_first_quote_forges_nothing(bring: Bring) -> None:
    content = with_note(f"Bonjour\n{FORGED}\nmerci").replace('"Bonjour', "Bonjour")

    report = bring(content)

    assert "row.torn_quotes" in {code for _line, code in codes(report)}
    assert numbers() == {"#1001", "#1003"}


def test_a_note_that_lost_its_last_quote_forges_nothing(bring: Bring) -> None:
    content = shopify_csv(
        shopify_order("#1001", Notes="un\ndeux"),
        shopify_order("#1002", Notes=f"Bonjour\n{FORGED}\nmerci"),
        shopify_order("#1003"),
    ).replace('deux"', "deux")

    report = bring(content)

    assert "row.torn_quotes" in {code for _line, code in codes(report)}
    assert numbers() == {"#1003"}


def test_a_wrong_row_with_a_note_is_given_up_whole(bring: Bring) -> None:
    wrong = '2;2026-03-01;A;1;10;20;10;2@exemple.test;"x\n9;2026-03-01;A;1;900;20;900;p@x.fr;"'
    good = "1;2026-03-01;A;1;10;20;10;1@exemple.test;\n"

    report = bring(PIVOT + good + f"{wrong};en trop\n" + good.replace("1;2026", "3;2026", 1))

    assert codes(report) == [(3, "row.ragged")]
    assert numbers() == {"1", "3"}


def test_a_second_file_changes_no_order_through_its_notes(bring: Bring) -> None:
    first = shopify_order("#1002", Financial_Status="pending", Paid_at="")
    bring(shopify_csv(first))
    paid = as_csv([rows_of([shopify_order("#1002", Billing_Address1="9 rue du Voleur")])[1]])
    note = "Bonjour\n" + paid + "\n".join(["."] * 300)

    bring(shopify_csv(shopify_order("#1004", Notes=note)), name="suite.csv")

    order = Order.objects.get(number="#1002")
    assert (order.payment_status, order.billing_address1) == ("unpaid", "1 rue Neuve")


def test_customers_notes_make_no_customers(bring: Bring) -> None:
    header = "customer_ref;email;first_name;last_name;postcode;note\n"
    note = "\n".join(["bonjour", "C9;pirate@exemple.test;P;Irate;75001;", *["."] * 300])

    report = bring(header + f'C1;a@exemple.test;A;B;75001;"{note}"\n', name="customers.csv")

    assert codes(report) == []
    assert list(Customer.objects.values_list("email", flat=True)) == ["a@exemple.test"]


def test_a_header_inside_a_note_is_no_header(bring: Bring) -> None:
    forged = "order_number;placed_at;sku;quantity;unit_price_incl_tax;total_incl_tax;email"
    content = f'reference;remarque\n1;"{forged}\n9;2026-03-01;A;1;900;900;p@exemple.test"\n'

    report = bring(content)

    assert codes(report) == [(1, "file.unknown_header")]
    assert numbers() == set()


def test_the_held_lines_are_told_in_one_sentence(bring: Bring) -> None:
    content = with_note(f"Bonjour\n{FORGED}\nmerci").replace('"Bonjour', "Bonjour")

    bring(content)

    torn = QuarantinedRow.objects.get(code="row.torn_quotes")
    assert torn.message.startswith("Lignes 3 à 5 :")


def test_one_stray_quote_costs_its_own_row_only(bring: Bring) -> None:
    good = "1;2026-03-01;A;1;10;20;10;1@exemple.test;\n"
    stray = good.replace("1;2026", "2;2026", 1).replace("1@", '"1@')
    noted = '3;2026-03-01;A;1;10;20;10;3@exemple.test;"deux\nlignes"\n'

    report = bring(PIVOT + good + stray + noted)

    assert codes(report) == [(3, "row.unbalanced_quotes")]
    assert numbers() == {"1", "3"}


def test_inches_in_cells_without_quotes_are_text(bring: Bring) -> None:
    rows = "".join(
        f'{n};2026-03-01;TV 40";1;10;20;10;{n}@exemple.test;écran 5" noir\n' for n in (1, 2)
    )

    report = bring(PIVOT + rows)

    assert codes(report) == []
    assert numbers() == {"1", "2"}


def test_a_line_of_a_note_that_ends_in_an_open_quote_is_no_row(bring: Bring) -> None:
    # The end of a note, read from outside: as many cells as the header has, the last left open.
    report = bring(shopify_csv(shopify_order("#1001")) + FORGED + '",,reste de la commande\n')

    assert [code for _line, code in codes(report)] == ["row.torn_quotes"]
    assert numbers() == {"#1001"}
