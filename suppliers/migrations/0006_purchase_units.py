from decimal import Decimal

import django.core.validators
from django.db import migrations, models

import sphinx.core.fields
from sphinx.core.migration_checks import AddCheckNotValid


class Migration(migrations.Migration):
    dependencies = [
        ("suppliers", "0005_bank_details"),
    ]

    operations = [
        migrations.AddField(
            model_name="supplierproduct",
            name="unit_name",
            field=models.CharField(
                blank=True,
                db_default="",
                help_text="Ce que le fournisseur compte et facture : carton de 12. Vide : la pièce.",
                max_length=30,
                verbose_name="unité d'achat",
            ),
        ),
        migrations.AddField(
            model_name="supplierproduct",
            name="unit_size",
            field=sphinx.core.fields.QuantityField(
                db_default=Decimal("1"),
                decimal_places=3,
                default=Decimal("1"),
                max_digits=12,
                validators=[django.core.validators.MinValueValidator(Decimal("0.001"))],
                verbose_name="pièces par unité d'achat",
            ),
        ),
        migrations.AddField(
            model_name="supplierproduct",
            name="unit_barcode",
            field=models.CharField(
                blank=True,
                db_default="",
                max_length=14,
                verbose_name="code-barres de l'unité d'achat",
            ),
        ),
        AddCheckNotValid(
            model_name="supplierproduct",
            constraint=models.CheckConstraint(
                condition=models.Q(("unit_size__gt", 0)), name="suppliers_product_unit_positive"
            ),
        ),
    ]
