"""The language in which a supplier reads our orders."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("suppliers", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="historicalsupplier",
            name="language",
            field=models.CharField(
                choices=[("fr", "français"), ("en", "anglais")],
                default="fr",
                max_length=2,
                verbose_name="langue des documents",
            ),
        ),
        migrations.AddField(
            model_name="supplier",
            name="language",
            field=models.CharField(
                choices=[("fr", "français"), ("en", "anglais")],
                default="fr",
                max_length=2,
                verbose_name="langue des documents",
            ),
        ),
    ]
