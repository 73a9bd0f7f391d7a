"""The pages of statistics, as tabs of each other."""

from typing import Any, NamedTuple

from django.urls import reverse
from django.utils.translation import gettext_lazy as _


class Tab(NamedTuple):
    """A page of statistics and who may see it."""

    name: str
    label: Any
    permissions: tuple[str, ...]
    # The view's name, then its address.
    url: str


_TABS = (
    Tab("sales", _("Ventes"), ("sales.view_order", "invoicing.view_invoice"), "statistics"),
    Tab("customers", _("Clients"), ("sales.view_order", "invoicing.view_invoice"), "cohorts"),
    Tab("stock", _("Stock"), ("inventory.view_stockposition",), "stock_statistics"),
    Tab("pivot", _("Croiser"), ("sales.view_order", "invoicing.view_invoice"), "pivot"),
    Tab("emebi", _("Union (EMEBI)"), ("sales.view_order", "invoicing.view_invoice"), "emebi"),
)


def tabs_for(user: Any) -> list[Tab]:
    """The tabs that `user` may open, their addresses filled in."""
    return [
        tab._replace(url=reverse(f"dashboard:{tab.url}"))
        for tab in _TABS
        if user.has_perms(tab.permissions)
    ]
