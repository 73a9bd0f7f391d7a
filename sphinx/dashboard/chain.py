"""The chain of a document as links: file → order → delivery → invoice → entry → payment."""

from typing import Any, NamedTuple

from django.urls import reverse
from django.utils.translation import gettext as _

from ftp_ingest.models import ReceivedFile
from sales.models import Order
from sphinx.dashboard.trace import documents_of, orders_behind, traced

# A grouped invoice may have hundreds of orders.
SHOWN = 5


class Link(NamedTuple):
    """A link of the chain: what it is, where its page is ("" for who may not open it)."""

    label: str
    url: str
    is_here: bool


def chains_of(number: str, user: Any) -> list[list[Link]]:
    """The chain of each order behind a delivery note, invoice or entry, some of them."""
    ids = [order.pk for order in orders_behind(number)[:SHOWN]]
    orders = list(traced(Order.objects.filter(pk__in=ids).order_by("pk")))
    files = _files(orders)
    return [_chain(order, number, user, files) for order in orders]


def _files(orders: list[Order]) -> dict[tuple[int, str], int]:
    found = ReceivedFile.objects.filter(sha256__in={o.source_sha256 for o in orders})
    return {(shop, sha): pk for shop, sha, pk in found.values_list("shop", "sha256", "pk")}


def _chain(order: Order, here: str, user: Any, files: dict[tuple[int, str], int]) -> list[Link]:
    def link(label: str, permission: str, name: str, pk: int | None) -> Link:
        url = reverse(name, args=[pk]) if pk and user.has_perm(permission) else ""
        return Link(label, url, is_here=label == here)

    file = files.get((order.shop_id, order.source_sha256))
    line = _("%(file)s, ligne %(line)s") % {"file": order.source_file, "line": order.source_line}
    chain = [
        link(line, "ftp_ingest.view_feed", "ftp_ingest:archived", file),
        link(order.number, "sales.view_order", "admin:sales_order_change", order.pk),
    ]
    chain += [
        link(note.number, "sales.view_deliverynote", "admin:sales_deliverynote_change", note.pk)
        for note in order.delivery_notes.all()
    ]
    for invoice in documents_of(order):
        chain.append(
            link(
                invoice.number,
                "invoicing.view_invoice",
                "admin:invoicing_invoice_change",
                invoice.pk,
            )
        )
        entry = getattr(invoice, "entry", None)
        if entry:
            chain.append(_entry(link, entry))
    chain += [
        _entry(link, payment.entry)
        for payment in order.payments.all()
        if getattr(payment, "entry", None)
    ]
    return chain


def _entry(link: Any, entry: Any) -> Link:
    return link(
        entry.number,
        "accounting_export.view_journalentry",
        "admin:accounting_export_journalentry_change",
        entry.pk,
    )
