from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import display

from purchasing import services
from purchasing.models import PurchaseOrder, PurchaseOrderLine, Receipt, ReceiptLine
from sphinx.core import clock
from sphinx.core.admin_tools import ListTotals, ReadOnlyAdmin, number, run_each
from sphinx.core.errors import SphinxError

_COLOURS = {
    _("Proposée"): "warning",
    _("Acceptée"): "info",
    _("Envoyée"): "info",
    _("Reçue"): "success",
    _("Refusée"): "danger",
    _("Annulée"): "danger",
}


PRICE = number("unit_price_excl_tax", _("prix unitaire HT (€)"), places=2)
RECEIVED = number("quantity_received", _("reçu"))


class LineInline(TabularInline):
    """Quantities of a proposal can be changed; each line shows its reason."""

    model = PurchaseOrderLine
    extra = 0
    can_delete = False
    fields = [
        "product",
        "supplier_sku",
        "quantity",
        PRICE,
        "total_excl_tax",
        RECEIVED,
        "why",
    ]
    hide_title = True

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fixed = [name for name in self.fields if name != "quantity"]
        is_open = obj is not None and obj.status == PurchaseOrder.Status.PROPOSED
        return fixed if is_open else [*fixed, "quantity"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description=_("Pourquoi"))
    def why(self, line: PurchaseOrderLine) -> SafeString:
        return render_to_string("purchasing/reason.html", {"reason": line.reason})


@admin.register(PurchaseOrder)
class PurchaseOrderAdmin(ListTotals, ReadOnlyAdmin):
    list_display = [
        "number",
        "supplier",
        "state",
        "total_excl_tax",
        "proposed_on",
        "expected_on",
        "note",
    ]
    list_filter = ["status", "supplier"]
    list_select_related = ["supplier"]
    search_fields = ["number", "supplier__name", "lines__product__sku"]
    date_hierarchy = "proposed_on"
    totals = {"total_excl_tax": _("Total HT")}
    inlines = [LineInline]
    actions = ["accept", "refuse", "send", "receive"]
    readonly_fields = [
        "number",
        "supplier",
        "warehouse",
        "status",
        "currency",
        "total_excl_tax",
        "proposed_on",
        "accepted_at",
        "sent_at",
        "expected_on",
        "note",
    ]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("purchasing.change_purchaseorder")

    @display(description=_("État"), label=_COLOURS, ordering="status")
    def state(self, order: PurchaseOrder) -> str:
        return order.get_status_display()

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        for line_form in formset.forms:
            if "quantity" in line_form.changed_data:
                try:
                    services.set_quantity(
                        line_id=line_form.instance.pk,
                        quantity=line_form.cleaned_data["quantity"],
                        at=clock.now(),
                        actor=request.user,
                    )
                except SphinxError as error:
                    messages.error(request, error.message)
        formset.new_objects = formset.changed_objects = formset.deleted_objects = []

    @admin.action(description=_("Accepter les propositions"), permissions=["change"])
    def accept(self, request: HttpRequest, queryset: Any) -> None:
        run_each(
            request,
            queryset,
            lambda o: services.accept_proposal(order_id=o.pk, at=clock.now(), actor=request.user),
            str(_("%(count)s propositions acceptées : les pièces sont attendues.")),
        )

    @admin.action(description=_("Refuser les propositions"), permissions=["change"])
    def refuse(self, request: HttpRequest, queryset: Any) -> None:
        run_each(
            request,
            queryset,
            lambda o: services.refuse_proposal(order_id=o.pk, at=clock.now(), actor=request.user),
            str(_("%(count)s propositions refusées.")),
        )

    @admin.action(description=_("Marquer comme envoyées"), permissions=["change"])
    def send(self, request: HttpRequest, queryset: Any) -> None:
        run_each(
            request,
            queryset,
            lambda o: services.send_order(order_id=o.pk, at=clock.now(), actor=request.user),
            str(_("%(count)s commandes marquées comme envoyées.")),
        )

    @admin.action(description=_("Recevoir tout ce qui est attendu"), permissions=["change"])
    def receive(self, request: HttpRequest, queryset: Any) -> None:
        run_each(
            request,
            queryset,
            lambda o: services.receive_goods(
                order_id=o.pk, quantities=None, at=clock.now(), actor=request.user
            ),
            str(_("%(count)s commandes reçues : le stock est à jour.")),
        )


class ReceiptLineInline(TabularInline):
    model = ReceiptLine
    extra = 0
    can_delete = False
    hide_title = True
    fields = readonly_fields = ["order_line", number("quantity", _("quantité"))]


@admin.register(Receipt)
class ReceiptAdmin(ReadOnlyAdmin):
    list_display = ["number", "purchase_order", "received_at", "supplier_reference"]
    list_select_related = ["purchase_order"]
    search_fields = ["number", "purchase_order__number", "supplier_reference"]
    date_hierarchy = "received_at"
    inlines = [ReceiptLineInline]
