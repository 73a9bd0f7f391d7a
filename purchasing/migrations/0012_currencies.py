from decimal import Decimal

import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.math
from django.conf import settings
from django.db import migrations, models

import sphinx.core.fields
from sphinx.core.migration_checks import AddCheckNotValid


class Migration(migrations.Migration):
    dependencies = [
        ("inventory", "0016_product_bulk_counts"),
        ("purchasing", "0011_demand_adjustments"),
        ("suppliers", "0009_currencies"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SupplierPayment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "currency",
                    models.CharField(
                        db_default="EUR", default="EUR", max_length=3, verbose_name="devise"
                    ),
                ),
                (
                    "exchange_rate",
                    models.DecimalField(
                        blank=True,
                        decimal_places=6,
                        max_digits=14,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(Decimal("0.000001"))],
                        verbose_name="cours (unités pour 1 €)",
                    ),
                ),
                (
                    "exchange_rate_on",
                    models.DateField(blank=True, null=True, verbose_name="cours du"),
                ),
                (
                    "exchange_rate_source",
                    models.CharField(
                        blank=True,
                        choices=[("manual", "Saisi"), ("ecb", "BCE")],
                        db_default="",
                        default="",
                        max_length=10,
                        verbose_name="source du cours",
                    ),
                ),
                (
                    "number",
                    models.CharField(max_length=20, unique=True, verbose_name="n° de règlement"),
                ),
                ("paid_on", models.DateField(verbose_name="payé le")),
                (
                    "amount",
                    sphinx.core.fields.MoneyField(
                        decimal_places=2, max_digits=12, verbose_name="montant (en devise)"
                    ),
                ),
                (
                    "paid_eur",
                    sphinx.core.fields.MoneyField(
                        decimal_places=2, max_digits=12, verbose_name="montant (€)"
                    ),
                ),
                (
                    "reference",
                    models.CharField(
                        blank=True, db_default="", max_length=100, verbose_name="référence"
                    ),
                ),
                ("noted_at", models.DateTimeField(verbose_name="noté le")),
                (
                    "cancelled_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="repris le"),
                ),
                (
                    "decision",
                    models.CharField(
                        blank=True, db_default="", max_length=200, verbose_name="raison"
                    ),
                ),
                (
                    "supplier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payments",
                        to="suppliers.supplier",
                        verbose_name="fournisseur",
                    ),
                ),
            ],
            options={
                "verbose_name": "règlement fournisseur",
                "verbose_name_plural": "règlements fournisseurs",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="SupplierPaymentPart",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "amount",
                    sphinx.core.fields.MoneyField(
                        decimal_places=2, max_digits=12, verbose_name="montant (en devise)"
                    ),
                ),
                (
                    "booked_eur",
                    sphinx.core.fields.MoneyField(
                        decimal_places=2,
                        default=Decimal("0"),
                        max_digits=12,
                        verbose_name="soldé au compte du fournisseur (€)",
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payment_parts",
                        to="purchasing.supplierinvoice",
                        verbose_name="facture",
                    ),
                ),
                (
                    "payment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="parts",
                        to="purchasing.supplierpayment",
                        verbose_name="règlement",
                    ),
                ),
            ],
            options={
                "verbose_name": "part de règlement",
                "verbose_name_plural": "parts de règlement",
            },
        ),
        migrations.AddField(
            model_name="purchaseorder",
            name="exchange_rate",
            field=models.DecimalField(
                blank=True,
                decimal_places=6,
                max_digits=14,
                null=True,
                validators=[django.core.validators.MinValueValidator(Decimal("0.000001"))],
                verbose_name="cours (unités pour 1 €)",
            ),
        ),
        migrations.AddField(
            model_name="purchaseorder",
            name="exchange_rate_on",
            field=models.DateField(blank=True, null=True, verbose_name="cours du"),
        ),
        migrations.AddField(
            model_name="purchaseorder",
            name="exchange_rate_source",
            field=models.CharField(
                blank=True,
                choices=[("manual", "Saisi"), ("ecb", "BCE")],
                db_default="",
                default="",
                max_length=10,
                verbose_name="source du cours",
            ),
        ),
        migrations.AddField(
            model_name="receipt",
            name="currency",
            field=models.CharField(
                db_default="EUR", default="EUR", max_length=3, verbose_name="devise"
            ),
        ),
        migrations.AddField(
            model_name="receipt",
            name="exchange_rate",
            field=models.DecimalField(
                blank=True,
                decimal_places=6,
                max_digits=14,
                null=True,
                validators=[django.core.validators.MinValueValidator(Decimal("0.000001"))],
                verbose_name="cours (unités pour 1 €)",
            ),
        ),
        migrations.AddField(
            model_name="receipt",
            name="exchange_rate_on",
            field=models.DateField(blank=True, null=True, verbose_name="cours du"),
        ),
        migrations.AddField(
            model_name="receipt",
            name="exchange_rate_source",
            field=models.CharField(
                blank=True,
                choices=[("manual", "Saisi"), ("ecb", "BCE")],
                db_default="",
                default="",
                max_length=10,
                verbose_name="source du cours",
            ),
        ),
        migrations.AddField(
            model_name="receivedinvoice",
            name="currency",
            field=models.CharField(
                db_default="EUR", default="EUR", max_length=3, verbose_name="devise"
            ),
        ),
        migrations.AddField(
            model_name="receivedinvoice",
            name="tax_eur",
            field=sphinx.core.fields.MoneyField(
                blank=True, decimal_places=2, max_digits=12, null=True, verbose_name="TVA (€)"
            ),
        ),
        migrations.AddField(
            model_name="supplierinvoice",
            name="carriage_eur",
            field=sphinx.core.fields.MoneyField(
                blank=True, decimal_places=2, max_digits=12, null=True, verbose_name="port HT (€)"
            ),
        ),
        migrations.AddField(
            model_name="supplierinvoice",
            name="currency",
            field=models.CharField(
                db_default="EUR", default="EUR", max_length=3, verbose_name="devise"
            ),
        ),
        migrations.AddField(
            model_name="supplierinvoice",
            name="exchange_rate",
            field=models.DecimalField(
                blank=True,
                decimal_places=6,
                max_digits=14,
                null=True,
                validators=[django.core.validators.MinValueValidator(Decimal("0.000001"))],
                verbose_name="cours (unités pour 1 €)",
            ),
        ),
        migrations.AddField(
            model_name="supplierinvoice",
            name="exchange_rate_on",
            field=models.DateField(blank=True, null=True, verbose_name="cours du"),
        ),
        migrations.AddField(
            model_name="supplierinvoice",
            name="exchange_rate_source",
            field=models.CharField(
                blank=True,
                choices=[("manual", "Saisi"), ("ecb", "BCE")],
                db_default="",
                default="",
                max_length=10,
                verbose_name="source du cours",
            ),
        ),
        migrations.AddField(
            model_name="supplierinvoice",
            name="goods_eur",
            field=sphinx.core.fields.MoneyField(
                blank=True,
                decimal_places=2,
                max_digits=12,
                null=True,
                verbose_name="marchandises HT (€)",
            ),
        ),
        migrations.AddField(
            model_name="supplierinvoice",
            name="tax_eur",
            field=sphinx.core.fields.MoneyField(
                blank=True, decimal_places=2, max_digits=12, null=True, verbose_name="TVA (€)"
            ),
        ),
        migrations.AddField(
            model_name="supplierinvoice",
            name="total_eur",
            field=sphinx.core.fields.MoneyField(
                blank=True, decimal_places=2, max_digits=12, null=True, verbose_name="total TTC (€)"
            ),
        ),
        migrations.AlterField(
            model_name="purchaseorder",
            name="currency",
            field=models.CharField(
                db_default="EUR", default="EUR", max_length=3, verbose_name="devise"
            ),
        ),
        migrations.AlterField(
            model_name="purchaseorder",
            name="total_excl_tax",
            field=sphinx.core.fields.MoneyField(
                decimal_places=2, default=Decimal("0"), max_digits=12, verbose_name="total HT"
            ),
        ),
        migrations.AlterField(
            model_name="purchaseorderline",
            name="total_excl_tax",
            field=sphinx.core.fields.MoneyField(
                decimal_places=2, max_digits=12, verbose_name="total HT"
            ),
        ),
        migrations.AlterField(
            model_name="purchaseorderline",
            name="unit_price_excl_tax",
            field=sphinx.core.fields.UnitPriceField(
                decimal_places=6, max_digits=14, verbose_name="prix unitaire HT"
            ),
        ),
        migrations.AlterField(
            model_name="receiptline",
            name="unit_price_excl_tax",
            field=sphinx.core.fields.UnitPriceField(
                decimal_places=6,
                default=Decimal("0"),
                max_digits=14,
                verbose_name="prix unitaire HT",
            ),
        ),
        migrations.AlterField(
            model_name="receivedinvoice",
            name="carriage_excl_tax",
            field=sphinx.core.fields.MoneyField(
                decimal_places=2, default=Decimal("0"), max_digits=12, verbose_name="port HT"
            ),
        ),
        migrations.AlterField(
            model_name="receivedinvoice",
            name="tax",
            field=sphinx.core.fields.MoneyField(
                decimal_places=2, max_digits=12, verbose_name="TVA"
            ),
        ),
        migrations.AlterField(
            model_name="receivedinvoice",
            name="total_incl_tax",
            field=sphinx.core.fields.MoneyField(
                decimal_places=2, max_digits=12, verbose_name="total TTC"
            ),
        ),
        migrations.AlterField(
            model_name="supplierinvoice",
            name="carriage_excl_tax",
            field=sphinx.core.fields.MoneyField(
                decimal_places=2, default=Decimal("0"), max_digits=12, verbose_name="port HT"
            ),
        ),
        migrations.AlterField(
            model_name="supplierinvoice",
            name="goods_excl_tax",
            field=sphinx.core.fields.MoneyField(
                decimal_places=2, max_digits=12, verbose_name="marchandises HT"
            ),
        ),
        migrations.AlterField(
            model_name="supplierinvoice",
            name="tax",
            field=sphinx.core.fields.MoneyField(
                decimal_places=2, max_digits=12, verbose_name="TVA"
            ),
        ),
        migrations.AlterField(
            model_name="supplierinvoice",
            name="total_incl_tax",
            field=sphinx.core.fields.MoneyField(
                decimal_places=2, max_digits=12, verbose_name="total TTC"
            ),
        ),
        migrations.AlterField(
            model_name="supplierinvoiceline",
            name="amount_excl_tax",
            field=sphinx.core.fields.MoneyField(
                decimal_places=2, max_digits=12, verbose_name="montant HT"
            ),
        ),
        migrations.AlterField(
            model_name="supplierinvoiceline",
            name="unit_price_excl_tax",
            field=sphinx.core.fields.UnitPriceField(
                decimal_places=6, max_digits=14, verbose_name="prix unitaire HT"
            ),
        ),
        migrations.AlterField(
            model_name="supplierinvoiceline",
            name="written_price",
            field=sphinx.core.fields.UnitPriceField(
                blank=True, decimal_places=6, max_digits=14, null=True, verbose_name="prix écrit HT"
            ),
        ),
        AddCheckNotValid(
            model_name="purchaseorder",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("exchange_rate__isnull", True),
                    models.Q(
                        models.Q(("currency", "EUR"), _negated=True), ("exchange_rate__gt", 0)
                    ),
                    _connector="OR",
                ),
                name="purchasing_order_rate",
            ),
        ),
        AddCheckNotValid(
            model_name="receipt",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("currency", "EUR"), ("exchange_rate__isnull", True)),
                    models.Q(
                        models.Q(("currency", "EUR"), _negated=True),
                        ("exchange_rate__gt", 0),
                        ("exchange_rate__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="purchasing_receipt_rate",
            ),
        ),
        AddCheckNotValid(
            model_name="supplierinvoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("currency", "EUR"), ("exchange_rate__isnull", True)),
                    models.Q(
                        models.Q(("currency", "EUR"), _negated=True),
                        ("exchange_rate__gt", 0),
                        ("exchange_rate__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="purchasing_invoice_rate",
            ),
        ),
        AddCheckNotValid(
            model_name="supplierinvoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("carriage_eur__isnull", True),
                        ("currency", "EUR"),
                        ("goods_eur__isnull", True),
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
                                        models.F("goods_eur"), "+", models.F("carriage_eur")
                                    ),
                                    "+",
                                    models.F("tax_eur"),
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
        migrations.AddConstraint(
            model_name="supplierpayment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("exchange_rate__isnull", True),
                    models.Q(
                        models.Q(("currency", "EUR"), _negated=True), ("exchange_rate__gt", 0)
                    ),
                    _connector="OR",
                ),
                name="purchasing_payment_rate",
            ),
        ),
        migrations.AddConstraint(
            model_name="supplierpayment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("currency", "EUR"), _negated=True),
                    ("paid_eur", models.F("amount")),
                    _connector="OR",
                ),
                name="purchasing_payment_euros",
            ),
        ),
        migrations.AddConstraint(
            model_name="supplierpayment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("amount__gt", 0), ("paid_eur__gt", 0)),
                    models.Q(("amount__lt", 0), ("paid_eur__lt", 0)),
                    models.Q(("amount", 0), ("paid_eur", 0)),
                    _connector="OR",
                ),
                name="purchasing_payment_one_way",
            ),
        ),
        migrations.AddConstraint(
            model_name="supplierpaymentpart",
            constraint=models.UniqueConstraint(
                fields=("payment", "invoice"), name="purchasing_payment_part_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="supplierpaymentpart",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("amount__gt", 0), ("booked_eur__gte", 0)),
                    models.Q(("amount__lt", 0), ("booked_eur__lte", 0)),
                    _connector="OR",
                ),
                name="purchasing_payment_part_one_sign",
            ),
        ),
        # SQLite adds in binary: the sum is rounded.
        migrations.RemoveConstraint("supplierinvoice", "purchasing_invoice_adds_up"),
        AddCheckNotValid(
            model_name="supplierinvoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "total_incl_tax",
                        django.db.models.functions.math.Round(
                            django.db.models.expressions.CombinedExpression(
                                django.db.models.expressions.CombinedExpression(
                                    models.F("goods_excl_tax"), "+", models.F("carriage_excl_tax")
                                ),
                                "+",
                                models.F("tax"),
                            ),
                            precision=2,
                        ),
                    )
                ),
                name="purchasing_invoice_adds_up",
            ),
        ),
    ]
