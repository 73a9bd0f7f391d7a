"""Products, categories and reordering levels by hand: import with preview, export."""

from typing import Any

from django.utils.translation import gettext_noop as _
from import_export import fields

from inventory.models import Product, ProductCategory, ReorderRule, Style, Warehouse
from sphinx.core.resources import MasterResource, Named
from sphinx.core.texts import sku_key


class ProductResource(MasterResource):
    """Recognises products by SKU, whatever its case."""

    category = fields.Field("category", _("Catégorie"), Named(ProductCategory, "name"))
    style = fields.Field("style", _("Code du modèle"), Named(Style, "code"))

    class Meta(MasterResource.Meta):
        model = Product
        import_id_fields = ["sku"]
        fields = export_order = (
            "sku label category tax_rate supply_mode released_on unit_cost barcode location "
            "weight length_cm width_cm height_cm origin_country customs_code style option1 "
            "option2 option3 is_active"
        ).split()

    def import_instance(self, instance: Any, row: Any, **kwargs: Any) -> None:
        super().import_instance(instance, row, **kwargs)
        instance.sku_key = sku_key(instance.sku)

    def get_instance(self, instance_loader: Any, row: Any) -> Product | None:
        key = sku_key(str(row[self.fields["sku"].column_name] or ""))
        return Product.objects.filter(sku_key=key).first()


class CategoryResource(MasterResource):
    class Meta(MasterResource.Meta):
        model = ProductCategory
        import_id_fields = ["name"]
        fields = export_order = ["name", "tax_rate"]


class ReorderRuleResource(MasterResource):
    """A level a product and warehouse."""

    product = fields.Field("product", _("Référence (SKU)"), Named(Product, "sku"))
    warehouse = fields.Field("warehouse", _("Dépôt"), Named(Warehouse, "code"))

    class Meta(MasterResource.Meta):
        model = ReorderRule
        import_id_fields = ["product", "warehouse"]
        fields = export_order = ["product", "warehouse", "minimum", "maximum"]
