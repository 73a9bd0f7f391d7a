"""A purchase order as the supplier gets it: a PDF in its language, a CSV, an e-mail."""

import csv
import io
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from purchasing.locks import lock_purchase_orders
from purchasing.models import PurchaseOrder
from sphinx.core import clock
from sphinx.core.branding import brand
from sphinx.core.models import AuditEvent
from sphinx.core.money import plain
from sphinx.core.pdf import Page, render
from sphinx.core.services import company, record
from sphinx.core.texts import safe_cell

Status = PurchaseOrder.Status
# An e-mail asked for and still not sent after that is taken up again.
STUCK_MINUTES = 10


def order_pdf(order: PurchaseOrder) -> Path:
    """Make the PDF of an order anew, in the supplier's language."""
    with translation.override(order.supplier.language):
        html = render_to_string(
            "purchasing/purchase_order.html",
            {
                "order": order,
                "lines": order.lines.select_related("product").order_by("product__sku"),
                "firm": company(),
                "language": order.supplier.language,
                **brand(),
            },
        )
    folder = settings.DATA_DIR / "documents" / "achats" / str(order.proposed_on.year)
    path: Path = folder / f"{order.number}.pdf"
    render(Page(html, path))
    return path


def order_csv(order: PurchaseOrder) -> str:
    """The lines for the supplier's own system; a dot in numbers, UTF-8."""
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=";")
    writer.writerow(
        ["order", "supplier_sku", "sku", "barcode", "label", "quantity", "unit_price_excl_tax"]
    )
    for line in order.lines.select_related("product").order_by("product__sku"):
        texts = (line.supplier_sku, line.product.sku, line.product.barcode, line.product.label)
        writer.writerow(
            [
                order.number,
                *map(safe_cell, texts),
                plain(line.quantity),
                plain(line.unit_price_excl_tax),
            ]
        )
    return stream.getvalue()


def mail_order(*, order_id: int, at: datetime) -> bool:
    """Send an order's e-mail, once; True when this call sent it.

    The claim is committed before the e-mail leaves and taken back when it can't: twice at once
    sends one, a crash in between sends none rather than two, and says so in the audit trail.
    """
    with transaction.atomic():
        order = lock_purchase_orders([order_id]).select_related("supplier", "warehouse").get()
        if order.mailed_at or order.status in (Status.PROPOSED, Status.CANCELLED, Status.REFUSED):
            return False
        order.mailed_at = at
        order.save(update_fields=["mailed_at"])
    try:
        _message(order).send()
    except Exception:
        PurchaseOrder.objects.filter(pk=order.pk).update(mailed_at=None)
        record("purchase_order.mail_failed", [order])
        raise
    record("purchase_order.mailed", [order], to=order.supplier.email)
    return True


def _message(order: PurchaseOrder) -> EmailMessage:
    pdf = order_pdf(order)
    with translation.override(order.supplier.language):
        subject = _("Commande %(number)s de %(firm)s") % {
            "number": order.number,
            "firm": company().name,
        }
        body = _(
            "Bonjour,\n\nVeuillez trouver ci-joint notre commande %(number)s (PDF et CSV). "
            "Merci de nous confirmer les prix et la date de livraison.\n\n%(firm)s"
        ) % {"number": order.number, "firm": company().name}
    reply_to = [company().email] if company().email else None
    message = EmailMessage(
        subject, body, settings.DEFAULT_FROM_EMAIL, [order.supplier.email], reply_to=reply_to
    )
    message.attach(f"{order.number}.pdf", pdf.read_bytes(), "application/pdf")
    message.attach(f"{order.number}.csv", order_csv(order).encode("utf-8-sig"), "text/csv")
    return message


def orders_to_mail() -> list[int]:
    """Orders whose e-mail was asked for some minutes ago and has not left."""
    since = clock.now() - timedelta(days=7)
    asked = AuditEvent.objects.filter(
        kind="purchase_order.sent",
        details__by_email=True,
        at__gte=since,
        at__lt=clock.now() - timedelta(minutes=STUCK_MINUTES),
    ).values_list("subject_number", flat=True)
    return list(
        PurchaseOrder.objects.filter(number__in=list(asked), mailed_at=None)
        .exclude(status__in=(Status.CANCELLED, Status.REFUSED))
        .values_list("pk", flat=True)
    )
