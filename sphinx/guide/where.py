"""Which page of the guide belongs to which screen: the longest name that begins the view's own."""

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import get_language

# The beginning of a view's name → the page.
PAGES = {
    "": "",
    "dashboard:": "",
    "dashboard:statistics": "statistics/",
    "dashboard:pivot": "statistics/",
    "dashboard:stock_statistics": "statistics/",
    "dashboard:cohorts": "statistics/",
    "dashboard:emebi": "statistics/#emebi",
    "dashboard:departure": "roles/purchasing/#direct",
    "dashboard:alerts": "roles/purchasing/",
    "core:": "work/",
    "core:privacy": "roles/owner/#privacy",
    "sales:": "roles/sales/",
    "sales:worktop": "roles/warehouse/",
    "sales:differences": "roles/sales/#differences",
    "sales:picking": "roles/warehouse/",
    "sales:parcel": "roles/warehouse/",
    "sales:without_sku": "shops/#no-sku",
    "sales:return": "roles/warehouse/#returns",
    "sales:recognise_styles": "roles/warehouse/#models",
    "inventory:": "roles/warehouse/",
    "inventory:edit_style": "roles/warehouse/#models",
    "inventory:new_style": "roles/warehouse/#models",
    "purchasing:": "roles/purchasing/",
    "purchasing:style": "roles/purchasing/#models",
    "purchasing:receive": "roles/warehouse/#receiving",
    "suppliers:": "roles/purchasing/",
    "invoicing:": "roles/owner/#invoices",
    "accounting_export:": "roles/accountant/",
    "ftp_ingest:": "shops/",
    "ftp_ingest:assistant": "shops/#assistant",
    "ftp_ingest:mend": "errors/",
    "ftp_ingest:questions": "shops/#questions",
    "ftp_ingest:run": "roles/operator/",
    "ftp_ingest:shop_questions": "shops/#questions",
    "mfa_": "roles/owner/#people",
    "account_": "roles/owner/#people",
    "admin:auth_": "roles/owner/#people",
    "admin:core_company": "first-day/",
    "admin:core_exchangerate": "roles/owner/#currencies",
    "admin:core_shop": "shops/",
    "admin:core_approval": "roles/owner/#four-eyes",
    "admin:core_deadletter": "roles/operator/#letters",
    "admin:core_auditevent": "roles/owner/#audit",
    "admin:customers_": "roles/sales/",
    "admin:sales_": "roles/sales/",
    "admin:sales_deliverynote": "roles/warehouse/",
    "admin:sales_goodsreturn": "roles/warehouse/#returns",
    "admin:inventory_": "roles/warehouse/",
    "admin:inventory_product_import": "first-day/",
    "admin:inventory_style": "roles/warehouse/#models",
    "admin:inventory_reorderrule": "roles/purchasing/",
    "admin:purchasing_": "roles/purchasing/",
    "admin:purchasing_receipt": "roles/warehouse/#receiving",
    "admin:suppliers_": "roles/purchasing/",
    "admin:invoicing_": "roles/owner/#invoices",
    "admin:accounting_export_": "roles/accountant/",
    "admin:ftp_ingest_feed": "shops/",
    "admin:ftp_ingest_feedrun": "roles/operator/",
    "admin:ftp_ingest_receivedfile": "roles/operator/",
    "admin:ftp_ingest_shipmentfile": "shops/#shipments",
    "admin:ftp_ingest_quarantinedrow": "errors/",
    "admin:django_celery_beat_": "roles/operator/",
}


def page_for(view_name: str) -> str:
    """The page of the guide for a screen; "" is its first page."""
    return PAGES[max((name for name in PAGES if view_name.startswith(name)), key=len)]


def guide_url(page: str = "") -> str:
    """The address of a page in the reader's language."""
    return reverse("guide:first", args=[get_language() or settings.LANGUAGE_CODE]) + page


def guide_url_here(request: HttpRequest) -> str:
    """The address of the page for the screen that `request` shows."""
    match = request.resolver_match
    return guide_url(page_for(match.view_name if match else ""))
