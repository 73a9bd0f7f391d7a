from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import TabularInline
from unfold.decorators import action, display

from customers import jobs
from customers.models import Customer, CustomerAddress, ShopIdentity, VatCheck
from customers.resources import CustomerResource
from customers.selectors import customers_with_invalid_numbers
from sphinx.core.admin_tools import KeptAdmin, MasterFileAdmin, run_each


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


class VatCheckInline(TabularInline):
    model = VatCheck
    extra = 0
    can_delete = False
    fields = readonly_fields = [
        "checked_at",
        "vat_number",
        "is_valid",
        "name",
        "address",
        "consultation",
    ]
    tab = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ViesFilter(admin.SimpleListFilter):
    """Professionals of the Union whose number VIES doesn't know."""

    title = _("VIES")
    parameter_name = "vies"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("invalid", _("numéro inconnu"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() != "invalid":
            return queryset
        return queryset.filter(pk__in=customers_with_invalid_numbers().values("pk"))


@admin.register(Customer)
class CustomerAdmin(SimpleHistoryAdmin, KeptAdmin, MasterFileAdmin):
    list_display = ["code", "shown_name", "kind", "email", "phone", "vat_number", "created_at"]
    list_filter = ["kind", ViesFilter, "accepts_marketing"]
    search_fields = ["code", "first_name", "last_name", "company_name", "email", "vat_number"]
    date_hierarchy = "created_at"
    readonly_fields = ["code", "created_at", "stated_vat_number"]
    inlines = [AddressInline, IdentityInline, VatCheckInline]
    actions = ["merge", "check_vies"]
    actions_detail = ["new_quote", "privacy"]
    resource_classes = [CustomerResource]

    @display(description=_("Nom"), ordering="last_name")
    def shown_name(self, customer: Customer) -> str:
        return customer.name

    def get_queryset(self, request: HttpRequest) -> Any:
        """Those who were merged are found through the one who stays."""
        rows = super().get_queryset(request)
        opened = request.resolver_match and request.resolver_match.kwargs.get("object_id")
        return rows if opened else rows.filter(merged_into=None)

    @admin.action(description=_("Fusionner les deux clients cochés"), permissions=["change"])
    def merge(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        ids = list(queryset.order_by("pk").values_list("pk", flat=True)[:3])
        if len(ids) != 2:  # noqa: PLR2004 (two make one)
            messages.error(request, _("Cochez exactement deux clients."))
            return None
        return redirect(f"{reverse('sales:merge_customers')}?a={ids[0]}&b={ids[1]}")

    @admin.action(description=_("Vérifier le n° de TVA par VIES"), permissions=["change"])
    def check_vies(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        return run_each(request, queryset.exclude(vat_number=""), jobs.CHECK_VIES)

    @action(description=_("Nouveau devis"), url_path="devis", permissions=["quote"])
    def new_quote(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return redirect(f"{reverse('sales:new_quote')}?client={object_id}")

    @action(description=_("Données personnelles"), url_path="donnees", permissions=["forget"])
    def privacy(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return redirect("core:privacy_person", object_id)

    def has_forget_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("customers.forget_customer")

    def has_quote_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("sales.add_quote")

    def has_add_permission(self, request: HttpRequest) -> bool:
        # Customers come from the shops: one made by hand would be a second one.
        return False
