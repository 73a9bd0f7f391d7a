import django.db.models.deletion
from django.db import migrations, models

from sphinx.core.triggers import forbid_changes, forbid_changes_again


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
        *forbid_changes_again("invoicing_payment"),
        migrations.CreateModel(
            name="Transfer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "given",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="transfer_out",
                        to="invoicing.payment",
                        verbose_name="prise sur",
                    ),
                ),
                (
                    "taken",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="transfer",
                        to="invoicing.payment",
                        verbose_name="imputée sur",
                    ),
                ),
            ],
            options={
                "verbose_name": "imputation",
                "verbose_name_plural": "imputations",
            },
        ),
        *forbid_changes("invoicing_transfer"),
    ]
