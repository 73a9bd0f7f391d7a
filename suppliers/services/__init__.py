"""Writes of suppliers: the catalogue, price lists."""

from suppliers.services.catalogue import NOTES, CatalogueReport, load_catalogue

__all__ = ["NOTES", "CatalogueReport", "load_catalogue"]
