from django.db import migrations, models

from sphinx.core.migration_checks import AddIndexInUse


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("inventory", "0019_serial_numbers_checked"),
    ]

    operations = [
        AddIndexInUse(
            model_name="lot",
            index=models.Index(fields=["number"], name="inventory_lot_called"),
        ),
    ]
