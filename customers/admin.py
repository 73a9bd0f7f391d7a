from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from import_export.admin import ExportActionModelAdmin
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import TabularInline
from unfold.contrib.import_export.forms import ExportForm
from unfold.decorators import display

from customers.models import Customer, CustomerAddress, ShopIdentity
from customers.resources import CustomerResource
from sphinx.core.admin_tools import KeptAdmin


class AddressInline(TabularInline):
    model = CustomerAddress
    extra = 0
    tab = True


class IdentityInline(TabularInline):
    model = ShopIdentity
    extra = 0
    can_delete = False
    fields = readonly_fields = ["shop", "external_ref", "source_file", "source_line"]
    tab = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Customer)
class CustomerAdmin(SimpleHistoryAdmin, KeptAdmin, ExportActionModelAdmin):
    list_display = ["code", "shown_name", "kind", "email", "phone", "vat_number", "created_at"]
    list_filter = ["kind", "accepts_marketing"]
    search_fields = ["code", "first_name", "last_name", "company_name", "email", "vat_number"]
    date_hierarchy = "created_at"
    readonly_fields = ["code", "created_at"]
    inlines = [AddressInline, IdentityInline]
    resource_classes = [CustomerResource]
    export_form_class = ExportForm

    @display(description=_("Nom"), ordering="last_name")
    def shown_name(self, customer: Customer) -> str:
        return customer.name

    def has_add_permission(self, request: HttpRequest) -> bool:
        # Customers come from the shops: one made by hand would be a second one.
        return False
