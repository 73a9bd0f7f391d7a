"""A pro forma invoice: an order as it will be invoiced, for who must pay or import it first."""

from datetime import datetime
from pathlib import Path

from django.conf import settings

from invoicing.models import Invoice
from invoicing.services.building import Builder
from invoicing.services.documents import document_html
from sales.models import Order
from sphinx.core.branding import brand
from sphinx.core.letterhead import FRENCH
from sphinx.core.pdf import Page, render_all


def pro_forma_pdf(*, order: Order, at: datetime) -> Path:
    """The PDF of the whole order: no number, no entry, no tax due; made anew each time."""
    builder = Builder([], {order.pk: order}, at)
    document: Invoice = builder.whole(order)
    html = document_html(document, builder.lines[0], builder.taxes[0], brand(), is_pro_forma=True)
    path = Path(settings.DATA_DIR, "documents", "pro-forma", f"pro-forma-{order.pk}.pdf")
    language = document.mentions.get("language", FRENCH)
    render_all([Page(html, path, b"", language)])
    return path
