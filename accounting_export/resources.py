"""The chart of accounts by hand, as the accountant's software writes it."""

from accounting_export.models import Account
from sphinx.core.resources import MasterResource


class AccountResource(MasterResource):
    class Meta(MasterResource.Meta):
        model = Account
        import_id_fields = ["number"]
        fields = export_order = ["number", "label"]
