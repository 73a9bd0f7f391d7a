from django.db import migrations

from sphinx.core.migration_checks import ValidateCheck


class Migration(migrations.Migration):
    dependencies = [("sales", "0013_shop_deeds")]

    operations = [
        ValidateCheck("order", "sales_order_refunds_positive"),
        ValidateCheck("orderline", "sales_line_pieces_once"),
    ]
