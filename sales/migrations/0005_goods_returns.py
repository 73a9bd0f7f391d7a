"""Goods that come back from customers; what orders have asked for so far."""

from decimal import Decimal

import django.db.models.deletion
from django.db import migrations, models

import sphinx.core.fields

# Delivered pieces were asked for too.
_ASKED = """
UPDATE inventory_reservation SET asked = quantity + COALESCE((
    SELECT quantity_delivered FROM sales_orderline
    WHERE sales_orderline.reservation_id = inventory_reservation.id), 0)
"""


class Migration(migrations.Migration):
    dependencies = [
        ("inventory", "0004_lots_bundles_counts_transfers"),
        ("sales", "0004_complements"),
    ]

    operations = [
        migrations.CreateModel(
            name="GoodsReturn",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "number",
                    models.CharField(max_length=20, unique=True, verbose_name="n° de retour"),
                ),
                ("returned_at", models.DateTimeField(verbose_name="revenu le")),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="motif")),
            ],
            options={
                "verbose_name": "retour client",
                "verbose_name_plural": "retours clients",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="GoodsReturnLine",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "quantity",
                    sphinx.core.fields.QuantityField(
                        decimal_places=3, max_digits=12, verbose_name="quantité"
                    ),
                ),
                ("is_scrap", models.BooleanField(default=False, verbose_name="au rebut")),
            ],
            options={
                "verbose_name": "ligne de retour",
                "verbose_name_plural": "lignes de retour",
                "ordering": ["id"],
            },
        ),
        migrations.AddField(
            model_name="deliverynoteline",
            name="quantity_returned",
            field=sphinx.core.fields.QuantityField(
                decimal_places=3, default=Decimal("0"), max_digits=12, verbose_name="revenu"
            ),
        ),
        migrations.AddConstraint(
            model_name="deliverynoteline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("quantity_returned__gte", 0), ("quantity_returned__lte", models.F("quantity"))
                ),
                name="sales_note_line_returned_within",
            ),
        ),
        migrations.AddField(
            model_name="goodsreturn",
            name="delivery_note",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="returns",
                to="sales.deliverynote",
                verbose_name="BL",
            ),
        ),
        migrations.AddField(
            model_name="goodsreturnline",
            name="goods_return",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="lines",
                to="sales.goodsreturn",
                verbose_name="retour",
            ),
        ),
        migrations.AddField(
            model_name="goodsreturnline",
            name="note_line",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="return_lines",
                to="sales.deliverynoteline",
                verbose_name="ligne de BL",
            ),
        ),
        migrations.AddConstraint(
            model_name="goodsreturnline",
            constraint=models.CheckConstraint(
                condition=models.Q(("quantity__gt", 0)), name="sales_return_line_positive"
            ),
        ),
        migrations.RunSQL(_ASKED, migrations.RunSQL.noop),
    ]
