from typing import Any

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from import_export.admin import ImportExportModelAdmin
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import TabularInline
from unfold.contrib.import_export.forms import ExportForm, ImportForm
from unfold.decorators import display

from inventory.models import (
    Product,
    ProductCategory,
    ReorderRule,
    StockMove,
    StockPosition,
    Warehouse,
)
from inventory.resources import ProductResource
from sphinx.core.admin_tools import KeptAdmin, ListTotals, ReadOnlyAdmin, number
from sphinx.core.texts import sku_key

COST = number("unit_cost", _("coût unitaire HT (€)"), places=2)
LEVELS = [
    number("on_hand", _("en stock")),
    number("reserved", _("réservé")),
    number("available", _("disponible")),
    number("backordered", _("à servir")),
    number("incoming", _("attendu")),
    number("average_cost", _("CUMP HT (€)"), places=2),
]


class PositionInline(TabularInline):
    model = StockPosition
    extra = 0
    can_delete = False
    fields = readonly_fields = ["warehouse", *LEVELS]
    tab = True
    hide_title = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReorderRuleInline(TabularInline):
    model = ReorderRule
    extra = 0
    tab = True


@admin.register(Product)
class ProductAdmin(SimpleHistoryAdmin, KeptAdmin, ImportExportModelAdmin):
    list_display = ["sku", "label", "category", "rate", "supply", COST, "state"]
    list_filter = ["supply_mode", "category", "is_incomplete", "is_active"]
    list_select_related = ["category"]
    search_fields = ["sku", "label", "barcode"]
    inlines = [PositionInline, ReorderRuleInline]
    resource_classes = [ProductResource]
    import_form_class = ImportForm
    export_form_class = ExportForm

    @display(description=_("TVA"), ordering="tax_rate")
    def rate(self, product: Product) -> str:
        rate = product.tax_rate
        if rate is None and product.category:
            rate = product.category.tax_rate
        return "—" if rate is None else f"{rate.normalize():f} %".replace(".", ",")

    @display(
        description=_("Approvisionnement"),
        label={_("Stocké"): "info", _("Flux tendu"): "warning"},
        ordering="supply_mode",
    )
    def supply(self, product: Product) -> str:
        return product.get_supply_mode_display()

    @display(description=_("État"), label={_("À compléter"): "danger", _("Complet"): "success"})
    def state(self, product: Product) -> Any:
        return _("À compléter") if product.is_incomplete else _("Complet")

    def save_model(self, request: HttpRequest, obj: Product, form: Any, change: bool) -> None:
        obj.sku_key = sku_key(obj.sku)
        super().save_model(request, obj, form, change)


@admin.register(ProductCategory)
class ProductCategoryAdmin(KeptAdmin):
    list_display = ["name", "tax_rate"]
    search_fields = ["name"]


@admin.register(Warehouse)
class WarehouseAdmin(KeptAdmin):
    list_display = ["name", "code", "is_default"]


@admin.register(ReorderRule)
class ReorderRuleAdmin(KeptAdmin):
    list_display = [
        "product",
        "warehouse",
        number("minimum", _("point de commande")),
        number("maximum", _("recompléter jusqu'à")),
    ]
    list_select_related = ["product", "warehouse"]
    search_fields = ["product__sku", "product__label"]
    autocomplete_fields = ["product"]


class LevelFilter(admin.SimpleListFilter):
    title = _("niveau")
    parameter_name = "level"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("out", _("Rupture")), ("waiting", _("Clients en attente"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "out":
            return queryset.filter(on_hand__lte=F("reserved"))
        if self.value() == "waiting":
            return queryset.filter(backordered__gt=0)
        return queryset


@admin.register(StockPosition)
class StockPositionAdmin(ListTotals, ReadOnlyAdmin):
    list_display = [
        "product",
        "warehouse",
        *LEVELS,
    ]
    list_filter = [LevelFilter, "warehouse", "product__category", "product__supply_mode"]
    list_select_related = ["product", "warehouse"]
    search_fields = ["product__sku", "product__label"]
    totals = {
        "on_hand": _("En stock"),
        "reserved": _("Réservé"),
        "backordered": _("À servir"),
        "incoming": _("Attendu"),
    }


@admin.register(StockMove)
class StockMoveAdmin(ListTotals, ReadOnlyAdmin):
    list_display = [
        "at",
        "product",
        "warehouse",
        "kind",
        number("quantity", _("quantité")),
        number("unit_cost", _("coût unitaire HT (€)"), places=2),
        "origin_number",
    ]
    list_filter = ["kind", "warehouse"]
    list_select_related = ["product", "warehouse"]
    search_fields = ["product__sku", "origin_number"]
    date_hierarchy = "at"
    totals = {"quantity": _("Quantité")}
