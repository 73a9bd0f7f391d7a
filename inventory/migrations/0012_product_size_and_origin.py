from decimal import Decimal

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import sphinx.core.validators


def centimetres(name):
    return models.DecimalField(
        blank=True,
        decimal_places=1,
        max_digits=6,
        null=True,
        validators=[django.core.validators.MinValueValidator(Decimal("0.1"))],
        verbose_name=name,
    )


def fields():
    return [
        (
            "weight",
            models.DecimalField(
                blank=True,
                decimal_places=3,
                max_digits=9,
                null=True,
                validators=[django.core.validators.MinValueValidator(Decimal("0.001"))],
                verbose_name="poids (kg)",
            ),
        ),
        ("length_cm", centimetres("longueur (cm)")),
        ("width_cm", centimetres("largeur (cm)")),
        ("height_cm", centimetres("hauteur (cm)")),
        (
            "origin_country",
            models.CharField(
                blank=True,
                db_default="",
                help_text="Deux lettres : FR, CN. Où il a été fait, non d'où il est venu.",
                max_length=2,
                validators=[sphinx.core.validators.validate_country],
                verbose_name="pays d'origine",
            ),
        ),
        (
            "customs_code",
            models.CharField(
                blank=True,
                db_default="",
                help_text="Huit chiffres de la nomenclature combinée.",
                max_length=8,
                validators=[sphinx.core.validators.validate_customs_code],
                verbose_name="code douanier",
            ),
        ),
    ]


class Migration(migrations.Migration):
    dependencies = [
        ("inventory", "0011_expired_lots_checked"),
    ]

    operations = [
        *(
            migrations.AddField(model_name=model, name=name, field=field)
            for model in ("product", "historicalproduct")
            for name, field in fields()
        ),
        migrations.CreateModel(
            name="ProductPicture",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("data", models.BinaryField(verbose_name="image")),
                ("sha256", models.CharField(max_length=64, verbose_name="SHA-256")),
                (
                    "product",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="picture",
                        to="inventory.product",
                        verbose_name="article",
                    ),
                ),
            ],
            options={
                "verbose_name": "image d'article",
                "verbose_name_plural": "images d'articles",
                "default_permissions": (),
            },
        ),
    ]
