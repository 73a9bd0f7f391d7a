"""Issued rows of these tables are refused any change by the database itself."""

from django.db import migrations

from sphinx.core.triggers import forbid_changes


class Migration(migrations.Migration):
    dependencies = [("accounting_export", "0001_initial")]

    operations = [
        *forbid_changes("accounting_export_journalentry"),
        *forbid_changes("accounting_export_journalline"),
        *forbid_changes("accounting_export_exportedentry"),
        *forbid_changes("accounting_export_exportbatch"),
    ]
