"""Settings in the back-office: the firm, shops, counters, the audit trail."""

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from sphinx.core.admin_tools import KeptAdmin, ReadOnlyAdmin
from sphinx.core.forms import CompanyForm
from sphinx.core.models import AuditEvent, Company, DocumentSequence, ExchangeRate, Shop


@admin.register(Company)
class CompanyAdmin(KeptAdmin):
    form = CompanyForm
    list_display = ["name", "siren", "vat_number", "city"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not Company.objects.exists()


@admin.register(Shop)
class ShopAdmin(KeptAdmin):
    list_display = ["name", "code", "dialect", "confirms_unpaid", "is_active"]
    search_fields = ["code", "name"]


@admin.register(DocumentSequence)
class DocumentSequenceAdmin(ReadOnlyAdmin):
    list_display = ["series", "period", "last_number", "last_issued_on"]


@admin.register(ExchangeRate)
class ExchangeRateAdmin(ModelAdmin):
    list_display = ["currency", "valid_from", "units_per_euro"]
    list_filter = ["currency"]
    search_fields = ["currency"]


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ["at", "kind", "subject_number", "told", "actor"]
    list_filter = ["kind"]
    search_fields = ["subject_number"]
    date_hierarchy = "at"
    list_select_related = ["actor"]

    @display(description=_("Texte"))
    def told(self, event: AuditEvent) -> str:
        return str(event.details.get("text", ""))


admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(BaseUserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class GroupAdmin(BaseGroupAdmin, ModelAdmin):
    pass
