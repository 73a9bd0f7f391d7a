"""Issued rows of these tables are refused any change by the database itself."""

from django.db import migrations

from sphinx.core.triggers import forbid_changes


class Migration(migrations.Migration):
    dependencies = [("inventory", "0001_initial")]

    operations = [
        *forbid_changes("inventory_stockmove"),
    ]
