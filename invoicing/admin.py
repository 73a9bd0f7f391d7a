from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import action, display

from invoicing import jobs
from invoicing.models import (
    Closing,
    EInvoiceState,
    Invoice,
    InvoiceLine,
    Payment,
    PlatformMessage,
    PlatformSettings,
    SalesReport,
    TaxBreakdown,
)
from invoicing.platforms import platforms
from sphinx.core.admin_tools import KeptAdmin, ListTotals, ReadOnlyAdmin, badge, number, run_each
from sphinx.core.jobs import start_job


class LineInline(TabularInline):
    model = InvoiceLine
    extra = 0
    hide_title = True
    fields = readonly_fields = [
        "sku",
        "label",
        number("quantity", _("quantité")),
        number("unit_price_excl_tax", _("prix unitaire HT (€)"), places=2),
        "tax_rate",
        "discount_excl_tax",
        "total_excl_tax",
        "total_incl_tax",
    ]


class TaxInline(TabularInline):
    model = TaxBreakdown
    extra = 0
    hide_title = True
    fields = readonly_fields = ["tax_rate", "base_excl_tax", "tax", "total_incl_tax"]


class StateInline(TabularInline):
    model = EInvoiceState
    extra = 0
    hide_title = True
    fields = readonly_fields = ["state", "occurred_at", "reason", "source"]


@admin.register(Invoice)
class InvoiceAdmin(ListTotals, ReadOnlyAdmin):
    list_display = [
        "number",
        "nature",
        "issued_on",
        "customer_name",
        "order_number",
        "total_excl_tax",
        "total_tax",
        "total_incl_tax",
        "pdf_link",
    ]
    list_filter = ["kind", "shop", "tax_regime", "is_business", "country"]
    search_fields = ["number", "order_number", "customer_name", "customer_code"]
    date_hierarchy = "issued_on"
    totals = {
        "total_excl_tax": _("Total HT"),
        "total_tax": _("TVA"),
        "total_incl_tax": _("Total TTC"),
    }
    inlines = [LineInline, TaxInline, StateInline]
    readonly_fields = ["papers"]
    actions = ["credit", "take_pdfs"]
    actions_detail = ["open_credit"]
    fieldsets = [
        (
            _("Pièce"),
            {
                "fields": [
                    ("number", "kind"),
                    ("issued_on", "due_on"),
                    ("shop", "order"),
                    ("delivery_note", "delivered_on"),
                    ("credited_invoice", "reason"),
                    ("is_down_payment", "is_grouped"),
                    "papers",
                ]
            },
        ),
        (
            _("Client"),
            {
                "fields": [
                    ("customer", "customer_name"),
                    ("is_business", "auxiliary_account"),
                    ("country", "tax_regime"),
                ]
            },
        ),
        (
            _("Montants"),
            {
                "fields": [
                    ("total_excl_tax", "total_tax"),
                    ("total_incl_tax", "paid_incl_tax"),
                    "currency",
                ]
            },
        ),
        (
            _("Origine et empreinte"),
            {
                "fields": [
                    ("source_file", "source_line"),
                    "source_sha256",
                    ("issued_at", "chain_index"),
                    "previous_hash",
                    "hash",
                ]
            },
        ),
    ]

    def has_issue_permission(self, request: HttpRequest, *_args: Any) -> bool:
        return request.user.has_perm("invoicing.add_invoice")

    def list_totals(self, rows: QuerySet[Any]) -> list[tuple[Any, Decimal]]:
        """Credit notes are taken off."""
        credit = Q(kind=Invoice.Kind.CREDIT_NOTE)
        sums = rows.order_by().aggregate(
            **{f"plus_{n}": Sum(n, filter=~credit) for n in self.totals},
            **{f"minus_{n}": Sum(n, filter=credit) for n in self.totals},
        )
        return [
            (label, (sums[f"plus_{n}"] or Decimal(0)) - (sums[f"minus_{n}"] or Decimal(0)))
            for n, label in self.totals.items()
        ]

    nature = badge("kind", _("Nature"), invoice="info", credit_note="danger")

    @display(description=_("Papiers"))
    def papers(self, invoice: Invoice) -> str:
        """The PDF and XML, and how it is settled."""
        pages = [
            (_("PDF"), "invoicing:pdf"),
            (_("XML"), "invoicing:cii"),
            (_("Règlement"), "invoicing:receivable"),
        ]
        links = [(reverse(name, args=[invoice.pk]), label) for label, name in pages]
        joined = format_html_join(" · ", '<a href="{}">{}</a>', links)
        return format_html('<span class="sx">{}</span>', joined)

    @action(description=_("Avoir"), icon="undo", permissions=["issue"])
    def open_credit(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return redirect("invoicing:credit", object_id)

    @display(description=_("PDF"))
    def pdf_link(self, invoice: Invoice) -> str:
        return format_html(
            '<a href="{}">PDF</a> <a href="{}">XML</a>',
            reverse("invoicing:pdf", args=[invoice.pk]),
            reverse("invoicing:cii", args=[invoice.pk]),
        )

    @admin.action(description=_("Établir un avoir du reste"), permissions=["issue"])
    def credit(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        return run_each(request, queryset.filter(kind=Invoice.Kind.INVOICE), jobs.CREDIT)

    @admin.action(description=_("PDF des pièces cochées (zip)"))
    def take_pdfs(self, request: HttpRequest, queryset: Any) -> HttpResponse:
        ids = list(queryset.order_by("pk").values_list("pk", flat=True))
        return redirect("core:job", start_job("invoicing.pdfs", actor=request.user, ids=ids).pk)


@admin.register(Payment)
class PaymentAdmin(ListTotals, ReadOnlyAdmin):
    list_display = ["paid_at", "order", "invoice", "amount", "method", "kind"]
    list_filter = ["kind", "method"]
    list_select_related = ["order", "invoice"]
    search_fields = ["order__number", "invoice__number", "reference"]
    date_hierarchy = "paid_at"
    totals = {"amount": _("Encaissé")}


@admin.register(Closing)
class ClosingAdmin(ReadOnlyAdmin):
    """Days, months and years closed, with their totals."""

    list_display = [
        "position",
        "kind",
        "first_on",
        "last_on",
        "documents",
        "invoiced_incl_tax",
        "credited_incl_tax",
        "perpetual_incl_tax",
        "closed_at",
        "page",
    ]
    list_filter = ["kind"]
    date_hierarchy = "last_on"

    @display(description=_("PDF"))
    def page(self, closing: Closing) -> str:
        """Its page with the anchor, to be kept elsewhere."""
        return format_html(
            '<a href="{}">PDF</a>', reverse("invoicing:closing_pdf", args=[closing.pk])
        )


@admin.register(PlatformSettings)
class PlatformSettingsAdmin(KeptAdmin):
    """One row, made when its page is first opened."""

    list_display = ["__str__", "is_active", "starts_on", "report_every"]
    radio_fields = {"report_every": admin.VERTICAL}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "adapter":
            choices = [(adapter.code, adapter.label) for adapter in platforms()]
            return forms.ChoiceField(label=capfirst(db_field.verbose_name), choices=choices)
        return super().formfield_for_dbfield(db_field, request, **kwargs)


@admin.register(SalesReport)
class SalesReportAdmin(ListTotals, ReadOnlyAdmin):
    list_display = ["identifier", "first_on", "last_on", "documents", "net", "tax", "status"]
    list_filter = ["status"]
    date_hierarchy = "last_on"
    totals = {"net": _("Total HT"), "tax": _("TVA")}


@admin.register(PlatformMessage)
class PlatformMessageAdmin(ReadOnlyAdmin):
    list_display = ["received_at", "name", "states", "problems"]
    date_hierarchy = "received_at"
