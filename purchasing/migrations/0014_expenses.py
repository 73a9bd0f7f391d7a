from decimal import Decimal

import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.comparison
import django.db.models.functions.math
from django.db import migrations, models

import sphinx.core.fields
from sphinx.core.migration_checks import AddCheckNotValid


class Migration(migrations.Migration):
    dependencies = [
        ("purchasing", "0013_currencies_checked"),
        ("suppliers", "0009_currencies"),
    ]

    operations = [
        migrations.CreateModel(
            name="ExpenseLine",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="expenses",
                        to="purchasing.supplierinvoice",
                        verbose_name="facture",
                    ),
                ),
                ("position", models.PositiveSmallIntegerField(verbose_name="rang")),
                ("label", models.CharField(max_length=200, verbose_name="libellé")),
                (
                    "reference",
                    models.CharField(
                        blank=True, default="", max_length=80, verbose_name="référence"
                    ),
                ),
                ("account", models.CharField(max_length=12, verbose_name="compte")),
                (
                    "amount_excl_tax",
                    sphinx.core.fields.MoneyField(
                        decimal_places=2, max_digits=12, verbose_name="montant HT"
                    ),
                ),
                (
                    "tax_rate",
                    sphinx.core.fields.RateField(
                        blank=True,
                        decimal_places=2,
                        max_digits=5,
                        null=True,
                        verbose_name="taux de TVA (%)",
                    ),
                ),
                (
                    "tax",
                    sphinx.core.fields.MoneyField(
                        decimal_places=2, default=Decimal("0"), max_digits=12, verbose_name="TVA"
                    ),
                ),
                (
                    "deductible_share",
                    sphinx.core.fields.RateField(
                        decimal_places=2,
                        default=Decimal("100"),
                        max_digits=5,
                        verbose_name="TVA récupérable (%)",
                    ),
                ),
            ],
            options={
                "verbose_name": "ligne de charge",
                "verbose_name_plural": "lignes de charges",
                "ordering": ["invoice_id", "position"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("invoice", "position"), name="purchasing_expense_line_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("account__startswith", "6")),
                        name="purchasing_expense_line_class_6",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("deductible_share__gte", 0), ("deductible_share__lte", 100)
                        ),
                        name="purchasing_expense_line_share",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("tax_rate__isnull", True),
                            models.Q(("tax_rate__gte", 0), ("tax_rate__lt", 100)),
                            _connector="OR",
                        ),
                        name="purchasing_expense_line_rate",
                    ),
                ],
            },
        ),
        migrations.RemoveConstraint(
            model_name="supplierinvoice",
            name="purchasing_invoice_euros_add_up",
        ),
        migrations.RemoveConstraint(
            model_name="supplierinvoice",
            name="purchasing_invoice_adds_up",
        ),
        migrations.RemoveConstraint(
            model_name="supplierinvoiceline",
            name="purchasing_invoice_line_positive",
        ),
        migrations.AddField(
            model_name="receivedinvoice",
            name="prepaid",
            field=sphinx.core.fields.MoneyField(
                db_default=Decimal("0"),
                decimal_places=2,
                default=Decimal("0"),
                max_digits=12,
                verbose_name="déjà payé",
            ),
        ),
        migrations.AddField(
            model_name="receivedinvoice",
            name="rounding",
            field=sphinx.core.fields.MoneyField(
                db_default=Decimal("0"),
                decimal_places=2,
                default=Decimal("0"),
                max_digits=12,
                verbose_name="arrondi",
            ),
        ),
        migrations.AddField(
            model_name="supplierinvoice",
            name="expenses_eur",
            field=sphinx.core.fields.MoneyField(
                blank=True,
                decimal_places=2,
                max_digits=12,
                null=True,
                verbose_name="autres lignes HT (€)",
            ),
        ),
        migrations.AddField(
            model_name="supplierinvoice",
            name="expenses_excl_tax",
            field=sphinx.core.fields.MoneyField(
                db_default=Decimal("0"),
                decimal_places=2,
                default=Decimal("0"),
                max_digits=12,
                verbose_name="autres lignes HT",
            ),
        ),
        migrations.AddField(
            model_name="supplierinvoice",
            name="rounding",
            field=sphinx.core.fields.MoneyField(
                db_default=Decimal("0"),
                decimal_places=2,
                default=Decimal("0"),
                max_digits=12,
                verbose_name="arrondi",
            ),
        ),
        migrations.AddField(
            model_name="supplierinvoice",
            name="rounding_eur",
            field=sphinx.core.fields.MoneyField(
                blank=True, decimal_places=2, max_digits=12, null=True, verbose_name="arrondi (€)"
            ),
        ),
        AddCheckNotValid(
            model_name="supplierinvoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "total_incl_tax",
                        django.db.models.functions.math.Round(
                            django.db.models.expressions.CombinedExpression(
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        django.db.models.expressions.CombinedExpression(
                                            models.F("goods_excl_tax"),
                                            "+",
                                            models.F("carriage_excl_tax"),
                                        ),
                                        "+",
                                        models.F("expenses_excl_tax"),
                                    ),
                                    "+",
                                    models.F("tax"),
                                ),
                                "+",
                                models.F("rounding"),
                            ),
                            precision=2,
                        ),
                    )
                ),
                name="purchasing_invoice_adds_up",
            ),
        ),
        AddCheckNotValid(
            model_name="supplierinvoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("carriage_eur__isnull", True),
                        ("currency", "EUR"),
                        ("expenses_eur__isnull", True),
                        ("goods_eur__isnull", True),
                        ("rounding_eur__isnull", True),
                        ("tax_eur__isnull", True),
                        ("total_eur__isnull", True),
                    ),
                    models.Q(
                        models.Q(("currency", "EUR"), _negated=True),
                        ("carriage_eur__isnull", False),
                        ("goods_eur__isnull", False),
                        ("tax_eur__isnull", False),
                        (
                            "total_eur",
                            django.db.models.functions.math.Round(
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        django.db.models.expressions.CombinedExpression(
                                            django.db.models.expressions.CombinedExpression(
                                                models.F("goods_eur"), "+", models.F("carriage_eur")
                                            ),
                                            "+",
                                            django.db.models.functions.comparison.Coalesce(
                                                models.F("expenses_eur"), Decimal("0")
                                            ),
                                        ),
                                        "+",
                                        models.F("tax_eur"),
                                    ),
                                    "+",
                                    django.db.models.functions.comparison.Coalesce(
                                        models.F("rounding_eur"), Decimal("0")
                                    ),
                                ),
                                precision=2,
                            ),
                        ),
                        ("total_eur__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="purchasing_invoice_euros_add_up",
            ),
        ),
        AddCheckNotValid(
            model_name="supplierinvoiceline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("quantity__gt", 0),
                    models.Q(("lowers_price", False), ("quantity__lt", 0)),
                    _connector="OR",
                ),
                name="purchasing_invoice_line_pieces",
            ),
        ),
    ]
