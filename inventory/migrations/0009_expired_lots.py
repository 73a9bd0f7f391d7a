from decimal import Decimal

from django.db import migrations, models

import sphinx.core.fields


class Migration(migrations.Migration):
    dependencies = [
        ("inventory", "0008_position_value"),
    ]

    operations = [
        migrations.AddField(
            model_name="stockposition",
            name="expired",
            field=sphinx.core.fields.QuantityField(
                db_default=Decimal("0"),
                decimal_places=3,
                default=Decimal("0"),
                max_digits=12,
                verbose_name="périmé",
            ),
        ),
        migrations.AddField(
            model_name="stockposition",
            name="expires_next_on",
            field=models.DateField(editable=False, null=True, verbose_name="prochaine date limite"),
        ),
    ]
