"""A customer's statement and a closing, printed."""

from datetime import date
from decimal import Decimal
from pathlib import Path

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from customers.models import Customer
from invoicing.anchors import anchor_of
from invoicing.models import Closing
from invoicing.receivables import statement_of
from sphinx.core.branding import brand
from sphinx.core.letterhead import seller_of
from sphinx.core.pdf import Page, render
from sphinx.core.services import company


def statement_pdf(*, customer: Customer, on: date) -> Path:
    """Make the statement of a customer as of a day anew; returns where it lies."""
    with translation.override("fr"):
        html = render_to_string(
            "invoicing/statement.html",
            {
                "customer": customer,
                "address": customer.addresses.order_by("use").first(),
                "moves": [move for move in statement_of(customer) if move.on <= on],
                "mentions": {"seller": seller_of(company())},
                "on": on,
                **brand(),
            },
        )
    folder: Path = settings.DATA_DIR / "documents" / "releves" / str(on.year)
    path = folder / f"releve-{customer.code}-{on:%Y%m%d}.pdf"
    render(Page(html, path))
    return path


def closing_pdf(closing: Closing) -> Path:
    """Make the page of a closing anew, with its anchor; returns where it lies."""
    details = closing.details
    with translation.override("fr"):
        html = render_to_string(
            "invoicing/closing.html",
            {
                "closing": closing,
                "anchor": anchor_of(closing),
                "rates": [
                    (Decimal(r), *map(Decimal, sums)) for r, sums in details["rates"].items()
                ],
                "payments": [(m, Decimal(total)) for m, total in details["payments"].items()],
                "mentions": {"seller": seller_of(company())},
                **brand(),
            },
        )
    folder: Path = settings.DATA_DIR / "documents" / "clotures" / str(closing.last_on.year)
    path = folder / f"cloture-{closing.position}.pdf"
    render(Page(html, path))
    return path
