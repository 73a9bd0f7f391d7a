"""docs/life-of-an-order.md tells one order's life with its real values: this keeps it true."""

from pathlib import Path
from typing import Any

import pytest

from accounting_export.services import export_journal
from ftp_ingest.services import ingest_paths
from inventory.models import Reservation
from invoicing.models import Invoice
from invoicing.services import issue_invoice
from sales.models import DeliveryNote, Order
from sales.services import prepare_delivery, ship_delivery_note
from sphinx.core.models import Shop
from sphinx.dashboard.trace import trace_orders
from tests.factories import NOON, ProductFactory

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).parent.parent.parent
FILE = ROOT / "tests/data/pivot/orders.csv"
PAGE = ROOT / "docs/life-of-an-order.md"


def test_the_page_tells_the_truth(
    shop: Shop, tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    for sku in ("BOU-01", "LIV-07"):
        ProductFactory(sku=sku, on_hand=50)
    with django_capture_on_commit_callbacks(execute=True):
        report = ingest_paths(shop=shop, paths=[FILE])
        order = Order.objects.get(number="W1001")
        held = Reservation.objects.filter(origin_number="W1001").order_by("pk")
        reserved = [f"{r.quantity.normalize():f}" for r in held]
        note = prepare_delivery(order_id=order.pk, at=NOON)
        assert isinstance(note, DeliveryNote)
        ship_delivery_note(note_id=note.pk, at=NOON)
        issue_invoice(delivery_note_id=note.pk, at=NOON)
    path = tmp_path / "fec.txt"
    export_journal(date_from=NOON.date(), date_to=NOON.date(), format_code="fec", path=path)

    page = PAGE.read_text()
    invoice = Invoice.objects.get()
    facts = {
        "the file's hash": report.files[1 if len(report.files) > 1 else 0].sha256[:12],
        "the line of the file": f"line {order.source_line}",
        "the total": str(order.total_incl_tax),
        "the VAT": str(order.total_tax),
        "the pieces set aside": ", ".join(reserved),
        "the delivery note": note.number,
        "the invoice": invoice.number,
        "the entry": trace_orders([order])[0]["entries"][0]["piece"],
        **{f"FEC line {n}": line for n, line in enumerate(_shown(path), start=1)},
    }
    missing = [name for name, fact in facts.items() if fact not in page]
    assert missing == [], {name: facts[name] for name in missing}


def _shown(path: Path) -> list[str]:
    """The journal's lines as the page shows them: the columns that say something."""
    rows = [line.split("\t") for line in path.read_text().splitlines()[1:]]
    return [" | ".join(row[i] for i in (2, 4, 6, 8, 11, 12)) for row in rows]


@pytest.mark.parametrize("hop", range(1, 9))
def test_every_hop_names_a_place_that_exists(hop: int) -> None:
    (row,) = [line for line in PAGE.read_text().splitlines() if line.startswith(f"| {hop} |")]
    place, name = row.split("`")[1], row.split("`")[3]

    assert f"def {name}" in (ROOT / place).read_text()
