from django.db import migrations

from sphinx.core.migration_checks import ValidateCheck


class Migration(migrations.Migration):
    dependencies = [
        ("accounting_export", "0012_currencies"),
    ]

    operations = [
        ValidateCheck("journalentry", "accounting_entry_one_origin"),
        ValidateCheck("journalline", "accounting_line_currency_amount"),
    ]
