"""Products, categories and reordering levels by hand: import with preview, export."""

from typing import Any

from django.utils.translation import gettext_noop as _
from import_export import fields

from inventory.models import Product, ProductCategory, ReorderRule, Warehouse
from sphinx.core.resources import MasterResource, Named
from sphinx.core.texts import sku_key


class ProductResource(MasterResource):
    """Recognises products by SKU, whatever its case."""

    category = fields.Field("category", _("Catégorie"), Named(ProductCategory, "name"))

    class Meta(MasterResource.Meta):
        model = Product
        import_id_fields = ["sku_key"]
        fields = export_order = (
            "sku label category tax_rate supply_mode unit_cost barcode location is_active sku_key"
        ).split()

    def key_fields(self) -> list[str]:
        return ["sku"]

    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        """Staff give the SKU; what recognises it is worked out."""
        super().before_import(dataset, **kwargs)
        skus = dataset[self.fields["sku"].column_name]
        keys = [sku_key(str(sku or "")) for sku in skus]
        dataset.append_col(keys, header=self.fields["sku_key"].column_name)

    def get_user_visible_fields(self) -> list[Any]:
        return [f for f in super().get_user_visible_fields() if f.attribute != "sku_key"]

    def get_export_fields(self, selected_fields: Any = None) -> list[Any]:
        return [f for f in super().get_export_fields(selected_fields) if f.attribute != "sku_key"]


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
