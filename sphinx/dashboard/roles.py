"""Who may do what: one group a role, its permissions stated here, kept by each migrate.

Add extra rights to a person, not to a role: roles are set back to this table.
"""

from collections.abc import Iterable
from typing import Any

from django.apps import apps

_SEE, _EDIT = ("view",), ("view", "add", "change")

# Role → models it edits, models it sees ("app.Model", or "app" for all of an app).
ROLES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "Ventes": (
        (
            "customers.Customer",
            "customers.CustomerAddress",
            "sales.Order",
            "sales.Quote",
            "sales.ReturnRequest",
            "ftp_ingest.QuarantinedRow",
            "accounting_export.EntryQuestion",
            "core.Approval",
            "invoicing.BankLine",
            "invoicing.Payment",
            "invoicing.Reminder",
        ),
        (
            "accounting_export.JournalEntry",
            "customers",
            "sales",
            "inventory",
            "invoicing",
            "ftp_ingest",
        ),
    ),
    "Entrepôt": (
        (
            "inventory.Product",
            "inventory.ReorderRule",
            "inventory.Bin",
            "inventory.BinStock",
            "inventory.Style",
            "inventory.StockCount",
            "inventory.StockTransfer",
            "inventory.StockMove",
            "purchasing.Receipt",
            "sales.DeliveryNote",
            "sales.GoodsReturn",
            "sales.ReturnRequest",
        ),
        ("customers", "sales", "inventory", "purchasing", "suppliers"),
    ),
    "Achats": (
        (
            "suppliers",
            "purchasing",
            "core.Approval",
            "inventory.Product",
            "inventory.ReorderRule",
            "inventory.StockTransfer",
            "inventory.Style",
        ),
        ("suppliers", "purchasing", "inventory"),
    ),
    # Reads and exports only, and asks.
    "Comptable": (
        (),
        (
            "customers",
            "sales",
            "invoicing",
            "accounting_export",
            "suppliers",
            "purchasing.SupplierInvoice",
            "purchasing.SupplierPayment",
            "purchasing.Receipt",
        ),
    ),
    # The accountant outside the firm: documents and books, nobody's orders, stock or suppliers.
    "Cabinet comptable": ((), ("invoicing", "accounting_export")),
    "Exploitant": (("ftp_ingest", "core.DeadLetter"), ("ftp_ingest", "core", "django_celery_beat")),
    "Gérant": (
        (
            "customers",
            "suppliers",
            "inventory",
            "purchasing",
            "sales",
            "invoicing",
            "accounting_export",
            "ftp_ingest",
            "core",
            "auth",
            "django_celery_beat",
        ),
        (),
    ),
}
# Rights that are not about a model: journal exports for those who do the accounts.
EXPORTERS = ("Comptable", "Cabinet comptable", "Gérant")


def ensure_roles(**_: Any) -> None:
    """Make the groups and set their permissions."""
    from django.contrib.auth.models import Group, Permission

    known = {
        (p.content_type.app_label, p.codename): p
        for p in Permission.objects.select_related("content_type")
    }
    for role, (edited, seen) in ROLES.items():
        wanted = {*_codenames(edited, _EDIT), *_codenames(seen, _SEE)}
        if role in EXPORTERS:
            wanted |= {
                ("accounting_export", "export_journal"),
                ("accounting_export", "add_entryquestion"),
            }
        if role == "Gérant":
            wanted.add(("customers", "forget_customer"))
        group, _created = Group.objects.get_or_create(name=role)
        group.permissions.set([known[key] for key in wanted if key in known])


def _codenames(labels: Iterable[str], actions: Iterable[str]) -> Iterable[tuple[str, str]]:
    for label in labels:
        models = (
            [apps.get_model(label)] if "." in label else apps.get_app_config(label).get_models()
        )
        for model in models:
            for action in actions:
                yield model._meta.app_label, f"{action}_{model._meta.model_name}"
