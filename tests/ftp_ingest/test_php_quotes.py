"""Files that PHP's fputcsv wrote: a quote after a backslash isn't doubled."""

from collections.abc import Callable

import pytest

from ftp_ingest.services import IngestReport
from sales.models import Order

Bring = Callable[..., IngestReport]
pytestmark = pytest.mark.django_db

HEADER = (
    "order_number;placed_at;sku;label;quantity;unit_price_incl_tax;tax_rate;total_incl_tax;email;"
    "note\n"
)


def row(number: int, label: str = "Tasse", note: str = "") -> str:
    return f"{number};2026-03-01;MUG-1;{label};1;12.90;20;12.90;{number}@exemple.test;{note}\n"


def labels(report: IngestReport) -> dict[str, str]:
    assert report.counts.faults == []
    return {order.number: order.lines.get().label for order in Order.objects.all()}


def test_a_quote_after_a_backslash_is_text(bring: Bring) -> None:
    told = labels(bring(HEADER + row(1) + row(2, r'"Cadre ""Lin"" 30\", clair"') + row(3)))

    assert told == {"1": "Tasse", "2": r'Cadre "Lin" 30\", clair', "3": "Tasse"}


def test_a_text_may_end_with_such_a_quote(bring: Bring) -> None:
    assert labels(bring(HEADER + row(1, r'"Cadre 30\""'))) == {"1": 'Cadre 30\\"'}


def test_a_text_may_end_with_a_backslash(bring: Bring) -> None:
    told = labels(bring(HEADER + row(1, r'"Cadre 30\"', r'"Sonner \"fort\" ici"') + row(2)))

    assert told == {"1": "Cadre 30\\", "2": "Tasse"}


def test_a_text_of_several_lines_goes_on_after_such_a_quote(bring: Bring) -> None:
    bring(HEADER + row(1, note='"un \\"deux\\" trois\nquatre \\"cinq\\" six"') + row(2))

    assert Order.objects.get(number="1").note == 'un \\"deux\\" trois quatre \\"cinq\\" six'
    assert Order.objects.count() == 2


def test_a_quote_that_is_never_closed_costs_its_row(bring: Bring) -> None:
    report = bring(HEADER + row(1) + row(2, note='"un \\"deux\\" trois') + row(3))

    assert [fault.code for _name, fault in report.counts.faults] == ["row.unbalanced_quotes"]
    assert set(Order.objects.values_list("number", flat=True)) == {"1", "3"}


def test_an_order_in_a_note_with_such_quotes_is_no_order(bring: Bring) -> None:
    forged = row(9).strip()

    bring(HEADER + row(1) + row(2, note=f'"x \\"y\\" z\n{forged}\nfin"') + row(3))

    assert set(Order.objects.values_list("number", flat=True)) == {"1", "2", "3"}
