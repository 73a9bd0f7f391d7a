from django.db import migrations

from sphinx.core.migration_checks import ValidateCheck


class Migration(migrations.Migration):
    dependencies = [
        ("inventory", "0010_expired_lots_not_for_sale"),
    ]

    operations = [
        ValidateCheck("stockposition", "inventory_position_reserved_can_be_sold"),
    ]
