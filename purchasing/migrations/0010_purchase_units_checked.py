from django.db import migrations

from sphinx.core.migration_checks import ValidateCheck


class Migration(migrations.Migration):
    dependencies = [
        ("purchasing", "0009_purchase_units"),
    ]

    operations = [
        ValidateCheck("purchaseorderline", "purchasing_line_unit_positive"),
    ]
