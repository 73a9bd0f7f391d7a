"""Pages composed here because they show what is on other floors: a document's whole chain."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_celery_beat.admin import PeriodicTaskAdmin as BasePeriodicTaskAdmin
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from unfold.admin import ModelAdmin
from unfold.decorators import display

from accounting_export.admin import JournalEntryAdmin
from accounting_export.models import JournalEntry
from ftp_ingest.models import ReceivedFile
from ftp_ingest.selectors import issues_of_order
from invoicing.admin import InvoiceAdmin
from invoicing.models import Invoice
from purchasing.models import PurchaseOrder
from sales.admin import DeliveryNoteAdmin, OrderAdmin
from sales.models import DeliveryNote, DirectOrder, Order, OrderLine
from sales.selectors import lines_not_out_yet, orders_ready_to_deliver
from sphinx.core import clock
from sphinx.core.admin import ShopAdmin
from sphinx.core.dead_letters import label_of_task
from sphinx.core.history import history_of
from sphinx.core.models import AuditEvent, Shop
from sphinx.dashboard.chain import chains_of
from sphinx.dashboard.schedules import when_due
from sphinx.dashboard.trace import documents_of, traced

for _model in (ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule):
    admin.site.unregister(_model)


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(BasePeriodicTaskAdmin, ModelAdmin):
    list_display = ["name", "what", "enabled", "when", "last_run_at"]
    list_filter = ["enabled", "last_run_at"]

    @display(description=_("Ce qui est fait"), ordering="task")
    def what(self, entry: PeriodicTask) -> str:
        return label_of_task(entry.task)

    @display(description=_("Quand"))
    def when(self, entry: PeriodicTask) -> str:
        return when_due(entry)


@admin.register(CrontabSchedule, IntervalSchedule)
class ScheduleAdmin(ModelAdmin):
    pass


admin.site.unregister(Order)


@admin.register(Order)
class OrderPage(OrderAdmin):
    """An order with its whole chain, from the file to the journal."""

    change_form_outer_before_template = "dashboard/order_chain.html"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        order = traced(Order.objects.all()).filter(pk=object_id).first()
        chain = _chain(request, order) if order else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **chain})


class ChainBar:
    """Mixin: a document's page begins with the chain that it is a link of."""

    change_form_outer_before_template = "dashboard/chain_bar.html"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        row = self.get_object(request, object_id)  # type: ignore[attr-defined]
        chains = chains_of(row.number, request.user) if row else []
        past = {"chains": chains, "history": history_of(row) if row else []}
        context = {**(extra_context or {}), **past}
        view = super().change_view  # type: ignore[misc]
        answer: HttpResponse = view(request, object_id, form_url, context)
        return answer


for _model in (DeliveryNote, Invoice, JournalEntry, Shop):
    admin.site.unregister(_model)


@admin.register(Shop)
class ShopPage(ShopAdmin):
    """A shop begins with what its files are asked about."""

    change_form_outer_before_template = "dashboard/shop_questions.html"


@admin.register(DeliveryNote)
class DeliveryNotePage(ChainBar, DeliveryNoteAdmin):
    pass


@admin.register(Invoice)
class InvoicePage(ChainBar, InvoiceAdmin):
    pass


@admin.register(JournalEntry)
class JournalEntryPage(ChainBar, JournalEntryAdmin):
    pass


def _chain(request: HttpRequest, order: Order) -> dict[str, Any]:
    file = ReceivedFile.objects.filter(shop=order.shop_id, sha256=order.source_sha256).first()
    notes = list(order.delivery_notes.all())
    later = lines_not_out_yet(OrderLine.objects.filter(order=order), clock.today())
    return {
        "order": order,
        "related": [
            *([order.complements] if order.complements else []),
            *Order.objects.filter(complements=order).order_by("pk"),
        ],
        "source": file,
        "issues": issues_of_order(shop_id=order.shop_id, keys={order.external_id, order.number}),
        "notes": notes,
        "invoices": documents_of(order),
        "payments": order.payments.all(),
        "waiting": [
            (line, line.quantity_wanted, later.get(line.pk))
            for line in order.lines.all()
            if line.quantity_wanted
        ],
        "verbs": _verbs(request, order, notes),
        "papers": _papers(request, order),
        "direct_purchases": _direct_purchases(order),
        "history": _history(order),
    }


def _direct_purchases(order: Order) -> list[PurchaseOrder]:
    """What suppliers send of an order straight to its customer."""
    return list(
        PurchaseOrder.objects.filter(
            direct_delivery__in=DirectOrder.objects.filter(order=order).values("delivery")
        )
        .exclude(status__in=(PurchaseOrder.Status.REFUSED, PurchaseOrder.Status.CANCELLED))
        .select_related("supplier", "direct_delivery")
        .order_by("pk")
    )


def _history(order: Order) -> list[AuditEvent]:
    """Events carry an order's number, which two shops may both use: then nobody can tell."""
    is_one = not Order.objects.filter(number=order.number).exclude(pk=order.pk).exists()
    return history_of(order) if is_one else []


def _papers(request: HttpRequest, order: Order) -> list[tuple[Any, str]]:
    """What can be written of an order besides its invoices, for who may."""
    open_states = (Order.Status.DRAFT, Order.Status.CONFIRMED, Order.Status.PARTIALLY_DELIVERED)
    possible = (
        (_("Facture d'acompte"), "invoicing:down_payment", "invoicing.add_invoice",
         order.status in open_states and order.total_incl_tax > 0),
        (_("Facture pro forma"), "invoicing:pro_forma", "invoicing.view_invoice",
         order.status in open_states),
        (_("Avoir sur la facture d'origine"), "invoicing:credit_elsewhere",
         "invoicing.add_invoice", order.is_history or order.invoiced_elsewhere),
    )  # fmt: skip
    return [
        (label, reverse(name, args=[order.pk]))
        for label, name, permission, makes_sense in possible
        if makes_sense and request.user.has_perm(permission)
    ]


def _verbs(request: HttpRequest, order: Order, notes: list[DeliveryNote]) -> list[dict[str, Any]]:
    """The buttons that make sense now, for who may press them."""
    status, has_perm = order.status, request.user.has_perm
    is_ready = orders_ready_to_deliver().filter(pk=order.pk).exists()
    drafts = [n for n in notes if n.status == DeliveryNote.Status.DRAFT]
    invoiced = {i.delivery_note_id for i in order.invoices.all()}
    to_invoice = [
        n
        for n in notes
        if n.status == DeliveryNote.Status.SHIPPED and n.pk not in invoiced and not n.invoiced.all()
    ]
    possible = (
        ("confirmer", _("Confirmer"), "sales.change_order", status == Order.Status.DRAFT),
        ("preparer", _("Préparer la livraison"), "sales.change_deliverynote",
         is_ready),
        ("expedier", _("Expédier"), "sales.change_deliverynote", bool(drafts)),
        ("facturer", _("Facturer"), "invoicing.add_invoice", bool(to_invoice)),
        ("annuler", _("Annuler la commande"), "sales.change_order",
         status in (Order.Status.DRAFT, Order.Status.CONFIRMED)),
    )  # fmt: skip
    return [
        {
            "verb": verb,
            "label": label,
            "url": reverse("dashboard:order_action", args=[order.pk, verb]),
        }
        for verb, label, permission, makes_sense in possible
        if makes_sense and has_perm(permission)
    ]
