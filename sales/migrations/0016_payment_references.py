from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sales", "0015_shops_own_notes")]

    operations = [
        migrations.AddField(
            model_name="order",
            name="payment_references",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                max_length=300,
                verbose_name="références de paiement",
            ),
        ),
    ]
