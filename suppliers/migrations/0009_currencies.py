from decimal import Decimal

import django.core.validators
from django.db import migrations, models

import sphinx.core.fields
import sphinx.core.validators


class Migration(migrations.Migration):
    dependencies = [
        ("suppliers", "0008_order_days_and_closures"),
    ]

    operations = [
        migrations.AddField(
            model_name="pricelist",
            name="currency",
            field=models.CharField(
                db_default="EUR", default="EUR", max_length=3, verbose_name="devise"
            ),
        ),
        migrations.AddField(
            model_name="supplierprice",
            name="currency",
            field=models.CharField(
                db_default="EUR",
                default="EUR",
                help_text="Celle de ce prix, d'ordinaire celle du fournisseur.",
                max_length=3,
                validators=[sphinx.core.validators.validate_currency],
                verbose_name="devise",
            ),
        ),
        migrations.AlterField(
            model_name="historicalsupplier",
            name="carriage_excl_tax",
            field=sphinx.core.fields.MoneyField(
                decimal_places=2,
                default=Decimal("0"),
                max_digits=12,
                validators=[django.core.validators.MinValueValidator(0)],
                verbose_name="port HT (en devise)",
            ),
        ),
        migrations.AlterField(
            model_name="historicalsupplier",
            name="carriage_free_excl_tax",
            field=sphinx.core.fields.MoneyField(
                blank=True,
                decimal_places=2,
                max_digits=12,
                null=True,
                validators=[django.core.validators.MinValueValidator(0)],
                verbose_name="franco de port HT (en devise)",
            ),
        ),
        migrations.AlterField(
            model_name="historicalsupplier",
            name="currency",
            field=models.CharField(
                default="EUR",
                help_text="Celle de ses prix et de ses factures : EUR, USD, GBP, CNY.",
                max_length=3,
                validators=[sphinx.core.validators.validate_currency],
                verbose_name="devise",
            ),
        ),
        migrations.AlterField(
            model_name="historicalsupplier",
            name="minimum_order_excl_tax",
            field=sphinx.core.fields.MoneyField(
                decimal_places=2,
                default=Decimal("0"),
                max_digits=12,
                validators=[django.core.validators.MinValueValidator(0)],
                verbose_name="minimum de commande HT (en devise)",
            ),
        ),
        migrations.AlterField(
            model_name="supplier",
            name="carriage_excl_tax",
            field=sphinx.core.fields.MoneyField(
                decimal_places=2,
                default=Decimal("0"),
                max_digits=12,
                validators=[django.core.validators.MinValueValidator(0)],
                verbose_name="port HT (en devise)",
            ),
        ),
        migrations.AlterField(
            model_name="supplier",
            name="carriage_free_excl_tax",
            field=sphinx.core.fields.MoneyField(
                blank=True,
                decimal_places=2,
                max_digits=12,
                null=True,
                validators=[django.core.validators.MinValueValidator(0)],
                verbose_name="franco de port HT (en devise)",
            ),
        ),
        migrations.AlterField(
            model_name="supplier",
            name="currency",
            field=models.CharField(
                default="EUR",
                help_text="Celle de ses prix et de ses factures : EUR, USD, GBP, CNY.",
                max_length=3,
                validators=[sphinx.core.validators.validate_currency],
                verbose_name="devise",
            ),
        ),
        migrations.AlterField(
            model_name="supplier",
            name="minimum_order_excl_tax",
            field=sphinx.core.fields.MoneyField(
                decimal_places=2,
                default=Decimal("0"),
                max_digits=12,
                validators=[django.core.validators.MinValueValidator(0)],
                verbose_name="minimum de commande HT (en devise)",
            ),
        ),
        migrations.AlterField(
            model_name="supplierprice",
            name="unit_price_excl_tax",
            field=sphinx.core.fields.UnitPriceField(
                decimal_places=6,
                max_digits=14,
                validators=[django.core.validators.MinValueValidator(0)],
                verbose_name="prix unitaire HT",
            ),
        ),
    ]
