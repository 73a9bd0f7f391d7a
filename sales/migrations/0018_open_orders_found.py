from django.db import migrations, models

from sphinx.core.migration_checks import AddIndexInUse


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("core", "0021_shop_history"),
        ("customers", "0007_one_person_one_customer"),
        ("inventory", "0007_product_released_on"),
        ("sales", "0017_direct_deliveries"),
    ]

    operations = [
        AddIndexInUse(
            model_name="order",
            index=models.Index(
                condition=models.Q(("status__in", ["confirmed", "partially_delivered"])),
                fields=["placed_at", "id"],
                name="sales_order_deliverable",
            ),
        ),
        AddIndexInUse(
            model_name="order",
            index=models.Index(
                condition=models.Q(("refund_asked_incl_tax__gt", 0)),
                fields=["placed_at", "id"],
                name="sales_order_in_doubt",
            ),
        ),
        AddIndexInUse(
            model_name="order",
            index=models.Index(
                condition=models.Q(("is_history", True), ("status__in", ["draft", "confirmed"])),
                fields=["placed_at", "id"],
                name="sales_order_to_take_over",
            ),
        ),
        AddIndexInUse(
            model_name="orderline",
            index=models.Index(
                condition=models.Q(("quantity_shipped__gt", models.F("quantity_delivered"))),
                fields=["order"],
                name="sales_line_shipped_by_shop",
            ),
        ),
    ]
