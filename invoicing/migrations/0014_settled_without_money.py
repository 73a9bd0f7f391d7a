import django.db.models.deletion
from django.db import migrations, models

from sphinx.core.triggers import forbid_changes_again


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0013_movements_matched")]

    operations = [
        migrations.AddField(
            model_name="payment",
            name="kind",
            field=models.CharField(
                choices=[
                    ("money", "Argent"),
                    ("transfer", "Imputation"),
                    ("bank_fee", "Frais bancaires"),
                    ("rounding", "Écart de règlement"),
                ],
                db_default="money",
                default="money",
                max_length=10,
                verbose_name="nature",
            ),
        ),
        migrations.AddField(
            model_name="payment",
            name="taken_from",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="given_to",
                to="invoicing.payment",
                verbose_name="prise sur",
            ),
        ),
        *forbid_changes_again("invoicing_payment"),
    ]
