"""One search box for everything: numbers by their beginning, people and goods by their names.

Numbers and codes are looked up by their indexes; names of customers and products by any part.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext_lazy as _
from unfold.dataclasses import SearchResult

from accounting_export.models import JournalEntry
from customers.models import Customer
from customers.selectors import customers_called
from inventory.models import Lot, Product
from invoicing.models import Invoice
from purchasing.models import PurchaseOrder
from sales.models import DeliveryNote, Order, Quote
from sales.selectors import orders_numbered
from sphinx.core.lookups import beginning
from sphinx.core.texts import sku_key
from suppliers.models import Supplier

SHORTEST = 2
# Of each kind; whoever wants more types more.
SHOWN = 5


class Kind(NamedTuple):
    """A kind of thing that is found: how, what is shown of it, who may see it."""

    label: Any
    icon: str
    permission: str
    find: Callable[[str], QuerySet[Any]]
    title: Callable[[Any], str]
    detail: Callable[[Any], str]


def find_everything(term: str, user: Any) -> list[SearchResult]:
    """What `user` may see of what is called `term`, some of each kind."""
    asked = " ".join(term.split())
    if len(asked) < SHORTEST:
        return []
    return [
        SearchResult(
            kind.title(row), f"{kind.label} · {kind.detail(row)}", _page_of(row), kind.icon
        )
        for kind in _KINDS
        if user.has_perm(kind.permission)
        for row in kind.find(asked)[:SHOWN]
    ]


def _result(kind: Kind, row: Model) -> SearchResult:
    detail = f"{kind.label} · {kind.detail(row)}"
    return SearchResult(kind.title(row), detail, _page_of(row), kind.icon)


def results(request: HttpRequest, term: str) -> list[SearchResult]:
    """What the frame's search window shows."""
    return find_everything(term, request.user)


def _page_of(row: Model) -> str:
    if isinstance(row, Quote):
        return reverse("sales:quote", args=[row.pk])
    if isinstance(row, Lot):
        # Its life: what it came with, where it went, what brought it back.
        return f"{reverse('admin:inventory_stockmove_changelist')}?lot__id__exact={row.pk}"
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def _numbered(model: type[Any], *related: str) -> Callable[[str], QuerySet[Any]]:
    def find(term: str) -> QuerySet[Any]:
        return (
            model.objects.filter(beginning("number", term)).select_related(*related).order_by("-pk")
        )

    return find


def _orders(term: str) -> QuerySet[Order]:
    return orders_numbered(term).select_related("customer").order_by("-placed_at")


def _parcels(term: str) -> QuerySet[DeliveryNote]:
    typed = term.replace(" ", "")
    found = beginning("number", term) | Q(tracking_number__in=[typed, typed.upper()])
    return DeliveryNote.objects.filter(found).select_related("order").order_by("-pk")


def _customers(term: str) -> QuerySet[Customer]:
    return customers_called(term).order_by("-pk")


def _products(term: str) -> QuerySet[Product]:
    found = Q(sku_key__startswith=sku_key(term)) | Q(label__icontains=term) | Q(barcode=term)
    return Product.objects.filter(found).order_by("sku")


def _lots(term: str) -> QuerySet[Lot]:
    """By the whole number, as it is scanned."""
    typed = {term, term.upper()}
    return Lot.objects.filter(number__in=typed).select_related("product").order_by("-pk")


def _suppliers(term: str) -> QuerySet[Supplier]:
    return Supplier.objects.filter(Q(name__icontains=term) | Q(code__istartswith=term))


def _euros(amount: Any) -> str:
    return f"{number_format(amount, 2, use_l10n=True, force_grouping=True)} €"


def _day(day: Any) -> str:
    return date_format(day, "SHORT_DATE_FORMAT")


_KINDS: tuple[Kind, ...] = (
    Kind(
        _("Commande"), "shopping_cart", "sales.view_order", _orders,
        lambda o: o.number,
        lambda o: f"{o.customer.name}, {_euros(o.total_incl_tax)}, {o.get_status_display()}",
    ),
    Kind(
        _("Client"), "person", "customers.view_customer", _customers,
        lambda c: c.name,
        lambda c: f"{c.code} {c.email}",
    ),
    Kind(
        _("Article"), "sell", "inventory.view_product", _products,
        lambda p: p.label or p.sku,
        lambda p: p.sku,
    ),
    Kind(
        _("Lot ou n° de série"), "qr_code", "inventory.view_stockmove", _lots,
        lambda lot: lot.number,
        lambda lot: lot.product.label or lot.product.sku,
    ),
    Kind(
        _("Facture"), "receipt_long", "invoicing.view_invoice", _numbered(Invoice),
        lambda i: i.number,
        lambda i: f"{i.customer_name}, {_euros(i.total_incl_tax)}, {_day(i.issued_on)}",
    ),
    Kind(
        _("Bon de livraison"), "local_shipping", "sales.view_deliverynote", _parcels,
        lambda n: n.number,
        lambda n: f"{n.order.number}, {n.get_status_display()} {n.tracking_number}".strip(),
    ),
    Kind(
        _("Devis"), "request_quote", "sales.view_quote", _numbered(Quote, "customer"),
        lambda q: q.number,
        lambda q: f"{q.customer.name}, {q.get_status_display()}",
    ),
    Kind(
        _("Fournisseur"), "factory", "suppliers.view_supplier", _suppliers,
        lambda s: s.name,
        lambda s: s.code,
    ),
    Kind(
        _("Commande fournisseur"), "inventory", "purchasing.view_purchaseorder",
        _numbered(PurchaseOrder, "supplier"),
        lambda o: o.number,
        lambda o: f"{o.supplier.name}, {o.get_status_display()}",
    ),
    Kind(
        _("Écriture"), "menu_book", "accounting_export.view_journalentry", _numbered(JournalEntry),
        lambda e: e.number,
        lambda e: f"{e.label}, {_day(e.entry_date)}",
    ),
)  # fmt: skip
