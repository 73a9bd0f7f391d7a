"""The PDF of an issued document: made once, kept under the data folder with its hash."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from invoicing.models import Invoice, InvoiceLine, InvoicePdf, TaxBreakdown
from invoicing.selectors import printable
from invoicing.services.structured import is_structured, structured_xml
from sphinx.core import clock
from sphinx.core.branding import Brand, brand
from sphinx.core.files import here, put
from sphinx.core.letterhead import FRENCH
from sphinx.core.pdf import Page, render_all

_BATCH = 200


def pdf_path(invoice: Invoice) -> Path:
    """Where the PDF lies, relative to the data folder."""
    return Path("documents") / "factures" / str(invoice.issued_on.year) / f"{invoice.number}.pdf"


def render_pdfs(
    invoice_ids: Iterable[int], *, tell: Callable[[int], None] | None = None
) -> dict[int, Path]:
    """Make the PDFs that are missing; returns the absolute path of each document's PDF.

    `tell` hears how many are made, batch after batch.
    """
    paths: dict[int, Path] = {}
    for batch in _batches(iter(invoice_ids)):
        paths |= _render_batch(batch)
        if tell:
            tell(len(paths))
    return paths


def pdf_places(invoices: Iterable[Invoice]) -> dict[int, Path]:
    """Where each document's PDF lies, or will lie once a worker has printed it."""
    return {invoice.pk: settings.DATA_DIR / pdf_path(invoice) for invoice in invoices}


def _batches(ids: Iterator[int]) -> Iterator[list[int]]:
    while batch := list(islice(ids, _BATCH)):
        yield batch


def _render_batch(ids: list[int]) -> dict[int, Path]:
    made = dict(InvoicePdf.objects.filter(invoice__in=ids).values_list("invoice_id", "path"))
    paths = {pk: here(settings.DATA_DIR / path) for pk, path in made.items()}
    todo = [pk for pk in ids if pk not in paths or not paths[pk].exists()]
    invoices, looks = list(printable(todo)), brand()
    pages = [
        Page(
            invoice_html(i, looks),
            settings.DATA_DIR / pdf_path(i),
            structured_xml(i) if is_structured(i) else b"",
            i.mentions.get("language", FRENCH),
        )
        for i in invoices
    ]
    drawn = list(zip(invoices, pages, render_all(pages), strict=True))
    for _invoice, page, _sha256 in drawn:
        put(page.path)
    rendered_at = clock.now()
    # Two workers may draw the same document: the first keeps its row.
    InvoicePdf.objects.bulk_create(
        [
            InvoicePdf(
                invoice=invoice,
                path=str(pdf_path(invoice)),
                sha256=sha256,
                rendered_at=rendered_at,
            )
            for invoice, _page, sha256 in drawn
        ],
        ignore_conflicts=True,
    )
    paths |= {invoice.pk: page.path for invoice, page, _sha256 in drawn}
    return paths


def invoice_html(invoice: Invoice, looks: Brand) -> str:
    """The page of a document, in its language, from what was frozen at issue and the firm's
    logo and colour."""
    return document_html(invoice, list(invoice.lines.all()), list(invoice.taxes.all()), looks)


def document_html(
    invoice: Invoice,
    lines: Sequence[InvoiceLine],
    taxes: Sequence[TaxBreakdown],
    looks: Brand,
    *,
    is_pro_forma: bool = False,
) -> str:
    """The same of a document that may not be issued."""
    language = invoice.mentions.get("language", FRENCH)
    headings = _headings(invoice)
    with translation.override(language):
        return render_to_string(
            "invoicing/invoice.html",
            {
                **looks,
                "language": language,
                "invoice": invoice,
                "rows": [(line, headings.get(line.position)) for line in lines],
                "taxes": taxes,
                "is_pro_forma": is_pro_forma,
                "mentions": invoice.mentions,
                "due": invoice.total_incl_tax - invoice.paid_incl_tax,
                "is_credit": invoice.kind == Invoice.Kind.CREDIT_NOTE,
                "has_discount": any(line.discount_excl_tax for line in lines),
            },
        )


def _headings(invoice: Invoice) -> dict[int, dict[str, Any]]:
    """Of a grouped invoice: the delivery note that begins at a line's position."""
    found, position = {}, 1
    for note in invoice.mentions.get("notes", ()):
        shipped = note["shipped_on"]
        found[position] = {**note, "shipped": date.fromisoformat(shipped) if shipped else None}
        position += note["lines"]
    return found
