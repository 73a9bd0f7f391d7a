from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounting_export", "0013_currencies_checked"),
    ]

    operations = [
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
                    ("expense", "Charges de factures fournisseurs"),
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
    ]
