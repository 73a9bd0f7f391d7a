from django.db import migrations, models

from sphinx.core.migration_checks import AddIndexInUse


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("core", "0021_shop_history"),
        ("customers", "0009_orders_count_found"),
        ("sales", "0019_exemption"),
    ]

    operations = [
        AddIndexInUse(
            model_name="order",
            index=models.Index(
                condition=models.Q(
                    ("exemption", ""),
                    ("tax_regime", "domestic"),
                    ("total_incl_tax__gt", 0),
                    ("total_tax", 0),
                    models.Q(("status__in", ["invoiced", "cancelled"]), _negated=True),
                ),
                fields=["placed_at", "id"],
                name="sales_order_without_tax",
            ),
        ),
    ]
