from django.db import migrations

from sphinx.core.migration_checks import ValidateCheck


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0017_invoice_of_what_is_kept")]

    operations = [ValidateCheck("invoice", "invoicing_invoice_kind_has_origin")]
