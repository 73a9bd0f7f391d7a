"""Customers by hand: out for a spreadsheet, back in to correct those that are known."""

from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from sphinx.core.resources import MasterResource


class CustomerResource(MasterResource):
    """Recognised by their code; new customers come from the shops."""

    unknown_row = _(
        "Client inconnu : les nouveaux viennent des boutiques, ce fichier ne fait que corriger."
    )

    class Meta(MasterResource.Meta):
        model = Customer
        import_id_fields = ["code"]
        fields = export_order = (
            "code kind first_name last_name company_name email phone vat_number siren siret "
            "auxiliary_account invoiced_each accepts_marketing"
        ).split()
