from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import TabularInline

from sphinx.core.admin_tools import KeptAdmin, number
from suppliers.models import Supplier, SupplierPrice, SupplierProduct


class PriceInline(TabularInline):
    model = SupplierPrice
    extra = 0


@admin.register(Supplier)
class SupplierAdmin(SimpleHistoryAdmin, KeptAdmin):
    list_display = [
        "code",
        "name",
        "lead_time_days",
        "minimum_order_excl_tax",
        "carriage_free_excl_tax",
        "is_active",
    ]
    list_filter = ["is_active", "country"]
    search_fields = ["code", "name", "email"]


@admin.register(SupplierProduct)
class SupplierProductAdmin(KeptAdmin):
    list_display = [
        "product",
        "supplier",
        "supplier_sku",
        number("minimum_quantity", _("quantité minimale")),
        number("pack_size", _("conditionnement")),
        "lead_time_days",
        "is_preferred",
    ]
    list_filter = ["supplier", "is_preferred"]
    list_select_related = ["product", "supplier"]
    search_fields = ["product__sku", "product__label", "supplier_sku", "supplier__name"]
    autocomplete_fields = ["product", "supplier"]
    inlines = [PriceInline]
