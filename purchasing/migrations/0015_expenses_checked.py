from django.db import migrations

from sphinx.core.migration_checks import ValidateCheck


class Migration(migrations.Migration):
    dependencies = [
        ("purchasing", "0014_expenses"),
    ]

    operations = [
        ValidateCheck("supplierinvoice", "purchasing_invoice_adds_up"),
        ValidateCheck("supplierinvoice", "purchasing_invoice_euros_add_up"),
        ValidateCheck("supplierinvoiceline", "purchasing_invoice_line_pieces"),
    ]
