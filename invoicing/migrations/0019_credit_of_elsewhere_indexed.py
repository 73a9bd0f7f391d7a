from django.db import migrations, models

from sphinx.core.migration_checks import AddIndexInUse


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("invoicing", "0018_invoice_of_what_is_kept_checked")]

    operations = [
        AddIndexInUse(
            model_name="invoice",
            index=models.Index(
                condition=models.Q(credited_invoice__isnull=True, kind="credit_note"),
                fields=["id"],
                name="invoicing_credit_elsewhere",
            ),
        ),
    ]
