"""The PDFs that go into parcels: delivery notes, return slips."""

from collections.abc import Iterable
from pathlib import Path

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from sales.models import DeliveryNote, ReturnRequest
from sphinx.core.branding import brand
from sphinx.core.pdf import Page, barcode_image, render_all
from sphinx.core.services import company


def render_delivery_pdfs(note_ids: Iterable[int]) -> dict[int, Path]:
    """Make the PDFs of these notes anew; returns their absolute paths by note id."""
    firm, looks = company(), brand()
    notes = list(
        DeliveryNote.objects.filter(pk__in=list(note_ids))
        .select_related("order__shop")
        .prefetch_related("lines__order_line__product")
    )
    folder = settings.DATA_DIR / "documents" / "livraisons"
    pages = []
    for note in notes:
        with translation.override("fr"):
            html = render_to_string(
                "sales/delivery_note.html",
                {"note": note, "firm": firm, "barcode": barcode_image(note.number), **looks},
            )
        pages.append(Page(html, folder / str(note.created_at.year) / f"{note.number}.pdf"))
    render_all(pages)
    return {note.pk: page.path for note, page in zip(notes, pages, strict=True)}


def render_return_slip(request: ReturnRequest) -> Path:
    """The slip that the customer puts in the parcel, with the return's barcode; made anew."""
    firm, looks = company(), brand()
    lines = request.lines.select_related("note_line__order_line")
    with translation.override("fr"):
        html = render_to_string(
            "sales/return_slip.html",
            {
                "request": request,
                "lines": lines,
                "firm": firm,
                "barcode": barcode_image(request.number),
                **looks,
            },
        )
    path: Path = settings.DATA_DIR / "documents" / "retours" / f"{request.number}.pdf"
    render_all([Page(html, path)])
    return path
