"""Suppliers and what they sell by hand; prices come by price lists."""

from django.utils.translation import gettext_noop as _
from import_export import fields

from inventory.models import Product
from sphinx.core.resources import MasterResource, Named
from suppliers.models import Supplier, SupplierProduct


class SupplierResource(MasterResource):
    class Meta(MasterResource.Meta):
        model = Supplier
        import_id_fields = ["code"]
        fields = export_order = (
            "code name email phone address1 address2 postcode city country vat_number siren "
            "auxiliary_account currency lead_time_days payment_terms_days "
            "minimum_order_excl_tax carriage_free_excl_tax carriage_excl_tax language is_active"
        ).split()


class SupplierProductResource(MasterResource):
    """One row a supplier and product."""

    supplier = fields.Field("supplier", _("Fournisseur"), Named(Supplier, "code"))
    product = fields.Field("product", _("Référence (SKU)"), Named(Product, "sku"))

    class Meta(MasterResource.Meta):
        model = SupplierProduct
        import_id_fields = ["supplier", "product"]
        fields = export_order = (
            "supplier product supplier_sku minimum_quantity pack_size unit_name unit_size "
            "unit_barcode lead_time_days is_preferred"
        ).split()
