"""Writes of suppliers: the catalogue, price lists."""

from suppliers.services.bank_details import change_bank_details
from suppliers.services.catalogue import NOTES, CatalogueReport, load_catalogue
from suppliers.services.price_lists import (
    OPEN,
    Preview,
    accept_price_list,
    apply_due_price_lists,
    choose_columns,
    discard_price_list,
    preview_price_list,
    receive_price_list,
)

__all__ = [
    "NOTES",
    "OPEN",
    "CatalogueReport",
    "Preview",
    "accept_price_list",
    "apply_due_price_lists",
    "change_bank_details",
    "choose_columns",
    "discard_price_list",
    "load_catalogue",
    "preview_price_list",
    "receive_price_list",
]
