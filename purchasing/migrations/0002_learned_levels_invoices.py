"""Learned levels, decisions, back-tests; damaged goods, returns and suppliers' invoices."""

from decimal import Decimal

import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models

import sphinx.core.fields

# What came before was taken in at the price ordered.
_PRICES = """
UPDATE purchasing_receiptline SET unit_price_excl_tax = (
    SELECT unit_price_excl_tax FROM purchasing_purchaseorderline
    WHERE purchasing_purchaseorderline.id = purchasing_receiptline.order_line_id)
"""


class Migration(migrations.Migration):
    dependencies = [
        ("inventory", "0004_lots_bundles_counts_transfers"),
        ("purchasing", "0001_initial"),
        ("suppliers", "0002_document_language"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Backtest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("computed_at", models.DateTimeField(verbose_name="calculé le")),
                ("first_day", models.DateField(verbose_name="du")),
                ("last_day", models.DateField(verbose_name="au")),
                ("products", models.PositiveIntegerField(verbose_name="articles")),
                ("outcomes", models.JSONField(default=list, verbose_name="résultats")),
            ],
            options={
                "verbose_name": "comparaison sur le passé",
                "verbose_name_plural": "comparaisons sur le passé",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="Decision",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("changed", "Quantité changée"),
                            ("postponed", "Remise à plus tard"),
                            ("refused", "Refusée"),
                        ],
                        max_length=10,
                        verbose_name="décision",
                    ),
                ),
                (
                    "proposed",
                    sphinx.core.fields.QuantityField(
                        decimal_places=3, max_digits=12, verbose_name="proposé"
                    ),
                ),
                (
                    "decided",
                    sphinx.core.fields.QuantityField(
                        decimal_places=3, max_digits=12, verbose_name="décidé"
                    ),
                ),
                ("reason", models.CharField(max_length=200, verbose_name="motif")),
                ("until", models.DateField(blank=True, null=True, verbose_name="jusqu'au")),
                ("decided_at", models.DateTimeField(verbose_name="décidé le")),
            ],
            options={
                "verbose_name": "décision sur une proposition",
                "verbose_name_plural": "décisions sur les propositions",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="ReplenishmentRules",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "service_level_a",
                    sphinx.core.fields.RateField(
                        decimal_places=2,
                        default=Decimal("98.00"),
                        help_text="Part des réapprovisionnements pendant lesquels rien ne manque.",
                        max_digits=5,
                        validators=[
                            django.core.validators.MinValueValidator(50),
                            django.core.validators.MaxValueValidator(Decimal("99.99")),
                        ],
                        verbose_name="taux de service classe A (%)",
                    ),
                ),
                (
                    "service_level_b",
                    sphinx.core.fields.RateField(
                        decimal_places=2,
                        default=Decimal("95.00"),
                        max_digits=5,
                        validators=[
                            django.core.validators.MinValueValidator(50),
                            django.core.validators.MaxValueValidator(Decimal("99.99")),
                        ],
                        verbose_name="taux de service classe B (%)",
                    ),
                ),
                (
                    "service_level_c",
                    sphinx.core.fields.RateField(
                        decimal_places=2,
                        default=Decimal("90.00"),
                        max_digits=5,
                        validators=[
                            django.core.validators.MinValueValidator(50),
                            django.core.validators.MaxValueValidator(Decimal("99.99")),
                        ],
                        verbose_name="taux de service classe C (%)",
                    ),
                ),
                (
                    "review_days",
                    models.PositiveSmallIntegerField(
                        default=1,
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="jours entre deux calculs",
                    ),
                ),
                (
                    "cover_days",
                    models.PositiveSmallIntegerField(
                        default=14,
                        help_text="Une commande couvre au moins les ventes d'autant de jours.",
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="couverture d'une commande (jours)",
                    ),
                ),
                (
                    "max_cover_days",
                    models.PositiveSmallIntegerField(
                        default=180,
                        validators=[django.core.validators.MinValueValidator(7)],
                        verbose_name="couverture maximale (jours)",
                    ),
                ),
                (
                    "order_cost",
                    sphinx.core.fields.MoneyField(
                        blank=True,
                        decimal_places=2,
                        help_text="Vide : pas de quantité économique (formule de Wilson).",
                        max_digits=12,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="coût d'une commande (€)",
                    ),
                ),
                (
                    "holding_rate",
                    sphinx.core.fields.RateField(
                        decimal_places=2,
                        default=Decimal("20.00"),
                        help_text="Argent immobilisé, place, casse : une part de la valeur du stock.",
                        max_digits=5,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="coût de possession (% par an)",
                    ),
                ),
                (
                    "shelf_life_share",
                    sphinx.core.fields.RateField(
                        decimal_places=2,
                        default=Decimal("60.00"),
                        help_text="Un achat se vend en moins de cette part de sa durée de conservation.",
                        max_digits=5,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(100),
                        ],
                        verbose_name="part de la durée de conservation (%)",
                    ),
                ),
            ],
            options={
                "verbose_name": "réglages du réappro",
                "verbose_name_plural": "réglages du réappro",
            },
        ),
        migrations.CreateModel(
            name="StockPolicy",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("computed_on", models.DateField(verbose_name="calculé le")),
                (
                    "policy",
                    models.CharField(
                        choices=[
                            ("learned", "Appris des ventes"),
                            ("minimum_maximum", "Minimum et maximum à la main"),
                            ("just_in_time", "Flux tendu"),
                            ("backorders", "Ce que des clients attendent"),
                        ],
                        max_length=20,
                        verbose_name="méthode",
                    ),
                ),
                (
                    "demand_per_day",
                    models.DecimalField(
                        decimal_places=6, max_digits=14, verbose_name="demande par jour"
                    ),
                ),
                (
                    "reorder_point",
                    sphinx.core.fields.QuantityField(
                        decimal_places=3, max_digits=12, verbose_name="point de commande"
                    ),
                ),
                (
                    "order_up_to",
                    sphinx.core.fields.QuantityField(
                        decimal_places=3, max_digits=12, verbose_name="recompléter jusqu'à"
                    ),
                ),
                ("figures", models.JSONField(default=dict, verbose_name="chiffres")),
            ],
            options={
                "verbose_name": "niveau calculé",
                "verbose_name_plural": "niveaux calculés",
            },
        ),
        migrations.CreateModel(
            name="SupplierInvoice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.CharField(max_length=20, unique=True, verbose_name="n° interne")),
                ("supplier_number", models.CharField(max_length=60, verbose_name="n° de facture")),
                ("issued_on", models.DateField(verbose_name="datée du")),
                ("due_on", models.DateField(verbose_name="échéance")),
                ("received_at", models.DateTimeField(verbose_name="saisie le")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("differs", "Écart à trancher"),
                            ("approved", "Bon à payer"),
                            ("disputed", "Contestée"),
                        ],
                        max_length=10,
                        verbose_name="état",
                    ),
                ),
                (
                    "goods_excl_tax",
                    sphinx.core.fields.MoneyField(
                        decimal_places=2, max_digits=12, verbose_name="marchandises HT (€)"
                    ),
                ),
                (
                    "carriage_excl_tax",
                    sphinx.core.fields.MoneyField(
                        decimal_places=2,
                        default=Decimal("0"),
                        max_digits=12,
                        verbose_name="port HT (€)",
                    ),
                ),
                (
                    "tax",
                    sphinx.core.fields.MoneyField(
                        decimal_places=2, max_digits=12, verbose_name="TVA (€)"
                    ),
                ),
                (
                    "total_incl_tax",
                    sphinx.core.fields.MoneyField(
                        decimal_places=2, max_digits=12, verbose_name="total TTC (€)"
                    ),
                ),
                ("differences", models.JSONField(default=list, verbose_name="écarts")),
                (
                    "approved_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="bon à payer le"),
                ),
                ("decision", models.CharField(blank=True, max_length=200, verbose_name="décision")),
            ],
            options={
                "verbose_name": "facture fournisseur",
                "verbose_name_plural": "factures fournisseurs",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="SupplierInvoiceLine",
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
                (
                    "unit_price_excl_tax",
                    sphinx.core.fields.UnitPriceField(
                        decimal_places=6, max_digits=14, verbose_name="prix unitaire HT (€)"
                    ),
                ),
                (
                    "amount_excl_tax",
                    sphinx.core.fields.MoneyField(
                        decimal_places=2, max_digits=12, verbose_name="montant HT (€)"
                    ),
                ),
            ],
            options={
                "verbose_name": "ligne de facture fournisseur",
                "verbose_name_plural": "lignes de facture fournisseur",
            },
        ),
        migrations.CreateModel(
            name="SupplierReturn",
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
                ("returned_at", models.DateTimeField(verbose_name="renvoyé le")),
                ("reason", models.CharField(max_length=200, verbose_name="motif")),
            ],
            options={
                "verbose_name": "retour fournisseur",
                "verbose_name_plural": "retours fournisseurs",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="SupplierReturnLine",
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
            ],
            options={
                "verbose_name": "ligne de retour",
                "verbose_name_plural": "lignes de retour",
            },
        ),
        migrations.RemoveConstraint(
            model_name="receiptline",
            name="purchasing_receipt_line_positive",
        ),
        migrations.AddField(
            model_name="purchaseorder",
            name="closed_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="close le"),
        ),
        migrations.AddField(
            model_name="purchaseorder",
            name="confirmed_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="confirmée le"),
        ),
        migrations.AddField(
            model_name="purchaseorder",
            name="mailed_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="e-mail parti le"),
        ),
        migrations.AddField(
            model_name="purchaseorder",
            name="supplier_reference",
            field=models.CharField(
                blank=True, max_length=60, verbose_name="n° chez le fournisseur"
            ),
        ),
        migrations.AddField(
            model_name="purchaseorderline",
            name="is_fixed",
            field=models.BooleanField(default=False, verbose_name="fixée à la main"),
        ),
        migrations.AddField(
            model_name="receiptline",
            name="quantity_damaged",
            field=sphinx.core.fields.QuantityField(
                decimal_places=3, default=Decimal("0"), max_digits=12, verbose_name="abîmé, refusé"
            ),
        ),
        migrations.AddField(
            model_name="receiptline",
            name="quantity_invoiced",
            field=sphinx.core.fields.QuantityField(
                decimal_places=3, default=Decimal("0"), max_digits=12, verbose_name="facturé"
            ),
        ),
        migrations.AddField(
            model_name="receiptline",
            name="quantity_returned",
            field=sphinx.core.fields.QuantityField(
                decimal_places=3, default=Decimal("0"), max_digits=12, verbose_name="renvoyé"
            ),
        ),
        migrations.AddField(
            model_name="receiptline",
            name="unit_price_excl_tax",
            field=sphinx.core.fields.UnitPriceField(
                decimal_places=6,
                default=Decimal("0"),
                max_digits=14,
                verbose_name="prix unitaire HT (€)",
            ),
        ),
        migrations.AlterField(
            model_name="receiptline",
            name="move",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="inventory.stockmove",
                verbose_name="mouvement",
            ),
        ),
        migrations.AddConstraint(
            model_name="receiptline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("quantity__gte", 0),
                    ("quantity_damaged__gte", 0),
                    models.Q(("quantity__gt", 0), ("quantity_damaged__gt", 0), _connector="OR"),
                ),
                name="purchasing_receipt_line_positive",
            ),
        ),
        migrations.AddConstraint(
            model_name="receiptline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("quantity_returned__gte", 0),
                    ("quantity_returned__lte", models.F("quantity")),
                    ("quantity_invoiced__gte", 0),
                ),
                name="purchasing_receipt_line_within",
            ),
        ),
        migrations.AddField(
            model_name="decision",
            name="decided_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="par",
            ),
        ),
        migrations.AddField(
            model_name="decision",
            name="product",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="inventory.product",
                verbose_name="article",
            ),
        ),
        migrations.AddField(
            model_name="decision",
            name="warehouse",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="inventory.warehouse",
                verbose_name="dépôt",
            ),
        ),
        migrations.AddConstraint(
            model_name="replenishmentrules",
            constraint=models.CheckConstraint(
                condition=models.Q(("pk", 1)), name="purchasing_rules_only_one"
            ),
        ),
        migrations.AddField(
            model_name="stockpolicy",
            name="product",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="policies",
                to="inventory.product",
                verbose_name="article",
            ),
        ),
        migrations.AddField(
            model_name="stockpolicy",
            name="supplier",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="suppliers.supplier",
                verbose_name="fournisseur",
            ),
        ),
        migrations.AddField(
            model_name="stockpolicy",
            name="warehouse",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="inventory.warehouse",
                verbose_name="dépôt",
            ),
        ),
        migrations.AddField(
            model_name="supplierinvoice",
            name="approved_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="par",
            ),
        ),
        migrations.AddField(
            model_name="supplierinvoice",
            name="supplier",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="invoices",
                to="suppliers.supplier",
                verbose_name="fournisseur",
            ),
        ),
        migrations.AddField(
            model_name="supplierinvoiceline",
            name="invoice",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="lines",
                to="purchasing.supplierinvoice",
                verbose_name="facture",
            ),
        ),
        migrations.AddField(
            model_name="supplierinvoiceline",
            name="receipt_line",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="invoice_lines",
                to="purchasing.receiptline",
                verbose_name="ligne de réception",
            ),
        ),
        migrations.AddField(
            model_name="supplierreturn",
            name="receipt",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="returns",
                to="purchasing.receipt",
                verbose_name="réception",
            ),
        ),
        migrations.AddField(
            model_name="supplierreturnline",
            name="receipt_line",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="return_lines",
                to="purchasing.receiptline",
                verbose_name="ligne de réception",
            ),
        ),
        migrations.AddField(
            model_name="supplierreturnline",
            name="supplier_return",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="lines",
                to="purchasing.supplierreturn",
                verbose_name="retour",
            ),
        ),
        migrations.AddIndex(
            model_name="decision",
            index=models.Index(fields=["product", "warehouse"], name="purchasing_decided"),
        ),
        migrations.AddConstraint(
            model_name="stockpolicy",
            constraint=models.UniqueConstraint(
                fields=("product", "warehouse"), name="purchasing_policy_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="supplierinvoice",
            constraint=models.UniqueConstraint(
                fields=("supplier", "supplier_number"), name="purchasing_invoice_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="supplierinvoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "total_incl_tax",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                models.F("goods_excl_tax"), "+", models.F("carriage_excl_tax")
                            ),
                            "+",
                            models.F("tax"),
                        ),
                    )
                ),
                name="purchasing_invoice_adds_up",
            ),
        ),
        migrations.AddConstraint(
            model_name="supplierinvoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("approved_at__isnull", False), ("status", "approved")),
                    models.Q(
                        models.Q(("status", "approved"), _negated=True),
                        ("approved_at__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="purchasing_invoice_approved_has_date",
            ),
        ),
        migrations.AddConstraint(
            model_name="supplierinvoiceline",
            constraint=models.UniqueConstraint(
                fields=("invoice", "receipt_line"), name="purchasing_invoice_line_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="supplierinvoiceline",
            constraint=models.CheckConstraint(
                condition=models.Q(("quantity__gt", 0)), name="purchasing_invoice_line_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="supplierreturnline",
            constraint=models.CheckConstraint(
                condition=models.Q(("quantity__gt", 0)), name="purchasing_return_line_positive"
            ),
        ),
        migrations.RunSQL(_PRICES, migrations.RunSQL.noop),
    ]
