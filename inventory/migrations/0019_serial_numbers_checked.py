from django.db import migrations

from sphinx.core.migration_checks import ValidateCheck


class Migration(migrations.Migration):
    dependencies = [
        ("inventory", "0018_serial_numbers"),
    ]

    operations = [
        ValidateCheck("lotposition", "inventory_serial_one_piece"),
        ValidateCheck("product", "inventory_product_serials_are_lots"),
    ]
