"""Customers for a spreadsheet."""

from import_export import resources

from customers.models import Customer


class CustomerResource(resources.ModelResource):
    class Meta:
        model = Customer
        fields = export_order = (
            "code kind first_name last_name company_name email phone vat_number siren siret "
            "auxiliary_account accepts_marketing created_at"
        ).split()
