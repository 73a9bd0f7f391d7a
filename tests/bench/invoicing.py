"""Issuing set-based, PDFs beside bare WeasyPrint, memory over many PDFs."""

import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from accounting_export.selectors import invoices_to_post
from customers.models import Customer
from ftp_ingest.services import ingest_paths
from invoicing.models import Invoice
from invoicing.selectors import printable
from invoicing.services import issue_shipped
from invoicing.services.documents import invoice_html
from invoicing.services.structured import is_structured, structured_xml
from sales.selectors import notes_to_ship, orders_ready_to_deliver
from sales.services import prepare_deliveries, ship_delivery_notes
from sphinx.core import clock
from sphinx.core.branding import brand
from sphinx.core.models import Shop
from sphinx.core.pdf import Page, render, render_all
from sphinx.core.services import company
from tests.bench.shop_files import write_orders

COMPARED = 40
TURNS = 3
PARALLEL = 100
# One customer in so many is a firm, whose invoices are checked before their number is final.
FIRMS = 10


def bench_invoicing(count: int) -> dict[str, Any]:
    """Issue and book `count` invoices."""
    firm = company()
    firm.name, firm.siren, firm.vat_number = "Maison Sphinx", "404833048", "FR83404833048"
    firm.address1, firm.postcode, firm.city = "1 rue du Port", "33000", "Bordeaux"
    firm.save()
    _ship(count)
    started = time.perf_counter()
    done = issue_shipped(at=clock.now())
    issued = time.perf_counter() - started
    assert not done.refused
    # Commands book at once what they issue: the time is that of both.
    assert not invoices_to_post().exists()
    assert len(done.invoices) == count
    business = sum(i.is_business for i in done.invoices)
    return {
        "invoices": count,
        "of_firms": business,
        "issued_and_booked_per_s": round(count / issued),
    }


def _ship(count: int) -> None:
    path = Path(tempfile.mkdtemp(prefix="sphinx-bench-in-")) / "orders.csv"
    write_orders(path, count + count // 10)
    ingest_paths(shop=Shop.objects.get(), paths=[path])
    ids = list(Customer.objects.values_list("pk", flat=True)[::FIRMS])
    Customer.objects.filter(pk__in=ids).update(
        kind=Customer.Kind.COMPANY, company_name="Café du Port", siren="732829320"
    )
    orders = list(orders_ready_to_deliver().values_list("pk", flat=True)[:count])
    for start in range(0, count, 200):
        prepare_deliveries(order_ids=orders[start : start + 200], at=clock.now())
    notes = list(notes_to_ship().values_list("pk", flat=True))
    for start in range(0, count, 200):
        ship_delivery_notes(note_ids=notes[start : start + 200], at=clock.now())


def bench_pdfs(count: int) -> dict[str, Any]:
    """Factur-X of issued documents beside the same pages by WeasyPrint alone; memory."""
    folder = Path(tempfile.mkdtemp(prefix="sphinx-bench-pdf-"))
    ids = list(Invoice.objects.order_by("pk").values_list("pk", flat=True)[:count])
    some = ids[:COMPARED]
    render_all(_pages(some[:2], folder))
    ratios, one, bare = [], [], []
    for _turn in range(TURNS):
        started = time.perf_counter()
        pages = _pages(some, folder)
        for page in pages:
            render(page)
        one.append(time.perf_counter() - started)
        bare.append(_bare(pages))
        ratios.append(one[-1] / bare[-1])
    started = time.perf_counter()
    render_all(_pages(ids[:PARALLEL], folder))
    two = time.perf_counter() - started
    early, late = _memory(ids, folder)
    return {
        "pdfs": len(ids),
        "pdfs_per_s_one_worker": round(COMPARED / statistics.median(one), 1),
        "pdfs_per_s_all_workers": round(min(PARALLEL, len(ids)) / two, 1),
        "ratio_to_weasyprint": round(statistics.median(ratios), 2),
        "rss_mb_after_tenth": early,
        "rss_mb_after_all": late,
    }


def _pages(ids: list[int], folder: Path) -> list[Page]:
    looks = brand()
    return [
        Page(
            invoice_html(invoice, looks),
            folder / f"{invoice.number}.pdf",
            structured_xml(invoice) if is_structured(invoice) else b"",
        )
        for invoice in printable(ids)
    ]


def _bare(pages: list[Page]) -> float:
    from weasyprint import HTML

    started = time.perf_counter()
    for page in pages:
        page.path.write_bytes(HTML(string=page.html).write_pdf())
    return time.perf_counter() - started


def _memory(ids: list[int], folder: Path) -> tuple[int, int]:
    """Resident memory of this process after a tenth of the PDFs and after all (MB)."""
    early = 0
    tenth = max(len(ids) // 10, 1)
    for start in range(0, len(ids), tenth):
        for page in _pages(ids[start : start + tenth], folder):
            render(page)
            page.path.unlink()
        early = early or _rss_mb()
    return early, _rss_mb()


def _rss_mb() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1024**2)
