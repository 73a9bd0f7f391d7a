"""Products by hand: import with preview, export for a spreadsheet."""

from typing import Any

from import_export import fields, resources
from import_export.widgets import ForeignKeyWidget

from inventory.models import Product, ProductCategory
from sphinx.core.texts import sku_key


class ProductResource(resources.ModelResource):
    """Recognises products by SKU, whatever its case; blank cells leave what is there."""

    category = fields.Field("category", "category", ForeignKeyWidget(ProductCategory, "name"))

    class Meta:
        model = Product
        import_id_fields = ["sku_key"]
        fields = export_order = (
            "sku label category tax_rate supply_mode unit_cost barcode location is_active sku_key"
        ).split()
        skip_unchanged = True
        report_skipped = True
        clean_model_instances = True

    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        """Staff give the SKU; what recognises it is worked out."""
        if "sku" in (dataset.headers or []) and "sku_key" not in dataset.headers:
            keys = [sku_key(str(sku or "")) for sku in dataset["sku"]]
            dataset.append_col(keys, header="sku_key")

    def get_user_visible_fields(self) -> list[Any]:
        return [f for f in super().get_user_visible_fields() if f.column_name != "sku_key"]
