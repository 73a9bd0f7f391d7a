from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import TabularInline
from unfold.decorators import action, display

from inventory import services
from inventory.forms import ProductForm
from inventory.models import (
    BundleComponent,
    Lot,
    LotPosition,
    Product,
    ProductCategory,
    ReorderRule,
    Reservation,
    StockCount,
    StockMove,
    StockPosition,
    StockTransfer,
    Style,
    Warehouse,
)
from inventory.resources import CategoryResource, ProductResource, ReorderRuleResource
from sphinx.core import clock
from sphinx.core.admin_tools import (
    KeptAdmin,
    ListTotals,
    MasterFileAdmin,
    OwnPageAdmin,
    ReadOnlyAdmin,
    badge,
    number,
)
from sphinx.core.errors import SphinxError
from sphinx.core.templatetags.numbers import bare
from sphinx.core.texts import sku_key

COST = number("unit_cost", _("coût unitaire HT (€)"), places=2)
LEVELS = [
    number("on_hand", _("en stock")),
    number("reserved", _("réservé")),
    number("available", _("disponible")),
    number("backordered", _("à servir")),
    number("incoming", _("attendu")),
    number("average_cost", _("CUMP HT (€)"), places=2),
]


def _to_destroy(found: StockPosition) -> str:
    """Pieces whose date has passed, leading to where they are written off."""
    if not found.expired:
        return "—"
    return format_html(
        '<a class="underline text-primary-600 dark:text-primary-500" href="{}?perime=1">{}</a>',
        reverse("inventory:correct", args=[found.pk]),
        bare(found.expired),
    )


class PositionInline(TabularInline):
    model = StockPosition
    extra = 0
    can_delete = False
    fields = readonly_fields = ["warehouse", *LEVELS, "to_destroy"]
    tab = True
    hide_title = True

    @display(description=_("Périmé, à détruire"))
    def to_destroy(self, found: StockPosition) -> str:
        return _to_destroy(found)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReorderRuleInline(TabularInline):
    model = ReorderRule
    extra = 0
    tab = True


class ComponentInline(TabularInline):
    """What a bundle is made of."""

    model = BundleComponent
    fk_name = "bundle"
    extra = 0
    tab = True
    autocomplete_fields = ["component"]


class LotInline(TabularInline):
    model = Lot
    extra = 0
    can_delete = False
    tab = True
    fields = readonly_fields = ["number", "best_before", "lying"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description=_("En stock"))
    def lying(self, lot: Lot) -> str:
        held = [p for p in lot.positions.all() if p.on_hand]
        return ", ".join(f"{p.on_hand.normalize():f} ({p.warehouse})" for p in held) or "—"


@admin.register(Product)
class ProductAdmin(SimpleHistoryAdmin, KeptAdmin, MasterFileAdmin):
    list_display = ["sku", "label", "category", "rate", "supply", COST, "state", "variant"]
    list_filter = ["supply_mode", "category", "is_incomplete", "is_active"]
    list_select_related = ["category", "style"]
    search_fields = ["sku", "label", "barcode", "style__label"]
    raw_id_fields = ["inherits_from", "style"]
    actions = ["gather"]
    inlines = [PositionInline, ReorderRuleInline, ComponentInline, LotInline]
    actions_detail = ["course"]
    resource_classes = [ProductResource]
    form = ProductForm

    @display(description=_("TVA"), ordering="tax_rate")
    def rate(self, product: Product) -> str:
        rate = product.tax_rate
        if rate is None and product.category:
            rate = product.category.tax_rate
        return "—" if rate is None else f"{rate.normalize():f}\u00a0%".replace(".", ",")

    supply = badge(
        "supply_mode",
        _("Approvisionnement"),
        stocked="info",
        just_in_time="warning",
        drop_ship="success",
    )

    @display(description=_("État"), label={"incomplete": "danger", "complete": "success"})
    def state(self, product: Product) -> tuple[str, Any]:
        if product.is_incomplete:
            return "incomplete", _("À compléter")
        return "complete", _("Complet")

    @display(description=_("Modèle"), ordering="style__label")
    def variant(self, product: Product) -> str:
        if product.style is None:
            return "—"
        return format_html(
            '<a class="underline text-primary-600 dark:text-primary-500" href="{}">{}</a> {}',
            reverse("purchasing:style", args=[product.style_id]),
            product.style,
            ", ".join(product.options),
        )

    @action(description=_("Réunir en un modèle"), permissions=["gather"])
    def gather(self, request: HttpRequest, queryset: QuerySet[Product]) -> HttpResponse:
        ids = queryset.order_by("pk").values_list("pk", flat=True)[: services.MOST_ARTICLES]
        chosen = ",".join(map(str, ids))
        return redirect(f"{reverse('inventory:new_style')}?articles={chosen}")

    def has_gather_permission(self, request: HttpRequest, *args: Any) -> bool:
        return request.user.has_perm("inventory.add_style")

    @action(description=_("Stock et réappro"), icon="show_chart")
    def course(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return redirect("purchasing:product", object_id)

    def save_model(self, request: HttpRequest, obj: Product, form: Any, change: bool) -> None:
        obj.sku_key = sku_key(obj.sku)
        wanted = obj.allows_negative
        if change and "allows_negative" in form.changed_data:
            # Positions follow under lock, or it is refused.
            obj.allows_negative = not wanted
        super().save_model(request, obj, form, change)
        if change and "allows_negative" in form.changed_data:
            try:
                services.allow_negative_stock(product_id=obj.pk, allowed=wanted, actor=request.user)
            except SphinxError as error:
                messages.error(request, error.message)
        if form.cleaned_data.get("removes_picture"):
            services.remove_picture(product_id=obj.pk, actor=request.user)
        elif data := form.cleaned_data.get("picture_file"):
            services.set_picture(product_id=obj.pk, data=data, actor=request.user)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """What brings or removes the picture is for who may change the article."""
        if self.has_change_permission(request, obj) or obj is None:
            return super().get_fieldsets(request, obj)
        own = ("picture_file", "removes_picture")
        return [
            (title, {"fields": [name for name in options["fields"] if name not in own]})
            for title, options in super().get_fieldsets(request, obj)
        ]

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        if formset.model is not BundleComponent:
            super().save_formset(request, form, formset, change)
            return
        formset.new_objects = formset.changed_objects = formset.deleted_objects = []
        if not formset.has_changed():
            return
        parts = {
            row.cleaned_data["component"].pk: row.cleaned_data["quantity"]
            for row in formset.forms
            if row.cleaned_data.get("component") and not row.cleaned_data.get("DELETE")
        }
        try:
            services.set_components(bundle_id=form.instance.pk, parts=parts, actor=request.user)
        except SphinxError as error:
            messages.error(request, error.message)


@admin.register(Style)
class StyleAdmin(OwnPageAdmin):
    own_page, add_page = "purchasing:style", "sales:recognise_styles"
    list_display = ["label", "code", "option_list", "count"]
    search_fields = ["label", "code", "variants__sku"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Style]:
        return super().get_queryset(request).annotate(articles=Count("variants"))

    @display(description=_("Critères"))
    def option_list(self, style: Style) -> str:
        return ", ".join(style.option_names)

    @display(description=_("Articles"), ordering="articles")
    def count(self, style: Any) -> int:
        return int(style.articles)


@admin.register(ProductCategory)
class ProductCategoryAdmin(KeptAdmin, MasterFileAdmin):
    resource_classes = [CategoryResource]
    list_display = ["name", "tax_rate"]
    search_fields = ["name"]


@admin.register(Warehouse)
class WarehouseAdmin(KeptAdmin):
    list_display = ["name", "code", "is_default"]
    filter_horizontal = ["shops"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Warehouse]:
        found: QuerySet[Warehouse] = super().get_queryset(request)
        return found.filter(is_direct=False)


@admin.register(ReorderRule)
class ReorderRuleAdmin(KeptAdmin, MasterFileAdmin):
    resource_classes = [ReorderRuleResource]
    list_display = [
        "product",
        "warehouse",
        number("minimum", _("point de commande")),
        number("maximum", _("recompléter jusqu'à")),
    ]
    list_select_related = ["product", "warehouse"]
    search_fields = ["product__sku", "product__label"]
    autocomplete_fields = ["product"]


class LevelFilter(admin.SimpleListFilter):
    title = _("niveau")
    parameter_name = "level"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("out", _("Rupture")),
            ("waiting", _("Clients en attente")),
            ("expired", _("Périmé, à détruire")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "out":
            return queryset.filter(on_hand__lte=F("reserved") + F("expired"))
        if self.value() == "waiting":
            return queryset.filter(backordered__gt=0)
        if self.value() == "expired":
            return queryset.filter(expired__gt=0)
        return queryset


@admin.register(StockPosition)
class StockPositionAdmin(ListTotals, ReadOnlyAdmin):
    list_display = [
        "product",
        "warehouse",
        *LEVELS,
        "to_destroy",
    ]
    list_filter = [LevelFilter, "warehouse", "product__category", "product__supply_mode"]
    list_select_related = ["product", "warehouse"]
    search_fields = ["product__sku", "product__label"]
    totals = {
        "on_hand": _("En stock"),
        "reserved": _("Réservé"),
        "backordered": _("À servir"),
        "incoming": _("Attendu"),
        "expired": _("Périmé"),
    }

    @display(description=_("périmé, à détruire"), ordering="expired")
    def to_destroy(self, found: StockPosition) -> str:
        return _to_destroy(found)


@admin.register(StockMove)
class StockMoveAdmin(ListTotals, ReadOnlyAdmin):
    list_display = [
        "at",
        "product",
        "warehouse",
        "kind",
        number("quantity", _("quantité")),
        number("unit_cost", _("coût unitaire HT (€)"), places=2),
        "origin_number",
        "lot",
        "note",
        "actor",
    ]
    list_filter = ["kind", "warehouse"]
    list_select_related = ["product", "warehouse", "lot", "actor"]

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        """The life of a lot or of a piece is opened from its number."""
        return lookup == "lot__id__exact" or super().lookup_allowed(lookup, value, request)

    search_fields = ["product__sku", "origin_number"]
    date_hierarchy = "at"
    totals = {"quantity": _("Quantité")}


@admin.register(StockCount)
class StockCountAdmin(OwnPageAdmin):
    own_page, add_page = "inventory:count", "inventory:new_count"
    list_display = ["number", "warehouse", "scope", "scope_value", "state", "created_at"]
    list_filter = ["status", "warehouse"]
    list_select_related = ["warehouse"]
    search_fields = ["number"]

    state = badge("status", _("État"), open="info", posted="success", cancelled="danger")


@admin.register(StockTransfer)
class StockTransferAdmin(OwnPageAdmin):
    own_page, add_page = "inventory:transfer", "inventory:new_transfer"
    list_display = ["number", "source", "destination", "state", "created_at", "note"]
    list_filter = ["status", "is_proposed", "source", "destination"]
    list_select_related = ["source", "destination"]
    search_fields = ["number", "lines__product__sku"]

    state = badge(
        "status", _("État"), draft="warning", sent="info", received="success", cancelled="danger"
    )


@admin.register(LotPosition)
class LotPositionAdmin(ReadOnlyAdmin):
    list_display = [
        "product",
        "lot",
        "best_before",
        "warehouse",
        number("on_hand", _("en stock")),
        "state",
    ]
    list_filter = ["warehouse"]
    list_select_related = ["lot__product", "warehouse"]
    search_fields = ["lot__number", "lot__product__sku"]
    ordering = ["lot__best_before"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[LotPosition]:
        return super().get_queryset(request).filter(on_hand__gt=0)

    @display(description=_("Article"), ordering="lot__product__sku")
    def product(self, found: LotPosition) -> str:
        return str(found.lot.product)

    @display(description=_("Date limite"), ordering="lot__best_before")
    def best_before(self, found: LotPosition) -> Any:
        return found.lot.best_before

    @display(description=_("État"), label={"expired": "danger", "good": "success"})
    def state(self, found: LotPosition) -> tuple[str, str]:
        if found.is_expired(clock.today()):
            return "expired", str(_("périmé, à détruire"))
        return "good", str(_("bon"))


@admin.register(Reservation)
class ReservationAdmin(ReadOnlyAdmin):
    """Who holds what, who waits, in the order in which they are served."""

    list_display = [
        "origin_number",
        "product",
        "warehouse",
        number("quantity", _("demandé")),
        number("allocated", _("mis de côté")),
        "priority",
        "requested_at",
    ]
    list_filter = ["warehouse"]
    list_select_related = ["product", "warehouse"]
    search_fields = ["origin_number", "product__sku"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reservation]:
        return super().get_queryset(request).filter(quantity__gt=0)
