from decimal import Decimal

from django.db import migrations, models

import sphinx.core.fields
from sphinx.core.migration_checks import AddCheckNotValid


class Migration(migrations.Migration):
    dependencies = [
        ("purchasing", "0008_landed_costs"),
        ("suppliers", "0006_purchase_units"),
    ]

    operations = [
        migrations.AddField(
            model_name="purchaseorderline",
            name="unit_name",
            field=models.CharField(
                blank=True, db_default="", max_length=30, verbose_name="unité d'achat"
            ),
        ),
        migrations.AddField(
            model_name="purchaseorderline",
            name="unit_size",
            field=sphinx.core.fields.QuantityField(
                db_default=Decimal("1"),
                decimal_places=3,
                default=Decimal("1"),
                max_digits=12,
                verbose_name="pièces par unité d'achat",
            ),
        ),
        AddCheckNotValid(
            model_name="purchaseorderline",
            constraint=models.CheckConstraint(
                condition=models.Q(("unit_size__gt", 0)), name="purchasing_line_unit_positive"
            ),
        ),
        migrations.AddField(
            model_name="supplierinvoiceline",
            name="written_price",
            field=sphinx.core.fields.UnitPriceField(
                blank=True,
                decimal_places=6,
                max_digits=14,
                null=True,
                verbose_name="prix écrit HT (€)",
            ),
        ),
        migrations.AddField(
            model_name="supplierinvoiceline",
            name="written_quantity",
            field=sphinx.core.fields.QuantityField(
                blank=True,
                decimal_places=3,
                max_digits=12,
                null=True,
                verbose_name="quantité écrite",
            ),
        ),
        migrations.AddField(
            model_name="supplierinvoiceline",
            name="written_unit",
            field=models.CharField(
                blank=True, db_default="", max_length=30, verbose_name="unité écrite"
            ),
        ),
    ]
