"""The back-office's side bar, grouped as people work; an entry shows to those who may see it."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext_lazy as _


def _may_see(*permissions: str) -> Callable[[HttpRequest], bool]:
    return lambda request: request.user.has_perms(permissions)


def _list(title: Any, icon: str, model: str) -> dict[str, Any]:
    """An entry that opens a model's list; `model` is "app.model"."""
    app, name = model.split(".")
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{name}_changelist"),
        "permission": _may_see(f"{app}.view_{name}"),
    }


def _group(title: Any, *items: dict[str, Any]) -> dict[str, Any]:
    return {"title": title, "separator": True, "collapsible": False, "items": list(items)}


def _page(title: Any, icon: str, name: str, *permissions: str) -> dict[str, Any]:
    """An entry that opens one of our own pages."""
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(name),
        "permission": _may_see(*permissions),
    }


SIDEBAR: list[dict[str, Any]] = [
    {
        "items": [
            {
                "title": _("Tableau de bord"),
                "icon": "dashboard",
                "link": reverse_lazy("dashboard:home"),
                # Its address begins every other: it is marked on its own page only.
                "active": lambda request: request.path == reverse("dashboard:home"),
            },
            _page(
                _("Statistiques"),
                "monitoring",
                "dashboard:statistics",
                "sales.view_order",
                "invoicing.view_invoice",
            ),
            {
                "title": _("Travaux"),
                "icon": "progress_activity",
                "link": reverse_lazy("core:jobs"),
                "permission": lambda request: request.user.is_staff,
            },
        ]
    },
    _group(
        _("Ventes"),
        _list(_("Commandes"), "shopping_cart", "sales.order"),
        _page(_("Devis"), "contract", "sales:quotes", "sales.view_quote"),
        _page(_("Expédier"), "package_2", "sales:worktop", "sales.view_deliverynote"),
        _page(_("Écarts avec les boutiques"), "rule", "sales:differences", "sales.view_order"),
        _list(_("Bons de livraison"), "local_shipping", "sales.deliverynote"),
        _page(_("Retours"), "assignment_return", "sales:returns", "sales.view_returnrequest"),
        _list(_("Retours en stock"), "undo", "sales.goodsreturn"),
        _list(_("Clients"), "group", "customers.customer"),
    ),
    _group(
        _("Stock"),
        _list(_("Positions"), "inventory_2", "inventory.stockposition"),
        _page(_("Alertes"), "notifications", "dashboard:alerts", "inventory.view_stockposition"),
        _list(_("Articles"), "sell", "inventory.product"),
        _page(
            _("Articles sans référence"), "join", "sales:without_sku", "inventory.change_product"
        ),
        _page(_("À ranger"), "shelves", "inventory:put_away", "inventory.change_binstock"),
        _page(_("Emplacements"), "grid_view", "inventory:bins", "inventory.view_stockposition"),
        _list(_("Modèles"), "apparel", "inventory.style"),
        _list(_("Mouvements"), "swap_vert", "inventory.stockmove"),
        _list(_("Réservations"), "bookmark", "inventory.reservation"),
        _list(_("Inventaires"), "fact_check", "inventory.stockcount"),
        _list(_("Transferts"), "move_down", "inventory.stocktransfer"),
        _list(_("Lots"), "qr_code_2", "inventory.lotposition"),
        _page(_("Valeur du stock"), "euro", "inventory:value", "inventory.view_stockposition"),
        _list(_("Règles de réappro"), "rule", "inventory.reorderrule"),
        _list(_("Catégories"), "category", "inventory.productcategory"),
        _list(_("Dépôts"), "warehouse", "inventory.warehouse"),
    ),
    _group(
        _("Achats"),
        _list(_("Commandes fournisseurs"), "shopping_bag", "purchasing.purchaseorder"),
        _page(
            _("Que commander d'abord ?"),
            "savings",
            "dashboard:buying_budget",
            "purchasing.view_purchaseorder",
        ),
        _page(
            _("Envois directs"),
            "conveyor_belt",
            "dashboard:departures",
            "purchasing.view_purchaseorder",
        ),
        _list(_("Réceptions"), "move_to_inbox", "purchasing.receipt"),
        _list(_("Retours aux fournisseurs"), "undo", "purchasing.supplierreturn"),
        _list(_("Factures électroniques"), "move_to_inbox", "purchasing.receivedinvoice"),
        _list(_("Factures fournisseurs"), "request_quote", "purchasing.supplierinvoice"),
        _list(_("Niveaux calculés"), "query_stats", "purchasing.stockpolicy"),
        _page(
            _("Prévisions changées"),
            "trending_up",
            "purchasing:adjustments",
            "purchasing.view_demandadjustment",
        ),
        _page(_("Comparaison"), "balance", "purchasing:backtest", "purchasing.view_purchaseorder"),
        _list(_("Fournisseurs"), "factory", "suppliers.supplier"),
        _page(_("Paroles tenues"), "verified", "purchasing:scorecards", "suppliers.view_supplier"),
        _list(_("Tarifs"), "price_check", "suppliers.supplierproduct"),
        _list(_("Tarifs reçus"), "upload_file", "suppliers.pricelist"),
        _list(_("Réglages du réappro"), "tune", "purchasing.replenishmentrules"),
    ),
    _group(
        _("Facturation"),
        _list(_("Factures et avoirs"), "receipt_long", "invoicing.invoice"),
        _page(_("À facturer"), "post_add", "invoicing:to_invoice", "invoicing.view_invoice"),
        _page(_("À encaisser"), "savings", "invoicing:receivables", "invoicing.view_invoice"),
        _page(_("Banque"), "account_balance", "invoicing:bank", "invoicing.view_bankline"),
        _page(
            _("Prestataires"),
            "credit_card",
            "invoicing:providers",
            "invoicing.view_providertransaction",
        ),
        _list(_("Règlements"), "payments", "invoicing.payment"),
        _page(_("Plateforme"), "hub", "invoicing:platform", "invoicing.view_einvoicestate"),
        _list(_("Clôtures"), "lock_clock", "invoicing.closing"),
    ),
    _group(
        _("Comptabilité"),
        _page(
            _("Espace comptable"),
            "handshake",
            "accounting_export:export",
            "accounting_export.export_journal",
        ),
        _page(_("FEC"), "fact_check", "accounting_export:fec", "accounting_export.export_journal"),
        _page(_("TVA"), "percent", "accounting_export:vat", "accounting_export.export_journal"),
        _page(
            _("Clôtures mensuelles"),
            "event_available",
            "accounting_export:months",
            "accounting_export.view_closedmonth",
        ),
        _list(_("Écritures"), "menu_book", "accounting_export.journalentry"),
        _list(_("Exports"), "folder_zip", "accounting_export.exportbatch"),
        _list(_("Règles de comptes"), "account_tree", "accounting_export.accountrule"),
        _page(
            _("Pourquoi ce compte ?"),
            "help",
            "accounting_export:why",
            "accounting_export.view_accountrule",
        ),
        _list(_("Moyens de paiement"), "payments", "accounting_export.paymentmeans"),
        _list(_("Plan comptable"), "list_alt", "accounting_export.account"),
        _list(_("Journaux"), "auto_stories", "accounting_export.journal"),
    ),
    _group(
        _("Passerelle"),
        {
            "title": _("Déposer des fichiers"),
            "icon": "upload_file",
            "link": reverse_lazy("ftp_ingest:upload"),
            "permission": _may_see("ftp_ingest.change_feed"),
        },
        {
            "title": _("Assistant"),
            "icon": "auto_fix_high",
            "link": reverse_lazy("ftp_ingest:assistant_start"),
            "permission": _may_see("ftp_ingest.change_feed"),
        },
        {
            "title": _("Questions"),
            "icon": "help_center",
            "link": reverse_lazy("ftp_ingest:questions"),
            "permission": _may_see("ftp_ingest.change_quarantinedrow"),
        },
        _list(_("Quarantaine"), "report", "ftp_ingest.quarantinedrow"),
        _list(_("Passages"), "sync", "ftp_ingest.feedrun"),
        _list(_("Fichiers reçus"), "description", "ftp_ingest.receivedfile"),
        _list(_("Expéditions dites"), "outbox", "ftp_ingest.shipmentfile"),
        _list(_("Flux"), "cable", "ftp_ingest.feed"),
        _list(_("Tâches en échec"), "error", "core.deadletter"),
    ),
    _group(
        _("Réglages"),
        _list(_("Société"), "domain", "core.company"),
        _list(_("Boutiques"), "storefront", "core.shop"),
        _list(_("Cours de change"), "currency_exchange", "core.exchangerate"),
        _list(_("Utilisateurs"), "person", "auth.user"),
        _list(_("Rôles"), "badge", "auth.group"),
        _list(_("Planification"), "schedule", "django_celery_beat.periodictask"),
        _list(_("Demandes à valider"), "how_to_reg", "core.approval"),
        _list(_("Piste d'audit"), "history", "core.auditevent"),
        _page(_("E-mails"), "mail", "core:mail", "core.view_company"),
        _page(_("Données personnelles"), "shield_person", "core:privacy", "core.view_company"),
    ),
]
