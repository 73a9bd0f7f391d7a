from django.db import migrations, models

from sphinx.core.migration_checks import AddIndexInUse


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("customers", "0008_orders_count"),
    ]

    operations = [
        AddIndexInUse(
            model_name="customer",
            index=models.Index(
                condition=models.Q(("orders_count", ""), _negated=True),
                fields=["orders_count"],
                name="customers_orders_count",
            ),
        ),
    ]
