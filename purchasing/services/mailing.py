"""A purchase order as the supplier gets it: a PDF in its language, a CSV, an e-mail."""

import csv
import io
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from purchasing.models import PurchaseOrder
from sphinx.core import clock
from sphinx.core.branding import brand
from sphinx.core.mailing import firm_message, mail_once
from sphinx.core.models import AuditEvent
from sphinx.core.money import plain
from sphinx.core.pdf import Page, render
from sphinx.core.services import company, record
from sphinx.core.texts import safe_cell

Status = PurchaseOrder.Status
# An e-mail asked for and still not sent after that is taken up again.
STUCK_MINUTES = 10
# Where goods go that the supplier sends straight to a customer.
_PLACE = "name company address1 address2 postcode city country phone".split()


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


def slip_pdf(order: PurchaseOrder) -> Path:
    """The slip that the supplier puts into a customer's parcel: what is in it, no price at all.

    In French, as customers are written to.
    """
    with translation.override(settings.LANGUAGE_CODE):
        html = render_to_string(
            "purchasing/direct_slip.html",
            {
                "order": order,
                "delivery": order.direct_delivery,
                "lines": order.lines.select_related("product").order_by("product__sku"),
                "firm": company(),
                "language": settings.LANGUAGE_CODE,
                **brand(),
            },
        )
    folder = settings.DATA_DIR / "documents" / "achats" / str(order.proposed_on.year)
    path: Path = folder / f"{order.number}-colis.pdf"
    render(Page(html, path))
    return path


def order_csv(order: PurchaseOrder) -> str:
    """The lines for the supplier's own system; a dot in numbers, UTF-8.

    Prices are in the order's currency. Quantity and price are in the supplier's unit (blank for
    pieces), the pieces beside. Of goods that go straight to a customer, where to.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=";")
    delivery = order.direct_delivery
    columns = (
        "order supplier_sku sku barcode label quantity unit_price_excl_tax unit pieces "
        "piece_price_excl_tax currency"
    ).split()
    writer.writerow([*columns, *(f"delivery_{name}" for name in _PLACE if delivery)])
    place = [safe_cell(getattr(delivery, name)) for name in _PLACE if delivery]
    for line in order.lines.select_related("product").order_by("product__sku"):
        texts = (line.supplier_sku, line.product.sku, line.product.barcode, line.product.label)
        writer.writerow(
            [
                order.number,
                *map(safe_cell, texts),
                plain(line.quantity if line.count is None else line.count),
                plain(line.unit_price),
                "" if line.count is None else safe_cell(str(line.unit)),
                plain(line.quantity),
                plain(line.unit_price_excl_tax),
                order.currency,
                *place,
            ]
        )
    return stream.getvalue()


def mail_order(*, order_id: int, at: datetime) -> bool:
    """Send an order's e-mail, once; True when this call did. A failure is in the audit trail."""
    row = PurchaseOrder.objects.filter(pk=order_id)
    may = row.exclude(status__in=(Status.PROPOSED, Status.CANCELLED, Status.REFUSED))
    try:
        sent = mail_once(row, may=may, at=at, message=lambda: _message(row))
    except Exception:
        record("purchase_order.mail_failed", row)
        raise
    if sent:
        order = row.select_related("supplier").get()
        record("purchase_order.mailed", [order], to=order.supplier.email)
    return sent


def _message(row: QuerySet[PurchaseOrder]) -> EmailMessage:
    order = row.select_related("supplier", "warehouse", "direct_delivery").get()
    pdf = order_pdf(order)
    with translation.override(order.supplier.language):
        subject = _("Commande %(number)s de %(firm)s") % {
            "number": order.number,
            "firm": company().name,
        }
        paragraphs = [
            _("Bonjour,"),
            _(
                "Veuillez trouver ci-joint notre commande %s (PDF et CSV). "
                "Merci de nous confirmer les prix et la date de livraison."
            )
            % order.number,
        ]
        if order.direct_delivery:
            paragraphs.append(
                _(
                    "Elle est à envoyer directement à notre client : glissez le bordereau joint "
                    "dans le colis, sans aucun prix, et confirmez-nous le départ."
                )
            )
    message = firm_message(subject, paragraphs, order.supplier.email)
    message.attach(f"{order.number}.pdf", pdf.read_bytes(), "application/pdf")
    if order.direct_delivery:
        slip = slip_pdf(order)
        message.attach(slip.name, slip.read_bytes(), "application/pdf")
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
