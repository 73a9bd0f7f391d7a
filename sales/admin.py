from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import action, display

from sales import jobs
from sales.models import (
    DeliveryNote,
    DeliveryNoteLine,
    GoodsReturn,
    GoodsReturnLine,
    Order,
    OrderLine,
)
from sales.selectors import orders_at_foreign_rates, orders_found, sold_elsewhere
from sphinx.core import clock
from sphinx.core.admin_tools import ListTotals, ReadOnlyAdmin, badge, number, run_each


class OrderLineInline(TabularInline):
    model = OrderLine
    extra = 0
    hide_title = True
    can_delete = False
    fields = readonly_fields = [
        "sku",
        "label",
        number("quantity", _("quantité")),
        number("quantity_delivered", _("livré")),
        number("quantity_removed", _("retiré")),
        number("quantity_gone", _("parti sans bon")),
        number("unit_price_incl_tax", _("prix unitaire TTC (€)"), places=2),
        "tax_rate",
        "discount_incl_tax",
        "total_incl_tax",
        "source_line",
    ]


class RateFilter(admin.SimpleListFilter):
    title = _("taux de TVA")
    parameter_name = "rates"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("foreign", _("Inconnu du pays livré (OSS, 30 jours)"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "foreign":
            return queryset.filter(pk__in=orders_at_foreign_rates(clock.today()).values("pk"))
        return queryset


class HistoryFilter(admin.SimpleListFilter):
    title = _("reprise")
    parameter_name = "reprise"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("oui", _("D'avant le premier jour ici")),
            ("vendu", _("Facturées ailleurs, comptées à part")),
            ("non", _("D'ici")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "vendu":
            return queryset.filter(pk__in=sold_elsewhere().values("pk"))
        if self.value():
            return queryset.filter(is_history=self.value() == "oui")
        return queryset


@admin.register(Order)
class OrderAdmin(ListTotals, ReadOnlyAdmin):
    list_display = [
        "number",
        "shop",
        "customer",
        "placed_at",
        "state",
        "payment",
        "total_incl_tax",
        "shipping_country",
    ]
    list_filter = [
        "status",
        "payment_status",
        "shop",
        HistoryFilter,
        "tax_regime",
        RateFilter,
        "shipping_country",
        "customer__kind",
    ]
    list_select_related = ["shop", "customer"]
    search_fields = [
        "number",
        "external_id",
        "customer__last_name",
        "customer__company_name",
        "customer__email",
        "customer__code",
    ]
    show_full_result_count = False
    search_help_text = _("Le début d'un n°, ou le client")
    date_hierarchy = "placed_at"
    totals = {"total_incl_tax": _("Total TTC"), "total_tax": _("dont TVA")}
    fieldsets = [
        (
            _("Commande"),
            {
                "fields": [
                    ("number", "external_id"),
                    ("shop", "customer"),
                    ("placed_at", "paid_at"),
                    ("status", "payment_status"),
                    ("payment_method", "currency"),
                    "payment_references",
                ]
            },
        ),
        (
            _("Montants"),
            {
                "fields": [
                    ("total_incl_tax", "total_tax"),
                    ("shipping_incl_tax", "shipping_tax_rate"),
                    ("discount_incl_tax", "refunded_incl_tax"),
                    ("tax_regime", "vat_number", "stated_vat_number"),
                ]
            },
        ),
        (
            _("Adresses"),
            {
                "fields": [
                    ("billing_name", "shipping_name"),
                    ("billing_company", "shipping_company"),
                    ("billing_address1", "shipping_address1"),
                    ("billing_address2", "shipping_address2"),
                    ("billing_postcode", "shipping_postcode"),
                    ("billing_city", "shipping_city"),
                    ("billing_country", "shipping_country"),
                ]
            },
        ),
        (
            _("Origine"),
            {"fields": [("source_file", "source_line"), "source_sha256", "cancelled_at", "note"]},
        ),
    ]
    inlines = [OrderLineInline]
    actions = ["confirm", "cancel", "prepare"]

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        """Numbers by their beginning, people by any part: each by its index, joined last."""
        if not search_term.strip():
            return queryset, False
        return queryset.filter(pk__in=orders_found(search_term.strip()).values("pk")), False

    def has_edit_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("sales.change_order")

    def has_deliver_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("sales.change_deliverynote")

    state = badge(
        "status",
        _("État"),
        draft="warning",
        confirmed="info",
        partially_delivered="warning",
        delivered="info",
        invoiced="success",
        cancelled="danger",
    )
    payment = badge(
        "payment_status",
        _("Règlement"),
        unpaid="warning",
        paid="success",
        partially_refunded="danger",
        refunded="danger",
    )

    @admin.action(description=_("Confirmer (règlement reçu)"), permissions=["edit"])
    def confirm(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        return run_each(request, queryset, jobs.CONFIRM)

    @admin.action(description=_("Annuler"), permissions=["edit"])
    def cancel(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        return run_each(request, queryset, jobs.CANCEL)

    @admin.action(description=_("Préparer la livraison"), permissions=["deliver"])
    def prepare(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        return run_each(request, queryset, jobs.PREPARE)


class DeliveryNoteLineInline(TabularInline):
    model = DeliveryNoteLine
    extra = 0
    can_delete = False
    hide_title = True
    fields = readonly_fields = [
        "order_line",
        number("quantity", _("quantité")),
        number("unit_cost", _("coût unitaire HT (€)"), places=2),
    ]


@admin.register(DeliveryNote)
class DeliveryNoteAdmin(ReadOnlyAdmin):
    list_display = ["number", "order", "state", "created_at", "shipped_at", "carrier", "pdf"]
    list_filter = ["status", "carrier"]
    list_select_related = ["order"]
    search_fields = ["number", "order__number", "tracking_number"]
    date_hierarchy = "created_at"
    inlines = [DeliveryNoteLineInline]
    actions = ["ship", "cancel"]
    actions_detail = ["take_back"]

    @action(description=_("Retour du client"), icon="assignment_return", permissions=["take_back"])
    def take_back(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return redirect("sales:take_back", object_id)

    def has_take_back_permission(self, request: HttpRequest, *_args: Any) -> bool:
        return request.user.has_perm("sales.add_goodsreturn")

    def has_deliver_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("sales.change_deliverynote")

    state = badge("status", _("État"), draft="warning", shipped="success", cancelled="danger")

    @display(description=_("PDF"))
    def pdf(self, note: DeliveryNote) -> str:
        return format_html('<a href="{}">PDF</a>', reverse("sales:delivery_pdf", args=[note.pk]))

    @admin.action(description=_("Expédier"), permissions=["deliver"])
    def ship(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        return run_each(request, queryset, jobs.SHIP)

    @admin.action(description=_("Annuler la préparation"), permissions=["deliver"])
    def cancel(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        return run_each(request, queryset, jobs.UNPICK)


class GoodsReturnLineInline(TabularInline):
    model = GoodsReturnLine
    extra = 0
    can_delete = False
    hide_title = True
    fields = readonly_fields = ["note_line", number("quantity", _("quantité")), "is_scrap"]


@admin.register(GoodsReturn)
class GoodsReturnAdmin(ReadOnlyAdmin):
    list_display = ["number", "delivery_note", "returned_at", "reason"]
    list_select_related = ["delivery_note"]
    search_fields = ["number", "delivery_note__number", "delivery_note__order__number"]
    date_hierarchy = "returned_at"
    inlines = [GoodsReturnLineInline]
