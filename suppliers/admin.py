from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import TabularInline
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from sphinx.core import clock
from sphinx.core.admin_tools import KeptAdmin, MasterFileAdmin, OwnPageAdmin, badge, number
from sphinx.core.exchange import indicative_units
from sphinx.core.forms import CurrencyForm
from sphinx.core.four_eyes import asked_or, submit
from sphinx.core.models import Approval
from suppliers.forms import ClosuresFormSet, WeekdaysField
from suppliers.models import (
    PriceList,
    Supplier,
    SupplierClosure,
    SupplierPrice,
    SupplierProduct,
)
from suppliers.resources import SupplierProductResource, SupplierResource

BANK_DETAILS = ("iban", "bic")
WEEKDAYS = ("order_weekdays", "delivery_weekdays")


class PriceInline(TabularInline):
    """Prices typed are in the supplier's currency; one given before it changed says its own."""

    model = SupplierPrice
    extra = 0
    readonly_fields = ["currency"]


class ClosureInline(TabularInline):
    model = SupplierClosure
    formset = ClosuresFormSet
    extra = 0

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A closure that isn't one any more goes with the rest of the form."""
        return self.has_change_permission(request, obj)


@admin.register(Supplier)
class SupplierAdmin(SimpleHistoryAdmin, KeptAdmin, MasterFileAdmin):
    form = CurrencyForm
    resource_classes = [SupplierResource]
    list_display = [
        "code",
        "name",
        "lead_time_days",
        "minimum_order_excl_tax",
        "carriage_free_excl_tax",
        "is_active",
    ]
    list_filter = ["is_active", "country", "currency"]
    search_fields = ["code", "name", "email"]
    fieldsets = [
        (
            _("Identité"),
            {
                "fields": [
                    *["code", "name", "siren", "vat_number", "email", "phone"],
                    *["address1", "address2", "postcode", "city", "country", "language"],
                    "is_active",
                ]
            },
        ),
        (
            _("Conditions d'achat"),
            {
                "fields": [
                    *["currency", "lead_time_days", "minimum_order_excl_tax"],
                    *["carriage_excl_tax", "carriage_free_excl_tax"],
                ]
            },
        ),
        (
            _("Jours de commande et de livraison"),
            {
                "fields": WEEKDAYS,
                "description": _(
                    "Le réappro compte l'attente jusqu'au prochain de ces jours, et les fermetures."
                ),
            },
        ),
        (
            _("Paiement"),
            {"fields": ["payment_terms_days", "iban", "bic", "auxiliary_account"]},
        ),
    ]

    inlines = [ClosureInline]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Days of the week are ticked. The bank details carry what was shown: a form left open
        doesn't set old ones back."""
        if db_field.name in WEEKDAYS:
            return WeekdaysField(
                label=capfirst(db_field.verbose_name),
                help_text=db_field.help_text,
                widget=UnfoldAdminCheckboxSelectMultipleWidget,
            )
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name in BANK_DETAILS:
            field.show_hidden_initial = True
        return field

    def save_model(self, request: HttpRequest, obj: Supplier, form: Any, change: bool) -> None:
        """Where money goes is changed by its own service, maybe once another has agreed."""
        typed = {name: getattr(obj, name) for name in BANK_DETAILS if name in form.changed_data}
        kept = Supplier.objects.filter(pk=obj.pk).values(*BANK_DETAILS).first()
        before = kept or dict.fromkeys(BANK_DETAILS, "")
        wanted = before | typed
        obj.iban, obj.bic = before["iban"], before["bic"]
        super().save_model(request, obj, form, change)
        if "currency" in form.changed_data:
            _tell_of_rates(request, obj)
        if wanted != before:
            made = submit(
                "suppliers.bank_details",
                about=_("%(name)s payé sur le compte %(iban)s")
                % {"name": obj.name, "iban": wanted["iban"] or "—"},
                actor=request.user,
                supplier_id=obj.pk,
                **wanted,
            )
            if isinstance(made, Approval):
                messages.warning(request, asked_or(made, ""))


def _tell_of_rates(request: HttpRequest, supplier: Supplier) -> None:
    """Without a rate nothing of the supplier can be compared, received or invoiced."""
    if supplier.currency not in indicative_units({supplier.currency}, clock.today()):
        messages.warning(
            request,
            _("Aucun cours de %s n'est connu : donnez-en un dans Réglages › Cours de change.")
            % supplier.currency,
        )


@admin.register(SupplierProduct)
class SupplierProductAdmin(KeptAdmin, MasterFileAdmin):
    resource_classes = [SupplierProductResource]
    list_display = [
        "product",
        "supplier",
        "supplier_sku",
        number("minimum_quantity", _("quantité minimale")),
        number("pack_size", _("conditionnement")),
        "unit_name",
        number("unit_size", _("pièces par unité")),
        "lead_time_days",
        "is_preferred",
    ]
    list_filter = ["supplier", "is_preferred"]
    list_select_related = ["product", "supplier"]
    search_fields = ["product__sku", "product__label", "supplier_sku", "supplier__name"]
    autocomplete_fields = ["product", "supplier"]
    inlines = [PriceInline]

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """A price that was typed is in the currency that the supplier has now."""
        for row in formset.forms:
            if isinstance(row.instance, SupplierPrice) and "unit_price_excl_tax" in getattr(
                row, "changed_data", ()
            ):
                row.instance.currency = form.instance.supplier.currency
        super().save_formset(request, form, formset, change)


@admin.register(PriceList)
class PriceListAdmin(OwnPageAdmin):
    """Lists received, each opening what it would change or changed."""

    own_page, add_page = "suppliers:price_list", "suppliers:new_price_list"
    list_display = ["received_at", "supplier", "name", "state", "applies_on", "applied_at"]
    list_filter = ["status", "supplier"]
    list_select_related = ["supplier"]
    search_fields = ["name", "supplier__name"]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("data", "outcome")

    state = badge(
        "status", _("État"), draft="warning", accepted="info", applied="success", discarded="danger"
    )
