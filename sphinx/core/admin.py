"""Settings in the back-office: the firm, shops, counters, the audit trail."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.http import HttpRequest
from django.utils.translation import gettext as _translated
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from sphinx.core.admin_tools import KeptAdmin, ReadOnlyAdmin
from sphinx.core.audit_labels import LABELS
from sphinx.core.forms import CompanyForm
from sphinx.core.models import AuditEvent, Company, DocumentSequence, ExchangeRate, Shop


@admin.register(Company)
class CompanyAdmin(KeptAdmin):
    form = CompanyForm

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What brings or removes the logo is for who may change it."""
        fields = super().get_fields(request, obj)
        if self.has_change_permission(request, obj):
            return fields
        return [name for name in fields if name not in ("logo_file", "removes_logo")]

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


class KindFilter(admin.SimpleListFilter):
    title = _("événement")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return sorted(LABELS.items(), key=lambda item: str(item[1]))

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ["at", "event", "subject_number", "told", "actor"]
    list_filter = [KindFilter]
    fields = ["at", "actor", "event", "subject_number", "details"]
    search_fields = ["subject_number"]
    date_hierarchy = "at"
    list_select_related = ["actor"]

    @display(description=_("Événement"), ordering="kind")
    def event(self, event: AuditEvent) -> str:
        return event.label

    @display(description=_("Texte"))
    def told(self, event: AuditEvent) -> str:
        return str(event.details.get("text", ""))


admin.site.unregister(User)
admin.site.unregister(Group)


class _ManyRights:
    """Rights by what they are about, in the words of the screen."""

    def formfield_for_manytomany(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        field = super().formfield_for_manytomany(db_field, request, **kwargs)  # type: ignore[misc]
        if field is not None and field.queryset.model is Permission:
            field.queryset = field.queryset.select_related("content_type")
            field.label_from_instance = _right
        return field


_VERBS = {
    "add": _("créer"),
    "change": _("modifier"),
    "delete": _("supprimer"),
    "view": _("voir"),
}


def _right(permission: Permission) -> str:
    verb, _dash, model = permission.codename.partition("_")
    about = permission.content_type
    if verb in _VERBS and model == about.model:
        return f"{about.app_labeled_name} : {_VERBS[verb]}"
    return f"{about.app_labeled_name} : {_translated(permission.name)}"


@admin.register(User)
class UserAdmin(_ManyRights, BaseUserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class GroupAdmin(_ManyRights, BaseGroupAdmin, ModelAdmin):  # type: ignore[misc]
    pass
