from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import display

from accounting_export.forms import SendingForm
from accounting_export.models import (
    Account,
    AccountRule,
    EntryQuestion,
    ExportBatch,
    Journal,
    JournalEntry,
    JournalLine,
    LetteredLine,
    PaymentMeans,
    Sending,
)
from accounting_export.resources import AccountResource
from sphinx.core.admin_tools import KeptAdmin, ListTotals, MasterFileAdmin, ReadOnlyAdmin
from sphinx.core.credentials import set_credentials


class LineInline(TabularInline):
    model = JournalLine
    extra = 0
    hide_title = True
    fields = readonly_fields = [
        "account",
        "account_label",
        "auxiliary",
        "debit",
        "credit",
        "mark",
        "section",
        "reason",
    ]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("lettered")

    @display(description=_("Lettrage"))
    def mark(self, line: JournalLine) -> str:
        lettered: LetteredLine | None = getattr(line, "lettered", None)
        return lettered.code if lettered else ""

    @display(description=_("Compte"))
    def reason(self, line: JournalLine) -> str:
        url = f"{reverse('accounting_export:why')}?ligne={line.pk}"
        return format_html('<a href="{}">{}</a>', url, _("Pourquoi ?"))


@admin.register(JournalEntry)
class JournalEntryAdmin(ListTotals, ReadOnlyAdmin):
    list_display = ["number", "journal", "entry_date", "piece_ref", "label", "sent"]
    list_filter = ["journal"]
    list_select_related = ["journal"]
    search_fields = ["number", "piece_ref", "label"]
    date_hierarchy = "entry_date"
    totals = {"lines__debit": _("Débit"), "lines__credit": _("Crédit")}
    inlines = [LineInline]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("exports")

    @display(description=_("Exportée"), boolean=True)
    def sent(self, entry: JournalEntry) -> bool:
        return bool(entry.exports.all())


@admin.register(ExportBatch)
class ExportBatchAdmin(ReadOnlyAdmin):
    list_display = [
        "number",
        "created_at",
        "format",
        "journals",
        "date_from",
        "date_to",
        "entry_count",
        "line_count",
        "debit",
        "credit",
        "file_link",
    ]
    list_filter = ["format"]

    @display(description=_("Fichier"))
    def file_link(self, batch: ExportBatch) -> str:
        url = reverse("accounting_export:download", args=[batch.pk])
        return format_html('<a href="{}">{}</a>', url, _("Télécharger"))


@admin.register(AccountRule)
class AccountRuleAdmin(KeptAdmin):
    list_display = ["nature", "regime", "tax_rate", "country", "shop", "account"]
    list_filter = ["nature", "regime"]
    list_select_related = ["account", "shop"]
    autocomplete_fields = ["account"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("accounting_export.change_accountrule")


@admin.register(Account)
class AccountAdmin(KeptAdmin, MasterFileAdmin):
    resource_classes = [AccountResource]
    list_display = ["number", "label"]
    search_fields = ["number", "label"]


@admin.register(PaymentMeans)
class PaymentMeansAdmin(KeptAdmin):
    list_display = ["name", "journal", "account", "provider", "keywords", "is_bank"]
    list_select_related = ["account", "journal"]
    autocomplete_fields = ["account"]


@admin.register(Journal)
class JournalAdmin(KeptAdmin):
    list_display = ["code", "label"]


@admin.register(Sending)
class SendingAdmin(KeptAdmin):
    """One row, made when its page is first opened."""

    form = SendingForm
    list_display = ["__str__", "is_active", "rhythm", "next_on", "way"]
    filter_horizontal = ["journals"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What opens the server is for who may change it."""
        fields = super().get_fields(request, obj)
        if self.has_change_permission(request, obj):
            return fields
        secrets = ("password", "private_key", "passphrase")
        return [name for name in fields if name not in secrets]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Sending, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        set_credentials(
            obj,
            password=form.cleaned_data.get("password", ""),
            private_key=form.cleaned_data.get("private_key", ""),
        )


@admin.register(EntryQuestion)
class EntryQuestionAdmin(ReadOnlyAdmin):
    list_display = ["text", "entry_link", "asked_at", "asked_by", "answered_at"]
    list_filter = [("answer", admin.EmptyFieldListFilter)]
    list_select_related = ["entry", "asked_by"]

    @display(description=_("Écriture"))
    def entry_link(self, question: EntryQuestion) -> str:
        url = reverse("accounting_export:entry", args=[question.entry_id])
        return format_html('<a href="{}">{}</a>', url, question.entry.number)
