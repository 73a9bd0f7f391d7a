from django.db import migrations

from sphinx.core.migration_checks import ValidateCheck


class Migration(migrations.Migration):
    dependencies = [
        ("purchasing", "0012_currencies"),
    ]

    operations = [
        ValidateCheck("purchaseorder", "purchasing_order_rate"),
        ValidateCheck("receipt", "purchasing_receipt_rate"),
        ValidateCheck("supplierinvoice", "purchasing_invoice_rate"),
        ValidateCheck("supplierinvoice", "purchasing_invoice_adds_up"),
        ValidateCheck("supplierinvoice", "purchasing_invoice_euros_add_up"),
    ]
