"""The PDFs of sales: quotes, and what goes into parcels."""

from collections.abc import Iterable
from pathlib import Path

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from sales.models import DeliveryNote, Quote, ReturnRequest
from sphinx.core.branding import brand
from sphinx.core.letterhead import address_lines, language_for, payment_sentences, seller_of
from sphinx.core.pdf import Page, barcode_image, render_all
from sphinx.core.services import company
from sphinx.core.vat import legal_sentence


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


def render_quote(quote: Quote) -> Path:
    """The quote as the customer gets it, in its language, with room to sign; made anew."""
    firm, looks = company(), brand()
    lines = list(quote.lines.all())
    language = language_for(quote.billing_country or quote.shipping_country)
    with translation.override(language):
        billing, shipping = address_lines(quote, "billing"), address_lines(quote, "shipping")
        html = render_to_string(
            "sales/quote.html",
            {
                "quote": quote,
                "lines": lines,
                "has_discount": any(line.discount_percent for line in lines),
                "seller": seller_of(firm),
                "buyer": billing or [quote.customer.name],
                "delivery": shipping if shipping != billing else [],
                "sentence": legal_sentence(
                    quote.tax_regime,
                    quote.shipping_country or quote.billing_country,
                    quote.shipping_postcode or quote.billing_postcode,
                ),
                "payment_days": firm.payment_terms_days,
                "terms": payment_sentences(firm),
                "language": language,
                **looks,
            },
        )
    folder = settings.DATA_DIR / "documents" / "devis" / str(quote.quoted_on.year)
    path: Path = folder / f"{quote.number}.pdf"
    render_all([Page(html, path, language=language)])
    return path
