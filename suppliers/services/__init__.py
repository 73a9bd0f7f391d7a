"""Writes of suppliers: the catalogue, price lists."""

from suppliers.services.catalogue import CatalogueReport, load_catalogue

__all__ = ["CatalogueReport", "load_catalogue"]
