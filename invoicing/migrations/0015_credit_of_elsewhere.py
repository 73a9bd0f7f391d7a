from django.db import migrations, models

from sphinx.core.migration_checks import AddCheckNotValid
from sphinx.core.triggers import forbid_changes_again


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0014_settled_without_money")]

    operations = [
        migrations.RemoveConstraint(model_name="invoice", name="invoicing_invoice_kind_has_origin"),
        AddCheckNotValid(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("credited_invoice__isnull", True),
                        ("delivery_note__isnull", False),
                        ("is_down_payment", False),
                        ("is_grouped", False),
                        ("kind", "invoice"),
                    ),
                    models.Q(
                        ("credited_invoice__isnull", True),
                        ("delivery_note__isnull", True),
                        ("is_down_payment", True),
                        ("is_grouped", False),
                        ("kind", "invoice"),
                    ),
                    models.Q(
                        ("credited_invoice__isnull", True),
                        ("delivery_note__isnull", True),
                        ("is_down_payment", False),
                        ("is_grouped", True),
                        ("kind", "invoice"),
                    ),
                    models.Q(
                        ("credited_invoice__isnull", False),
                        ("is_down_payment", False),
                        ("is_grouped", False),
                        ("kind", "credit_note"),
                    ),
                    models.Q(
                        ("credited_invoice__isnull", True),
                        ("delivery_note__isnull", True),
                        ("is_down_payment", False),
                        ("is_grouped", False),
                        ("kind", "credit_note"),
                        ("mentions__has_key", "credited"),
                    ),
                    _connector="OR",
                ),
                name="invoicing_invoice_kind_has_origin",
            ),
        ),
        *forbid_changes_again("invoicing_invoice"),
    ]
