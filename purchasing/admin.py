from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Round
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from purchasing import jobs
from purchasing.models import (
    Decision,
    PurchaseOrder,
    Receipt,
    ReceivedInvoice,
    ReplenishmentRules,
    StockPolicy,
    SupplierInvoice,
    SupplierReturn,
)
from purchasing.selectors import awaited_orders
from sphinx.core import clock
from sphinx.core.admin_tools import (
    KeptAdmin,
    ListTotals,
    OwnPageAdmin,
    ReadOnlyAdmin,
    badge,
    number,
    run_each,
)
from sphinx.core.exchange import EURO
from sphinx.core.templatetags.numbers import bare, sign


class AwaitedFilter(admin.SimpleListFilter):
    title = _("livraison attendue")
    parameter_name = "awaited"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("due", _("aujourd'hui ou avant")), ("late", _("en retard"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in ("due", "late"):
            return queryset
        found = awaited_orders(clock.today(), is_late=self.value() == "late")
        return queryset.filter(pk__in=found.values("pk"))


@admin.register(PurchaseOrder)
class PurchaseOrderAdmin(ListTotals, OwnPageAdmin):
    own_page, add_page = "purchasing:proposal", "purchasing:new_order"
    list_display = [
        "number",
        "supplier",
        "state",
        "total",
        "proposed_on",
        "expected_on",
        "note",
    ]
    list_filter = ["status", AwaitedFilter, "supplier"]
    list_select_related = ["supplier"]
    search_fields = ["number", "supplier__name", "lines__product__sku"]
    date_hierarchy = "proposed_on"
    totals = {"total_eur_sum": _("Total HT (€)")}
    actions = ["accept", "refuse", "send", "receive"]
    list_head_extra = "purchasing/orders_head.html"

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("purchasing.change_purchaseorder")

    @display(description=_("total HT"), ordering="total_excl_tax")
    def total(self, row: PurchaseOrder) -> str:
        return f"{bare(row.total_excl_tax, 2)} {sign(row.currency)}"

    def list_totals(self, rows: QuerySet[Any]) -> list[tuple[Any, Decimal]]:
        """In euros, by the rate of each order's making; what has none isn't in it."""
        known = rows.filter(Q(currency=EURO) | Q(exchange_rate__isnull=False))
        rate = Coalesce("exchange_rate", Value(Decimal(1)))
        return super().list_totals(
            known.annotate(total_eur_sum=Round(F("total_excl_tax") / rate, precision=2))
        )

    state = badge(
        "status",
        _("État"),
        proposed="warning",
        accepted="info",
        sent="info",
        confirmed="info",
        partially_received="warning",
        received="success",
        refused="danger",
        cancelled="danger",
    )

    @admin.action(description=_("Accepter les propositions"), permissions=["change"])
    def accept(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        return run_each(request, queryset, jobs.ACCEPT)

    @admin.action(description=_("Refuser les propositions"), permissions=["change"])
    def refuse(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        return run_each(request, queryset, jobs.REFUSE)

    @admin.action(description=_("Marquer comme envoyées"), permissions=["change"])
    def send(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        return run_each(request, queryset, jobs.SEND)

    @admin.action(description=_("Recevoir tout ce qui est attendu"), permissions=["change"])
    def receive(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        return run_each(request, queryset, jobs.RECEIVE)


@admin.register(Receipt)
class ReceiptAdmin(OwnPageAdmin):
    own_page = "purchasing:receipt"
    list_display = ["number", "purchase_order", "received_at", "supplier_reference"]
    list_select_related = ["purchase_order"]
    search_fields = ["number", "purchase_order__number", "supplier_reference"]
    date_hierarchy = "received_at"
    actions = ["share_costs"]

    def has_share_permission(self, request: HttpRequest) -> bool:
        """Who may enter the invoice of them."""
        return request.user.has_perm("purchasing.add_supplierinvoice")

    @admin.action(
        description=_("Répartir des frais de transport ou de douane"), permissions=["share"]
    )
    def share_costs(self, request: HttpRequest, queryset: Any) -> HttpResponse:
        chosen = ",".join(map(str, queryset.values_list("pk", flat=True)[:200]))
        return redirect(f"{reverse('purchasing:landed_costs')}?receptions={chosen}")


@admin.register(SupplierReturn)
class SupplierReturnAdmin(OwnPageAdmin):
    """Goods sent back, each opening its receipt."""

    own_page = "purchasing:receipt"
    list_display = ["number", "receipt", "supplier", "returned_at", "reason"]
    list_select_related = ["receipt__purchase_order__supplier"]
    search_fields = ["number", "receipt__number", "reason"]
    date_hierarchy = "returned_at"

    @display(description=_("Fournisseur"))
    def supplier(self, row: SupplierReturn) -> str:
        return str(row.receipt.purchase_order.supplier)

    def own_page_id(self, row: SupplierReturn) -> int:
        return row.receipt_id


@admin.register(SupplierInvoice)
class SupplierInvoiceAdmin(ListTotals, OwnPageAdmin):
    own_page = "purchasing:invoice"
    list_display = [
        "number",
        "kind",
        "supplier",
        "supplier_number",
        "issued_on",
        "due_on",
        "state",
        "total",
    ]
    list_filter = ["status", "kind", "supplier"]
    list_select_related = ["supplier"]
    search_fields = ["number", "supplier_number", "supplier__name"]
    date_hierarchy = "issued_on"
    totals = {"total_books": _("Total TTC (€)")}

    @display(description=_("total TTC"), ordering="total_incl_tax")
    def total(self, row: SupplierInvoice) -> str:
        return f"{bare(row.total_incl_tax, 2)} {sign(row.currency)}"

    def list_totals(self, rows: QuerySet[Any]) -> list[tuple[Any, Decimal]]:
        """In euros, as the books have them."""
        return super().list_totals(
            rows.annotate(total_books=Coalesce("total_eur", "total_incl_tax"))
        )

    state = badge(
        "status",
        _("État"),
        differs="warning",
        approved="success",
        disputed="danger",
        cancelled="info",
    )


@admin.register(ReceivedInvoice)
class ReceivedInvoiceAdmin(OwnPageAdmin):
    """Electronic invoices received, each opening what it charges."""

    own_page, add_page = "purchasing:received", "purchasing:bring_einvoices"
    list_display = [
        "received_at",
        "seller_name",
        "number",
        "kind",
        "issued_on",
        "total",
        "state",
    ]
    list_filter = ["status", "kind", "supplier"]
    search_fields = ["number", "seller_name", "order_reference"]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("data", "lines")

    @display(description=_("total TTC"), ordering="total_incl_tax")
    def total(self, row: ReceivedInvoice) -> str:
        return f"{bare(row.total_incl_tax, 2)} {sign(row.currency)}"

    state = badge("status", _("État"), open="warning", entered="success", ignored="info")


@admin.register(ReplenishmentRules)
class ReplenishmentRulesAdmin(KeptAdmin):
    list_display = [
        "__str__",
        "service_level_a",
        "service_level_b",
        "service_level_c",
        "cover_days",
    ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not ReplenishmentRules.objects.exists()


@admin.register(StockPolicy)
class StockPolicyAdmin(OwnPageAdmin):
    """The levels worked out last night, each opening its reasoning."""

    own_page = "purchasing:product"
    list_display = [
        "product",
        "warehouse",
        "supplier",
        "policy",
        "demand",
        number("reorder_point", _("point de commande")),
        number("order_up_to", _("recompléter jusqu'à")),
        "computed_on",
    ]
    list_filter = ["policy", "warehouse", "supplier", "product__abc_class"]
    list_select_related = ["product", "warehouse", "supplier"]
    search_fields = ["product__sku", "product__label"]

    @display(description=_("demande par jour"), ordering="demand_per_day")
    def demand(self, row: StockPolicy) -> str:
        return bare(round(row.demand_per_day, 2), 2)

    def own_page_id(self, row: StockPolicy) -> int:
        return row.product_id


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin):
    list_display = [
        "decided_at",
        "product",
        "kind",
        number("proposed", _("proposé")),
        number("decided", _("décidé")),
        "reason",
        "until",
        "decided_by",
    ]
    list_filter = ["kind"]
    list_select_related = ["product", "decided_by"]
    search_fields = ["product__sku", "reason"]
