"""Lots, bundles, counts, transfers; reservations remember what was asked."""

from decimal import Decimal

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import sphinx.core.fields
from sphinx.core.triggers import forbid_changes_again


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0004_exchange_rates"),
        ("inventory", "0003_product_aliases"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="BundleComponent",
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
                        decimal_places=3,
                        default=Decimal("1"),
                        max_digits=12,
                        validators=[django.core.validators.MinValueValidator(Decimal("0.001"))],
                        verbose_name="quantité par lot",
                    ),
                ),
            ],
            options={
                "verbose_name": "composant",
                "verbose_name_plural": "composants",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="Lot",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.CharField(max_length=40, verbose_name="n° de lot")),
                (
                    "best_before",
                    models.DateField(blank=True, null=True, verbose_name="date limite"),
                ),
            ],
            options={
                "verbose_name": "lot",
                "verbose_name_plural": "lots",
                "ordering": ["best_before", "id"],
            },
        ),
        migrations.CreateModel(
            name="LotPosition",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "on_hand",
                    sphinx.core.fields.QuantityField(
                        decimal_places=3,
                        default=Decimal("0"),
                        max_digits=12,
                        verbose_name="en stock",
                    ),
                ),
            ],
            options={
                "verbose_name": "position de lot",
                "verbose_name_plural": "positions de lots",
            },
        ),
        migrations.CreateModel(
            name="StockCount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "number",
                    models.CharField(max_length=20, unique=True, verbose_name="n° d'inventaire"),
                ),
                (
                    "scope",
                    models.CharField(
                        choices=[
                            ("all", "Tout le dépôt"),
                            ("shelf", "Un emplacement"),
                            ("abc", "Une classe ABC"),
                        ],
                        default="all",
                        max_length=10,
                        verbose_name="étendue",
                    ),
                ),
                (
                    "scope_value",
                    models.CharField(
                        blank=True,
                        help_text="Le début de l'emplacement (A3), ou la classe (A, B ou C).",
                        max_length=30,
                        verbose_name="emplacement ou classe",
                    ),
                ),
                (
                    "is_blind",
                    models.BooleanField(
                        default=True,
                        help_text="Celui qui compte ne voit pas l'attendu.",
                        verbose_name="à l'aveugle",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("open", "En cours"),
                            ("posted", "Validé"),
                            ("cancelled", "Abandonné"),
                        ],
                        default="open",
                        max_length=10,
                        verbose_name="état",
                    ),
                ),
                ("created_at", models.DateTimeField(verbose_name="ouvert le")),
                (
                    "posted_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="validé le"),
                ),
            ],
            options={
                "verbose_name": "inventaire",
                "verbose_name_plural": "inventaires",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="StockCountLine",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "counted",
                    sphinx.core.fields.QuantityField(
                        blank=True,
                        decimal_places=3,
                        max_digits=12,
                        null=True,
                        verbose_name="compté",
                    ),
                ),
                (
                    "expected",
                    sphinx.core.fields.QuantityField(
                        blank=True,
                        decimal_places=3,
                        max_digits=12,
                        null=True,
                        verbose_name="attendu",
                    ),
                ),
                (
                    "counted_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="compté le"),
                ),
            ],
            options={
                "verbose_name": "ligne d'inventaire",
                "verbose_name_plural": "lignes d'inventaire",
                "ordering": ["product__location", "product__sku", "id"],
            },
        ),
        migrations.CreateModel(
            name="StockTransfer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "number",
                    models.CharField(max_length=20, unique=True, verbose_name="n° de transfert"),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "En préparation"),
                            ("sent", "En route"),
                            ("received", "Reçu"),
                            ("cancelled", "Annulé"),
                        ],
                        default="draft",
                        max_length=10,
                        verbose_name="état",
                    ),
                ),
                ("created_at", models.DateTimeField(verbose_name="créé le")),
                ("sent_at", models.DateTimeField(blank=True, null=True, verbose_name="parti le")),
                (
                    "received_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="reçu le"),
                ),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="motif")),
            ],
            options={
                "verbose_name": "transfert",
                "verbose_name_plural": "transferts",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="StockTransferLine",
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
                        decimal_places=3,
                        max_digits=12,
                        validators=[django.core.validators.MinValueValidator(Decimal("0.001"))],
                        verbose_name="quantité",
                    ),
                ),
                (
                    "quantity_received",
                    sphinx.core.fields.QuantityField(
                        decimal_places=3, default=Decimal("0"), max_digits=12, verbose_name="reçu"
                    ),
                ),
            ],
            options={
                "verbose_name": "ligne de transfert",
                "verbose_name_plural": "lignes de transfert",
                "ordering": ["product__sku"],
            },
        ),
        migrations.AlterModelOptions(
            name="reservation",
            options={
                "ordering": ["-priority", "requested_at", "id"],
                "verbose_name": "réservation",
                "verbose_name_plural": "réservations",
            },
        ),
        migrations.RemoveConstraint(
            model_name="stockmove",
            name="inventory_move_not_zero",
        ),
        migrations.RemoveConstraint(
            model_name="stockmove",
            name="inventory_move_once",
        ),
        migrations.RemoveConstraint(
            model_name="stockposition",
            name="inventory_position_not_negative",
        ),
        migrations.RemoveConstraint(
            model_name="stockposition",
            name="inventory_position_reserved_is_there",
        ),
        migrations.AddField(
            model_name="historicalproduct",
            name="abc_class",
            field=models.CharField(
                blank=True, editable=False, max_length=1, verbose_name="classe ABC"
            ),
        ),
        migrations.AddField(
            model_name="historicalproduct",
            name="allows_negative",
            field=models.BooleanField(
                default=False,
                help_text="Vendu et expédié même sans stock compté (service, sur-mesure).",
                verbose_name="stock négatif permis",
            ),
        ),
        migrations.AddField(
            model_name="historicalproduct",
            name="shelf_life_days",
            field=models.PositiveSmallIntegerField(
                blank=True,
                help_text="De la réception à la date limite ; borne aussi les achats.",
                null=True,
                validators=[django.core.validators.MinValueValidator(1)],
                verbose_name="durée de conservation (jours)",
            ),
        ),
        migrations.AddField(
            model_name="historicalproduct",
            name="tracks_lots",
            field=models.BooleanField(
                default=False,
                help_text="Chaque entrée dit son lot ; le premier périmé sort le premier.",
                verbose_name="suivi par lot",
            ),
        ),
        migrations.AddField(
            model_name="product",
            name="abc_class",
            field=models.CharField(
                blank=True, editable=False, max_length=1, verbose_name="classe ABC"
            ),
        ),
        migrations.AddField(
            model_name="product",
            name="allows_negative",
            field=models.BooleanField(
                default=False,
                help_text="Vendu et expédié même sans stock compté (service, sur-mesure).",
                verbose_name="stock négatif permis",
            ),
        ),
        migrations.AddField(
            model_name="product",
            name="shelf_life_days",
            field=models.PositiveSmallIntegerField(
                blank=True,
                help_text="De la réception à la date limite ; borne aussi les achats.",
                null=True,
                validators=[django.core.validators.MinValueValidator(1)],
                verbose_name="durée de conservation (jours)",
            ),
        ),
        migrations.AddField(
            model_name="product",
            name="tracks_lots",
            field=models.BooleanField(
                default=False,
                help_text="Chaque entrée dit son lot ; le premier périmé sort le premier.",
                verbose_name="suivi par lot",
            ),
        ),
        migrations.AddField(
            model_name="reservation",
            name="asked",
            field=sphinx.core.fields.QuantityField(
                decimal_places=3,
                default=Decimal("0"),
                max_digits=12,
                verbose_name="demandé en tout",
            ),
        ),
        migrations.AddField(
            model_name="reservation",
            name="bundle",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="components",
                to="inventory.reservation",
                verbose_name="pour le lot",
            ),
        ),
        migrations.AddField(
            model_name="reservation",
            name="is_bundle",
            field=models.BooleanField(db_default=False, verbose_name="lot"),
        ),
        migrations.AddField(
            model_name="reservation",
            name="per_bundle",
            field=sphinx.core.fields.QuantityField(
                blank=True,
                decimal_places=3,
                max_digits=12,
                null=True,
                verbose_name="pièces par lot",
            ),
        ),
        migrations.AddField(
            model_name="reservation",
            name="priority",
            field=models.SmallIntegerField(db_default=0, verbose_name="priorité"),
        ),
        migrations.AddField(
            model_name="stockmove",
            name="actor",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="par",
            ),
        ),
        migrations.AddField(
            model_name="stockmove",
            name="value_change",
            field=sphinx.core.fields.MoneyField(
                decimal_places=2, default=Decimal("0"), max_digits=12, verbose_name="valeur (€)"
            ),
        ),
        migrations.AddField(
            model_name="stockposition",
            name="allows_negative",
            field=models.BooleanField(default=False, verbose_name="stock négatif permis"),
        ),
        migrations.AddField(
            model_name="warehouse",
            name="shops",
            field=models.ManyToManyField(
                blank=True,
                help_text="Vide partout : le dépôt par défaut sert toutes les boutiques.",
                related_name="+",
                to="core.shop",
                verbose_name="boutiques servies",
            ),
        ),
        migrations.AlterField(
            model_name="stockmove",
            name="kind",
            field=models.CharField(
                choices=[
                    ("opening", "Stock initial"),
                    ("receipt", "Réception"),
                    ("sale", "Vente"),
                    ("return", "Retour"),
                    ("transfer", "Transfert"),
                    ("count", "Inventaire"),
                    ("loss", "Perte"),
                    ("correction", "Correction"),
                    ("supplier_return", "Retour fournisseur"),
                    ("revaluation", "Revalorisation"),
                ],
                max_length=16,
                verbose_name="nature",
            ),
        ),
        migrations.AddIndex(
            model_name="reservation",
            index=models.Index(
                condition=models.Q(("bundle__isnull", False)),
                fields=["bundle"],
                name="inventory_components_of",
            ),
        ),
        migrations.AddConstraint(
            model_name="reservation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("bundle__isnull", True), ("per_bundle__isnull", True)),
                    models.Q(
                        ("bundle__isnull", False), ("is_bundle", False), ("per_bundle__gt", 0)
                    ),
                    _connector="OR",
                ),
                name="inventory_reservation_bundle",
            ),
        ),
        migrations.AddConstraint(
            model_name="stockposition",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("on_hand__gte", 0), ("allows_negative", True), _connector="OR"),
                    ("reserved__gte", 0),
                    ("backordered__gte", 0),
                    ("incoming__gte", 0),
                ),
                name="inventory_position_not_negative",
            ),
        ),
        migrations.AddConstraint(
            model_name="stockposition",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("reserved__lte", models.F("on_hand")),
                    ("allows_negative", True),
                    _connector="OR",
                ),
                name="inventory_position_reserved_is_there",
            ),
        ),
        migrations.AddField(
            model_name="bundlecomponent",
            name="bundle",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="components",
                to="inventory.product",
                verbose_name="lot vendu",
            ),
        ),
        migrations.AddField(
            model_name="bundlecomponent",
            name="component",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="part_of",
                to="inventory.product",
                verbose_name="composant",
            ),
        ),
        migrations.AddField(
            model_name="lot",
            name="product",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="lots",
                to="inventory.product",
                verbose_name="article",
            ),
        ),
        migrations.AddField(
            model_name="stockmove",
            name="lot",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="moves",
                to="inventory.lot",
                verbose_name="lot",
            ),
        ),
        migrations.AddIndex(
            model_name="stockmove",
            index=models.Index(fields=["product", "warehouse", "at"], name="inventory_move_dated"),
        ),
        migrations.AddConstraint(
            model_name="stockmove",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "revaluation"), ("quantity", 0)),
                    models.Q(models.Q(("quantity", 0), _negated=True), ("value_change", 0)),
                    _connector="OR",
                ),
                name="inventory_move_not_zero",
            ),
        ),
        migrations.AddConstraint(
            model_name="stockmove",
            constraint=models.UniqueConstraint(
                condition=models.Q(("lot__isnull", True)),
                fields=("product", "warehouse", "origin_kind", "origin_number", "origin_line"),
                name="inventory_move_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="stockmove",
            constraint=models.UniqueConstraint(
                condition=models.Q(("lot__isnull", False)),
                fields=(
                    "product",
                    "warehouse",
                    "origin_kind",
                    "origin_number",
                    "origin_line",
                    "lot",
                ),
                name="inventory_move_once_a_lot",
            ),
        ),
        migrations.AddField(
            model_name="lotposition",
            name="lot",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="positions",
                to="inventory.lot",
                verbose_name="lot",
            ),
        ),
        migrations.AddField(
            model_name="lotposition",
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
            model_name="stockcount",
            name="warehouse",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="inventory.warehouse",
                verbose_name="dépôt",
            ),
        ),
        migrations.AddField(
            model_name="stockcountline",
            name="count",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="lines",
                to="inventory.stockcount",
                verbose_name="inventaire",
            ),
        ),
        migrations.AddField(
            model_name="stockcountline",
            name="counted_by",
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
            model_name="stockcountline",
            name="lot",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="inventory.lot",
                verbose_name="lot",
            ),
        ),
        migrations.AddField(
            model_name="stockcountline",
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
        migrations.AddField(
            model_name="stockcountline",
            name="product",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="inventory.product",
                verbose_name="article",
            ),
        ),
        migrations.AddField(
            model_name="stocktransfer",
            name="destination",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="inventory.warehouse",
                verbose_name="vers",
            ),
        ),
        migrations.AddField(
            model_name="stocktransfer",
            name="source",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="inventory.warehouse",
                verbose_name="de",
            ),
        ),
        migrations.AddField(
            model_name="stocktransferline",
            name="product",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="inventory.product",
                verbose_name="article",
            ),
        ),
        migrations.AddField(
            model_name="stocktransferline",
            name="transfer",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="lines",
                to="inventory.stocktransfer",
                verbose_name="transfert",
            ),
        ),
        migrations.AddConstraint(
            model_name="bundlecomponent",
            constraint=models.UniqueConstraint(
                fields=("bundle", "component"), name="inventory_component_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="bundlecomponent",
            constraint=models.CheckConstraint(
                condition=models.Q(("quantity__gt", 0)), name="inventory_component_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="bundlecomponent",
            constraint=models.CheckConstraint(
                condition=models.Q(("bundle", models.F("component")), _negated=True),
                name="inventory_component_not_itself",
            ),
        ),
        migrations.AddConstraint(
            model_name="lot",
            constraint=models.UniqueConstraint(
                fields=("product", "number"), name="inventory_lot_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="lotposition",
            constraint=models.UniqueConstraint(
                fields=("lot", "warehouse"), name="inventory_lot_place"
            ),
        ),
        migrations.AddConstraint(
            model_name="lotposition",
            constraint=models.CheckConstraint(
                condition=models.Q(("on_hand__gte", 0)), name="inventory_lot_not_negative"
            ),
        ),
        migrations.AddConstraint(
            model_name="stockcount",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("posted_at__isnull", False), ("status", "posted")),
                    models.Q(
                        models.Q(("status", "posted"), _negated=True), ("posted_at__isnull", True)
                    ),
                    _connector="OR",
                ),
                name="inventory_count_posted_has_date",
            ),
        ),
        migrations.AddConstraint(
            model_name="stockcountline",
            constraint=models.UniqueConstraint(
                condition=models.Q(("lot__isnull", True)),
                fields=("count", "product"),
                name="inventory_count_product_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="stockcountline",
            constraint=models.UniqueConstraint(
                condition=models.Q(("lot__isnull", False)),
                fields=("count", "product", "lot"),
                name="inventory_count_lot_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="stockcountline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("counted__isnull", True), ("expected__isnull", True)),
                    models.Q(("counted__gte", 0), ("expected__isnull", False)),
                    _connector="OR",
                ),
                name="inventory_count_line_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="stocktransfer",
            constraint=models.CheckConstraint(
                condition=models.Q(("source", models.F("destination")), _negated=True),
                name="inventory_transfer_elsewhere",
            ),
        ),
        migrations.AddConstraint(
            model_name="stocktransferline",
            constraint=models.UniqueConstraint(
                fields=("transfer", "product"), name="inventory_transfer_product_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="stocktransferline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("quantity__gt", 0),
                    ("quantity_received__gte", 0),
                    ("quantity_received__lte", models.F("quantity")),
                ),
                name="inventory_transfer_line_within",
            ),
        ),
        *forbid_changes_again("inventory_stockmove"),
    ]
