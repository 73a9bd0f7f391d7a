from django.db import migrations, models


def say_why(apps, schema_editor):
    """Until now an order was known by the number that the file gives alone."""
    movements = apps.get_model("invoicing", "ProviderTransaction").objects
    movements.filter(order__isnull=False, matched_by="").update(matched_by="number")


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0012_quick_lists")]

    operations = [
        migrations.AddField(
            model_name="providertransaction",
            name="description",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                max_length=200,
                verbose_name="description",
            ),
        ),
        migrations.AddField(
            model_name="providertransaction",
            name="payment_references",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                max_length=300,
                verbose_name="références citées",
            ),
        ),
        migrations.AddField(
            model_name="providertransaction",
            name="matched_by",
            field=models.CharField(
                blank=True,
                choices=[
                    ("reference", "Référence de paiement"),
                    ("number", "N° de commande"),
                    ("text", "N° cité dans le texte"),
                    ("proposal", "Montant et jour, confirmés"),
                ],
                db_default="",
                default="",
                max_length=10,
                verbose_name="reconnue par",
            ),
        ),
        migrations.RunPython(say_why, migrations.RunPython.noop),
    ]
