from django.db import migrations

from sphinx.core.migration_checks import ValidateCheck


class Migration(migrations.Migration):
    dependencies = [
        ("suppliers", "0006_purchase_units"),
    ]

    operations = [
        ValidateCheck("supplierproduct", "suppliers_product_unit_positive"),
    ]
