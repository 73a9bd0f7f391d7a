import django.db.models.deletion
from django.db import migrations, models

import sphinx.core.fields
from sphinx.core.migration_checks import AddCheckNotValid
from sphinx.core.triggers import forbid_changes_again


class Migration(migrations.Migration):
    dependencies = [
        ("accounting_export", "0011_batch_left_out"),
        ("invoicing", "0019_credit_of_elsewhere_indexed"),
        ("purchasing", "0012_currencies"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="journalentry",
            name="accounting_entry_one_origin",
        ),
        migrations.AddField(
            model_name="journalentry",
            name="supplier_payment",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="entries",
                to="purchasing.supplierpayment",
                verbose_name="règlement fournisseur",
            ),
        ),
        migrations.AddField(
            model_name="journalline",
            name="currency",
            field=models.CharField(blank=True, db_default="", max_length=3, verbose_name="devise"),
        ),
        migrations.AddField(
            model_name="journalline",
            name="currency_amount",
            field=sphinx.core.fields.MoneyField(
                blank=True,
                decimal_places=2,
                max_digits=12,
                null=True,
                verbose_name="montant en devise",
            ),
        ),
        migrations.AlterField(
            model_name="accountrule",
            name="nature",
            field=models.CharField(
                choices=[
                    ("customers", "Clients"),
                    ("goods", "Ventes de marchandises"),
                    ("shipping", "Ports facturés"),
                    ("fee", "Frais accessoires facturés"),
                    ("tip", "Pourboires"),
                    ("gift_card", "Cartes cadeaux vendues"),
                    ("deposit", "Acomptes reçus"),
                    ("duties", "Droits de douane refacturés"),
                    ("discount", "Remises accordées"),
                    ("tax", "TVA collectée"),
                    ("suppliers", "Fournisseurs"),
                    ("purchases", "Achats de marchandises"),
                    ("carriage", "Ports sur achats"),
                    ("input_tax", "TVA déductible"),
                    ("self_tax", "TVA autoliquidée"),
                    ("fees", "Commissions des prestataires"),
                    ("transit", "Virements internes"),
                    ("suspense", "Compte d'attente"),
                    ("advance", "Avances reçues avant facture"),
                    ("bank_fee", "Frais bancaires"),
                    ("shortfall", "Écarts de règlement, charges"),
                    ("surplus", "Écarts de règlement, produits"),
                    ("fx_loss", "Pertes de change"),
                    ("fx_gain", "Gains de change"),
                ],
                max_length=10,
                verbose_name="nature",
            ),
        ),
        migrations.AlterField(
            model_name="journalline",
            name="nature",
            field=models.CharField(
                blank=True,
                choices=[
                    ("customers", "Clients"),
                    ("goods", "Ventes de marchandises"),
                    ("shipping", "Ports facturés"),
                    ("fee", "Frais accessoires facturés"),
                    ("tip", "Pourboires"),
                    ("gift_card", "Cartes cadeaux vendues"),
                    ("deposit", "Acomptes reçus"),
                    ("duties", "Droits de douane refacturés"),
                    ("discount", "Remises accordées"),
                    ("tax", "TVA collectée"),
                    ("suppliers", "Fournisseurs"),
                    ("purchases", "Achats de marchandises"),
                    ("carriage", "Ports sur achats"),
                    ("input_tax", "TVA déductible"),
                    ("self_tax", "TVA autoliquidée"),
                    ("fees", "Commissions des prestataires"),
                    ("transit", "Virements internes"),
                    ("suspense", "Compte d'attente"),
                    ("advance", "Avances reçues avant facture"),
                    ("bank_fee", "Frais bancaires"),
                    ("shortfall", "Écarts de règlement, charges"),
                    ("surplus", "Écarts de règlement, produits"),
                    ("fx_loss", "Pertes de change"),
                    ("fx_gain", "Gains de change"),
                ],
                db_default="",
                max_length=10,
                verbose_name="nature",
            ),
        ),
        AddCheckNotValid(
            model_name="journalentry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("bank_line__isnull", True),
                        ("invoice__isnull", False),
                        ("payment__isnull", True),
                        ("supplier_invoice__isnull", True),
                        ("supplier_payment__isnull", True),
                        ("provider", ""),
                    ),
                    models.Q(
                        ("bank_line__isnull", True),
                        ("invoice__isnull", True),
                        ("payment__isnull", True),
                        ("supplier_invoice__isnull", False),
                        ("supplier_payment__isnull", True),
                        ("provider", ""),
                    ),
                    models.Q(
                        ("bank_line__isnull", True),
                        ("invoice__isnull", True),
                        ("payment__isnull", True),
                        ("supplier_invoice__isnull", True),
                        ("supplier_payment__isnull", False),
                        ("provider", ""),
                    ),
                    models.Q(
                        ("bank_line__isnull", True),
                        ("invoice__isnull", True),
                        ("payment__isnull", False),
                        ("supplier_invoice__isnull", True),
                        ("supplier_payment__isnull", True),
                        ("provider", ""),
                    ),
                    models.Q(
                        ("bank_line__isnull", False),
                        ("invoice__isnull", True),
                        ("payment__isnull", True),
                        ("supplier_invoice__isnull", True),
                        ("supplier_payment__isnull", True),
                        ("provider", ""),
                    ),
                    models.Q(
                        ("bank_line__isnull", True),
                        ("invoice__isnull", True),
                        ("payment__isnull", True),
                        ("supplier_invoice__isnull", True),
                        ("supplier_payment__isnull", True),
                        models.Q(("provider", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="accounting_entry_one_origin",
            ),
        ),
        migrations.AddConstraint(
            model_name="journalentry",
            constraint=models.UniqueConstraint(
                condition=models.Q(("supplier_payment__isnull", False)),
                fields=("supplier_payment", "is_reversal"),
                name="accounting_entry_supplier_paid_once",
            ),
        ),
        AddCheckNotValid(
            model_name="journalline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("currency", ""), ("currency_amount__isnull", True)),
                    models.Q(
                        models.Q(("currency", ""), _negated=True), ("currency_amount__gte", 0)
                    ),
                    _connector="OR",
                ),
                name="accounting_line_currency_amount",
            ),
        ),
        *forbid_changes_again("accounting_export_journalentry"),
        *forbid_changes_again("accounting_export_journalline"),
    ]
