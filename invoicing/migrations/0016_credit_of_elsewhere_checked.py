from django.db import migrations

from sphinx.core.migration_checks import ValidateCheck


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0015_credit_of_elsewhere")]

    operations = [ValidateCheck("invoice", "invoicing_invoice_kind_has_origin")]
