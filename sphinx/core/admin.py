"""Settings in the back-office: the firm, shops, counters, the audit trail."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html_join
from django.utils.translation import gettext as _translated
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from sphinx.core.accounts import end_sessions
from sphinx.core.admin_tools import KeptAdmin, ReadOnlyAdmin, badge, run_each
from sphinx.core.audit_labels import LABELS
from sphinx.core.dead_letters import AGAIN, AWAY, label_of_task
from sphinx.core.errors import BusinessRuleError
from sphinx.core.events import announce
from sphinx.core.exchange_events import rates_changed, rates_wanted, shop_currency_said
from sphinx.core.forms import CompanyForm, ExchangeRateForm, ShopForm
from sphinx.core.four_eyes import AGREE, DECLINE, label_of_matter, requests_seen_by
from sphinx.core.models import (
    Approval,
    AuditEvent,
    Company,
    DeadLetter,
    DocumentSequence,
    ExchangeRate,
    Shop,
)
from sphinx.core.services import record


@admin.register(Company)
class CompanyAdmin(KeptAdmin):
    form = CompanyForm

    fieldsets = [
        (
            _("Identité"),
            {
                "fields": [
                    *["name", "legal_form", "share_capital", "siren", "siret", "vat_number"],
                    *["trade_register", "address1", "address2", "postcode", "city", "country"],
                    *["email", "phone", "iban"],
                ]
            },
        ),
        (_("Documents"), {"fields": ["colour", "logo_file", "removes_logo"]}),
        (
            _("TVA et facture électronique"),
            {
                "fields": [
                    *["is_tax_exempt", "taxes_on_debits", "uses_oss", "checks_vies"],
                    "structures_consumer_invoices",
                ]
            },
        ),
        (
            _("Paiement et relances"),
            {
                "fields": [
                    *["payment_terms_days", "discount_terms", "late_penalty_rate"],
                    *["sends_reminders", "reminder_days"],
                ]
            },
        ),
        (
            _("Comptabilité"),
            {
                "fields": [
                    *["fiscal_year_end_month", "account_length", "books_discounts_apart"],
                    *["analytics", "fetches_ecb_rates"],
                ]
            },
        ),
        (
            _("Messages et écrans"),
            {"fields": ["stock_alert_emails", "weekly_report_emails", "hides_first_steps"]},
        ),
        (
            _("Sécurité et données personnelles"),
            {
                "fields": [
                    *["second_factor_roles", "second_for_refunds", "second_for_bank_details"],
                    "forget_after_years",
                ]
            },
        ),
    ]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """What brings or removes the logo is for who may change it."""
        if self.has_change_permission(request, obj):
            return super().get_fieldsets(request, obj)
        own = ("logo_file", "removes_logo")
        return [
            (title, {"fields": [name for name in options["fields"] if name not in own]})
            for title, options in super().get_fieldsets(request, obj)
        ]

    list_display = ["name", "siren", "vat_number", "city"]

    def save_model(self, request: HttpRequest, obj: Company, form: Any, change: bool) -> None:
        """Which settings changed is in the trail: some of them guard others."""
        super().save_model(request, obj, form, change)
        if form.changed_data:
            record("firm.changed", [obj], actor=request.user, settings=sorted(form.changed_data))
        if "fetches_ecb_rates" in form.changed_data and obj.fetches_ecb_rates:
            announce(rates_wanted)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not Company.objects.exists()


@admin.register(Shop)
class ShopAdmin(KeptAdmin):
    form = ShopForm
    list_display = ["name", "code", "dialect", "currency", "confirms_unpaid", "is_active"]
    search_fields = ["code", "name"]

    def save_model(self, request: HttpRequest, obj: Shop, form: Any, change: bool) -> None:
        """Orders that waited for the shop's currency come in."""
        super().save_model(request, obj, form, change)
        if "currency" in form.changed_data and obj.currency:
            announce(shop_currency_said, shop_id=obj.pk)


@admin.register(DocumentSequence)
class DocumentSequenceAdmin(ReadOnlyAdmin):
    list_display = ["series", "period", "last_number", "last_issued_on"]


@admin.register(ExchangeRate)
class ExchangeRateAdmin(ModelAdmin):
    """The firm's own rates, to be typed; the ECB's, to be looked at."""

    form = ExchangeRateForm
    list_display = ["currency", "valid_from", "units_per_euro", "given_by"]
    list_filter = ["source", "currency"]
    search_fields = ["currency"]

    given_by = badge("source", _("Source"), manual="info", ecb="success")

    def has_change_permission(self, request: HttpRequest, obj: ExchangeRate | None = None) -> bool:
        own = obj is None or obj.source == ExchangeRate.Source.MANUAL
        return own and super().has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: ExchangeRate, form: Any, change: bool) -> None:
        """Orders that waited for it come in."""
        super().save_model(request, obj, form, change)
        announce(rates_changed, currencies=[obj.currency])


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


@admin.register(Approval)
class ApprovalAdmin(ReadOnlyAdmin):
    """What waits for a second person; each sees what is of their role."""

    list_display = ["about", "of_kind", "state", "asked_by", "asked_at", "decided_by", "decided_at"]
    list_filter = ["status"]
    search_fields = ["about"]
    list_select_related = ["asked_by", "decided_by"]
    fields = [
        "about", "of_kind", "params", "status", "asked_by", "asked_at", "decided_by", "decided_at",
    ]  # fmt: skip
    actions = ["agree", "decline"]

    state = badge("status", _("État"), waiting="warning", agreed="success", declined="danger")

    @display(description=_("Nature"), ordering="matter")
    def of_kind(self, asked: Approval) -> str:
        return label_of_matter(asked.matter)

    def get_queryset(self, request: HttpRequest) -> Any:
        own = requests_seen_by(request.user).values("pk")
        return super().get_queryset(request).filter(pk__in=own)

    def history_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return super().history_view(request, *args, **kwargs)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("core.change_approval")

    @admin.action(description=_("Accepter : c'est fait aussitôt"), permissions=["decide"])
    def agree(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        return run_each(request, queryset, AGREE)

    @admin.action(description=_("Refuser, ou retirer sa demande"), permissions=["decide"])
    def decline(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        return run_each(request, queryset, DECLINE)


@admin.register(DeadLetter)
class DeadLetterAdmin(ReadOnlyAdmin):
    """What failed for good: seen, mended, sent again."""

    list_display = ["told", "state", "error", "place", "failures", "last_failed_at"]
    list_filter = ["status", "error"]
    search_fields = ["task", "error", "place"]
    fields = [
        "told", "task", "kwargs", "status", "error", "place", "failures", "first_failed_at",
        "last_failed_at", "sent_again_at", "settled_at",
    ]  # fmt: skip
    actions = ["send_again", "put_away"]

    state = badge("status", _("État"), open="danger", settled="success", dropped="warning")

    @display(description=_("Tâche"), ordering="task")
    def told(self, letter: DeadLetter) -> str:
        label = label_of_task(letter.task)
        told = ", ".join(f"{name} {value}" for name, value in letter.kwargs.items())
        return f"{label} ({told})" if told else label

    def has_mend_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("core.change_deadletter")

    @admin.action(description=_("Rejouer (la cause est corrigée)"), permissions=["mend"])
    def send_again(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        return run_each(request, queryset, AGAIN)

    @admin.action(description=_("Classer (plus rien à faire)"), permissions=["mend"])
    def put_away(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        return run_each(request, queryset, AWAY)


admin.site.unregister(User)
admin.site.unregister(Group)
# What the log-in keeps (seeds of second factors, addresses, sessions, links) has its own pages.
for _kept in (EmailAddress, Authenticator, UserSession, SocialAccount, SocialApp, SocialToken):
    if admin.site.is_registered(_kept):
        admin.site.unregister(_kept)


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
    """People and their roles; single rights and super-users are for super-users alone."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    filter_horizontal = ["user_permissions"]
    readonly_fields = ["last_login", "date_joined"]
    list_display = ["username", "first_name", "last_name", "email", "roles", "is_active"]
    list_filter = ["is_active", "groups"]

    actions = ["end_sessions"]

    @admin.action(description=_("Fermer leurs sessions"), permissions=["change"])
    def end_sessions(self, request: HttpRequest, queryset: Any) -> None:
        ended = 0
        for user in queryset:
            try:
                ended += end_sessions(user, actor=request.user)
            except BusinessRuleError as error:
                messages.error(request, error.message)
        told = ngettext("%(n)s session fermée.", "%(n)s sessions fermées.", ended)
        self.message_user(request, told % {"n": ended})

    @display(description=_("Rôles"))
    def roles(self, user: User) -> str:
        return ", ".join(sorted(group.name for group in user.groups.all())) or "–"

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("groups")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return super().get_fieldsets(request, obj)
        rights = ["is_active", "groups"]
        if request.user.is_superuser:
            rights += ["is_superuser", "user_permissions"]
        return [
            (None, {"fields": ["username", "password", "first_name", "last_name", "email"]}),
            (_("Droits"), {"fields": rights}),
            (_("Dates"), {"fields": ["last_login", "date_joined"]}),
        ]

    def formfield_for_manytomany(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "groups":
            kwargs["widget"] = UnfoldAdminCheckboxSelectMultipleWidget()
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        if db_field.name == "groups":
            field.label, field.help_text = _("Rôles"), ""
        return field

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is not None and obj.is_superuser and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Documents name who made them: a person who leaves is no longer active."""
        return False

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:
        """Somebody else's password: who gave it is in the trail."""
        before = User.objects.filter(pk=id).values_list("password", flat=True).first()
        response = super().user_change_password(request, id, form_url)
        user = User.objects.filter(pk=id).exclude(password=before or "").first()
        if user is not None:
            record("account.password_set", [user], actor=request.user)
        return response

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        obj.is_staff = True
        super().save_model(request, obj, form, change)


@admin.register(Group)
class GroupAdmin(ReadOnlyAdmin):
    """Roles are what the program says they are: each migration sets them back."""

    list_display = ["name", "people"]
    fields = readonly_fields = ["name", "rights"]

    @display(description=_("Personnes"))
    def people(self, group: Any) -> int:
        return group.people

    @display(description=_("Droits"))
    def rights(self, group: Group) -> str:
        found = group.permissions.select_related("content_type").order_by(
            "content_type__app_label", "content_type__model", "codename"
        )
        return format_html_join("", "{}<br>", ((_right(permission),) for permission in found))

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(people=Count("user"))
