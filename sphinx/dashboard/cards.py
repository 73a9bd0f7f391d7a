"""The cards of the home page: what waits for whom, and the list that each opens."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.urls import reverse
from django.utils.translation import gettext_lazy as _


class Card(NamedTuple):
    """`tone` is what a count above zero means: info, warning, danger. `target` is a model's list
    (app_model, `query` its filter), or one of our own pages (app:page)."""

    name: str
    title: Any
    icon: str
    tone: str
    permission: str
    target: str
    query: str


_CARDS = (
    # One a cause: a hundred orders that lack the same thing lack it once.
    Card("quarantine_causes", _("Causes de mise en quarantaine"), "report", "danger",
         "ftp_ingest.view_quarantinedrow", "ftp_ingest_quarantinedrow", "status__exact=open"),
    Card("alarms", _("Alertes de la passerelle (24 h)"), "notifications_active", "danger",
         "core.view_auditevent", "core_auditevent", "kind=feed.alarm"),
    Card("failing_feeds", _("Flux en échec"), "cable", "danger",
         "ftp_ingest.view_feed", "ftp_ingest_feed", ""),
    Card("approvals", _("Demandes à valider"), "how_to_reg", "warning",
         "core.change_approval", "core_approval", "status__exact=waiting"),
    Card("dead_letters", _("Tâches en échec"), "error", "danger",
         "core.change_deadletter", "core_deadletter", "status__exact=open"),
    Card("to_confirm", _("Commandes à confirmer"), "pending_actions", "warning",
         "sales.view_order", "sales_order", "status__exact=draft&is_history__exact=0"),
    Card("refunds_in_doubt", _("Remboursements à expliquer"), "currency_exchange", "warning",
         "sales.view_order", "sales:differences", ""),
    Card("shipped_by_shops", _("Expédiées sans bon d'ici"), "rule", "warning",
         "sales.view_order", "sales:differences", ""),
    Card("to_take_over", _("Commandes de la reprise à traiter"), "history", "info",
         "sales.view_order", "sales:differences", ""),
    Card("quotes", _("Devis à relancer"), "contract", "warning",
         "sales.view_quote", "sales:quotes", ""),
    Card("to_prepare", _("Commandes à préparer"), "inventory", "info",
         "sales.view_deliverynote", "sales:worktop", ""),
    Card("waiting_stock", _("Commandes en attente de stock"), "hourglass_top", "warning",
         "inventory.view_stockposition", "inventory_stockposition", "level=waiting"),
    Card("foreign_rates", _("Ventes UE à un taux inconnu du pays livré"), "travel_explore",
         "warning", "sales.view_order", "sales_order", "rates=foreign"),
    Card("refused_vat", _("N° de TVA inconnus de VIES"), "gpp_bad", "warning",
         "customers.view_customer", "customers_customer", "vies=invalid"),
    Card("to_ship", _("Bons à expédier"), "local_shipping", "info",
         "sales.view_deliverynote", "sales:worktop", ""),
    Card("returns", _("Retours à examiner"), "assignment_return", "info",
         "sales.view_returnrequest", "sales:returns", ""),
    Card("kept", _("Gardé de commandes vidées, à facturer"), "receipt_long", "warning",
         "invoicing.view_invoice", "invoicing:to_invoice", ""),
    Card("to_invoice", _("Bons à facturer"), "receipt_long", "info",
         "invoicing.view_invoice", "invoicing:to_invoice", ""),
    Card("without_tax", _("Commandes sans TVA à expliquer"), "percent", "warning",
         "invoicing.view_invoice", "invoicing:to_invoice", ""),
    Card("overdue", _("Factures en retard de paiement"), "savings", "warning",
         "invoicing.view_invoice", "invoicing:receivables", ""),
    Card("refused_invoices", _("Factures électroniques refusées"), "assignment_late", "danger",
         "invoicing.view_einvoicestate", "invoicing:platform", ""),
    Card("bank", _("Opérations bancaires à rapprocher"), "account_balance", "info",
         "invoicing.view_bankline", "invoicing:bank", ""),
    Card("questions", _("Questions de l'expert-comptable"), "forum", "warning",
         "accounting_export.change_entryquestion", "accounting_export_entryquestion",
         "answer__isempty=1"),
    Card("unsent", _("Envois au comptable en échec"), "outgoing_mail", "danger",
         "accounting_export.export_journal", "accounting_export:export", ""),
    Card("einvoices", _("Factures fournisseurs à saisir"), "move_to_inbox", "info",
         "purchasing.view_receivedinvoice", "purchasing_receivedinvoice", "status__exact=open"),
    Card("differing", _("Factures fournisseurs avec écart"), "request_quote", "warning",
         "purchasing.view_supplierinvoice", "purchasing_supplierinvoice",
         "status__exact=differs"),
    Card("proposals", _("Achats proposés"), "shopping_bag", "info",
         "purchasing.view_purchaseorder", "purchasing_purchaseorder", "status__exact=proposed"),
    Card("to_receive", _("Livraisons attendues"), "move_to_inbox", "info",
         "purchasing.add_receipt", "purchasing_purchaseorder", "awaited=due"),
    Card("late_suppliers", _("Fournisseurs en retard"), "schedule", "warning",
         "purchasing.change_purchaseorder", "purchasing_purchaseorder", "awaited=late"),
    Card("departures", _("Envois directs à confirmer"), "conveyor_belt", "info",
         "purchasing.add_receipt", "dashboard:departures", ""),
    Card("departures_in_doubt", _("Envois directs à revoir avec le fournisseur"), "report",
         "warning", "purchasing.view_purchaseorder", "dashboard:departures", ""),
    Card("transfers", _("Transferts proposés"), "move_down", "info",
         "inventory.change_stocktransfer", "inventory_stocktransfer",
         "status__exact=draft&is_proposed__exact=1"),
    Card("counts", _("Inventaires en cours"), "fact_check", "info",
         "inventory.change_stockcount", "inventory_stockcount", "status__exact=open"),
    Card("incomplete_products", _("Articles à compléter"), "edit_note", "warning",
         "inventory.view_product", "inventory_product", "is_incomplete__exact=1"),
)  # fmt: skip


def cards_for(
    user: AbstractBaseUser | AnonymousUser, counts: Mapping[str, int]
) -> list[dict[str, Any]]:
    """The cards that `user` may see, with what waits behind each."""
    return [
        {
            **card._asdict(),
            "count": counts[card.name],
            "url": _url(card),
        }
        for card in _CARDS
        if user.has_perm(card.permission)  # type: ignore[union-attr]
    ]


def _url(card: Card) -> str:
    if ":" in card.target:
        return reverse(card.target)
    return f"{reverse(f'admin:{card.target}_changelist')}?{card.query}"
