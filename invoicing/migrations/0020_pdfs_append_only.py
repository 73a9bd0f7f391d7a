"""The hash of a PDF that was made never changes."""

from django.db import migrations

from sphinx.core.triggers import forbid_changes


class Migration(migrations.Migration):
    dependencies = [
        ("invoicing", "0019_credit_of_elsewhere_indexed"),
    ]

    operations = [
        *forbid_changes("invoicing_invoicepdf"),
    ]
